"""Pixels that are numbers of a lookup table: what brightness they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage

from sam2flow_core.errors import StackError

Lookup = NDArray[np.uint8] | NDArray[np.uint16]

_PALETTE = 3
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_DIP = 0.05  # display tables such as Fire are not quite even


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
    if dips.max(initial=0) <= _DIP * max(np.ptp(inner), 1):
        return None, () if grey else ("lookup table of colours for the screen: pixel values are read as brightness",)
    if not grey:
        raise StackError(
            f"{name}: pixels are numbers of a colour palette, no brightness; convert to greyscale first"
            " (Fiji: Image > Type > RGB Color, then 8-bit)"
        )
    levels = np.asarray(table[0], np.uint16)
    if page.dtype == np.uint8:
        return (levels >> 8).astype(np.uint8), ("pixels are numbers of a palette of greys: read as those greys",)
    return levels, ("pixels are numbers of a palette of greys: read as those greys",)
