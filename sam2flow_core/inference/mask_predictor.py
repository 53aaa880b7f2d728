"""Masks through a video by memory alone, with the manners of SAM 2's video predictor.

For weights without flow, and for annotation: objects may move, vanish and come
back. Vessels with flow are for `SAM2FlowPredictor`. Reference: Ravi et al., SAM 2, 2024.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import ModelError, PromptError
from sam2flow_core.inference.frames import PaddedFrames, SquareFrames, VideoFrames
from sam2flow_core.inference.masks import encoded, field_maps
from sam2flow_core.inference.matched_masks import SeenFrames, seen_frames
from sam2flow_core.inference.object_track import (
    MemoryAnswer,
    ObjectTrack,
    TrackStep,
    begin_bank,
    carried_mask,
    keep_picture,
    read_memory,
    write_track,
)
from sam2flow_core.inference.sam2_inputs import Given, read_clicks, read_mask, refuse_opposed
from sam2flow_core.inference.video_predictor import Masks, VideoPredictor
from sam2flow_core.model.memory_designs import ShortLongMemory
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack import Stack, open_stack
from sam2flow_core.tracing.field_map import FieldMap

_ABSENT = -1024.0
"""Logits of an object that nothing was said of, as in SAM 2."""


@dataclass
class MaskState:
    """A recording and the objects in it.

    Attributes
    ----------
    frames : VideoFrames
    seen : SeenFrames or None
        Frames of a memory that matches.
    tracks : dict
        By id.
    levels : dict
        The encoded frames seen last.
    maps : list of FieldMap
    draws : torch.Generator
        What a memory draws from; begun alike for every recording, so that a run can be repeated.
    """

    frames: VideoFrames
    seen: SeenFrames | None = None
    tracks: dict[int, ObjectTrack] = field(default_factory=dict)
    levels: OrderedDict[int, list[Tensor]] = field(default_factory=OrderedDict)
    maps: list[FieldMap] = field(default_factory=list)
    draws: torch.Generator = field(default_factory=torch.Generator)

    def __len__(self) -> int:
        return len(self.frames.stack)


class SAM2MaskPredictor(VideoPredictor[MaskState]):
    """Prompts in, masks through time out; the methods and arguments are those of SAM 2's video predictor.

    Parameters
    ----------
    model : SAM2Flow
        With or without flow.
    device : torch.device
    description : dict
        What the weights are.
    settings : InferenceSettings, optional

    References
    ----------
    .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.

    Examples
    --------
    An object given by its mask in the first of four frames:

    >>> import numpy as np
    >>> from sam2flow_core import SAM2MaskPredictor
    >>> predictor = SAM2MaskPredictor.from_pretrained("tiny", device="cpu")
    >>> video = np.random.default_rng(0).normal(100, 5, (4, 96, 96))
    >>> state = predictor.init_state(video)
    >>> mask = np.zeros((96, 96), bool)
    >>> mask[30:60, 40:70] = True
    >>> frame, ids, logits = predictor.add_new_mask(state, 0, 1, mask)
    >>> [(t, tuple(m.shape)) for t, ids, m in predictor.propagate_in_video(state)]
    [(0, (1, 1, 96, 96)), (1, (1, 1, 96, 96)), (2, (1, 1, 96, 96)), (3, (1, 1, 96, 96))]
    """

    def __init__(
        self,
        model: SAM2Flow,
        device: torch.device,
        description: dict[str, Any],
        settings: InferenceSettings | None = None,
    ) -> None:
        if model.config.mask.image_only:
            raise ModelError(
                f"weights of '{model.config.preset}' know single pictures (SAM2ImagePredictor): they learn videos by "
                "'sam2flow finetune DATA --memory associated --start FILE'"
            )
        if model.config.mask.follows and not model.config.use_context_memory:
            raise ModelError("these weights follow objects by matching frames: without it no mask can be carried on")
        settings = settings or InferenceSettings()
        settings = replace(settings, sam2=settings.sam2.for_weights(description.get("notes", {})))
        super().__init__(model, device, description, settings)
        self._step = TrackStep(self.model, self.settings.sam2)

    def init_state(
        self,
        video_path: Stack | str | Path | ArrayLike,
        offload_video_to_cpu: bool = False,
        offload_state_to_cpu: bool = False,
        async_loading_frames: bool = False,
    ) -> MaskState:
        """Begin with a recording: a path or an array (T, Y, X), for weights of SAM 2 also in colour (T, Y, X, 3).

        Frames are read as they are needed, so SAM 2's three switches for memory have nothing to do.
        """
        as_sam2 = self.model.config.mask.as_sam2
        stack = video_path if isinstance(video_path, Stack) else open_stack(video_path, colour=as_sam2)
        if as_sam2:
            state = MaskState(SquareFrames(stack, self.settings.sam2.image_size, self.device))
            state.draws.manual_seed(self.settings.sam2.draw_seed)
            return state
        seen = seen_frames(self.model, self.settings.matching)
        return MaskState(PaddedFrames(stack, self.settings, self.device), seen)

    @torch.inference_mode()
    def add_new_points_or_box(
        self,
        inference_state: MaskState,
        frame_idx: int,
        obj_id: int,
        points: Given = None,
        labels: Given = None,
        clear_old_points: bool = True,
        normalize_coords: bool = True,
        box: Given = None,
    ) -> Masks:
        """Prompt an object in a frame with clicks, a box, or both; on a frame that was tracked, correct it.

        Parameters
        ----------
        inference_state : MaskState
        frame_idx, obj_id : int
        points : (P, 2)
            ``(x, y)`` px of the recorded frame.
        labels : (P,)
            1 = this object, 0 = not this object.
        clear_old_points : bool
            Replace earlier clicks of this object in this frame.
        normalize_coords : bool
            False: points and box are given in 0 to 1 of the frame's width and height.
        box : (4,)
            ``x0, y0, x1, y1`` px.

        Raises
        ------
        PromptError
            If there is neither a point nor a box, they do not fit, or there is no such frame.
        """
        _check_frame(inference_state, frame_idx)
        size = inference_state.frames.stack.shape[1:]
        xy, kinds = read_clicks(points, labels, box, size, normalize_coords)
        if box is not None and not clear_old_points:
            raise PromptError("a box comes before any point: give it with clear_old_points=True")
        placed = inference_state.frames.points(torch.from_numpy(xy).float().to(self.device))
        clicks = (placed, torch.from_numpy(kinds).to(self.device))
        earlier = None if clear_old_points else self._earlier(inference_state, obj_id, frame_idx)
        if earlier is not None:
            clicks = tuple(torch.cat(pair) for pair in zip(earlier, clicks, strict=True))  # type: ignore[assignment]
        said = [(float(x), float(y), int(k)) for (x, y), k in zip(*(part.tolist() for part in clicks), strict=True)]
        refuse_opposed("object", obj_id, frame_idx, xy, said)
        track = inference_state.tracks.setdefault(obj_id, ObjectTrack())
        track.points[frame_idx] = clicks
        track.given.pop(frame_idx, None)
        return self._answer(inference_state, track, frame_idx)

    add_new_points = add_new_points_or_box

    @torch.inference_mode()
    def add_new_mask(
        self, inference_state: MaskState, frame_idx: int, obj_id: int, mask: NDArray[Any] | Tensor
    ) -> Masks:
        """Prompt an object in a frame with its mask (Y, X)."""
        _check_frame(inference_state, frame_idx)
        given = read_mask(mask, inference_state.frames.stack.shape[1:])
        track = inference_state.tracks.setdefault(obj_id, ObjectTrack())
        track.given[frame_idx] = inference_state.frames.mask(torch.from_numpy(given))
        track.points.pop(frame_idx, None)
        return self._answer(inference_state, track, frame_idx)

    @torch.inference_mode()
    def propagate_in_video_preflight(self, inference_state: MaskState) -> None:
        """Remember what was prompted since the last propagation; `propagate_in_video` does this by itself."""
        if not inference_state.tracks:
            raise PromptError("no object is prompted: add a click, a box or a mask first")
        for obj_id, track in inference_state.tracks.items():
            for frame, answer in track.fresh.items():
                if inference_state.seen is None:
                    self._step.write_prompted(self._levels(inference_state, frame), answer)
                else:
                    self._look(inference_state, frame)
                    keep_picture(answer, inference_state.seen, self._size(inference_state))
            track.settle()
            if not track.prompted:
                raise PromptError("object {obj_id} has no prompt left: add one, or remove the object", obj_id=obj_id)
            begin_bank(track, self.model.context_memory, inference_state.seen is not None)

    def propagate_in_video(
        self,
        inference_state: MaskState,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
        recent_n: int | None = None,
    ) -> Iterator[Masks]:
        """Follow all objects frame by frame.

        Parameters
        ----------
        inference_state : MaskState
        start_frame_idx : int, optional
            By default the first prompted frame.
        max_frame_num_to_track : int, optional
            Frames after the first one.
        reverse : bool
            Go back in time.
        recent_n : int, optional
            As in SLM-SAM 2: the latest frames that the short bank of ``short-long`` memory reads; by default those it
            was trained with.

        Yields
        ------
        frame_idx : int
        obj_ids : list of int
        mask_logits : Tensor (objects, 1, Y, X)
            In the recorded frame; above 0 is the object.

        Raises
        ------
        PromptError
            If nothing is prompted, or `recent_n` is below 1 or given for another design of memory.
        """
        self.propagate_in_video_preflight(inference_state)
        for frame in _order(inference_state, start_frame_idx, max_frame_num_to_track, reverse):
            with torch.inference_mode(), self._short_bank(recent_n):
                for track in inference_state.tracks.values():
                    self._follow(inference_state, track, frame, reverse)
                masks = self._masks(inference_state, frame)
            yield masks

    @contextmanager
    def _short_bank(self, frames: int | None) -> Iterator[None]:
        """Let the short bank of memory read so many frames within the block."""
        if frames is None:
            yield
            return
        design = self.model.context_memory.design if self.model.config.use_context_memory else None
        if not isinstance(design, ShortLongMemory):
            raise PromptError("recent_n is of short-long memory, which these weights do not have; leave it out")
        if frames < 1:
            raise PromptError("recent_n {frames}: give 1 or more frames", frames=frames)
        trained, design.short = design.short, frames
        try:
            yield
        finally:
            design.short = trained

    def follow_masks(self, inference_state: MaskState) -> Iterator[Masks]:
        """Masks of all frames: from the first prompted one to the last, then back to the beginning."""
        yield from self.propagate_in_video(inference_state)
        yield from self.propagate_in_video(inference_state, reverse=True)

    @torch.inference_mode()
    def clear_all_prompts_in_frame(
        self, inference_state: MaskState, frame_idx: int, obj_id: int, need_output: bool = True
    ) -> Masks | None:
        """Forget an object's prompts in a frame."""
        if obj_id not in inference_state.tracks:
            raise PromptError("there is no object {obj_id}", obj_id=obj_id)
        inference_state.tracks[obj_id].clear_prompts(frame_idx)
        return self._masks(inference_state, frame_idx) if need_output else None

    def reset_state(self, inference_state: MaskState) -> None:
        """Forget all objects, keep the recording."""
        inference_state.tracks.clear()

    def _earlier(self, state: MaskState, obj_id: int, frame: int) -> tuple[Tensor, Tensor] | None:
        track = state.tracks.get(obj_id)
        return None if track is None else track.points.get(frame)

    def _ids(self, state: MaskState) -> list[int]:
        return list(state.tracks)

    def _forget(self, state: MaskState, obj_id: int) -> set[int] | None:
        track = state.tracks.pop(obj_id, None)
        return None if track is None else {*track.points, *track.given}

    def _answer(self, state: MaskState, track: ObjectTrack, frame: int) -> Masks:
        """Decode a prompted frame: from the image alone, or with memory where the object was followed before."""
        levels = self._levels(state, frame)
        if frame in track.given:
            track.fresh[frame] = self._step.from_mask(levels, track.given[frame])
            return self._masks(state, frame)
        recalled = None
        if frame in track.visited and state.seen is None:
            recalled = self._read(state, track, frame, track.visited[frame])
        points, labels = track.points[frame]
        maps = field_maps(self.model, state, self.settings.tracing)
        track.fresh[frame] = self._step.from_points(levels, recalled, points, labels, track.answer(frame), maps)
        return self._masks(state, frame)

    def _follow(self, state: MaskState, track: ObjectTrack, frame: int, reverse: bool) -> None:
        if frame not in track.prompted:
            if state.seen is None:
                recalled = self._read(state, track, frame, reverse)
                track.followed[frame] = self._step.from_memory(self._levels(state, frame), recalled)
            else:
                self._look(state, frame)
                size, least = self._size(state), self.settings.matching.least_present
                track.followed[frame] = carried_mask(track, state.seen, frame, size, least)
            write_track(track, frame, track.followed[frame], prompted=False)
        track.visited[frame] = reverse
        if (kept := self.settings.sam2.remembered_frames) is not None:
            track.forget(kept, frame)

    def _look(self, state: MaskState, frame: int) -> None:
        assert state.seen is not None
        state.seen.look(frame, lambda: state.frames.inputs(frame))

    def _size(self, state: MaskState) -> tuple[int, int]:
        assert isinstance(state.frames, PaddedFrames)
        return state.frames.size

    def _read(self, state: MaskState, track: ObjectTrack, frame: int, reverse: bool) -> MemoryAnswer:
        memory, image = self.model.context_memory, self._levels(state, frame)[2]
        return read_memory(track, memory, image, frame, reverse, len(state), state.draws)

    def _masks(self, state: MaskState, frame: int) -> Masks:
        height, width = state.frames.stack.shape[1:]
        rows = []
        for track in state.tracks.values():
            said = track.answer(frame)
            nothing = torch.full((1, 1, height, width), _ABSENT, device=self.device)
            rows.append(nothing if said is None else state.frames.recorded(said.logits))
        masks = torch.cat(rows) if rows else torch.zeros(0, 1, height, width, device=self.device)
        return frame, list(state.tracks), masks

    def _levels(self, state: MaskState, frame: int) -> list[Tensor]:
        return encoded(self.model, state, frame, self.settings.cached_frames)


def _check_frame(state: MaskState, frame: int) -> None:
    if not 0 <= frame < len(state):
        raise PromptError("frame {frame} is outside the recording (0 to {last})", frame=frame, last=len(state) - 1)


def _order(state: MaskState, start: int | None, count: int | None, reverse: bool) -> range:
    if start is None:
        start = min(frame for track in state.tracks.values() for frame in track.prompted)
    _check_frame(state, start)
    count = len(state) if count is None else count
    if not reverse:
        return range(start, min(start + count, len(state) - 1) + 1)
    # Nothing lies before the first frame, and SAM 2 then answers nothing.
    return range(start, max(start - count, 0) - 1, -1) if start > 0 else range(0)
