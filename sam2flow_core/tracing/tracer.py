"""Follow vessels through the vessel field, from places in them both ways for as long as they are in sight.

Tracking in positions and orientations (as Bekkers et al., 2014, do in orientation scores): at a crossing
each vessel keeps its own orientation, and so its own way. Where along its way the vessel that was clicked ends is not
decided here: the strip decoder says it. Without a click every vessel of a field is held by a way: the surest place is
followed to both ends, then the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import FindingSettings, FollowSettings
from sam2flow_core.tracing.field_map import FieldMap, Floats, nearest_points


class Trace(NamedTuple):
    """A vessel's way: centreline (K, 2), ``(row, column)`` in cells, and radius (K,) in cells."""

    line: Floats
    radius: Floats


class Start(NamedTuple):
    """A place ``(row, column)`` and orientation, radians, that a vessel runs through."""

    place: Floats
    angle: float


def starts(field: FieldMap, click: Floats) -> list[Start]:
    """Vessels that a click ``(row, column)`` may mean, the likeliest first."""
    settings, clicks = field.settings.follow, field.settings.clicks
    reach = clicks.snap_px / field.stride
    steps = np.arange(-int(reach), int(reach) + 1)
    around = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    around = around[(np.hypot(*around.T) <= reach) & field.holds(click + around)]
    places = np.repeat(click + around, field.count, 0)
    angles = np.tile(field.angles, len(around))
    seen = field.look(places, angles)
    away = np.repeat(np.hypot(*around.T), field.count)
    score = seen.chance - settings.off_click * away - settings.off_centre * np.abs(seen.offset)
    chosen: list[Start] = []
    for best in np.argsort(-score, kind="stable"):
        start = Start(places[best], float(angles[best] + seen.turn[best]))
        other = all(_apart(start.angle, c.angle, np.pi) > settings.apart for c in chosen)
        if other and seen.chance[best] > settings.least_chance:
            chosen.append(start)
        if len(chosen) == clicks.candidates:
            break
    return chosen


def trace(field: FieldMap, begin: Sequence[Start], reach: float) -> list[Trace]:
    """Follow the vessels that run through places in an orientation, up to ``reach`` cells each way.

    References
    ----------
    .. [1] E. Bekkers, R. Duits, T. Berendschot and B. ter Haar Romeny, "A Multi-Orientation Analysis Approach to
       Retinal Vessel Tracking", J Math Imaging Vis 49, 583-610, 2014, :doi:`10.1007/s10851-013-0488-6`.
    """
    if not begin:
        return []
    places, angles = _centred(field, np.array([s.place for s in begin]), np.array([s.angle for s in begin]))
    both = follow(field, np.concatenate([places, places]), np.concatenate([angles, angles + np.pi]), reach)
    return [joined(back, ahead) for ahead, back in zip(both[: len(begin)], both[len(begin) :], strict=True)]


def joined(back: Trace, ahead: Trace) -> Trace:
    """One way of two that were followed from the same place in opposite directions."""
    return Trace(*(np.concatenate([b[:0:-1], a]) for b, a in zip(back, ahead, strict=True)))


def _centred(field: FieldMap, places: Floats, angles: Floats) -> tuple[Floats, Floats]:
    settings = field.settings.follow
    for _ in range(settings.settlings):
        seen = field.look(places, angles)
        there = seen.chance >= settings.least_chance
        angles = np.where(there, angles + seen.turn, angles)
        aside = (settings.settle * seen.offset * seen.radius)[:, None] * left_of(angles)
        places = np.where(there[:, None], places - aside, places)
    return places, angles


