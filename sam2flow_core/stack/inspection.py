"""A look at a few frames when a recording is opened."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import SamplingSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack.picture import Picture, PictureFinder
from sam2flow_core.stack.sources import FrameSource


@dataclass(frozen=True)
class Inspection:
    """What a few frames tell of a recording.

    Attributes
    ----------
    bit_depth : int
    contrast_limits : tuple of float
    problems : tuple of str
    picture : Picture
        The part of the frames that shows something.
    """

    bit_depth: int
    contrast_limits: tuple[float, float]
    problems: tuple[str, ...]
    picture: Picture


def inspect_frames(source: FrameSource, name: str, settings: SamplingSettings | None = None) -> Inspection:
    """Look at pairs of consecutive frames spread over the recording.

    Raises
    ------
    StackError
        If the pictures are too small, hold NaN or infinite pixels, show nothing, or are no numbers.
    """
    settings = settings or SamplingSettings()
    _check_kind(source, name, settings)
    seen = _look(source, name, settings)
    if seen.low == seen.high:
        raise StackError(f"{name}: every pixel looked at is {seen.low:g}: there is no picture in this recording")
    bits, bit_problems = _bit_depth(seen, source)
    picture = seen.finder.find()
    problems = source.calibration.problems + bit_problems + _repeat_problems(seen) + picture.problems
    return Inspection(bits, _limits(seen, settings), problems, picture)


@dataclass
class _Seen:
    """What the frames looked at have in common; pixels are kept of every few rows and columns only."""

    low: float = math.inf
    high: float = -math.inf
    low_bits: int = 0
    pairs: int = 0
    repeated: list[int] = field(default_factory=list)
    thinned: list[NDArray[Any]] = field(default_factory=list)
    finder: PictureFinder = field(default_factory=PictureFinder)


def _look(source: FrameSource, name: str, settings: SamplingSettings) -> _Seen:
    seen = _Seen()
    step = max(1, max(source.shape[1:]) // settings.thinned_side_px)
    last = -1
    for t in (int(t) for t in np.unique(np.linspace(0, source.shape[0] - 2, settings.places).astype(int))):
        frame, following = source.read(t), source.read(t + 1)
        require_finite(frame, t, name)
        require_finite(following, t + 1, name)
        seen.low, seen.high = min(seen.low, float(frame.min())), max(seen.high, float(frame.max()))
        if frame.dtype.kind == "u":
            seen.low_bits |= int(np.bitwise_or.reduce(frame, axis=None)) & 15
        seen.pairs += 1
        for number, picture in ((t, frame), (t + 1, following)):
            if number > last:  # in a short recording pairs overlap
                seen.finder.add(picture)
        last = t + 1
        seen.repeated += [t] * bool(np.array_equal(frame, following))
        seen.thinned.append(frame[::step, ::step])
    return seen


def require_finite(frame: NDArray[Any], t: int, name: str) -> None:
    """Raise `StackError` where frame ``t`` holds NaN or infinite pixels."""
    if frame.dtype.kind != "f" or np.isfinite(frame).all():
        return
    bad = int(np.count_nonzero(~np.isfinite(frame)))
    raise StackError(f"{name}: frame {t} holds {bad} NaN or infinite pixels; replace them by numbers first")


def _check_kind(source: FrameSource, name: str, settings: SamplingSettings) -> None:
    if source.dtype.kind not in "uif" or source.dtype.itemsize > 8:
        raise StackError(f"{name}: pixels of type {source.dtype}; save the recording as 8, 16 or 32 bit greyscale")
    if min(source.shape[1:]) < settings.minimum_side_px:
        raise StackError(
            f"{name}: frames of {source.shape[1]} x {source.shape[2]} px are too small;"
            f" at least {settings.minimum_side_px} px a side are needed (are the axes right?)"
        )


def _bit_depth(seen: _Seen, source: FrameSource) -> tuple[int, tuple[str, ...]]:
    """Bits in use: as declared, or the smallest camera depth that holds the brightest pixel."""
    stored = source.dtype.itemsize * 8
    if source.declared_bits is not None:
        return min(source.declared_bits, stored), ()
    if source.dtype.kind == "f" or stored != 16 or seen.low < 0:
        return stored, ()
    if source.dtype.kind == "u" and not seen.low_bits:
        return 12, ("pixel values are multiples of 16: 12-bit data shifted up in 16 bits",)
    return next(bits for bits in (8, 10, 12, 14, 16) if seen.high < 2**bits), ()


def _limits(seen: _Seen, settings: SamplingSettings) -> tuple[float, float]:
    low, high = (float(v) for v in np.percentile(np.stack(seen.thinned), settings.contrast_percentiles))
    return (low, high) if low < high else (seen.low, seen.high)


def _repeat_problems(seen: _Seen) -> tuple[str, ...]:
    if not seen.repeated:
        return ()
    t = seen.repeated[0]
    return (f"{len(seen.repeated)} of {seen.pairs} frame pairs looked at are identical (first: {t} and {t + 1})",)
