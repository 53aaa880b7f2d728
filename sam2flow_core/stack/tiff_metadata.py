"""What a TIFF file says of pixel size, frame rate and significant bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tifffile import TiffFile, TiffPage

from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.stack.calibration import (
    Calibration,
    Source,
    frame_rate_from_tag,
    pixel_size_from_tag,
    resolve_calibration,
)
from sam2flow_core.stack.ome import ome_interval, ome_length, ome_pixels, ome_times
from sam2flow_core.stack.time_stamps import interval_problems
from sam2flow_core.stack.units import number, seconds_per, um_per

_RESOLUTION_UNIT = {2: 25400.0, 3: 1e4, 4: 1e3, 5: 1.0}
# what stands in the place of a unit where the program knows none
_NO_UNIT = ("", "pixel", "pixels", "px")
_LIMITS = CalibrationLimits()

Found = tuple[Calibration, tuple[str, ...]]


def read_calibration(tif: TiffFile, series: int = 0, letter: str = "T", frames: int = 0) -> Found:
    """Pixel size and frame rate of an open file, and what is wrong with its tags.

    Parameters
    ----------
    tif : TiffFile
    series : int
        Which of the images in the file is the recording.
    letter : str
        The axis that is read as time.
    frames : int
        Length of that axis.
    """
    ome, ome_problems = _from_ome(tif, series, letter, frames)
    imagej, imagej_problems = _from_imagej(tif)
    plain, plain_problems = _from_tags(tif)
    best = resolve_calibration(ome, imagej, plain)
    return best, ome_problems + imagej_problems + plain_problems


def significant_bits(tif: TiffFile, series: int = 0) -> int | None:
    """Bits per pixel that carry signal, where the file says so."""
    pixels = ome_pixels(tif, series)
    if pixels is not None and pixels.get("SignificantBits", "").isdigit():
        return int(pixels.get("SignificantBits", ""))
    bits = int(tif.pages.first.bitspersample)
    return bits if bits not in (16, 32, 64) else None


def _from_ome(tif: TiffFile, series: int, letter: str, frames: int) -> Found:
    pixels = ome_pixels(tif, series)
    if pixels is None:
        return Calibration(), ()
    (x, unknown), (y, _) = (ome_length(pixels, axis) for axis in "XY")
    interval, unknown_time = ome_interval(pixels)
    problems = _unknown_length(unknown, "OME") + _unknown_time(unknown_time, "OME") + _not_square(x, y)
    times = [t for t in ome_times(pixels, letter, frames) if t is not None]
    if len(times) > 2:
        steps = np.diff(times)
        measured = float(np.median(steps))
        problems += interval_problems(steps, measured, interval)
        interval = measured if measured > 0 else interval
    return _judge(x, y, 1 / interval if interval else None, "ome"), problems


def _from_imagej(tif: TiffFile) -> Found:
    meta: Mapping[str, Any] = tif.imagej_metadata or {}
    if not meta:
        return Calibration(), ()
    unit = str(meta.get("unit", ""))
    x = _pixel_side(tif.pages.first, "X", um_per(unit))
    y = _pixel_side(tif.pages.first, "Y", um_per(str(meta.get("yunit", unit))))
    problems = _unknown_length("" if um_per(unit) else unit, "ImageJ") + _not_square(x, y)
    rate, rate_problems = _imagej_rate(meta)
    return _judge(x, y, rate, "imagej"), problems + rate_problems


def _imagej_rate(meta: Mapping[str, Any]) -> tuple[float | None, tuple[str, ...]]:
    """Frame rate by ``finterval``; ``fps`` is the speed at which ImageJ plays the frames, not that of recording."""
    interval, fps = number(meta.get("finterval")), number(meta.get("fps"))
    if interval:
        unit = str(meta.get("tunit", "s"))
        seconds = seconds_per(unit)
        if seconds is None:
            return None, _unknown_time(unit, "ImageJ")
        rate = 1 / (interval * seconds)
        if fps and abs(fps / rate - 1) > _LIMITS.agreement:
            text = f"ImageJ tags disagree: finterval says {rate:g} Hz and is used, fps (speed of playing) {fps:g} Hz"
            return rate, (text,)
        return rate, ()
    if fps:
        return None, (f"ImageJ plays this at fps={fps:g}: an animation speed, not used as the frame rate of recording",)
    return None, ()


def _from_tags(tif: TiffFile) -> Found:
    page = tif.pages.first
    unit = _RESOLUTION_UNIT.get(int(page.tags.valueof("ResolutionUnit", default=1)))
    x, y = (_pixel_side(page, axis, unit) for axis in "XY")
    return _judge(x, y, None, "tiff"), _not_square(x, y)


def _judge(x: float | None, y: float | None, rate: float | None, source: Source) -> Calibration:
    pixel = pixel_size_from_tag(x, source)
    if _not_square(x, y):
        pixel = type(pixel)(pixel.value, pixel.source, False)
    return Calibration(pixel, frame_rate_from_tag(rate, source))


def _pixel_side(page: TiffPage, axis: str, um_per_unit: float | None) -> float | None:
    """Pixel side in um from XResolution or YResolution (pixels per unit)."""
    ratio = page.tags.valueof(f"{axis}Resolution")
    if um_per_unit is None or not ratio or not ratio[0] or not ratio[1]:
        return None
    return um_per_unit * float(ratio[1]) / float(ratio[0])


def _not_square(x: float | None, y: float | None) -> tuple[str, ...]:
    if not x or not y or abs(x / y - 1) <= _LIMITS.square_tolerance:
        return ()
    return (f"pixels are not square ({x:.4g} x {y:.4g} um): resample the recording, or give one pixel size",)


def _unknown_length(unit: str, where: str) -> tuple[str, ...]:
    if unit.strip().lower() in _NO_UNIT:
        return ()
    return (f"pixel size in '{unit}' ({where}) is not used, the unit is not known: give it in um per pixel",)


def _unknown_time(unit: str, where: str) -> tuple[str, ...]:
    return (
        (f"time in '{unit}' ({where}) is not used, the unit is not known: give the frame rate in Hz",) if unit else ()
    )
