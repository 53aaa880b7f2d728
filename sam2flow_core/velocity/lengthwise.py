"""Whether blood runs the same way all along a vessel.

What flows in at one end of an unbranched vessel flows out at the other. Where part of
a mask runs against the rest, the mask holds two vessels, or the flow is wrong there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def opposed_share(lengthwise: NDArray[np.float32], floor_px_frame: float) -> float:
    """Share of a vessel's length whose mean flow runs against the arrow.

    Parameters
    ----------
    lengthwise : ndarray, shape (S, N)
        Flow at each point of the centreline in some of the steps, from `LumenSeries`.
    floor_px_frame : float
        Speeds below this have no direction.

    Returns
    -------
    float
        0 to 1, of the length that moves at all; 0 where nothing does.
    """
    known = np.isfinite(lengthwise)
    mean = np.where(known, lengthwise, 0).sum(axis=0, dtype=float) / np.maximum(known.sum(axis=0), 1)
    moving = np.abs(mean) > floor_px_frame
    return float((mean[moving] < 0).mean()) if moving.any() else 0.0
