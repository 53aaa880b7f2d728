"""Which axis of a file or array is time, and which are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from sam2flow_core.errors import StackError

KNOWN = "TZCIQYX"
_NAMES = {
    "T": "time points", "Z": "slices", "C": "channels", "I": "images", "Q": "images", "R": "positions",
    "P": "phases or positions", "A": "angles", "H": "lifetimes", "E": "wavelengths", "V": "events", "L": "exposures",
    "M": "mosaic tiles", "S": "colour samples",
}  # fmt: skip
_MOST_CHANNELS = 4  # more than this is a movie whose frames were written as channels


class SingleFrameError(StackError):
    """There is a picture, but only one."""


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
    """Axes of an array that carries no names: ``...YX``, or ``...YXS`` where it ends in 3 or 4 colour samples."""
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
    """
    axes = axes.upper()
    unknown = [a for a in axes if a not in KNOWN]
    if unknown:
        raise StackError(f"{name}: axis '{unknown[0]}' in '{axes}' is unknown; use T, Z, C, Y and X, such as TYX")
    if len(set(axes)) != len(axes) or not {"Y", "X"} <= set(axes):
        raise StackError(f"{name}: axes '{axes}' must name Y and X, and each axis once, such as TYX")
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
    """
    if len(shape) < 2:
        raise StackError(f"{name}: {len(shape)} axis of {_by(shape)}, no pictures; expected (T, Y, X)")
    if len(axes) != len(shape):
        raise StackError(
            f"{name}: axes '{axes}' name {len(axes)} axes, but the recording has {len(shape)}: {_by(shape)}"
        )
    if "Y" not in axes or "X" not in axes:
        raise StackError(f"{name}: axes {axes} ({_by(shape)}) hold no pictures; expected (T, Y, X)")
    y, x = axes.index("Y"), axes.index("X")
    long = [i for i, (a, n) in enumerate(zip(axes, shape, strict=True)) if n > 1 and a not in "YX"]
    if "S" in axes and shape[axes.index("S")] > 1:
        raise StackError(f"{name}: colour (RGB) frames; convert to greyscale first (Fiji: Image > Type > 8-bit)")
    if not long:
        if prod(shape) == 0:
            raise StackError(f"{name}: empty recording ({_by(shape)})")
        raise SingleFrameError(f"{name}: a single frame; velocity needs a recording of two frames or more")
    if len(long) > 1:
        raise several_planes([(axes[i], shape[i]) for i in long], name)
    time = long[0]
    return AxisPlan(time, y, x, _read_as_time(axes[time], shape[time], name))


def several_planes(counts: Sequence[tuple[str, int]], name: str) -> StackError:
    """Say that a recording has several pictures per time point; `counts` gives axes and their lengths."""
    parts = ", ".join(f"{length} {_called(letter)} ({letter})" for letter, length in counts)
    return StackError(f"{name}: {parts}: a recording has one picture per time point; save one plane or channel")


def _read_as_time(letter: str, length: int, name: str) -> tuple[str, ...]:
    called = _called(letter)
    if letter == "C" and length <= _MOST_CHANNELS:
        raise StackError(f"{name}: {length} channels and one time point; a recording needs frames over time")
    if letter in "ZC":
        return (f"{length} {called} ({letter}) and one time point: {called} are read as frames",)
    if letter not in "TIQ":
        raise StackError(
            f"{name}: {length} {called} ({letter}) and one time point; a recording needs frames over time"
            " (if these are its frames, say so: axes TYX)"
        )
    return ()


def _called(letter: str) -> str:
    return _NAMES.get(letter, "pictures")


def _by(shape: Sequence[int]) -> str:
    return " x ".join(str(n) for n in shape)
