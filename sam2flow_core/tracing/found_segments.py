"""Ways that hold every vessel of a field, without a click: the surest place is followed to both ends, then the next.

Places are kept apart by orientation, as in tracing: a vessel that crosses another is there still when that is taken.
Where along these ways each vessel begins and ends is not decided here: the strip decoder says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.tracing.field_map import FieldMap, Floats, nearest_points
from sam2flow_core.tracing.tracer import Start, Trace, trace

_TAKEN = 1.2
"""Radii from a centreline within which a place belongs to its vessel."""
_ALONG = np.pi / 5
"""Radians from a vessel's direction within which a place belongs to it."""


class SeededWay(NamedTuple):
    """A way, and places (N, 2) along it that no other way holds."""

    way: Trace
    seeds: Floats


def seeded_ways(field: FieldMap, settings: FindingSettings) -> Iterator[SeededWay]:
    """Ways that hold every place where a vessel is seen, the surest first, with seeds along them."""
    order, places, angles = _starts(field, settings)
    taken = np.zeros((*field.shape, field.count), bool)
    for k in order:
        row, column, orientation = places[k]
        if taken[row, column, orientation]:
            continue
        taken[row, column, orientation] = True
        start = Start(np.array([row, column], float), float(angles[k]))
        (way,) = trace(field, [start], settings.reach_px / field.stride)
        if len(way.line) < 2:
            continue
        index = _lifted(way, field)
        seeds = _seeds(way, ~taken[index], settings.apart)
        _take(taken, way, field)
        if len(seeds):
            yield SeededWay(way, seeds)


def _starts(
    field: FieldMap, settings: FindingSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Places (K, 3) of row, column and orientation that lie in the middle of a vessel, in the order to follow them."""
    n = field.count
    chance, offset = field.table[..., :n], field.table[..., n : 2 * n]
    places = np.argwhere((chance > settings.seed_chance) & (np.abs(offset) < settings.seed_offset))
    places = places[field.holds(places[:, :2].astype(float))]
    index = tuple(places.T)
    score = chance[index] - np.abs(offset[index])
    return np.argsort(-score, kind="stable"), places, field.angles[places[:, 2]]


def _seeds(way: Trace, new: NDArray[np.bool_], apart: float) -> Floats:
    """Places along a way, so many widths apart, where it is ``new``."""
    step = np.hypot(*np.diff(way.line, axis=0).T) / (2 * np.maximum(way.radius[1:], 1.0))
    along = np.r_[0, np.cumsum(step)]
    at = np.searchsorted(along, np.arange(apart / 2, max(along[-1], apart), apart)).clip(max=len(along) - 1)
    return np.asarray(way.line[at[new[at]]])


def _take(taken: NDArray[np.bool_], way: Trace, field: FieldMap) -> None:
    """Mark the places that belong to a way, in about its direction."""
    margin = int(np.ceil(_TAKEN * way.radius.max())) + 2
    top, left = np.clip(np.floor(way.line.min(0)).astype(int) - margin, 0, np.array(field.shape) - 1)
    bottom, right = np.clip(np.ceil(way.line.max(0)).astype(int) + margin, 1, np.array(field.shape))
    away, owner = nearest_points(way.line - (top, left), (bottom - top, right - left))
    row, column = np.nonzero(away <= np.maximum(_TAKEN * way.radius[owner], 1.0))
    heading = _heading(way)[owner[row, column]]
    apart = np.abs(np.mod(field.angles - heading[:, None] + np.pi / 2, np.pi) - np.pi / 2)
    taken[row + top, column + left] |= apart < _ALONG


def _lifted(way: Trace, field: FieldMap) -> tuple[NDArray[np.intp], ...]:
    """Where the points of a way lie in (h, w, orientations)."""
    rows, columns = np.clip(np.rint(way.line).astype(np.intp), 0, np.array(field.shape) - 1).T
    turn = np.rint(np.mod(_heading(way), np.pi) / (np.pi / field.count)).astype(np.intp) % field.count
    return rows, columns, turn


def _heading(way: Trace) -> Floats:
    """Radians at each point of a way."""
    ahead = np.gradient(way.line, axis=0)
    return np.asarray(np.arctan2(ahead[:, 0], ahead[:, 1]))
