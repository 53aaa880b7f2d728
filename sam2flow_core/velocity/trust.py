"""The chance that a velocity is right, from what speaks against it: fitted, monotone, and short enough to be read.

Right means within 15 % of the truth. Each doubt is a number from 0 to 1 and can only lower the chance; what it weighs
was fitted on recordings of two generators that are neither trained on nor in the benchmark (``scripts/fit_trust.py``).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import TrustSettings, VelocitySettings
from sam2flow_core.velocity.records import Doubts, SpaceTime


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

    def gain(self, relative_scale: float, settings: TrustSettings) -> float:
        """Return what to multiply the flow by; 1 unless rows and transit agree with each other and it is not far off.

        Where two readings that share no sum agree, flow and diagram are weighed as two independent measurements: the
        flow by the error that the network expects of it, `relative_scale`, the diagram by its own.
        """
        both = (self.rows + self.transit) / 2
        alike = abs(self.rows - self.transit) <= settings.confirming * abs(both)
        if not alike or not abs(self.flow - both) <= settings.correctable * abs(both):
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


def find_doubts(views: Views, diagram: SpaceTime, relative_scale: float, settings: VelocitySettings) -> Doubts:
    """Turn what is known of a vessel into doubts; `views` are those whose flow is reported."""
    trust, floor = settings.trust, settings.flags.floor_px_frame
    readings = np.array([views.rows, views.transit, views.slant])
    apart = np.sort(np.abs(views.flow - readings) / np.maximum(np.abs(readings), floor))
    apart = np.nan_to_num(apart, nan=1.0).clip(0, 1)
    scale = np.nan_to_num(relative_scale, nan=np.inf)
    return Doubts(
        nearest=_saturated(float(apart[0]), trust.half_difference),
        second=_saturated(float(apart[1]), trust.half_difference),
        weak=float(np.clip(1 - diagram.transit_match / trust.clear_match, 0, 1)),
        scale=1.0 if np.isinf(scale) else _saturated(float(scale), trust.half_scale),
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
