"""One word for how far a velocity can be believed, from the chance that it is right, and why.

Right means within 15 % of the truth. Each doubt is a number from 0 to 1 and can only lower the chance; what it weighs
was fitted on recordings of two generators that are neither trained on nor in the benchmark (``scripts/fit_trust.py``).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.flags import FLAG_MEANINGS, GRADES
from sam2flow_core.config.velocity import TrustSettings, VelocitySettings
from sam2flow_core.messages import Message
from sam2flow_core.velocity.records import Doubts, SpaceTime

_ABSENT = Message("nothing along the line moves that the tissue beside it does not show as well: is there a vessel?")


@dataclass(frozen=True)
class Views:
    """The readings of one velocity, px per frame, over the frames that the flow answers; NaN if not readable.

    Attributes
    ----------
    flow : float
        In the band that the space-time diagram samples.
    rows, transit, slant : float
        By the diagram: rows compared with each other, times from one cross-section to another, and the slope along
        which streaks add up. The first two share no sum; the third is a second look at the rows.
    """

    flow: float
    rows: float
    transit: float
    slant: float = float("nan")

    def differences(self, floor: float) -> tuple[float, float]:
        """How far the flow is from rows and from transit, as shares of these; NaN where not readable."""
        return (
            abs(self.flow - self.rows) / max(abs(self.rows), floor),
            abs(self.flow - self.transit) / max(abs(self.transit), floor),
        )

    def agreeing(self, agreement: float, floor: float) -> int:
        """Return how many of the three readings of the diagram agree with the flow."""
        readings = np.array([self.rows, self.transit, self.slant])
        return int((np.abs(self.flow - readings) <= agreement * np.maximum(np.abs(readings), floor)).sum())

    def alike(self, settings: TrustSettings) -> bool:
        """Whether rows and transit, which share no sum, agree with each other."""
        return abs(self.rows - self.transit) <= settings.confirming * abs(self.rows + self.transit) / 2

    def confirmed(self, settings: TrustSettings) -> bool:
        """Whether they do, and the flow with them."""
        both = (self.rows + self.transit) / 2
        return self.alike(settings) and abs(self.flow - both) <= settings.agreement * abs(both)

    def gain(self, relative_scale: float, settings: TrustSettings) -> float:
        """Return what to multiply the flow by; 1 unless rows and transit agree with each other and it is not far off.

        Where two readings that share no sum agree, flow and diagram are weighed as two independent measurements: the
        flow by the error that the network expects of it, `relative_scale`, the diagram by its own.
        """
        both = (self.rows + self.transit) / 2
        # What stands still has nothing to be multiplied.
        far = not abs(self.flow - both) <= settings.correctable * abs(both)
        if not self.alike(settings) or not self.flow or far:
            return 1.0
        share = relative_scale**2 / (relative_scale**2 + settings.confirming**2)
        return float(1 + share * (both / self.flow - 1))

    def scaled(self, gain: float) -> Views:
        """Return the same with the flow multiplied."""
        return replace(self, flow=gain * self.flow)

    def outvote(self, agreement: float, floor: float) -> bool:
        """Whether rows and transit agree with each other and both contradict the flow."""
        alike = abs(self.rows - self.transit) <= agreement * max(abs(self.rows), floor)
        return bool(alike and min(self.differences(floor)) > agreement)


def find_views(centre: NDArray[np.float64], diagram: SpaceTime, settings: VelocitySettings) -> Views:
    """Average the readings; `centre` (T,) is the flow in the band of the diagram."""

    def mean(values: NDArray[np.float64], readable: bool) -> float:
        both = np.isfinite(values) & np.isfinite(centre)
        return float(values[both].mean()) if readable and both.any() else float("nan")

    return Views(
        flow=mean(centre, True),
        rows=mean(diagram.velocity, diagram.quality >= settings.flags.min_kymograph_quality),
        transit=mean(diagram.transit, diagram.transit_quality >= settings.transit.readable),
        slant=mean(diagram.radon, True),
    )


def _saturated(value: float, half: float) -> float:
    """From 0 to 1, a half at `half`; small differences, which readings have from each other by chance, hardly count."""
    return value**2 / (value**2 + half**2)


def chance_right(doubts: Doubts, settings: TrustSettings) -> float:
    """Return the chance that the velocity is within 15 % of the truth, 0 to 1.

    Examples
    --------
    >>> nothing, much = Doubts(0, 0, 0, 0), Doubts(1, 1, 1, 1)
    >>> chance_right(nothing, TrustSettings()) > 0.9 > 0.2 > chance_right(much, TrustSettings())
    True
    """
    score = settings.intercept - float(np.dot(settings.weights, astuple(doubts)))
    return float(1 / (1 + np.exp(-score)))


def level_of(chance: float, settings: TrustSettings) -> int:
    """Return the best grade that a chance allows: 0 is good, 3 unusable."""
    return sum(chance < limit for limit in settings.levels)


@dataclass(frozen=True)
class Findings:
    """What a grade is made from; shares are of 1.

    Attributes
    ----------
    flags : tuple of str
    views : Views
        The readings of the velocity, with the flow that is reported.
    gain : float
        What the flow was multiplied by to be that.
    match : float
        Correlation of the pattern with itself on its way, by transit times.
    lasting_error : float
        The error to be expected of the mean velocity however long the recording is, over the speed.
    valid_share, lost_share : float
        Of the frames: with a velocity; repeated or missing.
    opposed : float
        Share of the vessel's length whose flow runs against the rest.
    beside : float
        Mean velocity over the lumen, over that in its middle.
    mask : float
        What the model makes of the mask it drew from the prompts, 0 to 1.
    presence : float
        Chance that there is a vessel, by what moves along it and beside it.
    unsharp : float
        Share of the frames that are out of focus.
    along : tuple of str
        What is wrong along the length, in words, with the place.
    at_end : bool
        Whether that is near an end of the line, so that most of it is one vessel.
    """

    flags: tuple[str, ...]
    views: Views
    gain: float
    match: float
    lasting_error: float
    valid_share: float
    lost_share: float
    opposed: float
    beside: float
    mask: float
    presence: float
    unsharp: float
    along: tuple[str, ...]
    at_end: bool


def find_doubts(findings: Findings, settings: VelocitySettings) -> Doubts:
    """Turn what is known of a vessel into doubts."""
    trust, floor, views = settings.trust, settings.flags.floor_px_frame, findings.views
    readings = np.array([views.rows, views.transit, views.slant])
    apart = np.sort(np.abs(views.flow - readings) / np.maximum(np.abs(readings), floor))
    apart = np.nan_to_num(apart, nan=1.0).clip(0, 1)
    error = findings.lasting_error
    return Doubts(
        apart=_saturated(float(apart[1]), trust.half_difference),
        weak=float(np.clip(1 - findings.match / trust.clear_match, 0, 1)),
        error=_saturated(error, trust.half_error) if np.isfinite(error) else 1.0,
        slow=1 - _saturated(float(np.nan_to_num(views.flow)), trust.half_slow_px_frame),
    )


@dataclass(frozen=True)
class Graded:
    """A grade, and what it is made from.

    Attributes
    ----------
    grade : str
    reasons : tuple of str
        In words, the weightiest first.
    doubts : Doubts
    chance : float
        That the velocity is within 15 % of the truth.
    """

    grade: str
    reasons: tuple[str, ...]
    doubts: Doubts
    chance: float


def grade_vessel(findings: Findings, settings: VelocitySettings) -> Graded:
    """Grade a vessel, and say why.

    The chance that the velocity is right by the three readings of it and the model's own doubt decides, and whatever is
    wrong besides can lower the grade. Without a readable space-time diagram nothing confirms the flow, and a vessel is
    poor at best; so is one whose diagram contradicts the flow in both of its readings.
    """
    found: list[tuple[int, str]] = []
    limits, floor = settings.grade, settings.flags.floor_px_frame

    def judge(value: float, bounds: tuple[float, float, float], text: str, high_is_bad: bool = True) -> None:
        beyond = [value > limit if high_is_bad else value < limit for limit in bounds]
        if np.isfinite(value) and any(beyond):
            found.append((sum(beyond), text))

    text = Message("only {share:.0%} of the frames have a velocity", share=findings.valid_share)
    judge(findings.valid_share, limits.valid, text, high_is_bad=False)
    text = Message("{share:.0%} of the frames are repeated or missing", share=findings.lost_share)
    judge(findings.lost_share, limits.lost, text)
    text = Message(
        "on {share:.0%} of its length blood runs the other way: two vessels in one mask?", share=findings.opposed
    )
    judge(findings.opposed, limits.opposed, text)
    text = Message("beside the middle of the lumen blood runs faster than in it: a second vessel in the mask?")
    judge(findings.beside, limits.beside, text)
    judge(findings.mask, limits.mask, _mask_in_words(findings), high_is_bad=False)
    judge(findings.presence, limits.presence, _ABSENT, high_is_bad=False)
    judge(findings.unsharp, limits.unsharp, FLAG_MEANINGS["OUT_OF_FOCUS"])
    if not np.isfinite(findings.views.flow):
        found.append((3, Message("there is no velocity to judge")))
    elif not np.isfinite(findings.views.rows) and not np.isfinite(findings.views.transit):
        found.append((2, Message("no readable space-time diagram confirms the flow")))
    elif findings.views.outvote(settings.trust.agreement, floor):
        apart = np.nanmin(findings.views.differences(floor))
        text = Message("flow and space-time diagram differ by {apart:.0%}, in both ways of reading it", apart=apart)
        found.append((2, text))
    elif findings.views.agreeing(settings.trust.agreement, floor) < 2:
        text = Message("fewer than two of the three readings of the space-time diagram agree with the flow")
        found.append((1, text))
    doubts = find_doubts(findings, settings)
    chance = chance_right(doubts, settings.trust)
    level = level_of(chance, settings.trust)
    if level and np.isfinite(findings.views.flow):
        found += [(level, text) for text in _doubts_in_words(findings, doubts, settings)]
    confirmed = findings.views.confirmed(settings.trust)
    text = Message("taken {change:+.0%} to the space-time diagram, whose two readings agree", change=findings.gain - 1)
    aside: tuple[str, ...] = (text,) if abs(findings.gain - 1) >= 0.005 else ()
    if abs(findings.gain - 1) > settings.trust.much:
        found.append((1, text))
    if findings.at_end:  # most of the line is one vessel: it is told, and lowers no grade
        aside += findings.along
    else:
        found += [(2, text) for text in findings.along]
    ceilings = dict.fromkeys(limits.fair_at_best, 1) | dict.fromkeys(limits.poor_at_best, 2)
    told = [flag for flag in findings.flags if flag in ceilings]
    if confirmed:
        aside += tuple(FLAG_MEANINGS[flag] for flag in told if flag in limits.unless_confirmed)
        told = [flag for flag in told if flag not in limits.unless_confirmed]
    found += [(ceilings[flag], FLAG_MEANINGS[flag]) for flag in told]
    if not found:
        apart = abs(1 / findings.gain - 1) or np.nanmin(findings.views.differences(floor))
        agreement = Message("flow and space-time diagram agree within {apart:.0%}", apart=apart)
        valid = Message("{share:.0%} of the frames have a velocity", share=findings.valid_share)
        return Graded(GRADES[0], (agreement, *aside, valid), doubts, chance)
    worst = max(level for level, _ in found)
    ordered = sorted(found, key=lambda finding: -finding[0])
    reasons = tuple(dict.fromkeys([*(text for _, text in ordered), *aside]))
    return Graded(GRADES[min(worst, 3)], reasons, doubts, chance)


def _mask_in_words(findings: Findings) -> Message:
    return Message("the mask is expected to be right by {share:.0%} only: look at it", share=findings.mask)


def _doubts_in_words(findings: Findings, doubts: Doubts, settings: VelocitySettings) -> list[str]:
    """Say what lowers the chance most, the heaviest first; at least one thing."""
    nearest = np.nan_to_num(findings.views.differences(settings.flags.floor_px_frame), nan=np.inf).min()
    apart = Message("the readings of the space-time diagram differ, or one cannot be read")
    if not np.isfinite(nearest):
        apart = Message("no readable space-time diagram confirms the flow")
    elif nearest > settings.trust.agreement:
        apart = Message("flow and space-time diagram differ by {nearest:.0%}", nearest=nearest)
    texts = {
        "apart": apart,
        "weak": Message("the pattern changes on its way: cells are hard to follow"),
        "error": Message("the model expects errors of {scale:.0%} of the speed", scale=findings.lasting_error),
        "slow": FLAG_MEANINGS["NEAR_FLOOR"],
    }
    weighed = {name: weight * getattr(doubts, name) for name, weight in zip(texts, settings.trust.weights, strict=True)}
    most = max(weighed.values())
    told = [name for name in sorted(weighed, key=lambda name: -weighed[name]) if weighed[name] > 0.5 * most]
    return [texts[name] for name in told]
