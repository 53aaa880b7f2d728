"""Frames of a recording by the time they were taken, so that evidence is never gathered across a gap or a repeat."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sam2flow_core.stack import Timing


class TimeGrid:
    """The times of frames, in steps, and the frames at these times.

    Where every frame is in its place, the time of a frame is its number.

    Parameters
    ----------
    timing : Timing
    start : int
        First frame of the range.
    """

    def __init__(self, timing: Timing, start: int) -> None:
        self._start = start
        self._clock = timing.clock
        self._steady = timing.steady
        times, first = np.unique(timing.clock, return_index=True)
        even = len(times) == len(timing.clock) and bool(timing.steady.all())
        self._frames: dict[int, int] | None = None
        if not even:
            self._frames = {int(t) + start: int(f) + start for t, f in zip(times, first, strict=True)}

    @property
    def times(self) -> Collection[int]:
        """All times at which there is a picture."""
        return range(self._start, self._start + len(self._clock)) if self._frames is None else self._frames

    def time(self, frame: int) -> int:
        """Time of a frame."""
        return self._start + int(self._clock[frame - self._start])

    def frame(self, time: int) -> int:
        """The first frame that shows the picture of a time."""
        return time if self._frames is None else self._frames[time]

    def twin(self, frame: int) -> int:
        """The first frame that shows the picture of a frame: itself, unless it is a repeat."""
        return self.frame(self.time(frame))

    def steady(self, frame: int) -> bool:
        """Whether the next frame was taken one step later."""
        return bool(self._steady[frame - self._start])

    def back(self, frame: int, steps: int) -> int:
        """The last picture that was taken so many steps before, or earlier: the first frame that shows it."""
        index = min(max(frame - self._start, 0), len(self._clock) - 1)
        found = int(np.searchsorted(self._clock, self._clock[index] - steps, side="right")) - 1
        return self.twin(self._start + max(found, 0))
