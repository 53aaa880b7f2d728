"""What flows: red cells with their shapes, white cells, plasma gaps and trains."""

from __future__ import annotations

import numpy as np

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.cell_population import TABLE, CellShapes, Population, populate
from sam2flow_core.synthetic.networks import Route
from sam2flow_core.synthetic.random_draws import uniform
from sam2flow_core.synthetic.vessels import Floats, Vessel

FOCUS_DEPTH_IN_CELLS = 1.8


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
