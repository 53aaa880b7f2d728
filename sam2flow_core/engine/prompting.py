"""Hand all prompts to a predictor; previews and runs do it here, so that they see the same vessel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sam2flow_core.engine.contract import Predictor
from sam2flow_core.prompts import AnyPrompt, Prompt
from sam2flow_core.regions import BoxPrompt, MaskPrompt


def give_prompts(predictor: Predictor, state: Any, prompts: Sequence[AnyPrompt], last: int | None = None) -> Any:
    """Say which vessels are meant; the prompts have been checked.

    Parameters
    ----------
    predictor : Predictor
    state : Any
        Of the predictor.
    prompts : sequence of Prompt, BoxPrompt or MaskPrompt
    last : int, optional
        Frame to come last instead of in its order: the answer to it is returned in its own coordinates.

    Returns
    -------
    Any
        The predictor's answer to the prompts handed over last; None without `last`.
    """
    answer = None
    for vessel_id in dict.fromkeys(p.vessel_id for p in prompts):
        frames = {p.frame for p in prompts if p.vessel_id == vessel_id}
        for frame in sorted(frames, key=lambda f: (f == last, f)):
            here = [p for p in prompts if (p.vessel_id, p.frame) == (vessel_id, frame)]
            answer = _give(predictor, state, frame, vessel_id, here, last is not None)
    return answer


def _give(
    predictor: Predictor,
    state: Any,
    frame: int,
    vessel_id: int,
    prompts: Sequence[AnyPrompt],
    wanted: bool,
) -> Any:
    """Hand over what is shown of a vessel in a frame: the mask first, which clicks and box then mend."""
    answer = None
    clicks = [p for p in prompts if isinstance(p, Prompt)]
    masks = [p for p in prompts if isinstance(p, MaskPrompt)]
    boxes = [(p.left, p.top, p.right, p.bottom) for p in prompts if isinstance(p, BoxPrompt)]
    if masks:
        answer = predictor.add_new_mask(state, frame, vessel_id, masks[-1].mask, need_output=wanted)
    if clicks or boxes:
        answer = predictor.add_new_points_or_box(
            state,
            frame,
            vessel_id,
            points=[[p.x, p.y] for p in clicks],
            labels=[p.label for p in clicks],
            clear_old_points=not masks,
            box=boxes[-1] if boxes else None,
            need_output=wanted,
        )
    return answer
