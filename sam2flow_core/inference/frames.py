"""Frames as networks want them: aligned to tissue and time, with a summary of the recording, padded; and back."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from threading import RLock
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.recording_summary import RecordingSummary, aligned_frame, summarise_ranges
from sam2flow_core.inference.sam2_inputs import normalise
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.model.motion_statistics import InputMaker, RecordingStatistics
from sam2flow_core.stack import FramePlan, Shift, Stabiliser, Stack, Timing


class TimeGrid:
    """The times of frames, in steps, and the frames at these times.

    Where every frame is in its place, the time of a frame is its number.

    Parameters
    ----------
    timing : Timing
    recorded : ndarray of int, shape (T,)
        The numbers of its frames in the recording, ascending.
    """

    def __init__(self, timing: Timing, recorded: NDArray[np.int64]) -> None:
        self._start = start = int(recorded[0])
        self._recorded = recorded
        self._clock = timing.clock
        self._steady = timing.steady
        times, first = np.unique(timing.clock, return_index=True)
        whole = int(recorded[-1]) - start + 1 == len(recorded)
        even = whole and len(times) == len(timing.clock) and bool(timing.steady.all())
        self._frames: dict[int, int] | None = None
        if not even:
            self._frames = {int(t) + start: int(recorded[f]) for t, f in zip(times, first, strict=True)}

    @property
    def times(self) -> Collection[int]:
        """All times at which there is a picture."""
        return range(self._start, self._start + len(self._clock)) if self._frames is None else self._frames

    def time(self, frame: int) -> int:
        """Time of a frame."""
        return self._start + int(self._clock[self._place(frame)])

    def frame(self, time: int) -> int:
        """The first frame that shows the picture of a time."""
        return time if self._frames is None else self._frames[time]

    def twin(self, frame: int) -> int:
        """The first frame that shows the picture of a frame: itself, unless it is a repeat."""
        return self.frame(self.time(frame))

    def steady(self, frame: int) -> bool:
        """Whether the next frame was taken one step later."""
        return bool(self._steady[self._place(frame)])

    def back(self, frame: int, steps: int) -> int:
        """The last picture that was taken so many steps before, or earlier: the first frame that shows it."""
        index = min(self._place(frame), len(self._clock) - 1)
        found = int(np.searchsorted(self._clock, self._clock[index] - steps, side="right")) - 1
        return self.twin(int(self._recorded[max(found, 0)]))

    def _place(self, frame: int) -> int:
        return int(np.searchsorted(self._recorded, frame))


class AlignedFrames:
    """Frames of a recording in tissue coordinates, which begin at the first pixel of its picture (`Stack.picture`).

    Parameters
    ----------
    video : WorkingFrames
    plan : FramePlan
        Frames that are gone through; the first one defines the tissue coordinates.
    stabilise : bool
        Take the frame's own motion out.
    summary : RecordingSummary
        Of the same plan.
    device : torch.device

    Notes
    -----
    The next frame is read and registered in the background while the network works on the current one. Inputs may be
    asked for by two threads at once; frames are registered in the order in which they are first asked for.
    """

    def __init__(
        self, video: WorkingFrames, plan: FramePlan, stabilise: bool, summary: RecordingSummary, device: torch.device
    ) -> None:
        self.video, self.stack, self.plan, self.device = video, video.stack, plan, device
        self.start, self.stop = plan.start, plan.stop
        self.stabiliser = Stabiliser() if stabilise else None
        if self.stabiliser is not None:
            self.stabiliser.set_state(summary.stabiliser)
        self.shifts: dict[int, Shift] = {}
        self._ahead: tuple[int, Future[NDArray[np.float32]]] | None = None
        self._grid: TimeGrid | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="sam2flow-reader")
        self._reading = RLock()
        self.padding = summary.padding
        self.maker = InputMaker(summary.background, summary.activity)
        self._motion, self._pairs = summary.motion, summary.pairs

    @property
    def size(self) -> tuple[int, int]:
        """``(H, W)`` of the padded input, in working px as all that the network sees."""
        height, width = self.video.shape
        return height + self.padding[3], width + self.padding[1]

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of what the recording shows: the input without its padding."""
        return self.video.shape[0], self.video.shape[1]

    def take_statistics(self) -> RecordingStatistics:
        """Of the padded input, at half its resolution: once, it is not kept."""
        if not self._motion:
            raise ModelError("the vessel field of this recording was begun and not finished: open the recording again")
        moving = self.maker.moving(self._pairs.pop(), self.padding)
        return RecordingStatistics(self.maker.field_input(self._motion.pop(), self.padding), moving)

    @property
    def grid(self) -> TimeGrid:
        """When the frames were taken. The first time it is asked, every frame of the plan is read once."""
        if self._grid is None:
            self._settle()
            self._grid = TimeGrid(self.stack.timing_of(self.plan), self.plan.frames)
        return self._grid

    def shift(self, t: int) -> Shift:
        """Where the tissue stands in frame ``t``, in recorded px."""
        t = self._first_of(t)
        if t not in self.shifts:
            with self._reading:
                self._settle()
                self._aligned(t)
        shift, factor = self.shifts[t], self.video.factor
        return Shift(shift.dy * factor, shift.dx * factor, shift.quality)

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, H, W) of frame ``t``, padded to multiples of 32."""
        with self._reading:
            t = self._first_of(t)
            frame = self._take(t)
            coming = self.plan.after(t)
            while coming is not None and self._first_of(coming) != coming:
                coming = self.plan.after(coming)
            if coming is not None:
                self._ahead = (coming, self._reader.submit(self._aligned, coming))
        made = self.maker(torch.from_numpy(frame)[None].to(self.device))
        return F.pad(made, self.padding, mode="replicate")

    def move_to(self, device: torch.device) -> None:
        """Make inputs on another device from now on."""
        self.device = device
        self.maker.move_to(device)
        self._motion[:] = [motion.to(device) for motion in self._motion]
        self._pairs[:] = [pairs.to(device) for pairs in self._pairs]

    def close(self) -> None:
        """Stop reading ahead."""
        self._reader.shutdown(wait=True, cancel_futures=True)

    def get_state(self, first: int) -> dict[str, Any]:
        """What `set_state` needs: shifts from frame ``first`` on, and the stabiliser."""
        self._settle()
        shifts = {t: (s.dy, s.dx, s.quality) for t, s in self.shifts.items() if t >= first}
        return {"shifts": shifts, "stabiliser": self.stabiliser.get_state() if self.stabiliser else {}}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        self._settle()
        self.shifts = {int(t): Shift(*map(float, s)) for t, s in state["shifts"].items()}
        if self.stabiliser is not None:
            self.stabiliser.set_state(state["stabiliser"])

    def forget(self, before: int) -> None:
        """Drop shifts that are no longer needed, so that memory does not grow with the recording."""
        for t in [t for t in tuple(self.shifts) if t < before]:  # more may come while these are gone through
            del self.shifts[t]

    def _first_of(self, t: int) -> int:
        """The first frame with the picture of frame ``t``, as far as is known: repeats are not registered anew."""
        return t if self._grid is None or not self.plan.holds(t) else self._grid.twin(t)

    def _settle(self) -> None:
        if self._ahead is not None:
            self._ahead[1].result()

    def _take(self, t: int) -> NDArray[np.float32]:
        if self._ahead is not None:
            number, future = self._ahead
            self._ahead = None
            frame = future.result()
            if number == t:
                return frame
        return self._aligned(t)

    def _aligned(self, t: int) -> NDArray[np.float32]:
        return aligned_frame(self.video, t, self.stabiliser, self.shifts)


_OUTSIDE = -20.0
"""Mask logit beyond the picture."""


class VideoFrames(Protocol):
    """What a mask predictor asks of a recording."""

    stack: Stack

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of the input without its padding."""

    def take_statistics(self) -> RecordingStatistics | None:
        """What the recording says as a whole, once; None for networks without a vessel field."""

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, H, W) of a frame."""

    def points(self, xy: Tensor) -> Tensor:
        """Points (P, 2) ``(x, y)`` px of the recorded frame, in px of the input."""

    def mask(self, recorded: Tensor) -> Tensor:
        """Mask (1, 1, H, W) of 0 and 1 in the input, of one (Y, X) in the recorded frame."""

    def recorded(self, logits: Tensor) -> Tensor:
        """Logits (V, 1, Y, X) in the recorded frame, of those (V, 1, H / 4, W / 4) that the decoder gives."""


class SquareFrames:
    """Frames stretched to a square, in their colours, as SAM 2 sees videos.

    Parameters
    ----------
    stack : Stack
    side : int
        Px.
    device : torch.device

    Notes
    -----
    Frames of 8 bits keep their values, and are stretched as SAM 2's loader does it; others are scaled between their
    0.1 and 99.9 percentiles over the recording.
    """

    def __init__(self, stack: Stack, side: int, device: torch.device) -> None:
        self.stack, self.side, self.device = stack, side, device
        self.low, self.high = (0.0, 255.0) if stack.dtype == np.uint8 else _range(stack)

    @property
    def shown(self) -> tuple[int, int]:
        """All of it."""
        return self.side, self.side

    def take_statistics(self) -> RecordingStatistics | None:
        """Nothing: SAM 2 has no vessel field."""
        return None

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, side, side) of a frame."""
        colours = self.stack.colours(t)
        pixels = self.stack.frame(t) if colours is None else colours
        if pixels.dtype == np.uint8:
            pixels = np.asarray(Image.fromarray(pixels).resize((self.side, self.side), Image.Resampling.BICUBIC))
        frame = torch.from_numpy(np.array(pixels, np.float32)).to(self.device)
        frame = frame.movedim(-1, 0)[None] if frame.ndim == 3 else frame[None, None]
        unit = ((frame - self.low) / (self.high - self.low)).clamp(0, 1)
        if unit.shape[-2:] != (self.side, self.side):
            unit = F.interpolate(unit, (self.side, self.side), mode="bicubic", antialias=True).clamp(0, 1)
        return normalise(unit)

    def points(self, xy: Tensor) -> Tensor:
        """Stretched with the frame."""
        height, width = self.stack.shape[1:]
        return xy / xy.new_tensor([width, height]) * self.side

    def mask(self, recorded: Tensor) -> Tensor:
        """Stretched with the frame, and 0 or 1 again."""
        given = recorded[None, None].float().to(self.device)
        if given.shape[-2:] == (self.side, self.side):
            return given
        stretched = F.interpolate(given, (self.side, self.side), mode="bilinear", antialias=True)
        return (stretched >= 0.5).float()

    def recorded(self, logits: Tensor) -> Tensor:
        """Stretched back."""
        return F.interpolate(logits, self.stack.shape[1:], mode="bilinear")


