"""What is to be said of the mask that prompts gave, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.prompts import AnyPrompt, Prompt

if TYPE_CHECKING:
    from sam2flow_core.inference.steps import VesselFlow

_SLACK_PX = 2
"""How far beside a mask a click may be and still count as on it: walls are not sharper than that."""
_SURE = 0.3
"""Expected overlap of a mask with its vessel from which the vessel counts as there."""


def finding(vessel: VesselFlow, frame: int, prompts: Sequence[AnyPrompt]) -> str:
    """Return what is wrong with a mask and what to do about it.

    Parameters
    ----------
    vessel : VesselFlow
        With the mask in the coordinates of the recorded frame.
    frame : int
        The frame that the mask belongs to.
    prompts : sequence of Prompt, BoxPrompt or MaskPrompt
        What the mask answers; clicks in other frames are left out, as the tissue may lie elsewhere there.

    Returns
    -------
    str
        Empty where nothing is wrong.
    """
    if not vessel.mask.any():
        return "No vessel was found there. Click nearer to the middle of one, or paint it (M)."
    clicks = [p for p in prompts if isinstance(p, Prompt) and p.frame == frame]
    if any(click.label and not _covers(vessel, click, _SLACK_PX) for click in clicks):
        return "The mask lies beside a click: no vessel was found under it. Undo it, or paint the vessel (M)."
    if any(not click.label and _covers(vessel, click, 0) for click in clicks):
        return "The mask still holds a place that you have excluded. Click there again, or paint the vessel (M)."
    if vessel.mask_iou < _SURE:
        return "There may be no vessel here. Click again on its middle, or paint it (M)."
    return ""


def share_covered(vessel: VesselFlow, other: VesselFlow) -> float:
    """Return which share of the smaller of two masks lies in the other one, as both lie in the recorded frame."""
    smaller = min(int(vessel.mask.sum()), int(other.mask.sum()))
    if not smaller:
        return 0.0
    first, second = np.array(vessel.offset), np.array(other.offset)
    begin = np.maximum(first, second)
    end = np.minimum(first + vessel.mask.shape, second + other.mask.shape)
    if (end <= begin).any():
        return 0.0

    def part(each: VesselFlow, offset: NDArray[np.intp]) -> NDArray[np.bool_]:
        return each.mask[tuple(slice(a, b) for a, b in zip(begin - offset, end - offset, strict=True))]

    return float((part(vessel, first) & part(other, second)).sum() / smaller)


def _covers(vessel: VesselFlow, click: Prompt, slack: int) -> bool:
    y, x = round(click.y) - vessel.offset[0], round(click.x) - vessel.offset[1]
    near = vessel.mask[max(y - slack, 0) : max(y + slack + 1, 0), max(x - slack, 0) : max(x + slack + 1, 0)]
    return bool(np.any(near))
