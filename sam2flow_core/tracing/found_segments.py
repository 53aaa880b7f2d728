"""Every vessel of a field, without a click: the surest place is followed to both ends, then the next that is left.

Places are kept apart by orientation, as in tracing: a vessel that crosses another is there still when that is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.tracing.field_map import FieldMap, Floats, nearest_points
from sam2flow_core.tracing.tracer import Start, Trace, trace

_TAKEN = 1.2
"""Radii from a centreline within which a place belongs to its vessel."""
_ALONG = np.pi / 5
"""Radians from a vessel's direction within which a place belongs to it."""


class Segment(NamedTuple):
    """A vessel that was found: its way, and the mean chance along it."""

    way: Trace
    confidence: float

    @property
    def length(self) -> float:
        """Arc length in cells."""
        return float(np.hypot(*np.diff(self.way.line, axis=0).T).sum())


def find_segments(field: FieldMap, settings: FindingSettings) -> list[Segment]:
    """Segments of vessels between forks, ends and the frame, the surest first."""
    order, places, angles = _seeds(field, settings)
    taken = np.zeros((*field.shape, field.count), bool)
    found = []
    for seed in order:
        row, column, k = places[seed]
        if taken[row, column, k]:
            continue
        taken[row, column, k] = True
        start = Start(np.array([row, column], float), float(angles[seed]))
        (whole,) = trace(field, [start], settings.reach_px / field.stride)
        segment = _between_ends(field, whole, start.place, settings)
        way = segment.way
        if len(way.line) < 2:
            continue
        mine, heading = _territory(way, field)
        new = 1 - taken[_index(way.line, field.shape, heading, field)].mean()
        _take(taken, mine, heading, field)
        if new >= 1 - settings.most_covered and _worth_it(segment, field, settings):
            found.append(segment)
    return sorted(found, key=lambda s: -s.confidence)


def _between_ends(field: FieldMap, whole: Trace, seed: Floats, settings: FindingSettings) -> Segment:
    """The part of a way round its seed up to forks and ends, and to where blood runs the other way."""
    ahead = np.gradient(whole.line, axis=0) if len(whole.line) > 1 else np.zeros((1, 2))
    seen = field.look(whole.line, np.arctan2(ahead[:, 0], ahead[:, 1]))
    flow = uniform_filter1d(seen.forward, settings.stretch, mode="nearest")
    middle = int(np.hypot(*(whole.line - seed).T).argmin())
    against = flow * np.sign(flow[middle]) < (-settings.decided if abs(flow[middle]) > settings.decided else -1.0)
    after = _steps_to_end(seen.end[middle:], against[middle:], settings.end)
    before = _steps_to_end(seen.end[middle::-1], against[middle::-1], settings.end)
    part = slice(middle - before, middle + after + 1)
    return Segment(Trace(whole.line[part], whole.radius[part]), float(np.minimum(seen.chance[part], 1.0).mean()))


def _steps_to_end(end: Floats, against: NDArray[np.bool_], sure: float) -> int:
    """Steps up to an end. One on which the way begins counts only once it has been left: it belongs to another arm."""
    left = np.maximum.accumulate(end < 0.5 * sure)
    stops = np.flatnonzero((left & (end > sure)) | against)
    return int(stops[0]) if len(stops) else len(end) - 1


def _seeds(
    field: FieldMap, settings: FindingSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Places (K, 3) of row, column and orientation that lie in the middle of a vessel, in the order to follow them."""
    n = field.count
    chance, offset = field.table[..., :n], field.table[..., n : 2 * n]
    places = np.argwhere((chance > settings.seed_chance) & (np.abs(offset) < settings.seed_offset))
    index = tuple(places.T)
    score = chance[index] - np.abs(offset[index])
    return np.argsort(-score, kind="stable"), places, field.angles[places[:, 2]]


def _worth_it(segment: Segment, field: FieldMap, settings: FindingSettings) -> bool:
    least = max(settings.least_length_px / field.stride, settings.least_widths * 2 * float(segment.way.radius.mean()))
    line, far = segment.way.line, np.array(field.shape) - 1
    to_side = np.minimum(line, far - line).min(1) * field.stride
    reach = np.maximum(settings.edge_px, segment.way.radius * field.stride)
    on_edge = float((to_side < reach).mean()) > settings.most_on_edge
    return segment.confidence >= settings.least_confidence and segment.length >= least and not on_edge


def _territory(way: Trace, field: FieldMap) -> tuple[NDArray[np.bool_], Floats]:
    """Cells (h, w) that belong to a way, and the way's direction, radians, at the point nearest to each."""
    away, owner = nearest_points(way.line, field.shape)
    ahead = np.gradient(way.line, axis=0)
    heading = np.arctan2(ahead[:, 0], ahead[:, 1])
    return away <= np.maximum(_TAKEN * way.radius[owner], 1.0), heading[owner]


def _take(taken: NDArray[np.bool_], mine: NDArray[np.bool_], heading: Floats, field: FieldMap) -> None:
    apart = np.abs(np.mod(field.angles - heading[mine][:, None] + np.pi / 2, np.pi) - np.pi / 2)
    taken[mine] |= apart < _ALONG


def _index(line: Floats, shape: tuple[int, int], heading: Floats, field: FieldMap) -> tuple[NDArray[np.intp], ...]:
    """Where the points of a line lie in (h, w, orientations)."""
    rows, columns = np.clip(np.rint(line).astype(np.intp), 0, np.array(shape) - 1).T
    turn = np.rint(np.mod(heading[rows, columns], np.pi) / (np.pi / field.count)).astype(np.intp) % field.count
    return rows, columns, turn
