"""Flow arrows of one frame: thinned out, so that they cost nothing and can be told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_ARROWS = 2000
_SHORTEST, _LONGEST = 0.6, 2.0
"""Lengths of arrows in grid steps."""


def arrow_step(shape: tuple[int, int], answered_px: int) -> int:
    """Return the grid step in px between arrows, so that a frame has at most `MAX_ARROWS`."""
    step = max(6, round(min(shape) / 60))
    while answered_px / step**2 > MAX_ARROWS:
        step += 1
    return step


def flow_arrows(labels: NDArray[np.unsignedinteger], flow: NDArray[np.float16], limit: float) -> NDArray[np.float32]:
    """Place arrows on a grid inside the vessels of one frame.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
    flow : ndarray, shape (2, Y, X)
        ``(dx, dy)`` in px per frame.
    limit : float
        Speed in px per frame whose arrow is two grid steps long. The slowest are a good half step, so that they still
        point; zero flow gives no arrow.

    Returns
    -------
    ndarray, shape (n, 2, 2)
        Start and projection of each arrow as ``(y, x)``.
    """
    step = arrow_step(labels.shape, int(np.count_nonzero(labels)))
    y, x = np.nonzero(labels[step // 2 :: step, step // 2 :: step])
    y, x = y * step + step // 2, x * step + step // 2
    dx, dy = flow[:, y, x].astype(np.float32)
    moving = (dx != 0) | (dy != 0)
    y, x, dx, dy = y[moving], x[moving], dx[moving], dy[moving]
    speed = np.hypot(dx, dy)
    length = step * (_SHORTEST + (_LONGEST - _SHORTEST) * np.minimum(speed / limit, 1))
    start, projection = np.stack([y, x], axis=1), np.stack([dy, dx], axis=1) * (length / speed)[:, None]
    return np.stack([start, projection], axis=1).astype(np.float32)
