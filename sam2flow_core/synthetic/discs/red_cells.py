"""Red cells on their ways through a slab: which cell is where at any travel, and its disc as a cloud of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.synthetic.discs.graph import Floats, Slab

_STEP_PX = 2.0
_SLOWEST = 0.02
"""Of the median speed: what is slower creeps on at this."""
_LOST = 1000.0
"""Radii from a centreline from which on nothing is known of it."""
_GOLDEN = np.pi * (3 - np.sqrt(5))
_FRAMES_AT_ONCE = 16
_MOST_POINTS = 400_000
_SHORTEST_STAY = 0.01
"""Of the median way's: for less, no way takes in cells faster."""


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


def trace_paths(rng: np.random.Generator, slab: Slab, side: int, count: int, clearance: float) -> Paths | None:
    """Trace ways through ``count`` places drawn evenly over the lumen in the frame, ``clearance`` px off the walls.

    None where there is no such place: no more than the rim of a vessel is in view.
    """
    frame = (slice(slab.pad, slab.pad + side),) * 2
    across, radius = slab.across[frame], slab.radius[frame]
    y, x = np.nonzero(across <= np.maximum(1 - clearance / radius, 0.2))
    if not len(x):
        return None
    chosen = rng.integers(len(x), size=count)
    start = np.stack([x[chosen], y[chosen]], 1) + rng.uniform(-0.5, 0.5, (count, 2)) + slab.pad
    back, before = _trace(slab, start, -1.0, clearance)
    ahead, after = _trace(slab, start, 1.0, clearance)
    points = np.concatenate([back[:, :0:-1], ahead], 1) - slab.pad
    steps = np.concatenate([before[:, ::-1], after], 1)
    times = np.concatenate([np.zeros((count, 1)), np.cumsum(steps, 1)], 1)
    across = slab.across[tuple(np.rint(start).astype(int).clip(0, len(slab.across) - 1).T[::-1])]
    return Paths(points, times, times[:, -1], across)


def _trace(slab: Slab, start: Floats, sign: float, clearance: float) -> tuple[Floats, Floats]:
    """Points (K, L, 2) from ``start`` on, and the times (K, L - 1) between them; 0 once a way has left.

    A step is as long as a narrow vessel is wide: at a bend it would leave the lumen, so each is put back.
    """
    whole = len(slab.across)
    place, points, times = start.copy(), [start.copy()], []
    active = np.ones(len(start), bool)
    for _ in range(int(3 * whole / _STEP_PX)):
        half, _ = flow_at(slab, place)
        way, speed = flow_at(slab, place + 0.5 * sign * _STEP_PX * half)
        step = np.where(active[:, None], put_back(slab, place + sign * _STEP_PX * way, clearance) - place, 0.0)
        place = place + step
        times.append(np.hypot(*step.T) / np.maximum(speed, _SLOWEST))
        points.append(place.copy())
        active &= ((place > 0) & (place < whole - 1)).all(1)
        if not active.any():
            break
    return np.stack(points, 1), np.stack(times, 1)


def put_back(slab: Slab, places: Floats, clearance: float) -> Floats:
    """Places (K, 2), those nearer to a wall than ``clearance`` px moved towards the centreline."""
    x, y = np.rint(places).astype(np.int64).clip(0, len(slab.across) - 1).T
    gap = slab.gap[:, y, x] + (places - np.stack([x, y], 1)).T
    off, radius = np.hypot(*gap), slab.radius[y, x]
    most = np.maximum(radius - clearance, 0.2 * radius)
    over = np.where(slab.across[y, x] < _LOST, np.maximum(1 - most / np.maximum(off, 1e-9), 0.0), 0.0)
    return np.asarray(places - (over * gap).T)


def flow_at(slab: Slab, places: Floats) -> tuple[Floats, Floats]:
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
    # A way that leaves at once holds no cell, and would take in millions to hold as many as the others.
    stay = np.maximum(stay, _SHORTEST_STAY * np.median(stay))
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


@dataclass(frozen=True)
class Shapes:
    """Of E cells: radius px, tilt of the disc's axis to the line of sight, its turn about the flow, bend, weight.

    ``tumble`` is the change of the tilt per px of way, ``squeeze`` the share of its width that a cell keeps across.
    """

    radius: Floats
    tilt: Floats
    turn: Floats
    bend: Floats
    weight: Floats
    tumble: Floats
    squeeze: Floats


def draw_shapes(rng: np.random.Generator, count: int, cell_px: float, radius: float, stained: bool) -> Shapes:
    """Draw cells for a network whose channels are about ``radius`` px in radius.

    References
    ----------
    .. [1] E. Evans and Y.-C. Fung, "Improved Measurements of the Erythrocyte Geometry", Microvascular Research 4(4),
       335-347, 1972, :doi:`10.1016/0026-2862(72)90069-6`.
    """
    size = 0.5 * cell_px * np.exp(rng.normal(0, 0.07, count))
    narrow = radius < 0.65 * cell_px
    if narrow:  # in single file: on edge, bent like parachutes
        tilt = np.pi / 2 + rng.normal(0, 0.35, count)
        bend, tumble = rng.uniform(0.1, 0.9, count), np.zeros(count)
    else:
        tilt = rng.normal(0, rng.uniform(0.2, 1.5), count)
        bend, tumble = rng.normal(0, 0.2, count), rng.normal(0, rng.uniform(0, 0.04), count)
    white = rng.random(count) < 0.002
    weight = np.exp(rng.normal(0, 0.2, count)) * np.where(white, -0.6, 1.0)
    if stained:
        weight = weight * (rng.random(count) < rng.uniform(0.2, 0.6))
    squeeze = np.minimum(1.0, 0.92 * radius / size) * np.ones(count)
    turn = rng.normal(0, 0.15, count) if narrow else rng.uniform(0, 2 * np.pi, count)
    return Shapes(np.where(white, 1.5 * size, size), tilt, turn, bend, weight, tumble, squeeze)


