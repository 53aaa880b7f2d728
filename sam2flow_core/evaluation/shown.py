"""What is shown to the predictor instead of clicks: masks by number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.evaluation.records import Case

Regions = dict[int, NDArray[np.bool_]]
"""Masks (Y, X) of the first frame, by the number they are prompted under."""

WHOLE_FRAME = 0
"""Number of the region that answers for vessels that are not shown by themselves."""


def true_masks(case: Case) -> Regions:
    """Every vessel by itself, so that errors of the flow are told apart from those of the masks."""
    return {vessel.vessel_id: vessel.mask for vessel in case.vessels}


def everywhere(case: Case) -> Regions:
    """The vessels, and all that is none of them as one more region: nothing of the frame is spared the work."""
    return true_masks(case) | {WHOLE_FRAME: ~np.any([vessel.mask for vessel in case.vessels], axis=0)}


def nothing_prompted(case: Case) -> Regions:
    """The whole frame as one region: no word on where vessels are."""
    return {WHOLE_FRAME: np.ones_like(case.overlap)}
