"""Where frames come from: the protocol, arrays, and several sources end to end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import StackError
from sam2flow_core.stack.axes import AxisPlan, check_axes, guess_axes, plan_axes
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.timing import Times, join_times

Frame = NDArray[Any]


class FrameSource(Protocol):
    """A (T, Y, X) recording that is read a frame at a time, from any thread."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, Y, X)``."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the frames, in native byte order."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files behind it, in the order of time; empty for an array."""
        ...

    @property
    def calibration(self) -> Calibration:
        """Pixel size and frame rate as the files declare them."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each oddity found on opening."""
        ...

    @property
    def declared_bits(self) -> int | None:
        """Significant bits per pixel where the file says so."""
        ...

    def read(self, t: int) -> Frame:
        """Frame ``t`` as an array (Y, X) that the caller may keep and change."""
        ...

    def colours(self, t: int) -> Frame | None:
        """Frame ``t`` as it was recorded, RGB (Y, X, 3); None where it was recorded in grey."""
        ...

    def times(self) -> Times | None:
        """Seconds at which the frames were taken, shape (T,), or None; may read every frame's header."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


class ArraySource:
    """Any object with ``shape``, ``dtype`` and NumPy indexing: numpy, zarr, dask, h5py."""

    def __init__(self, array: Any, axes: str | None, name: str) -> None:
        shape = tuple(int(n) for n in array.shape)
        letters = check_axes(axes, name) if axes else guess_axes(shape)
        self._plan: AxisPlan = plan_axes(shape, letters, name)
        self._array = array
        self._lock = Lock()
        self.shape = (shape[self._plan.time], shape[self._plan.y], shape[self._plan.x])
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        self.paths: tuple[Path, ...] = ()
        self.calibration = Calibration()
        self.problems = self._plan.problems
        self.declared_bits = None

    def read(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X)."""
        plan = self._plan
        index: list[Any] = [0] * len(self._array.shape)
        index[plan.time], index[plan.y], index[plan.x] = t, slice(None), slice(None)
        with self._lock:
            frame = np.array(self._array[tuple(index)], dtype=self.dtype)
        return frame if plan.y < plan.x else np.ascontiguousarray(frame.T)

    def colours(self, t: int) -> None:
        """Nothing: brightness has no colour."""

    def times(self) -> None:
        """An array knows no times."""

    def close(self) -> None:
        """Leave the array to its owner."""


class JoinedSource:
    """The parts of one recording that was split over several files."""

    def __init__(self, parts: Sequence[FrameSource], problem: str) -> None:
        first = parts[0]
        for part in parts[1:]:
            if part.shape[1:] != first.shape[1:] or part.dtype != first.dtype:
                raise StackError(
                    f"{part.paths[0].name}: frames are {_look(part)}, in {first.paths[0].name} {_look(first)};"
                    " these are not parts of one recording"
                )
        self._parts = tuple(parts)
        self._ends = list(accumulate(p.shape[0] for p in parts))
        self.shape = (self._ends[-1], first.shape[1], first.shape[2])
        self.dtype = first.dtype
        self.paths = tuple(path for p in parts for path in p.paths)
        self.calibration = first.calibration
        self.problems = (problem, *dict.fromkeys(text for p in parts for text in p.problems))
        self.declared_bits = first.declared_bits

    def read(self, t: int) -> Frame:
        """Frame ``t``, counted over all parts."""
        part = bisect_right(self._ends, t)
        return self._parts[part].read(t - (self._ends[part - 1] if part else 0))

    def colours(self, t: int) -> Frame | None:
        """Frame ``t`` in the colours of its part, if it has any."""
        part = bisect_right(self._ends, t)
        return self._parts[part].colours(t - (self._ends[part - 1] if part else 0))

    def times(self) -> Times | None:
        """Seconds at which the frames were taken, where all parts say so by one clock."""
        return join_times([(part.times(), part.shape[0]) for part in self._parts])

    def close(self) -> None:
        """Close every part."""
        for part in self._parts:
            part.close()


def _look(source: FrameSource) -> str:
    return f"{source.shape[1]} x {source.shape[2]} {source.dtype}"
