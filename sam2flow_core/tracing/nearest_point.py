"""Which point of a line each cell of a picture is nearest to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from sam2flow_core.tracing.field_map import Floats


def nearest_points(line: Floats, shape: tuple[int, int]) -> tuple[Floats, NDArray[np.intp]]:
    """Distance (h, w) in cells to a line's points (K, 2), each in its nearest cell, and the nearest point (h, w).

    Of points in one cell the last one counts. Points beyond the picture count at its side.
    """
    apart = np.ones(shape, bool)
    owner = np.zeros(shape, np.intp)
    place = tuple(np.clip(np.rint(line).astype(np.intp), 0, np.array(shape) - 1).T)
    apart[place], owner[place] = False, np.arange(len(line))
    away, cell = distance_transform_edt(apart, return_indices=True)
    return away, owner[tuple(cell)]
