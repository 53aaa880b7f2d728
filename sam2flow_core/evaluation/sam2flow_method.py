"""SAM2Flow as one method among the others: prompted, streamed over a case, and laid on the grid of the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from sam2flow_core.engine.contract import give_prompts
from sam2flow_core.evaluation.cases import Answer, Case
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.stack import open_stack

Floats = NDArray[np.float32]
Regions = dict[int, NDArray[np.bool_]]
"""Masks (Y, X) of the first frame, by the number they are prompted under."""

_WHOLE_FRAME = 0
"""Number of the region that answers for vessels that are not prompted by themselves."""


@dataclass(frozen=True)
class PromptedRegions:
    """What is prompted in the first frame instead of clicks.

    Attributes
    ----------
    key : str
        Joins the key under which answers are kept; empty for the true masks.
    masks : callable
        From a case to the masks.
    """

    key: str
    masks: Callable[[Case], Regions]


def _true_masks(case: Case) -> Regions:
    return {vessel.vessel_id: vessel.mask for vessel in case.vessels}


def _nothing_prompted(case: Case) -> Regions:
    return {_WHOLE_FRAME: np.ones_like(case.overlap)}


TRUE_MASKS = PromptedRegions("", _true_masks)
"""Every vessel by itself, so that errors of the flow are told apart from those of the masks."""
NOTHING_PROMPTED = PromptedRegions("nothing_prompted", _nothing_prompted)
"""The whole frame as one region: no word on where vessels are."""


@dataclass
class PredictedCase:
    """What the predictor says of a whole case.

    Attributes
    ----------
    steps : list of FrameFlow
    seconds : list of float
        Processor time of each step.
    factor : float
        Recorded px to a px of the network.
    """

    steps: list[FrameFlow] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    factor: float = 1.0


@dataclass
class SAM2FlowMethod:
    """The predictor, prompted with clicks or with masks.

    Attributes
    ----------
    name : str
    fingerprint : str
        Weights, configuration and way of prompting.
    predictor : SAM2FlowPredictor
    clicks : int or None
        Positive clicks per vessel in the first frame; None gives it masks instead.
    regions : PromptedRegions
        Those masks.
    """

    name: str
    fingerprint: str
    predictor: SAM2FlowPredictor
    clicks: int | None
    regions: PromptedRegions = TRUE_MASKS
    _last: tuple[str, PredictedCase] | None = field(default=None, init=False)

    @classmethod
    def enter(
        cls,
        predictor: SAM2FlowPredictor,
        name: str,
        clicks: int | None = None,
        regions: PromptedRegions = TRUE_MASKS,
        changed: Sequence[Mapping[str, Any]] = (),
    ) -> SAM2FlowMethod:
        """Let a predictor take part, under a fingerprint of all that decides its answers.

        Parameters
        ----------
        predictor : SAM2FlowPredictor
        name : str
        clicks : int, optional
        regions : PromptedRegions
        changed : sequence of mapping
            What differs from the configuration and settings that the weights came with.
        """
        parts = (predictor.description["sha256"], predictor.settings, clicks, [dict(c) for c in changed if c])
        fingerprint = " ".join(map(str, parts))
        return cls(name, f"{fingerprint} {regions.key}".rstrip(), predictor, clicks, regions)

    def answers(self, case: Case, pairs: Sequence[int]) -> Iterator[Answer]:
        """Answer the given pairs, as part of streaming the case from its first frame to its last."""
        predicted = self.predict(case)
        height, width = case.overlap.shape
        for pair in pairs:
            answered = {vessel.vessel_id for vessel in predicted.steps[pair].vessels}
            ids = tuple(v.vessel_id if v.vessel_id in answered else _WHOLE_FRAME for v in case.vessels)
            flow, scale, _ = answer_on_grid(predicted.steps[pair], ids, case.shifts[pair], (height, width))
            yield Answer(pair, flow, scale, predicted.seconds[pair])

    def predict(self, case: Case) -> PredictedCase:
        """Stream a case from its first frame to its last; the last case is remembered."""
        if self._last is None or self._last[0] != case.name:
            self._last = (case.name, self._stream(case))
        return self._last[1]

    def _stream(self, case: Case) -> PredictedCase:
        state = self.predictor.init_state(open_stack(case.video), pixel_size_um=case.pixel_size_um)
        if self.clicks is not None:
            give_prompts(self.predictor, state, case.prompts[self.clicks])
        else:
            for number, mask in self.regions.masks(case).items():
                self.predictor.add_new_mask(state, frame_idx=0, obj_id=number, mask=mask)
        predicted = PredictedCase(factor=state.frames.video.factor)
        before = time.process_time()
        for step in self.predictor.stream(state):
            predicted.seconds.append(time.process_time() - before)
            predicted.steps.append(step)
            before = time.process_time()
        return predicted


def answer_on_grid(
    step: FrameFlow, vessel_ids: tuple[int, ...], shift: NDArray[np.floating], shape: tuple[int, int]
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Lay the vessels of a frame on the tissue grid.

    Parameters
    ----------
    step : FrameFlow
        With flow, so any but the last frame.
    vessel_ids : tuple of int
        The vessels wanted, in this order.
    shift : ndarray, shape (2,)
        True tissue displacement ``(dy, dx)`` of the frame, px: an error in the predictor's own shows as an error.
    shape : tuple of int
        (Y, X) of the grid.

    Returns
    -------
    flow : ndarray of float32, shape (V, 2, Y, X)
        Zero where the vessel's mask is not.
    scale : ndarray of float32, shape (V, Y, X)
        NaN where the vessel's mask is not.
    mask : ndarray of bool, shape (V, Y, X)
    """
    flow = np.zeros((len(vessel_ids), 2, *shape), np.float32)
    scale = np.full((len(vessel_ids), *shape), np.nan, np.float32)
    mask = np.zeros((len(vessel_ids), *shape), bool)
    by_id = {vessel.vessel_id: vessel for vessel in step.vessels}
    for index, vessel_id in enumerate(vessel_ids):
        if vessel_id in by_id:
            _lay(by_id[vessel_id], shift, flow[index], scale[index], mask[index])
    return flow, scale, mask


def _lay(vessel: VesselFlow, shift: NDArray[np.floating], flow: Floats, scale: Floats, mask: NDArray[np.bool_]) -> None:
    """Sample one vessel's crop at the pixels of the grid; bilinear among the pixels of its mask only."""
    at_y, at_x = np.asarray(shift) - vessel.offset  # the grid's corner in the crop
    height, width = mask.shape
    rows = np.arange(max(0, int(np.ceil(-at_y))), min(height, int(vessel.mask.shape[0] - at_y)))
    columns = np.arange(max(0, int(np.ceil(-at_x))), min(width, int(vessel.mask.shape[1] - at_x)))
    if not rows.size or not columns.size:
        return
    window = np.ix_(rows, columns)
    points = np.stack(np.meshgrid(rows + at_y, columns + at_x, indexing="ij"))
    known = vessel.mask.astype(np.float32)
    share = map_coordinates(known, points, order=1)
    mask[window] = map_coordinates(vessel.mask, points, order=0)
    weight = np.where(mask[window], np.maximum(share, 1e-6), np.inf)
    if vessel.flow is not None:
        for channel in range(2):
            flow[channel][window] = map_coordinates(vessel.flow[channel] * known, points, order=1) / weight
    if vessel.scale is not None:
        values = map_coordinates(np.where(vessel.mask, vessel.scale, 0), points, order=1) / weight
        scale[window] = np.where(mask[window], values, np.nan)
