"""Answer clicks on an opened recording at once, before any run."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import FlagSettings
from sam2flow_core.engine.contract import Predictor, give_prompts
from sam2flow_core.engine.process import give_memory_back, set_threads
from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.inference.steps import VesselFlow, shared_pixels
from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import AnyPrompt, Prompt, check_prompts, clicks_of
from sam2flow_core.stack import FramePlan, Stack, open_stack

if TYPE_CHECKING:
    from sam2flow_core.engine.field_findings import Findings


class Previewer:
    """An opened recording that gives a vessel's mask for its clicks.

    The model and the features of recent frames stay in memory, so that a
    further click costs the decoder only. The mask is the one that a run with
    the same clicks begins with. From the first click on the recording is read
    through in the background for what a run must know before its first answer.

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
        self._seen = dict[int, VesselFlow]()
        self._stack = open_stack(stack)
        give_memory_back(self._stack.shape)
        self._predictor = SAM2FlowPredictor.from_pretrained(choices.model, device=choices.device)
        self._state = self._predictor.init_state(
            self._stack,
            stabilise=choices.stabilise,
            start=choices.start,
            stop=choices.stop or None,
            plan=FramePlan(choices.ranges) if choices.ranges else None,
            working_resolution=choices.working_resolution,
        )
        self._reader: Thread | None = None

    def read_through(self, recording: Path) -> Stack | None:
        """Return the recording, if it is the one that is asked for, with what a run must know of it.

        Waits for what is being read, which a run would read itself otherwise; None where nothing was clicked on.
        """
        if self._reader is None or recording != self.recording:
            return None
        self._reader.join()
        return self._stack

    def _begin_to_read(self) -> None:
        if self._reader is None:
            self._reader = Thread(target=self._read_through, name="sam2flow-reader", daemon=True)
            self._reader.start()

    def _read_through(self) -> None:
        with suppress(Sam2FlowError, OSError):  # the run will say so
            self._stack.sha256()
            self._stack.timing_of(self._state.frames.plan)

    def predictor_for(self, model: str, device: str) -> Predictor | None:
        """Return the loaded model, which knows the recording already, if it is the one that is asked for."""
        return self._predictor if (model, device) == (self.choices.model, self.choices.device) else None

    def mask(self, frame_idx: int, prompts: tuple[AnyPrompt, ...], marked: Collection[int] = frozenset()) -> VesselFlow:
        """Return the mask of one vessel in one frame, without flow.

        Parameters
        ----------
        frame_idx : int
            One of the frames that the prompts are in.
        prompts : tuple of Prompt, BoxPrompt or MaskPrompt
            All that is marked of this vessel.
        marked : collection of int
            Ids of vessels that are marked as well: where the mask lies in the last one that was answered for one of
            them, the answer says so (`VesselFlow.same_as`).

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
        self._begin_to_read()  # not before: the first mask would wait for the disk and a core with it
        vessel = self._state.vessels[vessel_id]
        answer = _cropped(vessel_id, np.asarray(logits[0, 0] > 0), vessel.mask_iou, vessel.object_score)
        shift = self._state.frames.shift(frame_idx)
        top, left = answer.offset
        self._seen[vessel_id] = in_tissue = replace(answer, offset=(top - round(shift.dy), left - round(shift.dx)))
        others = [self._seen[k] for k in sorted(marked) if k in self._seen and k != vessel_id]
        return replace(answer, same_as=_same_vessel(in_tissue, others))

    def reading(
        self,
        frame_idx: int,
        prompts: tuple[AnyPrompt, ...],
        number: int,
        marked: Collection[int] = frozenset(),
    ) -> Reading:
        """Return one of the masks that the clicks of a vessel may mean: either of two that cross, to a fork or past it.

        Parameters
        ----------
        frame_idx : int
            Its clicks are read; prompts in other frames stay.
        prompts : tuple of Prompt, BoxPrompt or MaskPrompt
            All that a person marked of this vessel, without what an earlier reading added.
        number : int
            0 is the mask that `mask` gives, 1 the next... After the last comes the first again.
        marked : collection of int
            As in `mask`.

        Raises
        ------
        PromptError
            If a prompt lies outside the recording.
        """
        check_prompts(prompts, self._stack.shape)
        here = [p for p in prompts if p.frame == frame_idx]
        clicks = clicks_of(here)
        if len(clicks) < len(here) or not any(p.label == 1 for p in clicks):
            return Reading(self.mask(frame_idx, prompts, marked), prompts, 0, 1)
        masks = self._predictor.predict_masks(
            self._state, frame_idx, points=[[p.x, p.y] for p in clicks], labels=[p.label for p in clicks]
        )
        chosen = masks[number % len(masks)]
        added = tuple(
            Prompt(clicks[0].vessel_id, frame_idx, float(y), float(x), int(label))
            for (x, y), label in zip(chosen.points[len(clicks) :], chosen.labels[len(clicks) :], strict=True)
        )
        named = (*prompts, *added)
        return Reading(self.mask(frame_idx, named, marked), named, number % len(masks), len(masks))

    def find(self, pixel_size_um: float | None) -> Generator[float | Findings, None, None]:
        """Propose every vessel segment, as `find_in_recording` does, of the frames and at the resolution of a run.

        Parameters
        ----------
        pixel_size_um : float or None
            For the densities.

        Yields
        ------
        float or Findings
            Which share of the field has been looked at, 0 to 1; at last what was found.

        Raises
        ------
        ModelError
            If the weights have no vessel field.
        """
        from sam2flow_core.engine.field_findings import Findings
        from sam2flow_core.inference.vessel_finder import seek_vessels
        from sam2flow_core.velocity.density import measure_density

        self._begin_to_read()
        for step in seek_vessels(self._predictor, self._state):
            if isinstance(step, float):
                yield step
            else:
                picture = self._stack.picture
                density = measure_density(step, picture.box, pixel_size_um, covered=picture.covered)
                yield Findings(tuple(step), self._state.frames.start, density, pixel_size_um)


@dataclass(frozen=True)
class Reading:
    """One of the masks that clicks may mean.

    Attributes
    ----------
    vessel : VesselFlow
    prompts : tuple of Prompt, BoxPrompt or MaskPrompt
        What was given and the click that says which is meant: a run with these has this mask.
    number, count : int
        Which one of how many, from 0.
    """

    vessel: VesselFlow
    prompts: tuple[AnyPrompt, ...]
    number: int
    count: int


def _same_vessel(vessel: VesselFlow, others: list[VesselFlow]) -> int | None:
    """The id of the one that shares most of its mask or of theirs, as the flag SAME_VESSEL of either would have it."""
    shared = {other.vessel_id: _share(vessel, other) for other in others}
    most = max(shared, key=lambda k: shared[k], default=None)
    return most if most is not None and shared[most] > FlagSettings().same_share else None


def _share(one: VesselFlow, other: VesselFlow) -> float:
    """Share of the smaller mask that lies in the other one."""
    smaller = max(min(int(one.mask.sum()), int(other.mask.sum())), 1)
    return shared_pixels(one.offset, one.mask, other.offset, other.mask) / smaller


def _cropped(vessel_id: int, mask: NDArray[np.bool_], mask_iou: float, object_score: float) -> VesselFlow:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return VesselFlow(vessel_id, (0, 0), np.zeros((1, 1), bool), None, mask_iou, object_score)
    top, left = int(rows[0]), int(columns[0])
    crop = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    return VesselFlow(vessel_id, (top, left), crop, None, mask_iou, object_score)