@dataclass(frozen=True)
class Sights:
    """Cells in sight, (M,) each: slot of the frame, number, place (M, 2), heading, smear px, and how far out of focus.

    ``blur`` is 1 in focus and grows by 1 for each depth of field.
    """

    slot: NDArray[np.int64]
    cell: NDArray[np.int64]
    place: Floats
    heading: Floats
    smear: Floats
    blur: Floats


def draw_cells(sights: Sights, shapes: Shapes, frames: int, side: int) -> NDArray[np.float32]:
    """Thickness of all cells (frames, side, side); a disc seen from above is about 1 thick at its rim."""
    canvas = np.zeros((frames, side, side), np.float32)
    cloud = _cloud(float(np.median(shapes.radius)))
    reach = 2.0 * float(shapes.radius.max())
    inside = ((sights.place > -reach) & (sights.place < side + reach)).all(1) & (shapes.weight[sights.cell] != 0)
    order = np.flatnonzero(inside)
    order = order[np.argsort(sights.slot[order], kind="stable")]
    for first in range(0, frames, _FRAMES_AT_ONCE):
        block = canvas[first : first + _FRAMES_AT_ONCE]
        low, high = np.searchsorted(sights.slot[order], (first, first + len(block)))
        flat = np.zeros(block.size)
        for start in range(low, high, max(1, _MOST_POINTS // len(cloud))):
            some = order[start : min(start + max(1, _MOST_POINTS // len(cloud)), high)]
            _splat(flat, *_points(sights, shapes, some, cloud), (sights.slot[some] - first)[:, None], side)
        block += flat.reshape(block.shape).astype(np.float32)
    return canvas


def _cloud(radius: float) -> Floats:
    """Points of a unit disc (P, 5): along, across, thickness, place along the disc's axis, place in the exposure."""
    count = int(np.clip(1.3 * np.pi * radius**2, 24, 1600))
    k = np.arange(count) + 0.5
    r, turn = np.sqrt(k / count), k * _GOLDEN
    # The rest shape of a red cell (Evans and Fung, 1972).
    thick = np.sqrt(1 - r**2) * (0.21 + 2.03 * r**2 - 1.12 * r**4)
    spread = (k * 0.754877666) % 1 - 0.5
    return np.stack([r * np.cos(turn), r * np.sin(turn), thick / 0.8, spread, (k * 0.569840291) % 1 - 0.5], 1)


def _points(sights: Sights, shapes: Shapes, some: NDArray[np.intp], cloud: Floats) -> tuple[Floats, Floats, Floats]:
    """Places x and y and weights (m, P) of the points of some cells."""
    cell = sights.cell[some]
    along, across, thick, spread, when = cloud.T
    heading = sights.heading[some][:, None]
    way = np.stack([np.cos(heading), np.sin(heading)])
    # The disc leans over in the direction `lean`; what is at right angles to it is seen in full.
    lean = heading + shapes.turn[cell][:, None]
    progress = sights.place[some].sum(1)[:, None]
    tilt = shapes.tilt[cell][:, None] + shapes.tumble[cell][:, None] * progress
    height = shapes.bend[cell][:, None] * (along**2 + across**2 - 0.5) + 0.55 * thick * spread
    leaning = along * np.cos(tilt) + height * np.sin(tilt)
    dx = leaning * np.cos(lean) - across * np.sin(lean)
    dy = leaning * np.sin(lean) + across * np.cos(lean)
    # Pressed by the walls: narrower across the vessel, longer along it.
    squeeze = shapes.squeeze[cell][:, None]
    ahead, aside = dx * way[0] + dy * way[1], -dx * way[1] + dy * way[0]
    ahead, aside = ahead / np.sqrt(squeeze), aside * squeeze
    blur = sights.blur[some][:, None]
    size = shapes.radius[cell][:, None] * (1 + 0.5 * (blur - 1))
    ahead, aside = ahead * size + when * sights.smear[some][:, None], aside * size
    x = sights.place[some][:, :1] + ahead * way[0] - aside * way[1]
    y = sights.place[some][:, 1:] + ahead * way[1] + aside * way[0]
    mass = shapes.weight[cell] * np.pi * shapes.radius[cell] ** 2 / len(cloud) / sights.blur[some]
    return x, y, mass[:, None] * thick


def _splat(flat: Floats, x: Floats, y: Floats, weight: Floats, slot: NDArray[np.int64], side: int) -> None:
    """Add points to the flat canvas, each shared by the four px round it."""
    left, top = np.floor(x), np.floor(y)
    part_x, part_y = x - left, y - top
    column, row = left.astype(np.int64), top.astype(np.int64)
    base = (slot * side + row) * side + column
    for dy, share_y in ((0, 1 - part_y), (1, part_y)):
        for dx, share_x in ((0, 1 - part_x), (1, part_x)):
            keep = (column + dx >= 0) & (column + dx < side) & (row + dy >= 0) & (row + dy < side)
            flat += np.bincount((base + dy * side + dx)[keep], (weight * share_x * share_y)[keep], minlength=len(flat))
