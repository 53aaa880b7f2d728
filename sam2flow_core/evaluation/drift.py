"""Whether a long recording is answered as well at its end as at its beginning."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sam2flow_core.evaluation.comparison import compare, out_of_frame
from sam2flow_core.evaluation.metrics import endpoint_error, mask_iou
from sam2flow_core.evaluation.ours import OurFlow
from sam2flow_core.evaluation.records import Case
from sam2flow_core.evaluation.tissue import answer_on_grid

SHORTEST = 300  # frames; a shorter case has no time to drift
PART = 6  # the first and the last sixth are compared
PAIRS = 25  # judged in each
COLUMNS = ("case", "frames", "epe_first", "epe_last", "iou_first", "iou_last")


def judge_drift(flow: OurFlow, case: Case) -> pd.DataFrame:
    """Compare the errors in the first and the last part of a long case.

    Returns
    -------
    DataFrame
        ``case, frames, epe_first, epe_last`` (px, pixels as in the main table that the masks hold), ``iou_first,
        iou_last`` (mean over vessels of the masks in the first and the last frame); no row for a short case.
    """
    frames = len(case.video)
    if frames < SHORTEST:
        return pd.DataFrame(columns=list(COLUMNS))
    part = frames // PART
    errors = []
    for start in (0, frames - 1 - part):
        pairs = np.unique(np.linspace(start, start + part - 1, PAIRS).round().astype(int))
        judged = compare(case, flow, [int(pair) for pair in pairs])
        clear = ~(judged.overlap | judged.leaves) & np.isfinite(judged.scale)
        errors.append(float(endpoint_error(judged.predicted[clear], judged.true[clear]).mean()))
    overlaps = [_mean_iou(flow, case, frame) for frame in (0, frames - 1)]
    return pd.DataFrame([(case.name, frames, *errors, *overlaps)], columns=list(COLUMNS))


def _mean_iou(flow: OurFlow, case: Case, frame: int) -> float:
    """Return the agreement of the masks of a frame with the true ones where the tissue is in the picture."""
    vessel_ids = tuple(vessel.vessel_id for vessel in case.vessels)
    height, width = case.overlap.shape
    step = flow.predict(case).steps[frame]
    masks = answer_on_grid(step, vessel_ids, case.shifts[frame], (height, width))[2]
    seen = ~out_of_frame(case, frame)
    scores = [mask_iou(mask & seen, vessel.mask & seen) for mask, vessel in zip(masks, case.vessels, strict=True)]
    return float(np.mean(scores))
