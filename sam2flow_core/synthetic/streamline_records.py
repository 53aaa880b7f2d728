"""Scenes of streamlines (`scene`) as records for training: cells drawn, truth kept along the streamlines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.cell_population import Population
from sam2flow_core.synthetic.film import thickness_of_cells
from sam2flow_core.synthetic.raster import Lumen, rasterise
from sam2flow_core.synthetic.record import WALL_PX, RecordPlan, SceneRecord, Streams, pack_record
from sam2flow_core.synthetic.scene import Network, Scene, sample_scene
from sam2flow_core.synthetic.vessels import Floats, Vessel

GENERATOR = 0


def draw_streamline_record(
    rng: np.random.Generator, side: int, settings: SceneSettings, plan: RecordPlan
) -> SceneRecord | None:
    """Draw a scene and its cells; None where no vessel is seen in it."""
    scene = sample_scene(rng, (side, side), settings)
    scene = replace(scene, networks=(*scene.networks, *_slow_layers(rng, scene, settings)))
    thickness = thickness_of_cells(scene, plan.frames, np.zeros((len(plan.frames), 2)), 0, "cpu").numpy()
    lumens = [rasterise(vessel, scene.size, 0, margin=WALL_PX) for vessel in scene.vessels]
    seen = [number for number, lumen in enumerate(lumens) if (np.abs(lumen.rho) <= 1).any()]
    if not seen or not np.isfinite(thickness).all():
        return None
    depth = np.zeros(side * side, np.float32)
    for number in seen:
        chord = np.sqrt(np.clip(1 - lumens[number].rho ** 2, 0, 1))
        depth[lumens[number].pixels] = np.maximum(depth[lumens[number].pixels], chord)
    vessels = [scene.vessels[number] for number in seen]
    streams = [_streams(vessel, lumens[number]) for vessel, number in zip(vessels, seen, strict=True)]
    headings, speeds, profiles, radii = (np.concatenate(parts) for parts in zip(*streams, strict=True))
    told = Streams(
        vessel=np.repeat(np.arange(len(seen)), [len(lumens[n].pixels) for n in seen]),
        pixels=np.concatenate([lumens[n].pixels for n in seen]),
        heading=headings,
        speed=speeds,
        profile=profiles,
        offset=np.concatenate([lumens[n].rho for n in seen]),
        radius=radii,
    )
    times = plan.frames / scene.frame_rate_hz
    travel = np.stack([vessel.course.travel(times) for vessel in vessels]) * scene.frame_rate_hz
    deep = depth.reshape(side, side)
    return pack_record(GENERATOR, scene.cell_px, plan, thickness, deep, told, travel, _ends(vessels, side))


def _slow_layers(rng: np.random.Generator, scene: Scene, settings: SceneSettings) -> list[Network]:
    """Draw cells that creep along the walls, for a share of the networks: what slow flow is mistaken for."""
    return [
        replace(network, population=_creeping(rng, network.population))
        for network in scene.networks
        if rng.random() < settings.slow_layers
    ]


def _creeping(rng: np.random.Generator, population: Population) -> Population:
    cells = len(population.cycle)
    some = rng.permutation(cells)[: max(1, round(cells * rng.uniform(0.1, 0.5)))]
    slower = float(np.exp(rng.uniform(np.log(0.01), np.log(0.3))))
    rho = rng.choice([-1, 1], (len(some), 1)) * rng.uniform(0.75, 0.98, (len(some), 1))
    return replace(
        population,
        stage_vessel=population.stage_vessel[some],
        stage_rho=np.broadcast_to(rho, population.stage_rho[some].shape),
        stage_speed=population.stage_speed[some] * slower,
        ends=population.ends[some] / slower,
        cycle=population.cycle[some] / slower,
        start=population.start[some] / slower,
    )


def _streams(vessel: Vessel, lumen: Lumen) -> tuple[Floats, Floats, Floats, Floats]:
    """Unit headings (N, 2) as ``(dx, dy)``, speed and profile as in `SceneRecord`, radius px, at the px of a lumen."""
    knot = np.clip((lumen.transit / vessel.step).astype(np.int64), 0, len(vessel.centreline) - 2)
    line = np.diff(vessel.centreline, axis=0)[knot]
    arms = np.diff(0.5 * vessel.diameter_px[:, None] * vessel.normals, axis=0)[knot]
    way = line + np.clip(lumen.rho, -1, 1)[:, None] * arms
    pace = np.linalg.norm(way, axis=1) / vessel.step
    speed = pace * vessel.mean_speed_px_s / vessel.frame_rate_hz
    profile = vessel.profile(np.clip(lumen.rho, -1, 1))
    unit = way / np.linalg.norm(way, axis=1, keepdims=True)
    return unit[:, ::-1], speed, profile, 0.5 * vessel.diameter_px[knot]


def _ends(vessels: list[Vessel], side: int) -> NDArray[np.float32]:
    """Ends inside the frame (E, 3): ``(y, x)`` and radius, px."""
    ends = [
        [*place, 0.5 * width]
        for vessel in vessels
        for place, width in zip(vessel.centreline[[0, -1]], vessel.diameter_px[[0, -1]], strict=True)
        if (place >= 0).all() and (place < side).all()
    ]
    return np.array(ends, np.float32).reshape(-1, 3)
