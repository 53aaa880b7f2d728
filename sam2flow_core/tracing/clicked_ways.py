"""From clicks to the way of their vessel through the vessel field, by the minimal path where one click misses others.

It is the cheapest way from click to click in positions and directions of flow, by Dijkstra's algorithm: a
step costs much where no vessel runs that way, and so does turning. From the outermost clicks the vessel is
followed on as from a single one.

A single click may mean either of two vessels that lie over each other, so there are alternatives. Several clicks name
the vessel that leads through all of them; where none does, as few vessels as possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, uniform_filter1d
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from sam2flow_core.config.tracing import ClickSettings, MinimalPathSettings
from sam2flow_core.tracing.field_map import FieldMap, Floats, arc_lengths
from sam2flow_core.tracing.tracer import Trace, follow, joined, left_of, starts, trace

_STEPS = np.array([
    (0, 1), (1, 2), (1, 1), (2, 1), (1, 0), (2, -1), (1, -1), (1, -2),
    (0, -1), (-1, -2), (-1, -1), (-2, -1), (-1, 0), (-2, 1), (-1, 1), (-1, 2),
])  # fmt: skip
"""``(row, column)`` cells of a step in each of sixteen directions."""


def minimal_path(field: FieldMap, clicks: Floats, reach: float) -> Trace | None:
    """Follow the vessel that runs through all clicks (N, 2), ``(row, column)``; None where none does.

    Parameters
    ----------
    field : FieldMap
    clicks : ndarray (N, 2)
        At least two.
    reach : float
        Cells that are followed from the outermost clicks.

    References
    ----------
    .. [1] L. D. Cohen and R. Kimmel, "Global Minimum for Active Contour Models: A Minimal Path Approach", International
       Journal of Computer Vision 24, 57-78, 1997, :doi:`10.1023/A:1007922224810`.
    """
    settings = field.settings.path
    ways, costs = _ways(field, clicks, settings)
    order = _order(costs, settings.all_orders)
    pairs = list(pairwise(order))
    if not all(p in ways for p in pairs):
        return None
    line = np.concatenate([ways[p][:-1] for p in pairs] + [ways[pairs[-1]][-1:]])
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    if len(line) < 3 or sum(costs[p] for p in pairs) > settings.worst * length:
        return None
    return _extended(field, _spaced(line, settings), reach)


def _ways(
    field: FieldMap, clicks: Floats, settings: MinimalPathSettings
) -> tuple[dict[tuple[int, int], Floats], NDArray[np.float64]]:
    """Cheapest way (K, 2) from each click to each other with the flow, and what it costs (N, N)."""
    cells = np.clip(np.rint(clicks).astype(int), 0, np.array(field.shape) - 1)
    first = np.maximum(cells.min(0) - settings.margin, 0)
    last = np.minimum(cells.max(0) + settings.margin + 1, np.ceil(field.size).astype(int))
    apart = 1
    while np.prod((last - first) // apart) > settings.most_cells:
        apart *= 2
    part = field.table[first[0] : last[0] : apart, first[1] : last[1] : apart].transpose(2, 0, 1).astype(float)
    places = np.minimum(np.rint((cells - first) / apart).astype(int), np.array(part.shape[1:]) - 1)
    chance = _chance(part, field.count)
    cost = apart * _cost(part, chance, places, settings.around // apart, settings)
    graph = _graph(cost, chance, settings)
    shape, count = cost.shape, len(clicks)
    ends = [np.ravel_multi_index(np.broadcast_arrays(np.arange(shape[0]), *c), shape) for c in places]
    ways, costs = dict[tuple[int, int], Floats](), np.full((count, count), np.inf)
    for a in range(count):
        distance, before, _ = dijkstra(graph, indices=ends[a], min_only=True, return_predecessors=True)
        for b in [b for b in range(count) if b != a]:
            node = int(ends[b][distance[ends[b]].argmin()])
            costs[a, b] = distance[node]
            if np.isfinite(distance[node]):
                ways[a, b] = apart * _back_from(node, before, shape) + first
    return ways, costs


def _cost(
    part: Floats, chance: Floats, clicks: NDArray[np.int64], around: int, settings: MinimalPathSettings
) -> Floats:
    """What a cell's length costs in each direction (16, h, w); infinite where nothing leads."""
    n = len(chance) // 2
    aside = np.tile(np.minimum(np.abs(part[n : 2 * n]), 2.0), (2, 1, 1))
    seen = maximum_filter(chance.max(0), around) > settings.seen
    seen[tuple(clicks.T)] = True
    return np.where(seen, (1 + settings.off_centre * aside) / (chance + settings.doubt), np.inf)


