"""What is drawn over the recording as lines: arrows of the flow, and centrelines with their direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sam2flow_core.results import VesselLine


_STEP = 3
"""Points of the line, a px apart, that one segment spans."""
_BETWEEN_HEADS = 80
_HEAD = 10.0
"""Length in px of the strokes of an arrow head."""
_OPENING = np.deg2rad(150)


def line_segments(lines: Sequence[VesselLine], t: int) -> NDArray[np.float32]:
    """Return start and projection ``(y, x)`` of the segments of all lines in frame `t`, shape (n, 2, 2)."""
    return np.concatenate([np.zeros((0, 2, 2)), *(_one_line(line.at(t)) for line in lines)]).astype(np.float32)


def _one_line(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return start and projection ``(y, x)`` of the segments of a line and of its arrow heads, shape (n, 2, 2)."""
    if len(points) < 2:
        return np.zeros((0, 2, 2))
    knots = points[np.unique(np.append(np.arange(0, len(points), _STEP), len(points) - 1))]
    body = np.stack([knots[:-1], np.diff(knots, axis=0)], axis=1)
    heads = max(1, round(len(points) / _BETWEEN_HEADS))
    places = ((np.arange(heads) + 0.5) / heads * (len(points) - 1)).astype(int)
    return np.concatenate([body, *(_head(points, place) for place in places)])


def _head(points: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    reach = max(1, round(_HEAD / 2))
    along = points[min(place + reach, len(points) - 1)] - points[max(place - reach, 0)]
    angle = np.arctan2(*along)
    strokes = [(np.sin(angle + turn) * _HEAD, np.cos(angle + turn) * _HEAD) for turn in (_OPENING, -_OPENING)]
    return np.array([(points[place], stroke) for stroke in strokes])


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
