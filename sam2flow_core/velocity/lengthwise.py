"""Whether blood runs the same way all along a vessel.

What flows in at one end of an unbranched vessel flows out at the other. Where part of
a mask runs against the rest, the mask holds two vessels, or the flow is wrong there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.velocity.lumen import Lumen


def opposed_share(values: NDArray[np.float32], lumen: Lumen, stations: int, floor_px_frame: float) -> float:
    """Share of a vessel's length whose mean flow runs against the arrow.

    Parameters
    ----------
    values : ndarray, shape (S, P)
        From `sample_steps`.
    lumen : Lumen
    stations : int
        Points of the centreline.
    floor_px_frame : float
        Speeds below this have no direction.

    Returns
    -------
    float
        0 to 1, of the length that moves at all; 0 where nothing does.
    """
    number = np.isfinite(values).sum(axis=0)
    seen = number > 0
    total = np.bincount(lumen.station[seen], np.nansum(values[:, seen], axis=0), stations)
    mean = total / np.maximum(np.bincount(lumen.station[seen], number[seen], stations), 1)
    moving = np.abs(mean) > floor_px_frame
    return float((mean[moving] < 0).mean()) if moving.any() else 0.0