def _chance(part: Floats, count: int) -> Floats:
    """Chance of a vessel whose blood flows in each direction (16, h, w); half of it where the way of flow is not."""
    either, forward = part[:count], part[3 * count : 4 * count]
    return np.concatenate([either + 0.5 * forward, either - 0.5 * forward]).clip(0)


def _graph(cost: Floats, chance: Floats, settings: MinimalPathSettings) -> csr_array:
    """Steps ahead and turns in place between the nodes (direction, row, column)."""
    count, h, w = cost.shape
    node = np.arange(cost.size).reshape(cost.shape)
    there = np.isfinite(cost)
    # Where a vessel is in sight, a turn must be: none leads round the corner from a vessel to the one it crosses.
    may_turn = (chance > settings.may_turn) | (chance.max(0) < settings.in_sight)
    out: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]] = []
    for k, (dy, dx) in enumerate(_STEPS):
        here = (slice(max(-dy, 0), h - max(dy, 0)), slice(max(-dx, 0), w - max(dx, 0)))
        then = (slice(max(dy, 0), h + min(dy, 0)), slice(max(dx, 0), w + min(dx, 0)))
        both = there[k][here] & there[k][then]
        price = 0.5 * (cost[k][here] + cost[k][then])[both] * np.hypot(dy, dx)
        out.append((node[k][here][both], node[k][then][both], price))
        for turn in (-1, 1):
            aside = (k + turn) % count
            free = there[k] & may_turn[k] & may_turn[aside]
            out.append((node[k][free], node[aside][free], np.full(int(free.sum()), settings.turn)))
    source, target, price = (np.concatenate(x) for x in zip(*out, strict=True))
    return coo_array((price, (source, target)), shape=(cost.size, cost.size)).tocsr()


def _back_from(node: int, before: NDArray[np.int32], shape: tuple[int, ...]) -> Floats:
    """Way (K, 2) that ends in a node."""
    way = [node]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    _, row, column = np.unravel_index(way[::-1], shape)
    line = np.stack([row, column], 1).astype(float)
    return line[np.r_[True, (np.diff(line, axis=0) != 0).any(1)]]  # a turn in place is no step


def _order(costs: NDArray[np.float64], most: int) -> list[int]:
    """Order of the clicks along the flow that costs least; of many clicks, the later ones find their place between."""

    def total(order: Iterable[int]) -> float:
        return float(sum(costs[a, b] for a, b in pairwise(order)))

    few = min(len(costs), most)
    order = list(min(permutations(range(few)), key=total))
    for new in range(few, len(costs)):
        order = min(([*order[:k], new, *order[k:]] for k in range(len(order) + 1)), key=total)
    return order


def _spaced(line: Floats, settings: MinimalPathSettings) -> Floats:
    """The way with its points a cell apart, evened out."""
    travelled = arc_lengths(line)
    at = np.linspace(0, travelled[-1], max(round(travelled[-1]) + 1, 3))
    spaced = np.stack([np.interp(at, travelled, x) for x in line.T], 1)
    return _evened(spaced, settings.even)


def _evened(line: Floats, points: int) -> Floats:
    even: Floats = uniform_filter1d(line, min(points, len(line)), axis=0, mode="nearest")
    even[0], even[-1] = line[0], line[-1]
    return even


def _headings(line: Floats, points: int) -> Floats:
    """Angle at each point of a way."""
    ahead = np.gradient(uniform_filter1d(line, min(points, len(line)), axis=0, mode="nearest"), axis=0)
    return np.asarray(np.arctan2(ahead[:, 0], ahead[:, 1]))