class PaddedFrames:
    """Frames as our own presets see them: with background and activity, at their own size."""

    def __init__(self, stack: Stack, settings: InferenceSettings, device: torch.device) -> None:
        self.stack, self.device = stack, device
        video, plan = WorkingFrames(stack), FramePlan.whole(0, len(stack))
        summary = summarise_ranges(video, plan.sampled, False, settings, device)
        self._frames = AlignedFrames(video, plan, False, summary, device)

    @property
    def size(self) -> tuple[int, int]:
        """``(H, W)`` of the padded input."""
        return self._frames.size

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of the picture."""
        return self._frames.shown

    def take_statistics(self) -> RecordingStatistics | None:
        """Of the padded input, once."""
        return self._frames.take_statistics()

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, H, W), padded to multiples of 32."""
        return self._frames.inputs(t)

    def points(self, xy: Tensor) -> Tensor:
        """From the first pixel of the picture."""
        top, left = self.stack.picture.origin
        return xy - xy.new_tensor([left, top])

    def mask(self, recorded: Tensor) -> Tensor:
        """Padded with nothing."""
        top, left, bottom, right = self.stack.picture.box
        shown = recorded[None, None, top:bottom, left:right].float().to(self.device)
        height, width = self._frames.size
        return F.pad(shown, (0, width - shown.shape[-1], 0, height - shown.shape[-2]))

    def recorded(self, logits: Tensor) -> Tensor:
        """Without the padding, in the whole frame."""
        top, left, bottom, right = self.stack.picture.box
        height, width = self.stack.shape[1:]
        shown = F.interpolate(logits, self._frames.size, mode="bilinear")[..., : bottom - top, : right - left]
        return F.pad(shown, (left, width - right, top, height - bottom), value=_OUTSIDE)


def _range(stack: Stack) -> tuple[float, float]:
    places = np.unique(np.linspace(0, len(stack) - 1, min(16, len(stack))).round().astype(int))
    low, high = np.percentile(np.stack([stack.frame(int(t)) for t in places]), (0.1, 99.9))
    return float(low), float(max(high, low + 1e-6))
