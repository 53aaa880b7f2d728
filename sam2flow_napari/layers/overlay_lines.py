"""What is drawn over the recording as lines: arrows of the flow, dots that drift with it, and centrelines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
MAX_ARROWS = 2000
_SHORTEST, _LONGEST = 0.6, 2.0
"""Lengths of arrows in grid steps."""
MAX_TRACERS = 500
_PX_PER_TRACER = 40
_LIFE = 30
"""Frames after which a tracer starts anew elsewhere, or all of them would gather where flow slows down."""
_FOLLOWED = 4
"""Frames that the slider may advance at once with the tracers drifting along; after a longer leap they start anew."""
_SHORTEST_STREAK = 1.5
"""Length in px of the streak of one that hardly moves."""
Flow = Callable[[int], NDArray[np.float16]]


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
        point; zero flow gives no arrow, nor is there one that would leave the frame.

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
    tip = start + projection
    inside = ((tip > -0.5) & (tip < np.array(labels.shape) - 0.5)).all(axis=1)  # none sticks out of the picture
    arrows: NDArray[np.float32] = np.stack([start, projection], axis=1)[inside].astype(np.float32)
    return arrows


class Tracers:
    """Where the tracers are; they remember the frame that was shown last.

    Parameters
    ----------
    flow : callable
        Gives the flow ``(dx, dy)`` of a frame in px per frame, shape (2, Y, X).
    labels : callable
        Gives the vessel id of each pixel of a frame, shape (Y, X).
    """

    def __init__(self, flow: Flow, labels: Callable[[int], NDArray[np.unsignedinteger]]) -> None:
        self._flow = flow
        self._labels = labels
        self._t = -1
        self._places = np.zeros((0, 2))
        self._ages = np.zeros(0, int)

    def streaks(self, t: int) -> NDArray[np.float32]:
        """Return the tracers of frame `t`.

        Returns
        -------
        ndarray, shape (n, 2, 2)
            Start and projection ``(y, x)``; each streak ends where its tracer is in the next frame.
        """
        self._move_to(t)
        steps = _at(self._flow(t), self._places)
        length = np.maximum(np.hypot(*steps.T), 1e-6)[:, None]
        moving = length[:, 0] > 1e-6
        projection = steps * np.maximum(_SHORTEST_STREAK / length, 1)
        return np.stack([self._places[moving], projection[moving]], axis=1).astype(np.float32)

    def _move_to(self, t: int) -> None:
        inside = np.argwhere(self._labels(t) > 0)
        wanted = min(MAX_TRACERS, len(inside) // _PX_PER_TRACER)
        if not self._t <= t <= self._t + _FOLLOWED or len(self._places) == 0 or wanted == 0:
            random = np.random.default_rng(t)
            self._places = random.permutation(inside)[:wanted] + random.uniform(-0.5, 0.5, (wanted, 2))
            self._ages = random.integers(0, _LIFE, wanted)
            self._t = t
        for passed in range(self._t, t):
            self._advance(passed, inside)
        self._t = t

    def _advance(self, passed: int, inside: NDArray[np.intp]) -> None:
        """Let the tracers drift from frame `passed` to the next; those that leave the vessels start anew."""
        self._places = self._places + _at(self._flow(passed), self._places)
        self._ages = self._ages + 1
        gone = (self._ages >= _LIFE) | ~_within(self._labels(passed + 1), self._places)
        random = np.random.default_rng(passed)
        number = int(gone.sum())
        if number and len(inside):
            born = inside[random.integers(0, len(inside), number)]
            self._places[gone] = born + random.uniform(-0.5, 0.5, (number, 2))
            self._ages[gone] = 0


def _at(flow: NDArray[np.float16], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the displacement ``(dy, dx)`` at places ``(y, x)``."""
    y, x = _nearest(places, (flow.shape[1], flow.shape[2]))
    return flow[::-1, y, x].astype(float).T


def _within(labels: NDArray[np.unsignedinteger], places: NDArray[np.float64]) -> NDArray[np.bool_]:
    height, width = labels.shape
    y, x = _nearest(places, (height, width))
    framed = (np.abs(places - (np.array([height, width]) - 1) / 2) <= np.array([height, width]) / 2).all(axis=1)
    return framed & (labels[y, x] > 0)


def _nearest(places: NDArray[np.float64], shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    nearest = np.clip(np.rint(places), 0, np.array(shape) - 1).astype(np.intp)
    return nearest[:, 0], nearest[:, 1]
