"""Scenes of discs as records: networks over each other, their flow and cells, and the truth of what is seen."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import DiscScenes, Range
from sam2flow_core.synthetic.discs.graph import Floats, Graph, Slab, draw_graph, solve
from sam2flow_core.synthetic.discs.red_cells import (
    Sights,
    depth_pace,
    draw_cells,
    draw_shapes,
    fill,
    flow_at,
    locate,
    put_back,
    trace_paths,
)
from sam2flow_core.synthetic.record import WALL_PX, RecordPlan, SceneRecord, Streams, pack_record

GENERATOR = 1
_RED_CELL_UM = 7.6
_ATTEMPTS = 6
_FASTEST = 0.25
"""Of the frame's side per frame."""
_LEAST_PX = 12
"""Of a vessel that is told of."""


@dataclass(frozen=True)
class _Layer:
    """One network with its flow: px per frame at the median, travel at every frame, slip and order of the profile."""

    graph: Graph
    slab: Slab
    speed: float
    travel: Floats
    profile: tuple[float, float]

    def half_width(self, side: int) -> float:
        """Half of its vessels' usual width in the frame, px."""
        frame = (slice(self.slab.pad, self.slab.pad + side),) * 2
        return float(np.median(self.slab.radius[frame][self.slab.across[frame] <= 1]))


@dataclass(frozen=True)
class _World:
    """What all layers share: sizes in px, and the share of a frame in which light is collected."""

    side: int
    cell_px: float
    focus_px: float
    exposure: float
    stained: bool
    dense: float

    def clearance(self, half_width: float) -> float:
        """Px from a wall that cells' centres keep."""
        return min(0.42 * self.cell_px, 0.8 * half_width)

    def room(self, half_width: float) -> float:
        """Share of a lumen's half height that cells' centres reach."""
        return max(0.0, 1 - 0.5 * self.cell_px / max(half_width, 1e-3))


def draw_disc_record(rng: np.random.Generator, side: int, settings: DiscScenes, plan: RecordPlan) -> SceneRecord | None:
    """Draw a scene and its cells; None where no vessel is seen in it."""
    pixel = _between(rng, settings.pixel_size_um)
    world = _World(
        side,
        _RED_CELL_UM * float(np.exp(rng.uniform(-0.4, 0.3))) / pixel,
        _between(rng, settings.depth_of_field_um) / pixel,
        float(rng.uniform(0.02, 0.5)),
        bool(rng.random() < settings.stained),
        _between(rng, settings.haematocrit),
    )
    layers: list[_Layer] = []
    for _ in range(int(rng.integers(settings.layers[0], settings.layers[1] + 1))):
        layer = _draw_layer(rng, settings, world, pixel, int(plan.frames.max()) + 2, layers)
        layers += [] if layer is None else [layer]
    if not layers:
        return None
    thickness = np.zeros((len(plan.frames), side, side), np.float32)
    for layer in layers:
        thickness += _draw_blood(rng, layer, world, plan.frames)
    return _record(layers, world, plan, thickness)


def _between(rng: np.random.Generator, bounds: Range) -> float:
    """Draw log-uniformly."""
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _draw_layer(
    rng: np.random.Generator, settings: DiscScenes, world: _World, pixel: float, frames: int, others: list[_Layer]
) -> _Layer | None:
    """Draw a network that does not cover the others."""
    low = max(settings.width_px[0], settings.width_um[0] / pixel)
    high = min(settings.width_px[1], settings.width_um[1] / pixel, 0.95 * world.side)
    for _ in range(_ATTEMPTS):
        width = _between(rng, (min(low, high), high))
        graph = draw_graph(rng, world.side, width)
        if graph is None:
            continue
        blunt = float(np.clip((width / world.cell_px - 1.1) / 2.0, 0.0, 1.0))
        profile = (blunt * rng.uniform(0.6, 0.97), rng.uniform(1.8, 5.0))
        slab = solve(graph, world.side, *profile)
        if slab is None or any(_covers(slab, other.slab, world.side) for other in others):
            continue
        speed = min(_between(rng, settings.speed_cells) * world.cell_px, _FASTEST * world.side)
        return _Layer(graph, slab, speed, _travel(rng, frames), profile)
    return None


