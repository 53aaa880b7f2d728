"""What flows: red cells with their shapes, white cells, plasma gaps and trains; and where each is at any time.

Every cell runs round a cycle: along its route through the network, then on to its start, out of sight. Its
position is a function of the network's travel W(t) alone, so any list of frames costs the same and the number
of cells is conserved: what leaves a vessel enters the next one. Each lap gets its own spacing and
looks (a table indexed by cell and lap), so no pattern comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.networks import Route
from sam2flow_core.synthetic.random_draws import uniform
from sam2flow_core.synthetic.vessels import Floats, Vessel

TABLE = 4096
Ints = NDArray[np.int64]
FOCUS_DEPTH_IN_CELLS = 1.8


@dataclass(frozen=True)
class CellShapes:
    """Properties of the cells by table row, shape (TABLE,) each; lengths in px.

    ``long`` and ``wide`` are the semi-axes along and across the vessel in free flow, ``tilt`` the angle to the vessel
    (radians), ``bow`` the parachute's bend, ``dimple`` the hollow of the disc, ``weight`` the thickness.
    """

    long: Floats
    wide: Floats
    tilt: Floats
    bow: Floats
    dimple: Floats
    weight: Floats


@dataclass(frozen=True)
class Placed:
    """Cells at some moments, (M,) each: moment, vessel in the network, T, rho, row of `CellShapes`, cell number."""

    moment: Ints
    vessel: Ints
    transit: Floats
    rho: Floats
    row: Ints
    cell: Ints

    def only(self, which: NDArray[np.bool_]) -> Placed:
        """Return some of the cells."""
        return Placed(
            self.moment[which],
            self.vessel[which],
            self.transit[which],
            self.rho[which],
            self.row[which],
            self.cell[which],
        )


@dataclass(frozen=True)
class Population:
    """All cells of a network.

    Attributes
    ----------
    stage_vessel : ndarray of int, shape (M, K)
    stage_rho, stage_speed : ndarray of float, shape (M, K)
        Offset, and speed in the transit coordinate at w = 1, px/s.
    ends : ndarray of float, shape (M, K)
        Travel W at which the cell leaves each stage, s.
    cycle, start : ndarray of float, shape (M,)
    supply : ndarray of float, shape (TABLE,)
        Probability that a cell entering at travel W (one row per ``supply_step`` s) is there: plasma gaps and trains.
    jitter : float
        Standard deviation of the lap's delay as a share of the cycle's hidden part.
    """

    stage_vessel: Ints
    stage_rho: Floats
    stage_speed: Floats
    ends: Floats
    cycle: Floats
    start: Floats
    supply: Floats
    supply_step: float
    chance: Floats
    shapes: CellShapes

    def at(self, travel: Floats) -> Placed:
        """Return the cells that are in a vessel at the travels ``travel`` (N,) in s."""
        turn = travel[:, None] + self.start
        lap = np.floor(turn / self.cycle).astype(np.int64)
        row = (np.arange(len(self.cycle)) * 613 + lap * 1031) % TABLE
        hidden = self.cycle - self.ends[:, -1]
        phase = turn - lap * self.cycle - hidden * self.chance[(row * 7 + 3) % TABLE]
        entry = np.floor((travel[:, None] - phase) / self.supply_step).astype(np.int64) % TABLE
        there = (self.supply[entry] > self.chance[row]) & (phase >= 0) & (phase < self.ends[:, -1])
        moment, cell = np.nonzero(there)
        phase, row = phase[moment, cell], row[moment, cell]
        stage = (phase[:, None] >= self.ends[cell]).sum(1)
        before = np.where(stage > 0, self.ends[cell, np.maximum(stage - 1, 0)], 0.0)
        transit = self.stage_speed[cell, stage] * (phase - before)
        return Placed(moment, self.stage_vessel[cell, stage], transit, self.stage_rho[cell, stage], row, cell)


def populate(
    rng: np.random.Generator,
    vessels: list[Vessel],
    routes: tuple[Route, ...],
    linear_density: float,
    clearance: float,
    supply: tuple[Floats, float],
    shapes: CellShapes,
) -> Population:
    """Fill a network with cells at uniform density across the trunk.

    Parameters
    ----------
    vessels : list of Vessel
    routes : tuple of Route
    linear_density : float
        Cells per px of a vessel with the trunk's diameter.
    clearance : float
        Distance that cell centres keep from the walls, px.
    supply : tuple
        Table of `Population.supply` and its step in s.
    shapes : CellShapes
    """
    parts = [_fill(rng, vessels, route, linear_density, clearance) for route in routes]
    depth = max(part[0].shape[1] for part in parts)
    merged = [np.concatenate([_widen(part[k], depth) for part in parts]) for k in range(4)]
    cycle = np.concatenate([part[4] for part in parts])
    start = np.concatenate([part[5] for part in parts])
    return Population(
        merged[0].astype(int), merged[1], merged[2], merged[3], cycle, start, *supply, rng.random(TABLE), shapes
    )


def _widen(part: Floats, depth: int) -> Floats:
    """Repeat the last column up to ``depth`` columns: a stage of no length."""
    return np.concatenate([part, np.repeat(part[:, -1:], depth - part.shape[1], 1)], 1)


def _fill(
    rng: np.random.Generator, vessels: list[Vessel], route: Route, density: float, clearance: float
) -> tuple[Floats, ...]:
    """Draw the cells of one route: vessel, rho, speed and end of each stage, cycle and start."""
    low, high = max(s.low for s in route), min(s.high for s in route)
    fine = np.linspace(low, high, 66)[1:-1]
    speed, ends, _ = _stages(vessels, route, fine, clearance)
    first = 0 if route[0].high - route[0].low == 2 else -1
    cycle = 1.15 * ends[:, -1]
    # Cells per offset so that the trunk, the stage with the whole lumen, holds `density` per px and unit of rho / 2.
    number = density * speed[:, first] * cycle * (high - low) / 2
    count = max(1, rng.poisson(number.mean()))
    order = (np.arange(count) + rng.random(count)) / count
    level = np.concatenate([[0.0], np.cumsum(number)])
    rho = np.interp(order * level[-1], level, np.linspace(low, high, len(level)))
    speed, ends, offsets = _stages(vessels, route, rho, clearance)
    cycle = 1.15 * ends[:, -1]
    golden = (np.arange(count) * 0.6180339887 + rng.random()) % 1
    start = cycle * ((golden + 0.35 * rng.random(count)) % 1)
    names = np.repeat(np.array([[s.vessel for s in route]], float), count, 0)
    return names, offsets, speed, ends, cycle, start


def _stages(vessels: list[Vessel], route: Route, rho: Floats, clearance: float) -> tuple[Floats, Floats, Floats]:
    """Return speed, end (in travel) and offset of each stage for trunk offsets ``rho``, shape (M, K) each."""
    speeds, times, offsets = [], [], []
    for stage in route:
        vessel = vessels[stage.vessel]
        room = max(0.0, 1 - 2 * clearance / float(np.median(vessel.diameter_px)))
        offset = np.clip(stage.offset(rho), -0.95, 0.95) * min(1.0, max(room, 0.15))
        speed = vessel.profile(offset) * vessel.mean_speed_px_s
        speeds.append(speed)
        times.append(vessel.length / speed)
        offsets.append(offset)
    return np.stack(speeds, 1), np.cumsum(np.stack(times, 1), 1), np.stack(offsets, 1)


def sample_population(
    rng: np.random.Generator,
    vessels: list[Vessel],
    routes: tuple[Route, ...],
    cell_px: float,
    contrast: str,
    settings: SceneSettings,
) -> Population:
    """Draw the blood of one network.

    Parameters
    ----------
    vessels : list of Vessel
        Of the network, the trunk being the widest.
    routes : tuple of Route
    cell_px : float
        Diameter of a free red cell in px.
    contrast : str
        Of `Optics`; of labelled cells only a part may be labelled.
    settings : SceneSettings
    """
    trunk = max(vessels, key=lambda v: float(v.diameter_px.mean()))
    diameter = float(trunk.diameter_px.mean())
    shapes = sample_shapes(rng, cell_px, diameter, contrast)
    thickness = min(diameter, FOCUS_DEPTH_IN_CELLS * cell_px)
    volume = 0.28 * cell_px**3 * 0.75  # 90 fL for a disc of 7.8 um
    density = uniform(rng, settings.haematocrit) * diameter * thickness / volume
    density = min(density, 0.9 / (2 * float(shapes.long.mean()))) if diameter < 1.3 * cell_px else density
    if contrast == "bright_cells" and rng.random() < 0.6:
        density *= rng.uniform(0.1, 0.6)
    density = max(density, 0.3 / cell_px)
    supply = sample_supply(rng, cell_px, trunk, settings.gaps)
    across = np.hypot(shapes.wide * np.cos(shapes.tilt), shapes.long * np.sin(shapes.tilt))
    clearance = 0.85 * float(np.median(across))  # cells keep off the walls, and so outrun the plasma (Fahraeus)
    return populate(rng, vessels, routes, density, clearance, supply, shapes)


def sample_shapes(rng: np.random.Generator, cell_px: float, diameter: float, contrast: str) -> CellShapes:
    """Draw a table of cells: discs, hollow discs, cells on edge, stretched cells, parachutes, white cells."""
    radius = 0.5 * cell_px * np.clip(rng.normal(1, 0.065, TABLE), 0.8, 1.2)
    if diameter < 1.15 * cell_px:
        wide = np.minimum(0.4 * diameter, radius) * rng.uniform(0.9, 1.05, TABLE)
        long = np.clip(radius**2 / wide, radius, 1.55 * radius)
        tilt = rng.normal(0, 0.08, TABLE)
        bow = rng.normal(rng.choice([0.0, 0.35, 0.5]), 0.08, TABLE)
    else:
        flat = rng.beta(1.2, rng.uniform(0.8, 3.0), TABLE)
        wide, long = radius * (1 - 0.6 * flat), radius * (1 + 0.1 * flat)
        tilt = rng.normal(0, rng.uniform(0.1, 1.6), TABLE)
        bow = rng.normal(0, 0.1, TABLE)
    dimple = np.clip(rng.normal(rng.uniform(0, 0.9), 0.15, TABLE), 0, 1.1)
    weight = np.clip(rng.normal(1, rng.uniform(0.05, 0.5), TABLE), 0.2, 2)
    labelled = contrast == "bright_cells"
    if not labelled and rng.random() < 0.15:  # bright and dark cells at random, as in a phase image out of focus
        weight = weight * rng.choice([-1, 1], TABLE)
    white = rng.random(TABLE) < (0.002 if rng.random() < 0.5 else 0.0)
    big = np.minimum(radius * rng.uniform(1.3, 1.9, TABLE), 0.48 * diameter)
    return CellShapes(
        long=np.where(white, np.maximum(big, radius), long),
        wide=np.where(white, big, wide),
        tilt=tilt,
        bow=np.where(white, 0.0, bow),
        dimple=np.where(white, 0.4, dimple),
        weight=np.where(white, (0.8 if labelled else -0.8) * weight, weight),
    )


def sample_supply(rng: np.random.Generator, cell_px: float, trunk: Vessel, gaps: float) -> tuple[Floats, float]:
    """Draw the haematocrit at the inlet over time: even, wavy, or trains with plasma gaps of 20 to 60 um."""
    step = 0.5 * cell_px / trunk.mean_speed_px_s
    rows = np.arange(TABLE)
    kind = rng.random()
    if kind >= gaps:
        return np.full(TABLE, 0.95), step
    if kind < 0.5 * gaps:
        waves = sum(np.sin(2 * np.pi * (rows / rng.uniform(8, 60) + rng.random())) for _ in range(3))
        return np.clip(0.65 + rng.uniform(0.1, 0.3) * waves, 0.05, 1.0), step
    edges = np.cumsum(rng.gamma(2.0, rng.uniform(4, 14), TABLE))
    return np.where(np.searchsorted(edges, rows) % 2 == 0, 1.0, rng.uniform(0.0, 0.25)), step
