"""Colours as brightness: pixels that are numbers of a lookup table, and decoded frames of a video."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage

from sam2flow_core.config.stack import ColourSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack.sources import Frame

Lookup = NDArray[np.uint8] | NDArray[np.uint16]
_PALETTE = 3
_LUMINANCE = np.array([0.299, 0.587, 0.114])
LUMA = _LUMINANCE.astype(np.float32)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
_COLOURS = ColourSettings()


def brightness_lookup(page: TiffPage, name: str) -> tuple[Lookup | None, tuple[str, ...]]:
    """How to turn the pixels of a page into brightness, and what to say about it.

    A table that grows brighter from entry to entry only colours the screen: pixels are brightness as they stand. A
    table of greys in any other order is applied.

    Returns
    -------
    lookup : ndarray or None
        Brightness by pixel value; None where pixels are brightness already.
    problems : tuple of str

    Raises
    ------
    StackError
        If the table holds colours in no order of brightness.
    """
    table: Any = page.colormap if page.photometric == _PALETTE else None
    if table is None or np.ndim(table) != 2 or len(table) != 3:
        return None, ()
    grey = bool((table[0] == table[1]).all() and (table[0] == table[2]).all())
    luminance = _LUMINANCE @ np.asarray(table, float)
    inner = luminance[1:-1]  # HiLo paints the first and the last entry to show saturation
    dips = np.maximum.accumulate(inner) - inner
    if dips.max(initial=0) <= _COLOURS.dip * max(np.ptp(inner), 1):
        return None, () if grey else ("lookup table of colours for the screen: pixel values are read as brightness",)
    if not grey:
        raise StackError(
            "{name}: pixels are numbers of a colour palette, no brightness; convert to greyscale first (Fiji: "
            "Image > Type > RGB Color, then 8-bit)",
            name=name,
        )
    levels = np.asarray(table[0], np.uint16)
    if page.dtype == np.uint8:
        return (levels >> 8).astype(np.uint8), ("pixels are numbers of a palette of greys: read as those greys",)
    return levels, ("pixels are numbers of a palette of greys: read as those greys",)


def grey(frame: Any) -> Frame:
    """Brightness of a decoded frame as a new array (Y, X), uint8 or uint16.

    Where brightness is stored by itself (grey and YUV formats) it is taken as it stands, without a change of range.
    """
    name = frame.format.name
    if name in ("yuyv422", "uyvy422", "yvyu422"):
        frame, name = frame.reformat(format="yuv422p"), "yuv422p"
    if name.startswith(("gray", "yuv", "yuvj", "yuva", "nv", "p0", "p2", "p4")):
        return _first_plane(frame, big_endian=name.endswith("be"))
    deep = max(c.bits for c in frame.format.components) > 8
    colours = frame.to_ndarray(format="rgb48le" if deep else "rgb24")
    if np.array_equal(colours[..., 0], colours[..., 1]) and np.array_equal(colours[..., 0], colours[..., 2]):
        return np.ascontiguousarray(colours[..., 0])
    result: Frame = np.rint(colours.astype(np.float32) @ LUMA).astype(colours.dtype)
    return result


def rgb(frame: Any) -> Frame:
    """Colours of a decoded frame as a new array (Y, X, 3), uint8."""
    colours: Frame = frame.to_ndarray(format="rgb24")
    return colours


def is_coloured(frame: Any) -> bool:
    """Whether a decoded frame shows colours, and not grey in a format that could hold them."""
    if frame.format.name.startswith("gray"):
        return False
    colours: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    spread = colours.max(axis=2).astype(int) - colours.min(axis=2)
    return bool((spread > _COLOURS.levels).mean() > _COLOURS.share)


def _first_plane(frame: Any, big_endian: bool) -> Frame:
    plane = frame.planes[0]
    deep = frame.format.components[0].bits > 8
    stored = np.dtype((">u2" if big_endian else "<u2") if deep else np.uint8)
    rows = np.frombuffer(plane, stored).reshape(-1, abs(plane.line_size) // stored.itemsize)
    return np.array(rows[: frame.height, : frame.width], dtype=stored.newbyteorder("="))
