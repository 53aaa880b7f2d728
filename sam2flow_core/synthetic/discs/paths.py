"""Ways of cells through a slab, and which cell is where on them at any travel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.synthetic.discs.graph import Floats
from sam2flow_core.synthetic.discs.slab import Slab

_STEP_PX = 2.0
_SLOWEST = 0.02
"""Of the median speed: what is slower creeps on at this."""


@dataclass(frozen=True)
class Paths:
    """K ways from where they enter the slab to where they leave it.

    Attributes
    ----------
    points : ndarray, shape (K, L, 2)
        Px of the frame; the last point repeats.
    times : ndarray, shape (K, L)
        At the median speed 1, px; the last time repeats.
    length : ndarray, shape (K,)
        Time from end to end.
    across : ndarray, shape (K,)
        Distance from the centreline where the way was picked, radii.
    """

    points: Floats
    times: Floats
    length: Floats
    across: Floats


def trace_paths(rng: np.random.Generator, slab: Slab, side: int, count: int, clearance: float) -> Paths:
    """Trace ways through ``count`` places drawn evenly over the lumen in the frame, ``clearance`` px off the walls."""
    frame = (slice(slab.pad, slab.pad + side),) * 2
    across, radius = slab.across[frame], slab.radius[frame]
    y, x = np.nonzero(across <= np.maximum(1 - clearance / radius, 0.2))
    chosen = rng.integers(len(x), size=count)
    start = np.stack([x[chosen], y[chosen]], 1) + rng.uniform(-0.5, 0.5, (count, 2)) + slab.pad
    back, before = _trace(slab, start, -1.0)
    ahead, after = _trace(slab, start, 1.0)
    points = np.concatenate([back[:, :0:-1], ahead], 1) - slab.pad
    steps = np.concatenate([before[:, ::-1], after], 1)
    times = np.concatenate([np.zeros((count, 1)), np.cumsum(steps, 1)], 1)
    across = slab.across[tuple(np.rint(start).astype(int).clip(0, len(slab.across) - 1).T[::-1])]
    return Paths(points, times, times[:, -1], across)


def _trace(slab: Slab, start: Floats, sign: float) -> tuple[Floats, Floats]:
    """Points (K, L, 2) from ``start`` on, and the times (K, L - 1) between them; 0 once a way has left."""
    whole = len(slab.across)
    place, points, times = start.copy(), [start.copy()], []
    active = np.ones(len(start), bool)
    for _ in range(int(3 * whole / _STEP_PX)):
        half, _ = _unit(slab, place)
        way, speed = _unit(slab, place + 0.5 * sign * _STEP_PX * half)
        place = place + np.where(active[:, None], sign * _STEP_PX * way, 0.0)
        times.append(np.where(active, _STEP_PX / np.maximum(speed, _SLOWEST), 0.0))
        points.append(place.copy())
        active &= ((place > 0) & (place < whole - 1)).all(1)
        if not active.any():
            break
    return np.stack(points, 1), np.stack(times, 1)


def _unit(slab: Slab, places: Floats) -> tuple[Floats, Floats]:
    """Direction (K, 2) and speed (K,) of the flow at places; bilinear."""
    whole = len(slab.across)
    clipped = places.clip(0, whole - 1.001)
    x, y = clipped.astype(np.int64).T
    fx, fy = (clipped - np.floor(clipped)).T
    v = slab.velocity
    flow = (v[:, y, x] * (1 - fx) + v[:, y, x + 1] * fx) * (1 - fy)
    flow = flow + (v[:, y + 1, x] * (1 - fx) + v[:, y + 1, x + 1] * fx) * fy
    speed = np.hypot(*flow)
    return (flow / np.maximum(speed, 1e-9)).T, speed


@dataclass(frozen=True)
class Crowd:
    """E cells on their ways: way, travel at which each enters, and how fast it is beside the middle plane."""

    way: NDArray[np.int64]
    entry: Floats
    pace: Floats
    depth: Floats


def fill(
    rng: np.random.Generator,
    paths: Paths,
    cells: float,
    travel: Floats,
    speed: float,
    profile: tuple[float, float],
    room: float,
) -> Crowd:
    """Let cells enter so that about ``cells`` are on their ways at a time, between the least and greatest travel.

    A cell keeps its depth (-1 to 1 of the lumen's half height there), and with it a pace: those near the floor and
    the roof of a vessel are slow.

    Parameters
    ----------
    rng : numpy.random.Generator
    paths : Paths
    cells, speed : float
        ``speed`` is the median, px per frame.
    travel : ndarray
        Of all frames that are drawn.
    profile : tuple of float
        Slip and order of the profile.
    room : float
        Share of the half height that cells' centres reach.
    """
    count = len(paths.length)
    stay = paths.length / speed
    low, high = float(travel.min()), float(travel.max())
    ways, entries = [], []
    for k in range(count):
        every = stay[k] * count / cells
        first = low - 3.0 * stay[k]
        number = int(np.ceil((high - first) / every)) + 1
        ways.append(np.full(number, k))
        entries.append(first + every * (np.arange(number) + rng.random() + rng.uniform(-0.45, 0.45, number)))
    way, entry = np.concatenate(ways), np.concatenate(entries)
    depth = room * rng.uniform(-1, 1, len(way))
    return Crowd(way, entry, depth_pace(paths.across[way], depth, *profile), depth)


def depth_pace(across: Floats, depth: Floats, slip: float, order: float) -> Floats:
    """Speed at a depth (-1 to 1 of the half height), relative to that in the middle plane at the same place."""
    rho = np.minimum(across, 1.0)
    beyond = np.sqrt(rho**2 + depth**2 * (1 - rho**2))
    return np.asarray(np.maximum(1 - slip * beyond**order, 0.03) / np.maximum(1 - slip * rho**order, 0.03))


def locate(paths: Paths, crowd: Crowd, travel: float, speed: float) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Cells that are on their way at a travel: number, place (M, 2) and heading (M,) in radians."""
    time = (travel - crowd.entry) * crowd.pace * speed
    here = np.flatnonzero((time >= 0) & (time < paths.length[crowd.way]))
    way, time = crowd.way[here], time[here]
    # All ways in one rising table, so that one search finds every cell.
    reach = float(paths.length.max()) + 1.0
    table = (paths.times + np.arange(len(paths.length))[:, None] * reach).ravel()
    knot = np.searchsorted(table, time + way * reach, side="right") - 1
    steps = paths.times.shape[1]
    knot = np.minimum(knot - way * steps, steps - 2)
    a, b = paths.points[way, knot], paths.points[way, knot + 1]
    span = paths.times[way, knot + 1] - paths.times[way, knot]
    part = np.clip((time - paths.times[way, knot]) / np.maximum(span, 1e-9), 0, 1)
    step = b - a
    return here, a + part[:, None] * step, np.arctan2(step[:, 1], step[:, 0])
