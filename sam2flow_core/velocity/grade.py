"""One word for how far a vessel's velocity can be believed, and why."""

from __future__ import annotations

import numpy as np

from sam2flow_core.config.flags import FLAG_MEANINGS, GRADES
from sam2flow_core.config.velocity import GradeSettings

# The best grade (as an index) that a vessel with this flag can have.
_FLAG_CEILINGS = {
    "ALIASED": 1,
    "NEAR_FLOOR": 1,
    "LOW_CONTRAST": 1,
    "OUT_OF_FOCUS": 1,
    "MOTION": 1,
    "SATURATED": 1,
    "TOO_SHORT": 1,
    "MASK_LOST": 2,
}
_ALONG_CEILING = 2  # of a vessel with a finding along its length, which says itself where


def grade_vessel(
    flags: tuple[str, ...],
    method_difference: float,
    kymograph_quality: float,
    relative_scale: float,
    valid_share: float,
    lost_share: float,
    relative_interval: float,
    opposed: float,
    mask: float,
    presence: float,
    along: tuple[str, ...],
    settings: GradeSettings,
) -> tuple[str, tuple[str, ...]]:
    """Return the grade and its reasons in words.

    The worst of all findings decides. Without a readable space-time diagram nothing confirms the flow, and a vessel
    is poor at best.

    Parameters
    ----------
    flags : tuple of str
    method_difference : float
        |flow - diagram| / diagram; NaN where the diagram cannot be read.
    kymograph_quality, relative_scale, valid_share, lost_share : float
        Shares of 1; the last of the frames that are repeated or missing.
    relative_interval : float
        Half the 95 % interval over the mean.
    opposed : float
        Share of the vessel's length whose flow runs against the rest.
    mask : float
        What the model makes of the mask it drew from the prompts, 0 to 1.
    presence : float
        Chance that there is a vessel, by what moves along it and beside it.
    along : tuple of str
        What is wrong along the length, in words, with the place.
    settings : GradeSettings
    """
    found: list[tuple[int, str]] = []

    def judge(value: float, limits: tuple[float, float, float], text: str, high_is_bad: bool = True) -> None:
        beyond = [value > limit if high_is_bad else value < limit for limit in limits]
        if np.isfinite(value) and any(beyond):
            found.append((sum(beyond), text))

    judge(valid_share, settings.valid, f"only {valid_share:.0%} of the frames have a velocity", high_is_bad=False)
    judge(lost_share, settings.lost, f"{lost_share:.0%} of the frames are repeated or missing")
    judge(relative_scale, settings.scale, f"the model expects errors of {relative_scale:.0%} of the speed")
    judge(relative_interval, settings.interval, f"the 95 % interval is +/- {relative_interval:.0%}")
    text = f"on {opposed:.0%} of its length blood runs the other way: two vessels in one mask?"
    judge(opposed, settings.opposed, text)
    text = f"the vessel that was found fits the clicks by {mask:.0%} only: look at its mask"
    judge(mask, settings.mask, text, high_is_bad=False)
    text = "nothing along the line moves that the tissue beside it does not show as well: is there a vessel?"
    judge(presence, settings.presence, text, high_is_bad=False)
    if np.isfinite(method_difference):
        text = f"flow and space-time diagram differ by {method_difference:.0%}"
        judge(method_difference, settings.method_difference, text)
        text = f"the space-time diagram is hard to read ({kymograph_quality:.0%} of its windows agree)"
        judge(kymograph_quality, settings.kymograph_quality, text, high_is_bad=False)
    else:
        found.append((2, "no readable space-time diagram confirms the flow"))
    if not np.isfinite(relative_interval):
        found.append((3, "there is no velocity to judge"))
    found += [(_ALONG_CEILING, text) for text in along]
    found += [(_FLAG_CEILINGS[flag], FLAG_MEANINGS[flag]) for flag in flags if flag in _FLAG_CEILINGS]
    if not found:
        agreement = f"flow and space-time diagram agree within {method_difference:.0%}"
        return GRADES[0], (agreement, f"{valid_share:.0%} of the frames have a velocity")
    worst = max(level for level, _ in found)
    ordered = sorted(found, key=lambda finding: -finding[0])
    return GRADES[min(worst, 3)], tuple(dict.fromkeys(text for _, text in ordered))