def _extended(field: FieldMap, line: Floats, reach: float) -> Trace:
    """A way through clicks with what the field says along it, and followed on at both ends."""
    path = field.settings.path
    for _ in range(path.centrings):
        angles = _headings(line, path.even)
        seen = field.look(line, angles)
        aside = np.where(seen.chance > path.doubt, seen.offset * seen.radius, 0.0)
        line = _evened(line - 0.5 * np.clip(aside, -2, 2)[:, None] * left_of(angles), path.even)
    angles = _headings(line, path.even)
    seen = field.look(line, angles)
    radius, known = seen.radius, np.flatnonzero(seen.chance > path.seen)
    if len(known):  # out of sight a vessel is as wide as before and after
        radius = np.interp(np.arange(len(line)), known, radius[known])
    after, before = follow(field, line[[-1, 0]], np.array([angles[-1], angles[0] + np.pi]), reach)
    return joined(before, Trace(*(np.concatenate([m, a[1:]]) for m, a in zip((line, radius), after, strict=True))))


@dataclass(frozen=True)
class ClickedWays:
    """Ways that clicks may mean, the likeliest first.

    Attributes
    ----------
    ways : list of Trace
    clicks : list of ndarray
        Positive clicks (N, 2) that each way holds, ``(row, column)`` in cells.
    together : bool
        Whether all of them are meant, because none holds all clicks; otherwise one of them is.
    """

    ways: tuple[Trace, ...]
    clicks: tuple[Floats, ...]
    together: bool = False


def clicked_ways(field: FieldMap, clicks: Floats, reach: float) -> ClickedWays:
    """Follow the vessels that positive clicks name.

    Parameters
    ----------
    field : FieldMap
    clicks : ndarray (N, 2)
        ``(row, column)`` in cells.
    reach : float
        Arc length in px that is followed each way.
    """
    return clicked_ways_of_many(field, [clicks], reach)[0]


def clicked_ways_of_many(field: FieldMap, vessels: list[Floats], reach: float) -> list[ClickedWays]:
    """Follow the vessels that the clicks (N, 2) of each of them name; all at once, which is quicker."""
    cells = reach / field.stride
    begun = [[(k, s) for k, c in enumerate(clicks) for s in starts(field, c)] for clicks in vessels]
    traces = iter(trace(field, [start for vessel in begun for _, start in vessel], cells))
    return [
        _chosen(field, clicks, [next(traces) for _ in of], [k for k, _ in of], cells)
        for clicks, of in zip(vessels, begun, strict=True)
    ]


def _chosen(field: FieldMap, clicks: Floats, ways: list[Trace], meant: list[int], cells: float) -> ClickedWays:
    if not ways:
        return ClickedWays((), ())
    held = np.stack([_holds(way, clicks, field.settings.clicks) for way in ways])
    held[np.arange(len(ways)), meant] = True
    if len(complete := np.flatnonzero(held.all(1))):
        best = complete[: field.settings.clicks.candidates]
        return ClickedWays(tuple(ways[k] for k in best), tuple(clicks for _ in best))
    whole = minimal_path(field, clicks, cells)
    if whole is not None:
        return ClickedWays((whole,), (clicks,))
    few = _fewest(held, meant)
    return ClickedWays(tuple(ways[k] for k in few), tuple(clicks[held[k]] for k in few), together=True)


def _holds(way: Trace, clicks: Floats, settings: ClickSettings) -> NDArray[np.bool_]:
    away = np.hypot(*np.moveaxis(way.line[:, None] - clicks, -1, 0))
    held: NDArray[np.bool_] = (away < settings.held * way.radius[:, None] + settings.held_cells).any(0)
    return held


def _fewest(held: NDArray[np.bool_], meant: list[int]) -> list[int]:
    """The ways that are needed to hold the clicks, those with the most of them first."""
    left, chosen = np.isin(np.arange(held.shape[1]), meant), list[int]()
    while left.any():
        chosen.append(int((held & left).sum(1).argmax()))
        left &= ~held[chosen[-1]]
    return chosen
