"""One picture of the recording, for the report to draw on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.stack import Stack

_OVERVIEW_FRAMES = 24


def overview_image(stack: Stack, frames: NDArray[np.int64], shifts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the mean of some frames of the run, laid on the tissue of its first frame.

    Parameters
    ----------
    stack : Stack
    frames : ndarray of int, shape (T,)
        The frames of the run.
    shifts : ndarray, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px of each frame of the run.

    Returns
    -------
    ndarray, shape (Y, X)
    """
    chosen = np.unique(np.linspace(0, len(shifts) - 1, _OVERVIEW_FRAMES).astype(int))
    rows, columns = np.arange(stack.shape[1]), np.arange(stack.shape[2])
    total = np.zeros(stack.shape[1:], np.float32)
    for index in chosen:
        dy, dx = np.rint(shifts[index] - shifts[0]).astype(int)
        moved = np.ix_(np.clip(rows + dy, 0, rows[-1]), np.clip(columns + dx, 0, columns[-1]))
        total += stack.frame(int(frames[index]))[moved]
    return (total / len(chosen)).astype(np.float32)