def _covers(one: Slab, other: Slab, side: int) -> bool:
    mine, theirs = (s.across[s.pad : s.pad + side, s.pad : s.pad + side] <= 1 for s in (one, other))
    return bool((mine & theirs).sum() > 0.4 * min(mine.sum(), theirs.sum()))


def _travel(rng: np.random.Generator, frames: int) -> Floats:
    """Integral of the relative speed up to each frame: beats that rise fast and fall slowly, wandering, stops."""
    t = np.arange(frames)
    period = rng.uniform(30.0, 260.0) * np.exp(0.05 * rng.normal())
    phase = (t / period + rng.random()) % 1
    beat = np.exp(-0.5 * ((phase - 0.18) / 0.09) ** 2) + 0.35 * np.exp(-0.5 * ((phase - 0.5) / 0.14) ** 2)
    strength = rng.uniform(0.0, 1.4)
    relative = 1 + strength * (beat - beat.mean())
    wander = np.interp(t, np.linspace(0, frames, 2 + frames // 120), rng.normal(0, 0.15, 2 + frames // 120))
    relative = relative * (1 + wander)
    if rng.random() < 0.2:  # stopped, or turned round, for a while
        start, length = rng.integers(frames), rng.uniform(10, 250)
        relative[(t >= start) & (t < start + length)] *= -rng.uniform(0, 0.8) if rng.random() < 0.5 else 0.0
    return np.concatenate([[0.0], np.cumsum(relative)])


def _draw_blood(
    rng: np.random.Generator, layer: _Layer, world: _World, frames: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Thickness of a layer's cells (F, S, S)."""
    slab, side = layer.slab, world.side
    frame = (slice(slab.pad, slab.pad + side),) * 2
    inner = np.asarray(slab.across[frame] <= 1)
    radius = layer.half_width(side)
    area = np.pi * (0.5 * world.cell_px) ** 2
    # As many layers of cells as fit into the depth that is seen.
    deep = min(2 * radius, 2 * world.focus_px, 4 * world.cell_px) / world.cell_px
    cells = max(1.5, world.dense * max(deep, 0.6) * inner.sum() / area)
    paths = trace_paths(rng, slab, side, int(np.clip(1.5 * cells, 48, 320)), world.clearance(radius))
    if paths is None:
        return np.zeros((len(frames), side, side), np.float32)
    # The ways reach beyond the frame, and so do the cells on them.
    seen = np.asarray(np.all((paths.points > 0) & (paths.points < side), axis=2))
    steps = np.diff(paths.times, axis=1)
    share = float((seen[:, 1:] * steps).sum() / max(steps.sum(), 1e-9))
    travel = layer.travel[frames]
    crowd = fill(rng, paths, cells / max(share, 0.1), travel, layer.speed, layer.profile, world.room(radius))
    shapes = draw_shapes(rng, len(crowd.way), world.cell_px, radius, world.stained)
    half = radius * np.sqrt(np.maximum(1 - np.minimum(paths.across[crowd.way], 1) ** 2, 0.0))
    blur = 1 + np.abs(crowd.depth * half) / world.focus_px
    relative = np.diff(layer.travel)[frames]
    parts = []
    for slot, moment in enumerate(travel):
        cell, place, heading = locate(paths, crowd, float(moment), layer.speed)
        smear = np.full(len(cell), world.exposure * layer.speed * relative[slot])
        parts.append(Sights(np.full(len(cell), slot), cell, place, heading, smear, blur[cell]))
    everyone = [np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Sights)]
    return draw_cells(Sights(*everyone), shapes, len(frames), side)


def _record(
    layers: list[_Layer], world: _World, plan: RecordPlan, thickness: NDArray[np.float32]
) -> SceneRecord | None:
    side = world.side
    depth = np.zeros((side, side), np.float32)
    parts: list[tuple[Floats, ...]] = []
    travels: list[Floats] = []
    ends: list[list[float]] = []
    for layer in layers:
        slab = layer.slab
        frame = (slice(slab.pad, slab.pad + side),) * 2
        across, radius, channel = slab.across[frame], slab.radius[frame], slab.channel[frame]
        depth = np.maximum(depth, np.sqrt(np.clip(1 - across**2, 0, 1)).astype(np.float32))
        velocity, gap = slab.velocity[(slice(None), *frame)], slab.gap[(slice(None), *frame)]
        half_width = layer.half_width(side)
        clearance, room = world.clearance(half_width), world.room(half_width)
        speed = np.hypot(*velocity)
        part_of = layer.graph.vessels
        vessel = part_of[channel]
        for k in range(int(part_of.max()) + 1):
            mine = vessel == k
            if (mine & (across <= 1)).sum() < _LEAST_PX:
                continue
            mine &= (across - 1) * radius <= WALL_PX
            heading = (velocity / np.maximum(speed, 1e-9))[:, mine]
            left = heading[1] * gap[0][mine] - heading[0] * gap[1][mine]
            offset = np.where(left < 0, -1.0, 1.0) * across[mine]
            reached = np.minimum(across[mine], np.maximum(1 - clearance / radius[mine], 0.2))
            seen = _seen_pace(reached, radius[mine], room, world.focus_px, layer.profile)
            number = np.full(int(mine.sum()), len(travels))
            fast = layer.speed * _seen_speed(slab, mine, clearance)
            rows = (number, np.flatnonzero(mine), *heading, fast, seen, offset, radius[mine])
            parts.append(rows)
            travels.append(layer.travel[plan.frames])
        ends += _ends(layer.graph, side)
    if not parts:
        return None
    vessel, pixels, dx, dy, speeds, paces, offset, wide = (np.concatenate(c) for c in zip(*parts, strict=True))
    streams = Streams(vessel, pixels, np.stack([dx, dy], 1), speeds, paces, offset, wide)
    places = np.array(ends, np.float32).reshape(-1, 3)
    return pack_record(GENERATOR, world.cell_px, plan, thickness, depth, streams, np.stack(travels), places)


def _seen_speed(slab: Slab, mine: NDArray[np.bool_], clearance: float) -> Floats:
    """Speed (N,) in the middle plane of the cells that some px (S, S) show.

    A cell moves as a whole, as its centre does, and centres keep off the walls: what is seen at a wall is the rim of a
    cell that is as fast as blood further in.
    """
    places = np.argwhere(mine)[:, ::-1].astype(np.float64) + slab.pad
    return flow_at(slab, put_back(slab, places, clearance))[1]


def _seen_pace(reached: Floats, radius: Floats, room: float, focus_px: float, profile: tuple[float, float]) -> Floats:
    """Mean pace of the cells that a px shows, those in focus counting most, relative to the middle plane.

    Their centres lie ``reached`` radii from the centreline, and up to ``room`` of the half height above and below.
    """
    total, weights = np.zeros_like(reached), np.zeros_like(reached)
    half = radius * np.sqrt(np.clip(1 - reached**2, 0, 1))
    for depth in room * np.linspace(-1, 1, 7):
        weight = 1 / (1 + np.abs(depth) * half / focus_px)
        total += weight * depth_pace(reached, np.full_like(reached, depth), *profile)
        weights += weight
    return np.asarray(total / weights)


def _ends(graph: Graph, side: int) -> list[list[float]]:
    """Forks inside the frame: y, x and radius, px."""
    joints: dict[int, list[float]] = {}
    for channel in graph.channels:
        for node in channel.nodes:
            joints.setdefault(node, []).append(channel.radius)
    return [
        [float(graph.places[node][1]), float(graph.places[node][0]), max(radii)]
        for node, radii in joints.items()
        if len(radii) != 2 and (graph.places[node] >= 0).all() and (graph.places[node] < side).all()
    ]
