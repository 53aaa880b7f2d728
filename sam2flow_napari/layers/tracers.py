"""Tracers: dots that drift with the measured flow from frame to frame, each drawn as a short streak."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MAX_TRACERS = 500
_PX_PER_TRACER = 40
_LIFE = 30
"""Frames after which a tracer starts anew elsewhere, or all of them would gather where flow slows down."""
_FOLLOWED = 4
"""Frames that the slider may advance at once with the tracers drifting along; after a longer leap they start anew."""
_SHORTEST = 1.5
"""Length in px of the streak of one that hardly moves."""

Flow = Callable[[int], NDArray[np.float16]]


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
        projection = steps * np.maximum(_SHORTEST / length, 1)
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
