"""What the OME-XML of a TIFF file says: pixels, lengths, and the times of frames."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

from tifffile import TiffFile

from sam2flow_core.stack.units import number, seconds_per, um_per


def ome_root(tif: TiffFile) -> ElementTree.Element | None:
    """Return the OME-XML of a file; None where there is none, or it cannot be read."""
    if not tif.ome_metadata:
        return None
    try:
        return ElementTree.fromstring(tif.ome_metadata)
    except ElementTree.ParseError:
        return None


def ome_pixels(tif: TiffFile, series: int = 0) -> ElementTree.Element | None:
    """Return the ``Pixels`` element of an image of a file's OME-XML, or of its first image."""
    root = ome_root(tif)
    found = [] if root is None else [e for e in root.iter() if e.tag.endswith("}Pixels")]
    return found[series] if series < len(found) else next(iter(found), None)


def ome_length(pixels: ElementTree.Element, axis: str) -> tuple[float | None, str]:
    """Side of a pixel in um along X or Y, and a unit that is not known."""
    return _quantity(pixels, f"PhysicalSize{axis}", "µm", um_per)


def ome_interval(pixels: ElementTree.Element) -> tuple[float | None, str]:
    """Declared seconds from frame to frame, and a unit that is not known."""
    return _quantity(pixels, "TimeIncrement", "s", seconds_per)


def ome_times(pixels: ElementTree.Element, letter: str, frames: int) -> list[float | None]:
    """Seconds of each frame (``DeltaT`` of its plane) along the axis T, Z or C; None for a frame without."""
    along = f"The{letter}" if letter in "TZC" else "TheT"
    others = [f"The{a}" for a in "TZC" if f"The{a}" != along]
    stamps: list[float | None] = [None] * frames
    for plane in pixels:
        t = number(plane.get(along)) if plane.tag.endswith("}Plane") else None
        if t is not None and 0 <= t < frames and all(plane.get(other, "0") == "0" for other in others):
            stamps[int(t)] = _quantity(plane, "DeltaT", "s", seconds_per)[0]
    return stamps


def _quantity(
    element: ElementTree.Element, name: str, default: str, factor: Callable[[str], float | None]
) -> tuple[float | None, str]:
    value, unit = number(element.get(name)), element.get(f"{name}Unit", default)
    if value is None:
        return None, ""
    per = factor(unit)
    return (None, unit) if per is None else (value * per, "")
