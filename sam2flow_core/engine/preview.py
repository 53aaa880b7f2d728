"""Answer clicks on an opened recording at once, before any run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.engine.contract import Predictor, give_prompts
from sam2flow_core.engine.threads import set_threads
from sam2flow_core.inference.steps import VesselFlow
from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import AnyPrompt, check_prompts
from sam2flow_core.stack import FramePlan, open_stack


class Previewer:
    """An opened recording that gives a vessel's mask for its clicks.

    The model and the features of recent frames stay in memory, so that a
    further click costs the decoder only. The mask is the one that a run with
    the same clicks begins with.

    Parameters
    ----------
    stack : Path
    choices : RunChoices
        Model, device, ranges of frames, stabilisation and working resolution: what decides a mask beside the clicks.

    Raises
    ------
    StackError, ModelError
        If the recording or the model cannot be opened.
    """

    def __init__(self, stack: Path, choices: RunChoices) -> None:
        from sam2flow_core.inference.predictor import SAM2FlowPredictor

        self.recording, self.choices = stack, choices
        set_threads(None)  # as a run does: with other threads the same clicks could give another mask
        self._stack = open_stack(stack)
        self._predictor = SAM2FlowPredictor.from_pretrained(choices.model, device=choices.device)
        self._state = self._predictor.init_state(
            self._stack,
            choices.stabilise,
            choices.start,
            choices.stop or None,
            plan=FramePlan(choices.ranges) if choices.ranges else None,
            working_resolution=choices.working_resolution,
        )

    def predictor_for(self, model: str, device: str) -> Predictor | None:
        """Return the loaded model, which knows the recording already, if it is the one that is asked for."""
        return self._predictor if (model, device) == (self.choices.model, self.choices.device) else None

    def mask(self, frame_idx: int, prompts: tuple[AnyPrompt, ...]) -> VesselFlow:
        """Return the mask of one vessel in one frame, without flow.

        Parameters
        ----------
        frame_idx : int
            One of the frames that the prompts are in.
        prompts : tuple of Prompt, BoxPrompt or MaskPrompt
            All that is marked of this vessel.

        Raises
        ------
        PromptError
            If a prompt lies outside the recording.
        """
        check_prompts(prompts, self._stack.shape)
        vessel_id = prompts[0].vessel_id
        self._predictor.reset_state(self._state)
        # The frame that is looked at comes last: its answer is in its own coordinates.
        _, _, logits = give_prompts(self._predictor, self._state, prompts, last=frame_idx)
        vessel = self._state.vessels[vessel_id]
        return _cropped(vessel_id, np.asarray(logits[0, 0] > 0), vessel.mask_iou, vessel.object_score)


def _cropped(vessel_id: int, mask: NDArray[np.bool_], mask_iou: float, object_score: float) -> VesselFlow:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return VesselFlow(vessel_id, (0, 0), np.zeros((1, 1), bool), None, None, mask_iou, object_score)
    top, left = int(rows[0]), int(columns[0])
    crop = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    return VesselFlow(vessel_id, (top, left), crop, None, None, mask_iou, object_score)
