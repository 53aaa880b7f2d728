"""Recordings of both generators on which the trust in numbers is set: neither trained on nor in the benchmark.

Their truth is that of the benchmark's cases, so whatever judges those judges these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from sam2flow_core.config.synthetic import DiscScenes, SceneSettings
from sam2flow_core.config.velocity import GeometrySettings
from sam2flow_core.evaluation.case_sources import case_from_scene
from sam2flow_core.evaluation.cases import Case, VesselTruth
from sam2flow_core.prompts import Prompt
from sam2flow_core.synthetic import sample_scene
from sam2flow_core.synthetic.discs import draw_disc_record
from sam2flow_core.synthetic.discs.disc_appearance import draw_disc_appearance, film_discs
from sam2flow_core.synthetic.random_draws import stream
from sam2flow_core.synthetic.record import RecordPlan, SceneRecord
from sam2flow_core.velocity.centreline import trace_centreline

TRUST = 0x74727573
"""Branch of the seed tree that these recordings are drawn from."""

GENERATORS = ("streamlines", "discs")
_RED_CELL_UM = 7.6
_DISC_RATE_HZ = 150.0
_DISCS = DiscScenes(pixel_size_um=(0.3, 0.9), width_px=(5.0, 50.0), speed_cells=(0.03, 2.0))
_LEAST_PX = 150
"""Of a vessel that is clicked."""
_MOST_VESSELS = 8


def development_case(generator: str, number: int, side: int, frames: int, clicks: int = 3) -> Case:
    """Draw one recording.

    Parameters
    ----------
    generator : str
        One of `GENERATORS`.
    number : int
        The same number gives the same recording.
    side, frames : int
        Size in px, and length.
    clicks : int
        Positive clicks per vessel.
    """
    rng = stream(TRUST, GENERATORS.index(generator), number)
    name = f"{generator}-{number:03d}"
    return (_streamlines if generator == "streamlines" else _discs)(name, rng, side, frames, clicks)


def _streamlines(name: str, rng: np.random.Generator, side: int, frames: int, clicks: int) -> Case:
    settings = SceneSettings(duration_s=max(2.0, frames / SceneSettings().frame_rate_hz[0] + 1))
    scene = sample_scene(rng, (side, side), settings)
    while not scene.masks.any():
        scene = sample_scene(rng, (side, side), settings)
    return case_from_scene(name, scene, np.arange(frames), (clicks,), int(rng.integers(2**31)))


@dataclass(frozen=True)
class _NoField:
    """The dense flow of a disc scene, which nothing here asks for."""

    def __call__(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        raise NotImplementedError(f"pair {pair}: these recordings have velocities of vessels only")


def _discs(name: str, rng: np.random.Generator, side: int, frames: int, clicks: int) -> Case:
    plan = RecordPlan(np.arange(frames), frames, 1)
    truths: list[VesselTruth] = []
    while not truths:
        record = draw_disc_record(rng, side, _DISCS, plan)
        truths = [] if record is None else _disc_truths(record)
    assert record is not None
    prompts = tuple(click for truth in truths for click in _clicks(rng, truth, clicks))
    number = np.sum([truth.mask for truth in truths], axis=0)
    return Case(
        name=name,
        video=_film(rng, record),
        shifts=np.zeros((frames, 2)),
        vessels=tuple(truths),
        overlap=number > 1,
        flow=_NoField(),
        prompts={clicks: prompts},
        pixel_size_um=_RED_CELL_UM / record.cell_px,
        frame_rate_hz=_DISC_RATE_HZ,
    )


def _film(rng: np.random.Generator, record: SceneRecord) -> NDArray[np.float32]:
    canvas = np.zeros((len(record.frames) + 1, record.side**2), np.float32)
    canvas[:-1, record.reached] = record.range[0] + record.range[1] * record.matter
    canvas[-1, record.reached] = record.depth
    shape = (1, len(record.frames), record.side, record.side)
    noise = torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
    style = draw_disc_appearance(rng, record.cell_px, bool(rng.random() < 0.5), bool(rng.random() < 0.5), False)
    matter = torch.from_numpy(canvas[:-1]).reshape(shape)
    depth = torch.from_numpy(canvas[-1:]).reshape(1, record.side, record.side)
    times = torch.arange(shape[1], dtype=torch.float32)[None]
    return np.asarray(film_discs(matter, depth, times, appearances=[style], noise=noise)[0])


def _disc_truths(record: SceneRecord) -> list[VesselTruth]:
    """The larger vessels of a record, those that can be followed by a line."""
    steps = np.diff(record.travel, axis=1)
    found: list[VesselTruth] = []
    for vessel in range(len(record.travel)):
        mine = (record.vessel == vessel) & record.inside
        if mine.sum() < _LEAST_PX:
            continue
        mask = np.zeros((record.side, record.side), bool)
        mask.ravel()[record.pixels[mine]] = True
        line = trace_centreline(mask, GeometrySettings())
        if line is None or line.length < 2 * float(record.radius[mine].mean()):
            continue
        heading = np.zeros((2, record.side**2))
        heading[:, record.pixels[mine]] = record.heading[mine].T
        at = np.rint(line.points).astype(int).clip(0, record.side - 1) @ [record.side, 1]
        along = (heading[0, at] * line.tangents[:, 1] + heading[1, at] * line.tangents[:, 0]).sum()
        speed = record.speed[mine].astype(float) * record.profile[mine]
        middle = np.abs(record.offset[mine]) <= 0.4
        moved = steps[vessel]
        found.append(
            VesselTruth(
                vessel_id=len(found) + 1,
                mask=mask,
                width_px=2 * float(record.radius[mine].mean()),
                centreline=line.points if along >= 0 else line.points[::-1],
                centre_velocity=moved * (float(speed[middle].mean()) if middle.any() else float(speed.mean())),
                mean_velocity=moved * float(speed.mean()),
            )
        )
    return found[:_MOST_VESSELS]


def _clicks(rng: np.random.Generator, truth: VesselTruth, count: int) -> list[Prompt]:
    weight = np.asarray(distance_transform_edt(np.pad(truth.mask, 1))[1:-1, 1:-1]).ravel() ** 2
    places = rng.choice(weight.size, count, p=weight / weight.sum())
    rows, columns = np.unravel_index(places, truth.mask.shape)
    return [Prompt(truth.vessel_id, 0, float(y), float(x), 1) for y, x in zip(rows, columns, strict=True)]
