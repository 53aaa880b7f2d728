"""Networks as graphs: channels between nodes, and the mouths outside the frame where pressure is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

Floats = NDArray[np.float64]
_LEAST_SPACING_PX = 45.0


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
    mouths: dict[int, float]


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
    return Graph(places, tuple(channels), {n: float(pressure[n]) for n in ends})


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
