"""What a TIFF file says of pixel size, frame rate and significant bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

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

_UM_PER = {
    "pm": 1e-6, "nm": 1e-3, "nanometer": 1e-3, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0, "microns": 1.0,
    "micrometer": 1.0, "mm": 1e3, "millimeter": 1e3, "cm": 1e4, "m": 1e6, "inch": 25400.0, "in": 25400.0,
}  # fmt: skip
_SECONDS_PER = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "µs": 1e-6,
                "μs": 1e-6, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}  # fmt: skip
_RESOLUTION_UNIT = {2: 25400.0, 3: 1e4}
_LIMITS = CalibrationLimits()

Found = tuple[Calibration, tuple[str, ...]]


def read_calibration(tif: TiffFile) -> Found:
    """Pixel size and frame rate of an open file, and what is wrong with its tags."""
    ome, ome_problems = _from_ome(tif)
    imagej, imagej_problems = _from_imagej(tif)
    plain, plain_problems = _from_tags(tif)
    best = resolve_calibration(ome, imagej, plain)
    return best, ome_problems + imagej_problems + plain_problems


def significant_bits(tif: TiffFile) -> int | None:
    """Bits per pixel that carry signal, where the file says so."""
    pixels = ome_pixels(tif)
    if pixels is not None and pixels.get("SignificantBits", "").isdigit():
        return int(pixels.get("SignificantBits", ""))
    bits = int(tif.pages.first.bitspersample)
    return bits if bits not in (16, 32, 64) else None


def _from_ome(tif: TiffFile) -> Found:
    pixels = ome_pixels(tif)
    if pixels is None:
        return Calibration(), ()
    x, y = (_ome_length(pixels, axis) for axis in "XY")
    interval = ome_time(pixels, "TimeIncrement")
    times = [t for t in (ome_time(p, "DeltaT") for p in pixels if p.tag.endswith("}Plane")) if t is not None]
    problems = _not_square(x, y)
    if len(times) > 2:
        steps = np.diff(np.sort(times))
        measured = float(np.median(steps))
        problems += _time_problems(steps, measured, interval)
        interval = measured if measured > 0 else interval
    return _judge(x, y, 1 / interval if interval else None, "ome"), problems


def _time_problems(steps: np.ndarray, measured: float, declared: float | None) -> tuple[str, ...]:
    problems: tuple[str, ...] = ()
    if declared and measured > 0 and abs(declared / measured - 1) > _LIMITS.agreement:
        problems += (f"frame interval is declared as {declared:.6g} s, the frames' own times say {measured:.6g} s",)
    late = int(np.count_nonzero(steps > 1.5 * measured)) if measured > 0 else 0
    if late:
        first = int(np.argmax(steps > 1.5 * measured))
        problems += (f"frame times jump {late} times, first after frame {first}: frames were dropped there",)
    return problems


def _from_imagej(tif: TiffFile) -> Found:
    meta: Mapping[str, Any] = tif.imagej_metadata or {}
    if not meta:
        return Calibration(), ()
    unit = _UM_PER.get(str(meta.get("unit", "")).replace("\\u00B5", "µ").strip().lower())
    x, y = (_pixel_side(tif.pages.first, axis, unit) for axis in "XY")
    interval = number(meta.get("finterval"))
    if interval is not None:
        interval *= _SECONDS_PER.get(str(meta.get("tunit", "s")).strip().lower(), 1.0)
    fps = number(meta.get("fps"))
    problems = _not_square(x, y)
    if interval and fps and abs(interval * fps - 1) > _LIMITS.agreement:
        problems += (f"ImageJ tags disagree: fps says {fps:g} Hz, finterval {1 / interval:g} Hz; finterval is used",)
    return _judge(x, y, 1 / interval if interval else fps, "imagej"), problems


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


def ome_pixels(tif: TiffFile) -> ElementTree.Element | None:
    """Return the first ``Pixels`` element of a file's OME-XML."""
    if not tif.ome_metadata:
        return None
    try:
        root = ElementTree.fromstring(tif.ome_metadata)
    except ElementTree.ParseError:
        return None
    return next((e for e in root.iter() if e.tag.endswith("}Pixels")), None)


def _ome_length(pixels: ElementTree.Element, axis: str) -> float | None:
    value = number(pixels.get(f"PhysicalSize{axis}"))
    unit = _UM_PER.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").strip().lower())
    return None if value is None or unit is None else value * unit


def ome_time(element: ElementTree.Element, name: str) -> float | None:
    """Return a time that an OME element declares, in seconds."""
    value = number(element.get(name))
    unit = _SECONDS_PER.get(element.get(f"{name}Unit", "s").strip().lower())
    return None if value is None or unit is None else value * unit


def number(value: Any) -> float | None:
    """Return what a tag holds as a finite number, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
