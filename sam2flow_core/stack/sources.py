"""Where frames come from: which axis is time, the protocol, arrays, and several sources end to end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.timing import Times, join_times

KNOWN = "TZCIQYX"
_NAMES = {
    "T": "time points", "Z": "slices", "C": "channels", "I": "images", "Q": "images", "R": "positions",
    "P": "phases or positions", "A": "angles", "H": "lifetimes", "E": "wavelengths", "V": "events", "L": "exposures",
    "M": "mosaic tiles", "S": "colour samples",
}  # fmt: skip
_MOST_CHANNELS = 4  # more than this is a movie whose frames were written as channels


class SingleFrameError(StackError):
    """There is a picture, but only one."""


def single_frame(name: str, hint: str = "") -> SingleFrameError:
    """Say that there is only one picture; `hint` is what else it may be."""
    return SingleFrameError(
        "{name}: a single frame; velocity needs a recording of two frames or more{hint}", name=name, hint=hint
    )


@dataclass(frozen=True)
class AxisPlan:
    """Where time, height and width lie among the axes of a file or array.

    Attributes
    ----------
    time, y, x : int
        Axis indices.
    problems : tuple of str
        What was read otherwise than it was declared.
    """

    time: int
    y: int
    x: int
    problems: tuple[str, ...] = ()


def guess_axes(shape: Sequence[int]) -> str:
    """Axes of an array that carries no names: ``...YX``, or ``...YXS`` where it ends in 3 or 4 colour samples.

    Examples
    --------
    >>> guess_axes((100, 256, 256)), guess_axes((100, 256, 256, 3))
    ('QYX', 'QYXS')
    """
    n = len(shape)
    if n >= 3 and shape[-1] in (3, 4):
        return "Q" * (n - 3) + "YXS"
    return "Q" * max(n - 2, 0) + "YX"


def check_axes(axes: str, name: str) -> str:
    """Return the user's axes in capitals.

    Raises
    ------
    StackError
        If a letter is unknown or stands twice, or Y or X is missing.

    Examples
    --------
    >>> check_axes("tyx", "recording.tif")
    'TYX'
    """
    axes = axes.upper()
    unknown = [a for a in axes if a not in KNOWN]
    if unknown:
        raise StackError(
            "{name}: axis '{axis}' in '{axes}' is unknown; use T, Z, C, Y and X, such as TYX",
            name=name,
            axis=unknown[0],
            axes=axes,
        )
    if len(set(axes)) != len(axes) or not {"Y", "X"} <= set(axes):
        raise StackError(
            "{name}: axes '{axes}' must name Y and X, and each axis once, such as TYX", name=name, axes=axes
        )
    return axes


def plan_axes(shape: Sequence[int], axes: str, name: str) -> AxisPlan:
    """Find time, height and width; everything else must have length 1.

    Parameters
    ----------
    shape : sequence of int
    axes : str
        One letter per axis of `shape`: T, Z, C, I or Q (unnamed), S (colour samples), Y, X.
    name : str
        Of the recording, for messages.

    Raises
    ------
    StackError
        For colour, a single frame, or more than one axis beside height and width.

    Examples
    --------
    >>> plan_axes((1, 100, 64, 48), "CTYX", "recording.tif")
    AxisPlan(time=1, y=2, x=3, problems=())
    """
    if len(shape) < 2:
        raise StackError(
            "{name}: {count} axis of {shape}, no pictures; expected (T, Y, X)",
            name=name,
            count=len(shape),
            shape=_by(shape),
        )
    if len(axes) != len(shape):
        raise wrong_number_of_axes(axes, shape, name)
    if "Y" not in axes or "X" not in axes:
        raise StackError(
            "{name}: axes {axes} ({shape}) hold no pictures; expected (T, Y, X)", name=name, axes=axes, shape=_by(shape)
        )
    y, x = axes.index("Y"), axes.index("X")
    long = [i for i, (a, n) in enumerate(zip(axes, shape, strict=True)) if n > 1 and a not in "YX"]
    if "S" in axes and shape[axes.index("S")] > 1:
        raise StackError(
            "{name}: colour (RGB) frames; convert to greyscale first (Fiji: Image > Type > 8-bit)", name=name
        )
    if not long:
        if prod(shape) == 0:
            raise StackError("{name}: empty recording ({shape})", name=name, shape=_by(shape))
        raise single_frame(name)
    if len(long) > 1:
        raise several_planes([(axes[i], shape[i]) for i in long], name)
    time = long[0]
    return AxisPlan(time, y, x, _read_as_time(axes[time], shape[time], name))


def wrong_number_of_axes(axes: str, shape: Sequence[int], name: str) -> StackError:
    """Say that axes do not fit a recording's shape."""
    return StackError(
        "{name}: axes '{axes}' name {count} axes, but the recording has {count_2}: {shape}",
        name=name,
        axes=axes,
        count=len(axes),
        count_2=len(shape),
        shape=_by(shape),
    )


def several_planes(counts: Sequence[tuple[str, int]], name: str) -> StackError:
    """Say that a recording has several pictures per time point; `counts` gives axes and their lengths."""
    parts = ", ".join(f"{length} {_called(letter)} ({letter})" for letter, length in counts)
    return StackError(
        "{name}: {parts}: a recording has one picture per time point; save one plane or channel", name=name, parts=parts
    )


def _read_as_time(letter: str, length: int, name: str) -> tuple[str, ...]:
    called = _called(letter)
    if letter == "C" and length <= _MOST_CHANNELS:
        raise StackError(
            "{name}: {length} channels and one time point; a recording needs frames over time", name=name, length=length
        )
    if letter in "ZC":
        return (
            Message(
                "{length} {called} ({letter}) and one time point: {called} are read as frames",
                length=length,
                called=called,
                letter=letter,
            ),
        )
    if letter not in "TIQ":
        raise StackError(
            "{name}: {length} {called} ({letter}) and one time point; a recording needs frames over time (if "
            "these are its frames, say so: axes TYX)",
            name=name,
            length=length,
            called=called,
            letter=letter,
        )
    return ()


def _called(letter: str) -> str:
    return _NAMES.get(letter, "pictures")


def _by(shape: Sequence[int]) -> str:
    return " x ".join(str(n) for n in shape)


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
                    "{name}: frames are {part}, in {name_2} {first}; these are not parts of one recording",
                    name=part.paths[0].name,
                    part=_look(part),
                    name_2=first.paths[0].name,
                    first=_look(first),
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
