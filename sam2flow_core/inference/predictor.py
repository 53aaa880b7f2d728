"""The predictor: SAM 2's video predictor, with flow.

A script written for SAM 2's video predictor needs a new import and gains the
flow. Points are ``(x, y)`` px of the recorded frame, as SAM 2's are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import ModelError, PromptError
from sam2flow_core.inference.ambiguity import further_clicks
from sam2flow_core.inference.dense import TrackingStep, dense_step, to_recorded
from sam2flow_core.inference.flow_groups import FlowGroups, told_of_memory
from sam2flow_core.inference.flow_stream import bounds
from sam2flow_core.inference.frames import AlignedFrames
from sam2flow_core.inference.masks import (
    answer_prompts,
    encoded,
    follow_vessels,
    recorded_logits,
    recorded_places,
    vessel_mask,
)
from sam2flow_core.inference.matched_masks import seen_frames
from sam2flow_core.inference.precision import exactly, in_full_precision
from sam2flow_core.inference.recording_summary import RecordingSummary, summarise_ranges
from sam2flow_core.inference.sam2_inputs import Given, read_clicks, read_mask, refuse_opposed
from sam2flow_core.inference.state import Decoded, InferenceState, Snapshot, VesselState, apply_snapshot, take_snapshot
from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.inference.video_predictor import Masks, VideoPredictor
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.model.memory_bank import MemoryBank, keep_recent
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack import FramePlan, Stack, choose_resolution, open_stack

_PROBE = 1
"""Id of a vessel that is asked about only."""


@dataclass(frozen=True)
class ClickedMask:
    """A mask that clicks may mean.

    Attributes
    ----------
    mask : ndarray of bool (Y, X)
        In the recorded frame.
    mask_iou : float
        Intersection over union that is expected, 0 to 1.
    points : ndarray (P, 2)
        Clicks ``(x, y)`` px that name it.
    labels : ndarray of int (P,)
        1 = this vessel, 0 = not this vessel.
    """

    mask: NDArray[np.bool_]
    mask_iou: float
    points: NDArray[np.float64]
    labels: NDArray[np.int_]


class SAM2FlowPredictor(VideoPredictor[InferenceState]):
    """Prompts in, masks and flow out.

    Parameters
    ----------
    model : SAM2Flow
    device : torch.device
    description : dict
        What the weights are, for provenance.
    settings : InferenceSettings, optional

    References
    ----------
    .. [1] L. Huang, R. Zhang, M. M. Morakis, M. Taylor-Williams, G. N. McKay and N. J. Durr, "SAM2Flow: Interactive
       Optical Flow Estimation with Dual Memory for in vivo Microcirculation Analysis", NeurIPS 2025.
    .. [2] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.
    .. [3] Y. Wang, L. Lipson and J. Deng, "SEA-RAFT: Simple, Efficient, Accurate RAFT for Optical Flow", ECCV 2024,
       :doi:`10.48550/arXiv.2405.14793`.

    Examples
    --------
    A vessel of the bundled recording, four frames of it, 128 x 128 px. Points are ``(x, y)``:

    >>> import numpy as np
    >>> from sam2flow_core import SAM2FlowPredictor, open_stack
    >>> from sam2flow_core.engine.demo import sample_files
    >>> stack = open_stack(sample_files()[0])
    >>> video = np.stack([stack.frame(t)[128:, 32:160] for t in range(4)])
    >>> predictor = SAM2FlowPredictor.from_pretrained("tiny", device="cpu")
    >>> state = predictor.init_state(video)
    >>> frame, ids, logits = predictor.add_new_points_or_box(
    ...     state, frame_idx=0, obj_id=1, points=[[62, 73]], labels=[1]
    ... )
    >>> steps = list(predictor.propagate_in_video(state))
    >>> tuple(steps[0].flow.shape)  # vessels, (dx, dy), Y, X
    (1, 2, 128, 128)
    >>> steps[-1].flow is None  # the last frame has no next one
    True
    """

    object_name = "vessel"

    def __init__(
        self,
        model: SAM2Flow,
        device: torch.device,
        description: dict[str, Any],
        settings: InferenceSettings | None = None,
    ) -> None:
        if not model.config.use_flow:
            raise ModelError(
                "these weights know masks only, so neither flow nor velocity can be measured with them; "
                "give 'tiny' or weights that were trained for flow (masks alone: SAM2MaskPredictor)"
            )
        super().__init__(model, device, description, settings)
        self._last_summary: tuple[object, RecordingSummary] | None = None
        self._decoded: dict[Hashable, Decoded] = {}

    @in_full_precision
    def init_state(
        self,
        video_path: Stack | str | Path | ArrayLike,
        offload_video_to_cpu: bool = False,
        offload_state_to_cpu: bool = False,
        async_loading_frames: bool = False,
        *,
        stabilise: bool = True,
        start: int = 0,
        stop: int | None = None,
        plan: FramePlan | None = None,
        working_resolution: float | None = None,
        pixel_size_um: float | None = None,
    ) -> InferenceState:
        """Begin with a recording: read frames spread over it for the background.

        Parameters
        ----------
        video_path : Stack, path, or array (T, Y, X)
        offload_video_to_cpu, offload_state_to_cpu, async_loading_frames : bool
            SAM 2's switches for memory. Frames are read as they are needed, so there is nothing to switch.
        stabilise : bool
            Take the tissue's motion out.
        start, stop : int
            Range of frames to answer; ``stop`` is not included.
        plan : FramePlan, optional
            Several ranges, or some pairs of each alone, in place of ``start`` and ``stop``; `stream` keeps to it.
        working_resolution : float, optional
            Recorded px to a px of the network: 1, 2, 3..., or 0.5. By default as `choose_resolution` says, from the
            pixel size or from the pattern. All that is given and answered is in recorded px whatever it is.
        pixel_size_um : float, optional
            Instead of what the recording declares.
        """
        opened = video_path if isinstance(video_path, Stack) else open_stack(video_path)
        plan = plan or FramePlan.whole(start, opened.shape[0] if stop is None else stop)
        with told_of_memory(self.device):
            calibration = opened.calibration.with_user(pixel_size_um)
            first, last = plan.sampled[0][0], plan.sampled[-1][1]
            resolution = choose_resolution(opened, calibration.pixel_size_um, working_resolution, first, last)
            video = WorkingFrames(opened, resolution.factor)
            summary = self._open(video, plan, stabilise)
            frames = AlignedFrames(video, plan, stabilise, summary, self.device)
        seen = seen_frames(self.model, self.settings.matching)
        return InferenceState(frames, stabilise, maps=summary.maps, seen=seen, next_frame=plan.start)

    @in_full_precision
    def add_new_points_or_box(
        self,
        inference_state: InferenceState,
        frame_idx: int,
        obj_id: int,
        points: Given = None,
        labels: Given = None,
        clear_old_points: bool = True,
        normalize_coords: bool = True,
        box: Given = None,
        need_output: bool = True,
    ) -> Masks | None:
        """Prompt a vessel with clicks or a box.

        Parameters
        ----------
        inference_state : InferenceState
        frame_idx, obj_id : int
        points : array (P, 2)
            ``(x, y)`` px of the recorded frame.
        labels : array (P,)
            1 = this vessel, 0 = not this vessel.
        clear_old_points : bool
            Replace earlier clicks of this vessel in this frame.
        normalize_coords : bool
            False: points and box are given in 0 to 1 of the frame's width and height.
        box : array (4,)
            ``x0, y0, x1, y1`` px.
        need_output : bool
            False: answer None. Masks of all vessels take as much memory as so many frames.

        Returns
        -------
        frame_idx : int
        obj_ids : list of int
        mask_logits : Tensor (vessels, 1, Y, X)
            Of all vessels, in the recorded frame; above 0 is vessel.

        Raises
        ------
        PromptError
            If there is neither a point nor a box, their numbers do not fit, or two clicks on one pixel contradict each
            other.

        References
        ----------
        .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.
        """
        state = inference_state
        _check_frame(state, frame_idx)
        xy, kinds = read_clicks(points, labels, box, state.frames.stack.shape[1:], normalize_coords)
        picture = state.frames.stack.picture
        if outside := [(x, y) for (x, y), k in zip(xy, kinds, strict=True) if k == 1 and not picture.inside(y, x)]:
            x, y = outside[0]
            raise PromptError(
                "vessel {obj_id}: the click at y {y:g}, x {x:g} lies in a margin that shows nothing; move it",
                obj_id=obj_id,
                y=y,
                x=x,
            )
        shift = state.frames.shift(frame_idx)
        (top, left), (dy, dx) = picture.origin, (shift.dy, shift.dx)
        place = state.frames.video.place
        clicks = [
            (place(float(x - dx - left)), place(float(y - dy - top)), int(k))
            for (x, y), k in zip(xy, kinds, strict=True)
        ]
        known = None if clear_old_points else state.vessels.get(obj_id)
        earlier = [] if known is None else known.points.get(frame_idx, [])
        refuse_opposed("vessel", obj_id, frame_idx, xy, [*earlier, *clicks])
        vessel = self._vessel(state, obj_id)
        vessel.points[frame_idx] = [*earlier, *clicks]
        if clear_old_points:
            vessel.logits.pop(frame_idx, None)
        # Where clicks are followed, negative ones mend a painted mask, and any others take its place.
        if clear_old_points or not self.model.config.mask.follows or any(kind > 0 for _, _, kind in clicks):
            vessel.given.pop(frame_idx, None)
        return self._decode(state, frame_idx, obj_id, need_output)

    add_new_points = add_new_points_or_box

    @in_full_precision
    def predict_masks(
        self,
        inference_state: InferenceState,
        frame_idx: int,
        points: Given,
        labels: Given,
        multimask_output: bool = True,
        normalize_coords: bool = True,
    ) -> list[ClickedMask]:
        """Masks that clicks on one vessel may mean: either of two that cross, to a fork or on past it.

        In the manner of SAM's ``multimask_output``. Nothing is added to the state.

        Parameters
        ----------
        inference_state : InferenceState
        frame_idx : int
        points, labels, normalize_coords
            As in `add_new_points_or_box`.
        multimask_output : bool
            False: the first one only.

        Returns
        -------
        list of ClickedMask
            First the mask that `add_new_points_or_box` gives for these clicks, then up to three others, those first of
            which more is expected. Each has the clicks that name it, to be handed to `add_new_points_or_box`.

        Raises
        ------
        PromptError
            As `add_new_points_or_box`.
        """
        state = replace(inference_state, vessels={}, crops={})
        _check_frame(state, frame_idx)
        xy, kinds = read_clicks(points, labels, None, state.frames.stack.shape[1:], normalize_coords)
        first = self._clicked(state, frame_idx, xy, kinds)
        settings = self.settings.tracing.ambiguity
        if not multimask_output or self.model.vessel_field is None or not state.maps:
            return [first]
        field, clicks = state.maps[0], state.vessels[_PROBE].points[frame_idx]
        cells = field.cells(np.array([click[:2] for click in clicks]))
        positive = np.array([k == 1 for *_, k in clicks])
        others = list[ClickedMask]()
        for further in further_clicks(self.model, field, cells[positive], cells[~positive]):
            place = recorded_places(state, frame_idx, further.place, field.stride)[::-1].round(1)  # as tables have it
            more = np.concatenate([xy, place[None]]), np.append(kinds, further.label)
            other = self._clicked(state, frame_idx, *more)
            if other.mask.any() and not any(_alike(other, mask, settings.alike) for mask in [first, *others]):
                others.append(other)
        return [first, *sorted(others, key=lambda mask: -mask.mask_iou)[: settings.most - 1]]

    @in_full_precision
    def add_new_mask(
        self,
        inference_state: InferenceState,
        frame_idx: int,
        obj_id: int,
        mask: NDArray[Any] | torch.Tensor,
        need_output: bool = True,
    ) -> Masks | None:
        """Prompt a vessel with a mask (Y, X) of the recorded frame; returns as `add_new_points_or_box`."""
        state = inference_state
        _check_frame(state, frame_idx)
        given = read_mask(mask, state.frames.stack.shape[1:])
        shift = state.frames.shift(frame_idx)
        vessel = self._vessel(state, obj_id)
        top, left, bottom, right = state.frames.stack.picture.box
        vessel.given[frame_idx] = to_recorded(given, -round(shift.dy), -round(shift.dx))[top:bottom, left:right]
        vessel.points.pop(frame_idx, None)
        return self._decode(state, frame_idx, obj_id, need_output)

    @in_full_precision
    def clear_all_prompts_in_frame(
        self, inference_state: InferenceState, frame_idx: int, obj_id: int, need_output: bool = True
    ) -> Masks | None:
        """Forget a vessel's prompts in one frame; a vessel without any is removed."""
        state = inference_state
        if obj_id not in state.vessels:
            raise PromptError("there is no vessel {obj_id}", obj_id=obj_id)
        vessel = state.vessels[obj_id]
        only_stops = frame_idx not in vessel.logits
        for record in (vessel.points, vessel.given, vessel.left, vessel.logits):
            record.pop(frame_idx, None)
        vessel.context.entries = [e for e in vessel.context.entries if e.frame != frame_idx]
        vessel.followed = None
        for frame in tuple(vessel.logits) if only_stops else ():
            answer_prompts(self.model, state, vessel, frame, self.settings)
        if not vessel.logits:
            self.remove_object(state, obj_id, need_output=False)
        return self._masks(state, frame_idx) if need_output else None

    def reset_state(self, inference_state: InferenceState) -> None:
        """Forget all vessels, keep the recording."""
        inference_state.vessels.clear()
        inference_state.crops.clear()
        inference_state.next_frame = inference_state.frames.start

    def stream(self, state: InferenceState) -> Iterator[FrameFlow]:
        """Answer the frames that are still to be answered, in order, as crops of each vessel.

        Raises
        ------
        PromptError
            If no vessel has been prompted.
        """
        frames = state.frames.plan.frames
        yield from self._answer(state, frames[frames >= state.next_frame].tolist(), ordered=True)

    def propagate_in_video_preflight(self, inference_state: InferenceState) -> None:
        """Check that there is a vessel to follow; prompts are remembered as they are given."""
        if not inference_state.vessels:
            raise PromptError("no vessel is prompted: add a click before the run")

    def propagate_in_video(
        self,
        inference_state: InferenceState,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
    ) -> Iterator[TrackingStep]:
        """Answer frames one by one, as SAM 2's predictor does.

        Parameters
        ----------
        inference_state : InferenceState
        start_frame_idx : int, optional
            By default the first prompted frame.
        max_frame_num_to_track : int, optional
        reverse : bool
            Go back in time. The flow still points forward in time.

        Yields
        ------
        TrackingStep
            Unpacks into ``frame_idx, obj_ids, mask_logits`` and carries ``flow`` and ``flow_scale``.

        References
        ----------
        .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.
        """
        state = inference_state
        frames = state.frames
        if start_frame_idx is None:
            prompted = [f for v in state.vessels.values() for f in (*v.points, *v.given) if frames.plan.holds(f)]
            start_frame_idx = min(prompted, default=frames.start)
        count = frames.stop - frames.start if max_frame_num_to_track is None else max_frame_num_to_track + 1
        order = (
            range(start_frame_idx, max(start_frame_idx - count, frames.start - 1), -1)
            if reverse
            else range(start_frame_idx, min(start_frame_idx + count, frames.stop))
        )
        for step in self._answer(state, order, ordered=False):
            with exactly(self.device):
                dense = dense_step(step, state)
            yield dense

    def follow_masks(self, inference_state: InferenceState) -> Iterator[Masks]:
        """Masks of all frames in order, without flow: a vessel keeps its place in the tissue, which may move."""
        self.propagate_in_video_preflight(inference_state)
        for frame in range(inference_state.frames.start, inference_state.frames.stop):
            yield self._masks(inference_state, frame)

    def snapshot(self, state: InferenceState) -> Snapshot:
        """What `restore` needs to go on after the frame that was answered last."""
        frames = state.frames.plan.frames
        last = int(frames[max(int(np.searchsorted(frames, state.next_frame)) - 1, 0)])
        return take_snapshot(state, self._first_needed(state, self._key_frame(state, last), state.next_frame))

    def restore(self, state: InferenceState, snapshot: Snapshot) -> None:
        """Go back to where `snapshot` was taken; the same prompts must have been added before."""
        apply_snapshot(state, snapshot)

    def _open(self, video: WorkingFrames, plan: FramePlan, stabilise: bool) -> RecordingSummary:
        """Look at a recording, or remember the last look: a run begins where the clicks before it were answered."""
        # An array may change under our hands: it is never the same. The first frame, because the same file can
        # be read along other axes; the threads, because with others sums differ in their last bits.
        stack = video.stack
        same = (stack.fingerprint(), stack.frame(plan.sampled[0][0]).tobytes()) if stack.paths else object()
        key = (same, plan.sampled, stabilise, video.factor, torch.get_num_threads())
        if self._last_summary is None or self._last_summary[0] != key:
            summary = summarise_ranges(video, plan.sampled, stabilise, self.settings, self.device)
            self._last_summary, self._decoded = (key, summary), {}
        return self._last_summary[1]

    def _answer(self, state: InferenceState, order: Sequence[int], ordered: bool) -> Iterator[FrameFlow]:
        self.propagate_in_video_preflight(state)
        self.notices = ()  # there may be some of another recording
        flows = FlowGroups(self.model, state, self.settings, ordered)
        plan = state.frames.plan
        state.ahead.settle()  # an earlier way through may have been left half-way
        try:
            for t in order:
                with exactly(self.device):
                    key = self._key_frame(state, t)
                    context = self._look(state, t, key, flows)
                    # Without an order the way through is the caller's own, who wants each pair answered.
                    asked = not plan.ends(t) and (plan.asks(t) or not ordered)
                    vessels = flows.answer(t, context) if asked else flows.still(t)
                    self._note(flows.notices, state)
                    shift = state.frames.shift(t)
                    step = FrameFlow(t, (shift.dy, shift.dx), tuple(vessels), asked or plan.ends(t))
                    if ordered:
                        state.next_frame = t + 1
                        state.frames.forget(self._first_needed(state, key, t))
                yield step
        finally:
            state.ahead.settle()  # who closes the recording now closes it for all

    def _look(self, state: InferenceState, t: int, key: int, flows: FlowGroups) -> torch.Tensor:
        """Encode the key frame of frame ``t`` if need be; look there, and soon after one is lost, for the vessels."""
        while True:
            try:
                wanted = self._looked_for(state, t, key)
                if wanted and follow_vessels(self.model, state, t, self.settings, wanted):
                    flows.lay_anew()
                return encoded(self.model, state, key, self.settings.cached_frames)[0]
            except torch.OutOfMemoryError:
                flows.make_room(t)

    def _looked_for(self, state: InferenceState, t: int, key: int) -> list[VesselState]:
        """Vessels that are looked for in frame ``t``: all in key frames, and soon again those that are out of sight."""
        vessels = list(state.vessels.values())
        if any(t in v.logits for v in vessels):
            return []
        if key == t:
            return vessels
        again, least = self.settings.matching.look_again_every, self.settings.matching.least_present
        soon = state.seen is not None and (t - key) % again == 0
        return [v for v in vessels if soon and v.object_score < least]

    def _note(self, notices: list[str], state: InferenceState) -> None:
        """Keep what was done for want of memory, and on which device the rest is computed."""
        if notices:
            self.device, self.notices = state.frames.device, tuple(notices)

    def _first_needed(self, state: InferenceState, key: int, t: int) -> int:
        """The first frame that may still be read when frame ``t`` is answered."""
        match = self.model.config.match
        grid = state.frames.grid
        return min(grid.twin(key), grid.back(t, max(match.windows) + max(match.lags)))

    def _key_frame(self, state: InferenceState, t: int) -> int:
        """The frame whose encoding serves frame ``t``."""
        start, every = state.frames.plan.range_of(t)[0], self.settings.key_frame_every
        return start + (t - start) // every * every

    def _clicked(
        self, state: InferenceState, frame: int, xy: NDArray[np.float64], kinds: NDArray[np.int_]
    ) -> ClickedMask:
        """The mask of clicks ``(x, y)`` px of the recorded frame."""
        answer = self.add_new_points_or_box(state, frame, _PROBE, xy, kinds)
        assert answer is not None
        return ClickedMask(answer[2][0, 0].numpy() > 0, state.vessels[_PROBE].mask_iou, xy, kinds)

    def _ids(self, state: InferenceState) -> list[int]:
        return list(state.vessels)

    def _forget(self, state: InferenceState, obj_id: int) -> set[int] | None:
        vessel = state.vessels.pop(obj_id, None)
        state.crops.pop(obj_id, None)
        return None if vessel is None else {*vessel.points, *vessel.given}

    def _vessel(self, state: InferenceState, obj_id: int) -> VesselState:
        if obj_id not in state.vessels:
            config = self.model.config
            state.vessels[obj_id] = VesselState(
                self.model.context_memory.new_bank(self.settings.least_mask_quality),
                MemoryBank(keep_recent(config.update.motion_memory_frames)),
            )
        return state.vessels[obj_id]

    def _decode(self, state: InferenceState, frame: int, obj_id: int, need_output: bool) -> Masks | None:
        vessel = state.vessels[obj_id]
        key = self._as_asked(state, vessel, frame)
        with told_of_memory(self.device):
            if key in self._decoded:
                # Encoded all the same: the run's first frame is, and frames are registered in the order they are read.
                encoded(self.model, state, frame, self.settings.cached_frames)
                if state.seen is not None:
                    state.seen.look(frame, partial(state.frames.inputs, frame))
                self._decoded[key].give_to(vessel, frame)
            else:
                answer_prompts(self.model, state, vessel, frame, self.settings)
                if key is not None:
                    self._decoded[key] = Decoded.of(vessel, frame)
        mask = recorded_logits(vessel, state.frames.video) > 0
        top, left, bottom, right = bounds(mask & vessel_mask(vessel).any(), self.settings.crop_margin)
        state.crops[obj_id] = (bottom - top, right - left)
        return self._masks(state, frame) if need_output else None

    def _as_asked(self, state: InferenceState, vessel: VesselState, frame: int) -> Hashable | None:
        """All that the answer to a vessel's first prompts follows from; None where other prompts came before.

        A run asks again what the clicks before it asked, of the same summary of the recording.
        """
        if vessel.logits or vessel.context.entries:
            return None
        if self._last_summary is None or state.maps is not self._last_summary[1].maps:
            return None
        given, shift = vessel.given.get(frame), state.frames.shift(frame)
        painted = None if given is None else given.tobytes()
        clicks = tuple(vessel.points.get(frame, ()))
        return frame, shift, clicks, painted, str(state.frames.device), torch.get_num_threads()

    def _masks(self, state: InferenceState, frame: int) -> Masks:
        stack, shift = state.frames.stack, state.frames.shift(frame)
        masks = np.empty((len(state.vessels), 1, *stack.shape[1:]), np.float32)
        # One vessel after the other: what lies between takes as much memory as the answer.
        for vessel, mask in zip(state.vessels.values(), masks, strict=True):
            laid = stack.picture.laid_out(recorded_logits(vessel, state.frames.video), stack.shape[1:])
            mask[0] = to_recorded(laid, round(shift.dy), round(shift.dx))
        return frame, list(state.vessels), torch.from_numpy(masks)


def _alike(one: ClickedMask, other: ClickedMask, share: float) -> bool:
    return bool((one.mask & other.mask).sum() > share * (one.mask | other.mask).sum())


def _check_frame(state: InferenceState, frame: int) -> None:
    last = state.frames.stack.shape[0] - 1
    if not 0 <= frame <= last:
        raise PromptError("frame {frame} is outside the recording (0 to {last})", frame=frame, last=last)
