"""Flow through a network as through a thin slab: pressure from mouth to mouth, speed down its slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from sam2flow_core.synthetic.discs.graph import Floats, Graph

_BEYOND_PX = 4.0
"""Px beyond the walls that are known too."""


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
