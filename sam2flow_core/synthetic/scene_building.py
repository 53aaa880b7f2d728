"""From drawn networks to vessels: placed so that they cross rather than cover each other, speeds from the flux."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sam2flow_core.synthetic.heartbeat import TimeCourse
from sam2flow_core.synthetic.networks import Layout, sample_layouts
from sam2flow_core.synthetic.vessels import Floats, Profile, Vessel, lumen


def place_networks(
    rng: np.random.Generator,
    kind: str,
    size: tuple[int, int],
    diameter: float,
    cell_px: float,
    profile: Profile,
    taper: float,
    others: list[Vessel],
) -> list[Layout]:
    """Draw networks until they cross the vessels already there rather than cover them; none if it cannot be."""
    margin = 0.6 * diameter + cell_px + 16
    for _ in range(8):
        layouts = sample_layouts(rng, kind, size, diameter, margin, profile, taper)
        tubes = [tube for layout in layouts for tube in layout.tubes]
        if not any(_covers(tube.points, diameter, other, size) for tube in tubes for other in others):
            return layouts
    return []


def _covers(points: Floats, diameter: float, other: Vessel, size: tuple[int, int]) -> bool:
    """Say whether a new vessel lies on another one for more than a third of what is seen of it."""
    seen = points[((points >= 0) & (points < size)).all(1)][::4]
    if not len(seen):
        return False
    gap = np.linalg.norm(seen[:, None] - other.centreline[None, ::4], axis=-1).min(1)
    return bool((gap < 0.45 * (diameter + float(other.diameter_px.mean()))).mean() > 0.35)


def build_vessels(
    layout: Layout, taken: int, profile: Profile, speed: float, course: TimeCourse, pixel: float, rate: float
) -> list[Vessel]:
    """Make the vessels of a network; speeds follow from the shares of the flux (v pi d^2 / 4)."""
    built = []
    for number, tube in enumerate(layout.tubes):
        line, diameter, step = lumen(tube.points, tube.diameter)
        built.append(Vessel(taken + number + 1, line, diameter, step, profile, speed, course, pixel, rate))
    area = [_reference_area(vessel) for vessel in built]
    trunk = max(range(len(built)), key=lambda i: layout.tubes[i].flux)
    flows = [tube.flux / layout.tubes[trunk].flux * area[trunk] / a for tube, a in zip(layout.tubes, area, strict=True)]
    return [replace(v, mean_speed_um_s=speed * flow) for v, flow in zip(built, flows, strict=True)]


def _reference_area(vessel: Vessel) -> float:
    """Return the squared radius at which the vessel's mean speed applies (see `vessels.lumen`)."""
    arc = np.linalg.norm(np.diff(vessel.centreline, axis=0), axis=1)
    radius = 0.25 * (vessel.diameter_px[1:] + vessel.diameter_px[:-1])
    return float((radius * arc).sum() / (arc / radius).sum())
