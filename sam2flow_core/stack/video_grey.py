"""Decoded frames of a video as brightness, and as colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.stack.sources import Frame

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
_COLOURED = 12  # levels of 8 bits between two colours: compression alone makes fewer
_COLOURED_SHARE = 1e-3


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
    return bool((spread > _COLOURED).mean() > _COLOURED_SHARE)


def _first_plane(frame: Any, big_endian: bool) -> Frame:
    plane = frame.planes[0]
    deep = frame.format.components[0].bits > 8
    stored = np.dtype((">u2" if big_endian else "<u2") if deep else np.uint8)
    rows = np.frombuffer(plane, stored).reshape(-1, abs(plane.line_size) // stored.itemsize)
    return np.array(rows[: frame.height, : frame.width], dtype=stored.newbyteorder("="))
