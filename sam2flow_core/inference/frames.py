"""Frames as the network wants them: aligned to tissue and time, with what the recording says as a whole, padded."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.errors import ModelError
from sam2flow_core.inference.recording_summary import RecordingSummary, aligned_frame
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.model.motion_statistics import InputMaker
from sam2flow_core.stack import FramePlan, Shift, Stabiliser, Timing


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
    The next frame is read and registered in the background while the network works on the current one.
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
        self.padding = summary.padding
        self.maker = InputMaker(summary.background, summary.activity)
        self._motion = summary.motion

    @property
    def size(self) -> tuple[int, int]:
        """``(H, W)`` of the padded input, in working px as all that the network sees."""
        height, width = self.video.shape
        return height + self.padding[3], width + self.padding[1]

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of what the recording shows: the input without its padding."""
        return self.video.shape[0], self.video.shape[1]

    def take_statistics(self) -> Tensor:
        """(1, 20, H / 2, W / 2) of the padded input, for `SAM2Flow.map_vessels`: once, it is not kept."""
        if not self._motion:
            raise ModelError("the vessel field of this recording was begun and not finished: open the recording again")
        return self.maker.field_input(self._motion.pop(), self.padding)

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
            self._aligned(t)
        shift, factor = self.shifts[t], self.video.factor
        return Shift(shift.dy * factor, shift.dx * factor, shift.quality)

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, H, W) of frame ``t``, padded to multiples of 32."""
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
        for t in [t for t in self.shifts if t < before]:
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
