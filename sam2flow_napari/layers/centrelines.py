"""Centrelines with the direction of their arrow, as line segments of one frame."""

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
