"""Networks as graphs of channels, and the flow through them as through a thin slab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay, cKDTree

Floats = NDArray[np.float64]
_LEAST_SPACING_PX = 45.0
_BEYOND_PX = 4.0
"""Px beyond the walls that are known too."""


@dataclass(frozen=True)
class Channel:
    """A stretch between two nodes: points (N, 2) about 1 px apart, radius px, and the nodes."""

    path: Floats
    radius: float
    nodes: tuple[int, int]


@dataclass(frozen=True)
class Graph:
    """A network.

    Attributes
    ----------
    places : ndarray, shape (K, 2)
        Of the nodes, px of the frame.
    channels : tuple of Channel
    mouths : dict of int to float
        Nodes outside the frame, and the pressure there.
    """

    places: Floats
    channels: tuple[Channel, ...]
    mouths: Mapping[int, float]

    @property
    def vessels(self) -> NDArray[np.intp]:
        """The vessel that each channel is part of, from 0: where no more than two meet, no vessel ends."""
        return _between_forks([channel.nodes for channel in self.channels])


def draw_graph(rng: np.random.Generator, side: int, width: float) -> Graph | None:
    """Draw a network whose widest channel is ``width`` px wide; None where the draw came to nothing."""
    kind = rng.random()
    if width > side / 5 or kind < 0.35:
        return _line(rng, side, width)
    return _mesh(rng, side, width) if kind < 0.7 else _tree(rng, side, width)


def _line(rng: np.random.Generator, side: int, width: float) -> Graph:
    """One channel from border to border."""
    angle, turn = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.4) * np.pi
    reach = 0.75 * side + 0.5 * width + 12
    centre = side * rng.uniform(0.3, 0.7, 2)
    ends = [centre + reach * np.array([np.cos(a), np.sin(a)]) for a in (angle, angle + turn)]
    first, second = centre + rng.normal(0, 0.35 * side, (2, 2))
    channel = Channel(_bezier(ends[0], first, second, ends[1]), 0.5 * width, (0, 1))
    return Graph(np.stack(ends), (channel,), {0: 1.0, 1: 0.0})


def _tree(rng: np.random.Generator, side: int, width: float) -> Graph:
    """A channel that divides again and again; run the other way round half of the time."""
    angle = rng.uniform(0, 2 * np.pi)
    way = np.array([np.cos(angle), np.sin(angle)])
    places = [0.5 * side - way * (0.72 * side + 0.5 * width + 12)]
    channels: list[Channel] = []
    leaves: list[int] = []

    def grow(node: int, heading: float, radius: float, depth: int) -> None:
        length = rng.uniform(0.25, 0.45) * side + (0.3 * side if depth == 0 else 0.0)
        last = depth == 3 or (depth > 0 and rng.random() < 0.25)
        start = places[node]
        step = np.array([np.cos(heading), np.sin(heading)])
        end = start + step * (_way_out(start, step, side, radius + 14) if last else length)
        bulge = np.array([-step[1], step[0]]) * rng.normal(0, 0.12) * np.linalg.norm(end - start)
        third = (end - start) / 3
        places.append(end)
        number = len(places) - 1
        channels.append(Channel(_bezier(start, start + third + bulge, end - third, end), radius, (node, number)))
        if last or not _in_frame(end, side, 0.0):
            leaves.append(number)
            return
        share = rng.uniform(0.3, 0.7)
        for part, sign in ((share, 1.0), (1 - share, -1.0)):
            grow(number, heading + sign * rng.uniform(0.3, 0.9), max(radius * part ** (1 / 3), 2.0), depth + 1)

    grow(0, angle + rng.normal(0, 0.15), 0.5 * width, 0)
    outwards = rng.random() < 0.5
    mouths = {0: 1.0 if outwards else 0.0} | {leaf: (0.0 if outwards else 1.0) + rng.normal(0, 0.08) for leaf in leaves}
    return Graph(np.stack(places), tuple(channels), mouths)


def _mesh(rng: np.random.Generator, side: int, width: float) -> Graph | None:
    """A net of capillaries: some edges of a triangulation, dead ends cut off."""
    spacing = max(rng.uniform(3, 7) * width, _LEAST_SPACING_PX)
    margin = spacing + 0.5 * width + 12
    count = int(np.ceil((side + 2 * margin) / spacing)) + 1
    grid = np.stack(np.meshgrid(*[np.linspace(-margin, side + margin, count)] * 2), -1).reshape(-1, 2)
    places = grid + rng.uniform(-0.33, 0.33, grid.shape) * spacing
    edges = {tuple(sorted((t[i], t[i - 1]))) for t in Delaunay(places).simplices for i in range(3)}
    outside = np.array([not _in_frame(p, side, 0.5 * width + 6) for p in places])
    kept = [e for e in sorted(edges) if not (outside[e[0]] and outside[e[1]]) and rng.random() < 0.55]
    if not kept:
        return None
    rows, columns = np.array(kept).T
    joined = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(places), len(places)))
    _, group = connected_components(joined, directed=False)
    kept = [e for e in kept if group[e[0]] == np.bincount(group[rows]).argmax()]
    while True:
        degree = np.bincount(np.array(kept).ravel(), minlength=len(places)) if kept else np.zeros(len(places), int)
        alive = [e for e in kept if all(degree[n] > 1 or outside[n] for n in e)]
        if len(alive) == len(kept):
            break
        kept = alive
    ends = sorted({n for e in kept for n in e if outside[n]})
    if len(ends) < 2:
        return None
    slope = np.array([np.cos(a := rng.uniform(0, 2 * np.pi)), np.sin(a)])
    pressure = places @ slope / side + rng.normal(0, 0.1, len(places))
    channels = []
    for a, b in kept:
        start, end = places[a], places[b]
        across = np.array([start[1] - end[1], end[0] - start[0]]) * rng.normal(0, 0.15)
        radius = max(0.5 * width * float(np.exp(-abs(rng.normal(0, 0.35)))), 2.0)
        third = (end - start) / 3
        channels.append(Channel(_bezier(start, start + third + across, end - third + across, end), radius, (a, b)))
    # From fork to fork a vessel is equally wide: as wide as the first of its channels.
    _, first, vessel = np.unique(_between_forks(kept), return_index=True, return_inverse=True)
    channels = [replace(c, radius=channels[first[v]].radius) for c, v in zip(channels, vessel, strict=True)]
    return Graph(places, tuple(channels), {n: float(pressure[n]) for n in ends})


def _between_forks(edges: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    """Number the stretches between forks, mouths and dead ends that edges between nodes make up."""
    ends: dict[int, list[int]] = {}
    for number, edge in enumerate(edges):
        for node in edge:
            ends.setdefault(node, []).append(number)
    joints = np.array([here for here in ends.values() if len(here) == 2], np.intp).reshape(-1, 2)
    joined = coo_array((np.ones(len(joints)), (joints[:, 0], joints[:, 1])), shape=(len(edges), len(edges)))
    return np.asarray(connected_components(joined, directed=False)[1], np.intp)


def _bezier(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """A cubic curve, points about 1 px apart."""
    rough = max(float(np.linalg.norm(b - a) + np.linalg.norm(c - b) + np.linalg.norm(d - c)), 2.0)
    t = np.linspace(0, 1, int(rough) + 1)[:, None]
    curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return np.asarray(curve)


def _in_frame(place: Floats, side: int, margin: float) -> bool:
    return bool((place > -margin).all() and (place < side + margin).all())


def _way_out(start: Floats, step: Floats, side: int, margin: float) -> float:
    """How far from ``start`` along ``step`` the frame and a margin are left."""
    far = np.where(step > 0, side + margin, -margin)
    return float(np.max([20.0, np.min((far - start) / np.where(np.abs(step) < 1e-6, 1e-6, step))]))


@dataclass(frozen=True)
class Slab:
    """A network on the px grid, padded by ``pad`` px on all sides: (H, W) each, H and W being equal.

    Attributes
    ----------
    pad : int
    channel : ndarray of int
        Nearest channel of the graph.
    across : ndarray
        Distance from its centreline in radii; over 1 outside.
    radius : ndarray
        Of the nearest channel, px.
    gap : ndarray, shape (2, H, W)
        From the centreline to the px, ``(x, y)`` px.
    velocity : ndarray, shape (2, H, W)
        ``(vx, vy)``; the median speed inside the frame is 1.
    """

    pad: int
    channel: NDArray[np.int64]
    across: Floats
    radius: Floats
    gap: Floats
    velocity: Floats


def solve(graph: Graph, side: int, slip: float, order: float) -> Slab | None:
    """Solve for the flow; the profile across a channel is ``1 - slip |r|^order``. None where there is none."""
    widest = max(c.radius for c in graph.channels)
    pad = int(np.ceil(min(widest, 0.6 * side))) + 8
    points = np.concatenate([c.path for c in graph.channels])
    owner = np.repeat(np.arange(len(graph.channels)), [len(c.path) for c in graph.channels])
    radii = np.array([c.radius for c in graph.channels])
    whole = side + 2 * pad
    line = np.arange(whole) - float(pad)
    grid = np.stack(np.meshgrid(line, line), -1)
    away, nearest = cKDTree(points).query(grid.reshape(-1, 2), distance_upper_bound=widest + _BEYOND_PX + 2)
    nearest = np.minimum(nearest, len(points) - 1)
    channel = owner[nearest].reshape(whole, whole)
    radius = radii[channel]
    across = np.minimum(away.reshape(whole, whole), 1e4) / radius
    coarse = max(1, int(radii.min() / 4))
    velocity = _velocity(graph, across, radius, grid, coarse, slip, order)
    if velocity is None:
        return None
    inner = (slice(pad, pad + side),) * 2
    speed = np.hypot(*velocity)[inner][across[inner] <= 1]
    if not speed.size or not np.median(speed) > 0:
        return None
    gap = (grid - points[nearest].reshape(whole, whole, 2)).transpose(2, 0, 1)
    return Slab(pad, channel, across, radius, gap, velocity / np.median(speed))


def _velocity(
    graph: Graph, across: Floats, radius: Floats, grid: Floats, coarse: int, slip: float, order: float
) -> Floats | None:
    """Solve on every ``coarse``-th px, and interpolate."""
    ratio, size, places = (x[::coarse, ::coarse] for x in (across, radius, grid))
    inside = (ratio - 1) * size <= 0.75 * coarse
    mobility = np.where(inside, size**2 * (1 - slip * np.minimum(ratio, 1) ** order), 0.0)
    fixed = np.full(inside.shape, np.nan)
    for node, given in graph.mouths.items():
        reach = max(c.radius for c in graph.channels if node in c.nodes)
        mouth = inside & (((places - graph.places[node]) ** 2).sum(-1) <= (reach + 1.5 * coarse) ** 2)
        if not mouth.any():  # it lies beyond the grid: the channel's px at the grid's edge take its place
            edge = np.zeros_like(inside)
            edge[[0, -1]] = edge[:, [0, -1]] = True
            ring = np.argwhere(inside & edge)
            if not len(ring):
                continue
            first = ring[((places[tuple(ring.T)] - graph.places[node]) ** 2).sum(-1).argmin()]
            near = ((places - places[tuple(first)]) ** 2).sum(-1) <= (2 * reach + coarse) ** 2
            mouth = inside & edge & near
        fixed[mouth] = given
    if len(np.unique(fixed[~np.isnan(fixed)])) < 2:
        return None
    pressure = _pressure(inside, mobility, fixed)
    if not np.isfinite(pressure).all():
        return None
    filled = pressure[tuple(distance_transform_edt(~inside, return_distances=False, return_indices=True))]
    slope = np.stack(np.gradient(filled)[::-1])
    flow = -slope * mobility
    still = (np.hypot(*flow) == 0) | ~inside
    flow = flow[(slice(None), *distance_transform_edt(still, return_distances=False, return_indices=True))]
    line = np.arange(len(across)) / coarse
    at = np.meshgrid(line, line, indexing="ij")
    return np.stack([map_coordinates(v, at, order=1, mode="nearest") for v in flow])


def _pressure(inside: NDArray[np.bool_], mobility: Floats, fixed: Floats) -> Floats:
    """Pressure where what flows into a cell flows out of it; given where ``fixed`` is."""
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    rows, columns, values = [], [], []
    for axis in (0, 1):
        ahead = [slice(None)] * 2
        behind = [slice(None)] * 2
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        one, two = number[tuple(behind)], number[tuple(ahead)]
        joined = (one >= 0) & (two >= 0)
        a, b = mobility[tuple(behind)][joined], mobility[tuple(ahead)][joined]
        ease = 2 * a * b / np.maximum(a + b, 1e-12)
        for i, j in ((one[joined], two[joined]), (two[joined], one[joined])):
            rows += [i, i]
            columns += [i, j]
            values += [ease, -ease]
    count = int(inside.sum())
    given = fixed[inside]
    known = ~np.isnan(given)
    matrix = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count))
    matrix = matrix.tocsr()
    # A little leak keeps parts that no mouth reaches solvable.
    free = np.flatnonzero(~known)
    system = matrix[free][:, free] + coo_array((np.full(len(free), 1e-9), (np.arange(len(free)),) * 2)).tocsr()
    solution = np.where(known, given, 0.0)
    solution[free] = spsolve(system.tocsc(), -(matrix[free][:, known] @ given[known]))
    pressure = np.zeros(inside.shape)
    pressure[inside] = solution
    return pressure
