"""A look at a few frames when a recording is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import SamplingSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack.sources import FrameSource


@dataclass(frozen=True)
class Inspection:
    """What a few frames tell of a recording.

    Attributes
    ----------
    bit_depth : int
    contrast_limits : tuple of float
    problems : tuple of str
    """

    bit_depth: int
    contrast_limits: tuple[float, float]
    problems: tuple[str, ...]


def inspect_frames(source: FrameSource, name: str, settings: SamplingSettings | None = None) -> Inspection:
    """Look at pairs of consecutive frames spread over the recording.

    Raises
    ------
    StackError
        If the pictures are too small, hold NaN or infinite pixels, show nothing, or are no numbers.
    """
    settings = settings or SamplingSettings()
    _check_kind(source, name, settings)
    starts = np.unique(np.linspace(0, source.shape[0] - 2, settings.places).astype(int))
    frames = {int(t): source.read(int(t)) for t in np.unique(np.concatenate([starts, starts + 1]))}
    for t, frame in frames.items():
        require_finite(frame, t, name)
    sample = np.stack([frames[int(t)] for t in starts])
    low, high = float(sample.min()), float(sample.max())
    if low == high:
        raise StackError(f"{name}: every pixel looked at is {low:g}: there is no picture in this recording")
    repeated = [int(t) for t in starts if np.array_equal(frames[int(t)], frames[int(t) + 1])]
    bits, bit_problems = _bit_depth(sample, source)
    problems = _calibration_problems(source) + bit_problems + _repeat_problems(repeated, len(starts))
    return Inspection(bits, _limits(sample, settings), problems)


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


def _bit_depth(sample: NDArray[Any], source: FrameSource) -> tuple[int, tuple[str, ...]]:
    """Bits in use: as declared, or the smallest camera depth that holds the brightest pixel."""
    stored = source.dtype.itemsize * 8
    if source.declared_bits is not None:
        return min(source.declared_bits, stored), ()
    if source.dtype.kind == "f" or stored != 16 or sample.min() < 0:
        return stored, ()
    if not np.any(sample & 15):
        return 12, ("pixel values are multiples of 16: 12-bit data shifted up in 16 bits",)
    highest = int(sample.max())
    return next(bits for bits in (8, 10, 12, 14, 16) if highest < 2**bits), ()


def _limits(sample: NDArray[Any], settings: SamplingSettings) -> tuple[float, float]:
    low, high = (float(v) for v in np.percentile(sample, settings.contrast_percentiles))
    return (low, high) if low < high else (float(sample.min()), float(sample.max()))


def _repeat_problems(repeated: list[int], pairs: int) -> tuple[str, ...]:
    if not repeated:
        return ()
    t = repeated[0]
    return (f"{len(repeated)} of {pairs} frame pairs looked at are identical (first: {t} and {t + 1})",)


def _calibration_problems(source: FrameSource) -> tuple[str, ...]:
    pixel, rate = source.calibration.pixel_size_um, source.calibration.frame_rate_hz
    problems = []
    if pixel.value is None:
        problems.append("no pixel size in the file: give it in um per pixel to get velocities in um/s")
    elif not pixel.plausible:
        problems.append(f"pixel size {pixel.value:.4g} um ({pixel.source}) is not plausible and is not used: give it")
    if rate.value is None:
        problems.append("no frame rate in the file: give it in Hz to get velocities in um/s")
    elif not rate.plausible:
        problems.append(f"frame rate {rate.value:.4g} Hz ({rate.source}) is not plausible and is not used: give it")
    return tuple(problems)
