"""Frames of a recording by the time they were taken, so that evidence is never gathered across a gap or a repeat."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.stack import Timing


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
