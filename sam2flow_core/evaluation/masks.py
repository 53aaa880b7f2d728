"""The masks that clicks give, against the true ones."""

from __future__ import annotations

import pandas as pd
import torch

from sam2flow_core.engine.prompting import give_prompts
from sam2flow_core.evaluation.comparison import out_of_frame
from sam2flow_core.evaluation.metrics import boundary_f, mask_iou
from sam2flow_core.evaluation.records import Case
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.inference.masks import look_again
from sam2flow_core.stack import open_stack

CROSSING_SHARE = 0.05  # of a vessel's pixels that lie on another one
COLUMNS = ("case", "vessel_id", "clicks", "width_px", "crossing", "iou", "boundary_f")


def judge_masks(predictor: SAM2FlowPredictor, case: Case, tolerance_px: float) -> pd.DataFrame:
    """Judge the masks of the first frame after each number of clicks.

    Clicks are added one after the other, as a person does, and none of them corrects an error seen. The background
    comes from the whole recording, as in a run.

    Returns
    -------
    DataFrame
        One row per vessel and number of clicks: ``case, vessel_id, clicks, width_px, crossing, iou, boundary_f``.
    """
    state = predictor.init_state(open_stack(case.video))
    rows = []
    for vessel in case.vessels:
        done = 0
        for clicks, prompts in sorted(case.prompts.items()):
            mine = [p for p in prompts if p.vessel_id == vessel.vessel_id]
            for prompt in mine[done:]:
                _, ids, logits = predictor.add_new_points_or_box(
                    state, 0, vessel.vessel_id, [(prompt.x, prompt.y)], [prompt.label], clear_old_points=False
                )
            done = len(mine)
            mask = logits[ids.index(vessel.vessel_id), 0].numpy() > 0
            crossing = bool(case.overlap[vessel.mask].mean() > CROSSING_SHARE)
            scores = (mask_iou(mask, vessel.mask), boundary_f(mask, vessel.mask, tolerance_px))
            rows.append((case.name, vessel.vessel_id, clicks, vessel.width_px, crossing, *scores))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def judge_recalled(predictor: SAM2FlowPredictor, case: Case, clicks: int) -> pd.DataFrame:
    """Judge the masks that memory alone finds in the last frame of vessels clicked in the first.

    Tissue motion is taken out, and only what is in the picture counts. A run keeps the masks of its prompts instead:
    this is what the context memory is able to say by itself.

    Returns
    -------
    DataFrame
        One row per vessel: ``case, vessel_id, clicks`` (0: none in the frame that is judged), ``width_px, iou``.
    """
    state = predictor.init_state(open_stack(case.video))
    give_prompts(predictor, state, case.prompts[clicks], ())
    last = len(case.video) - 1
    with torch.inference_mode():
        logits = look_again(predictor.model, state, last, predictor.settings.cached_frames).logits
    seen = ~out_of_frame(case, last)
    found = dict(zip(state.vessels, (logits > 0).cpu().numpy(), strict=True))
    height, width = seen.shape
    rows = [
        (case.name, v.vessel_id, 0, v.width_px, mask_iou(found[v.vessel_id][:height, :width] & seen, v.mask & seen))
        for v in case.vessels
    ]
    return pd.DataFrame(rows, columns=["case", "vessel_id", "clicks", "width_px", "iou"])