def follow(field: FieldMap, places: Floats, angles: Floats, reach: float) -> list[Trace]:
    """Follow vessels from places (N, 2) ahead in the directions ``angles`` (N,), up to ``reach`` cells; all at once."""
    settings, count, ways = field.settings.follow, len(places), max(int(reach), 1)
    line, radius = np.zeros((count, ways, 2)), np.zeros((count, ways))
    heading, last = np.zeros((count, ways)), np.full(count, ways)
    unseen, going = np.zeros(count, int), np.ones(count, bool)
    for number in range(ways):
        seen = field.look(places, angles)
        there = seen.chance >= settings.least_chance
        unseen = np.where(there, 0, unseen + 1)
        angles = np.where(there, angles + np.clip(seen.turn, -settings.turn, settings.turn), angles)
        aside = np.clip(settings.settle * seen.offset * seen.radius, -1.0, 1.0)[:, None] * left_of(angles)
        places = np.where(there[:, None], places - aside, places)
        line[:, number], radius[:, number], heading[:, number] = places, seen.radius, angles
        places = places + np.stack([np.sin(angles), np.cos(angles)], -1)
        ends = (unseen > settings.gap) | ~field.holds(places) | _met(line, radius, heading, number, settings)
        last[going & ends] = np.maximum(number + 1 - unseen, 1)[going & ends]
        going &= ~ends
        if not going.any():
            break
    return [Trace(line[k, : last[k]], radius[k, : last[k]]) for k in range(count)]


def left_of(angles: Floats) -> Floats:
    """Unit vectors (..., 2), ``(row, column)``, to the left of directions as seen on the screen.

    Examples
    --------
    >>> left_of(np.array([0.0])).round(6) + 0.0
    array([[-1.,  0.]])
    """
    return np.stack([-np.cos(angles), np.sin(angles)], -1)


def _apart(one: Floats | float, other: Floats | float, period: float) -> Floats:
    """Angles between directions (period 2 pi) or orientations (period pi)."""
    return np.abs(np.mod(np.asarray(one) - other + period / 2, period) - period / 2)


def _met(line: Floats, radius: Floats, heading: Floats, number: int, settings: FollowSettings) -> NDArray[np.bool_]:
    """Whether vessels (N,) have come round to where they were."""
    past = slice(0, max(number + 1 - settings.run_up, 0), 2)
    reach = np.maximum(settings.alongside * radius[:, number], 1.0)[:, None, None]
    near = (np.abs(line[:, past] - line[:, number, None]) < reach).all(-1)
    alike = _apart(heading[:, past], heading[:, number, None], 2 * np.pi) < settings.alongside
    return np.asarray((near & alike).any(1))


class SeededWay(NamedTuple):
    """A way, places (N, 2) along it that no other way holds, and which share of all starts has been looked at."""

    way: Trace
    seeds: Floats
    share: float


def seeded_ways(field: FieldMap, settings: FindingSettings) -> Iterator[SeededWay]:
    """Ways that hold every place where a vessel is seen, the surest first, with seeds along them."""
    order, places, angles = _starts(field, settings)
    taken = np.zeros((*field.shape, field.count), bool)
    for number, k in enumerate(order, 1):
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
            yield SeededWay(way, seeds, number / len(order))


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
    settings = field.settings.follow
    margin = int(np.ceil(settings.owned * way.radius.max())) + 2
    top, left = np.clip(np.floor(way.line.min(0)).astype(int) - margin, 0, np.array(field.shape) - 1)
    bottom, right = np.clip(np.ceil(way.line.max(0)).astype(int) + margin, 1, np.array(field.shape))
    away, owner = nearest_points(way.line - (top, left), (bottom - top, right - left))
    row, column = np.nonzero(away <= np.maximum(settings.owned * way.radius[owner], 1.0))
    heading = _heading(way)[owner[row, column]]
    apart = np.abs(np.mod(field.angles - heading[:, None] + np.pi / 2, np.pi) - np.pi / 2)
    taken[row + top, column + left] |= apart < settings.owned_turn


def _lifted(way: Trace, field: FieldMap) -> tuple[NDArray[np.intp], ...]:
    """Where the points of a way lie in (h, w, orientations)."""
    rows, columns = np.clip(np.rint(way.line).astype(np.intp), 0, np.array(field.shape) - 1).T
    turn = np.rint(np.mod(_heading(way), np.pi) / (np.pi / field.count)).astype(np.intp) % field.count
    return rows, columns, turn


def _heading(way: Trace) -> Floats:
    """Radians at each point of a way."""
    ahead = np.gradient(way.line, axis=0)
    return np.asarray(np.arctan2(ahead[:, 0], ahead[:, 1]))
