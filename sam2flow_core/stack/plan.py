"""Which frames of a recording a run goes through, and between which of them it answers flow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FramePlan:
    """Ranges of frames, and the pairs in them that are answered.

    Attributes
    ----------
    ranges : tuple of (int, int)
        First frame and end (not included) of what is read, ascending and without overlap; two frames at least in each.
    every : int
        One pair of so many is answered, counted from the beginning of each range.
    margin : int
        So many frames at either end of a range are read for the evidence of the pairs between alone.
    seen : tuple of (int, int)
        Ranges over which background and motion statistics are taken; `ranges` where it is empty.
    """

    ranges: tuple[tuple[int, int], ...]
    every: int = 1
    margin: int = 0
    seen: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def whole(start: int, stop: int) -> FramePlan:
        """Every pair of one range.

        Examples
        --------
        >>> FramePlan.whole(0, 4).answered
        array([0, 1, 2])
        """
        return FramePlan(((start, stop),))

    @property
    def start(self) -> int:
        """First frame."""
        return self.ranges[0][0]

    @property
    def stop(self) -> int:
        """End of the last range."""
        return self.ranges[-1][1]

    @property
    def sampled(self) -> tuple[tuple[int, int], ...]:
        """Ranges that tell what the recording is like as a whole."""
        return self.seen or self.ranges

    @cached_property
    def frames(self) -> NDArray[np.int64]:
        """All frames that are gone through, ascending."""
        return frames_of(self.ranges)

    @cached_property
    def answered(self) -> NDArray[np.int64]:
        """First frames of the pairs that are answered, ascending."""
        return np.concatenate([np.arange(a + self.margin, b - 1 - self.margin, self.every) for a, b in self.ranges])

    def asks(self, frame: int) -> bool:
        """Whether the pair that begins with a frame is to be answered."""
        a, b = self.range_of(frame)
        return a + self.margin <= frame < b - 1 - self.margin and (frame - a - self.margin) % self.every == 0

    def ends(self, frame: int) -> bool:
        """Whether a frame is the last one of its range, so that no pair begins with it."""
        return frame + 1 == self.range_of(frame)[1]

    def holds(self, frame: int) -> bool:
        """Whether a frame is among those that are gone through."""
        return any(a <= frame < b for a, b in self.ranges)

    def range_of(self, frame: int) -> tuple[int, int]:
        """The range that a frame lies in.

        Raises
        ------
        ValueError
            If it lies in none.
        """
        for a, b in self.ranges:
            if a <= frame < b:
                return a, b
        raise ValueError(f"frame {frame} is in none of the ranges {self.ranges}")

    def after(self, frame: int) -> int | None:
        """The next frame that is gone through; None after the last."""
        later = self.frames[np.searchsorted(self.frames, frame, side="right") :]
        return int(later[0]) if len(later) else None

    def checked(self, frame: int, every: int) -> bool:
        """Whether an answered pair is one of those whose way back is answered too: one of so many, never none."""
        place = int(np.searchsorted(self.answered, frame))
        return place % every == min(every, max(len(self.answered), 1)) // 2


def frames_of(ranges: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
    """All frames of some ranges, one range after the other."""
    return np.concatenate([np.arange(a, b) for a, b in ranges])


def begins_of(frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some ascending frames that the frame before is not among: where each unbroken stretch begins."""
    return frames[np.insert(np.diff(frames) > 1, 0, True)[: len(frames)]]


def held_pair(frame: int, pairs: Sequence[int], begins: Sequence[int]) -> int | None:
    """Return the pair whose answer is shown in a frame: the last one answered up to there, in the same stretch.

    Parameters
    ----------
    frame : int
    pairs : sequence of int
        First frames of the pairs that are answered, ascending.
    begins : sequence of int
        First frames of the stretches that are gone through, ascending.

    Returns
    -------
    int or None
        None where nothing has been answered since the stretch began: an answer of another place says nothing here.

    Examples
    --------
    >>> [held_pair(t, [2, 6, 102], [0, 100]) for t in (1, 2, 5, 9, 101, 103)]
    [None, 2, 2, 6, None, 102]
    """
    place, stretch = bisect_right(pairs, frame), bisect_right(begins, frame)
    held = int(pairs[place - 1]) if place else None
    return held if held is not None and stretch and held >= begins[stretch - 1] else None


def gaps_of(ranges: tuple[tuple[int, int], ...]) -> list[int]:
    """How many frames lie between one range and the next.

    Examples
    --------
    >>> gaps_of(((0, 10), (15, 20)))
    [5]
    """
    return [later - before for (_, before), (later, _) in pairwise(ranges)]
