"""Where cases come from: scenes of the generators, for the benchmark or for development, and folders of recordings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from sam2flow_core.config.synthetic import DiscScenes, SceneSettings
from sam2flow_core.config.velocity import GeometrySettings
from sam2flow_core.errors import DataError
from sam2flow_core.evaluation.cases import MIDDLE, Case, VesselTruth
from sam2flow_core.prompts import Prompt
from sam2flow_core.stack import open_stack
from sam2flow_core.synthetic import (
    BenchCase,
    Scene,
    StoredCase,
    StoredVessel,
    bench_obm,
    bench_v1,
    cell_flux,
    film_long,
    read_cases,
    sample_scene,
    true_displacement,
    true_flow,
    vitals_v1,
)
from sam2flow_core.synthetic.discs import draw_disc_record
from sam2flow_core.synthetic.discs.disc_appearance import draw_disc_appearance, film_discs
from sam2flow_core.synthetic.random_draws import stream
from sam2flow_core.synthetic.record import RecordPlan, SceneRecord
from sam2flow_core.velocity.centreline import trace_centreline

_BENCHMARKS = {"synthetic:bench-v1": bench_v1, "synthetic:bench-obm": bench_obm}
_PULSE_RECORDINGS = {"synthetic:bench-v1": vitals_v1}
"""Recordings of the same benchmark that are long enough for heartbeats; nothing else is judged on them."""


@dataclass(frozen=True)
class LazyCase:
    """A case that is filmed or read when it is needed.

    Attributes
    ----------
    name : str
    about : str
        What it is there for.
    frames : int
    fingerprint : str
        Changes whenever the case's settings change.
    open : callable
        Films or reads the case.
    """

    name: str
    about: str
    frames: int
    fingerprint: str
    open: Callable[[], Case]


def find_cases(data: str, clicks: tuple[int, ...], names: Sequence[str] = ()) -> tuple[LazyCase, ...]:
    """List the cases of a benchmark.

    Parameters
    ----------
    data : str
        ``synthetic:bench-v1``, ``synthetic:bench-obm``, or a folder written by ``sam2flow synth``.
    clicks : tuple of int
        Numbers of positive clicks per vessel to draw.
    names : sequence of str
        Of the cases wanted; all of them by default.

    Raises
    ------
    DataError
        If there is no such benchmark, folder or case.
    """
    found = _all_cases(data)
    there = [case.name for case in found]
    for name in names:
        if name not in there:
            raise DataError(f"{data}: no case '{name}'; there are {', '.join(there)}")
    return tuple(_lazy(case, clicks) for case in found if not names or case.name in names)


def find_pulse_cases(data: str, clicks: tuple[int, ...]) -> tuple[LazyCase, ...]:
    """List the recordings on which pulse and cell flux are judged; parameters as those of `find_cases`."""
    return tuple(_lazy(case, clicks) for case in _PULSE_RECORDINGS[data]()) if data in _PULSE_RECORDINGS else ()


def _all_cases(data: str) -> Sequence[BenchCase | StoredCase]:
    if data in _BENCHMARKS:
        return _BENCHMARKS[data]()
    if data.startswith("synthetic:"):
        raise DataError(f"{data}: no such benchmark; there is {', '.join(_BENCHMARKS)}")
    return read_cases(Path(data))


def _lazy(case: BenchCase | StoredCase, clicks: tuple[int, ...]) -> LazyCase:
    return _bench_case(case, clicks) if isinstance(case, BenchCase) else _stored_case(case, clicks)


def _bench_case(case: BenchCase, clicks: tuple[int, ...]) -> LazyCase:
    return LazyCase(case.name, case.about, case.length, _digest(case), partial(_film, case, clicks))


def _digest(case: BenchCase) -> str:
    """Return a digest of two frames: it changes with the generator, as well as with the settings."""
    scene, frames = case.scene(), case.frames()
    digest = hashlib.sha256(repr(case).encode())
    for part in film_long(scene, frames[[0, len(frames) // 2]]):
        # Rounded: the last bits differ from one processor to the next.
        digest.update(np.round(255 * part).astype(np.uint8).tobytes())
    return digest.hexdigest()


def _film(case: BenchCase, clicks: tuple[int, ...]) -> Case:
    return case_from_scene(case.name, case.scene(), case.frames(), clicks, case.seed)


def _stored_case(case: StoredCase, clicks: tuple[int, ...]) -> LazyCase:
    changed = (case.stack.parent / "truth.zarr").stat().st_mtime_ns, case.stack.stat().st_mtime_ns
    fingerprint = f"{case.stack.resolve()} {changed}"
    return LazyCase(case.name, "", len(case.shifts), fingerprint, partial(case_from_disk, case, clicks))


def case_from_scene(name: str, scene: Scene, frames: NDArray[np.int64], clicks: tuple[int, ...], seed: int) -> Case:
    """Film a scene and put its truth beside it.

    Parameters
    ----------
    name : str
    scene : Scene
    frames : ndarray of int, shape (T,)
        The scene's frame that each recorded frame shows; from 0, ascending, with gaps and repeats where frames were
        lost or repeated. The truth of a pair is what its two frames show.
    clicks : tuple of int
        Numbers of positive clicks per vessel to draw.
    seed : int
        Of the clicks.

    Returns
    -------
    Case
        Vessels that show too few pixels to be clicked are left out.
    """
    prompts = _nested_clicks(scene, clicks, seed)
    prompted = {p.vessel_id for p in prompts[max(clicks)]}
    kept = tuple(i for i, vessel in enumerate(scene.vessels) if vessel.vessel_id in prompted)
    return Case(
        name=name,
        video=np.concatenate(list(film_long(scene, frames))),
        shifts=scene.shifts(frames),
        vessels=_scene_vessels(scene, kept, frames),
        overlap=scene.masks.sum(0) > 1,
        flow=_SceneFlow(scene, kept, frames),
        prompts=prompts,
        pixel_size_um=scene.pixel_size_um,
        frame_rate_hz=scene.frame_rate_hz,
    )


@dataclass(frozen=True)
class _SceneFlow:
    """The exact flow of any pair, worked out when asked: that of a long video would not fit in memory."""

    scene: Scene
    kept: tuple[int, ...]
    frames: NDArray[np.int64]

    def __call__(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        flow, leaves = true_flow(self.scene, self.frames[pair : pair + 1], self.frames[pair + 1 : pair + 2])
        return flow[0, list(self.kept)].numpy(), leaves[0, list(self.kept)].numpy()


def _nested_clicks(scene: Scene, clicks: tuple[int, ...], seed: int) -> dict[int, tuple[Prompt, ...]]:
    """Draw the most clicks once; fewer are the first of them, as a person adds click to click."""
    most = scene.sample_prompts(np.random.default_rng(seed), max(clicks), 0)
    by_vessel: dict[int, list[Prompt]] = {}
    for prompt in most:
        by_vessel.setdefault(prompt.vessel_id, []).append(prompt)
    return {n: tuple(p for drawn in by_vessel.values() for p in drawn[:n]) for n in clicks}


def _scene_vessels(scene: Scene, kept: tuple[int, ...], frames: NDArray[np.int64]) -> tuple[VesselTruth, ...]:
    start, until = frames[:-1], frames[1:]
    means = true_displacement(scene, start, until)
    flux = cell_flux(scene, frames)
    masks = scene.masks
    truths = []
    for index in kept:
        vessel, mask = scene.vessels[index], masks[index]
        inside = ((vessel.centreline >= 0) & (vessel.centreline <= np.array(mask.shape) - 1)).all(1)
        inside = inside if inside.any() else np.ones_like(inside)
        middle = float(vessel.profile(np.linspace(-MIDDLE, MIDDLE, 41)).mean())
        lumen = scene.lumens[index]
        local = vessel.pace(lumen.transit) * vessel.profile(lumen.rho) * vessel.travel_px(start, until).mean()
        truths.append(
            VesselTruth(
                vessel_id=vessel.vessel_id,
                mask=mask,
                width_px=float(vessel.diameter_px[inside].mean()),
                centreline=vessel.centreline[inside],
                centre_velocity=vessel.travel_px(start, until) * middle,
                mean_velocity=means[:, index],
                cells_per_frame=float(flux[index]),
                local_velocity=_on_grid(mask.shape, lumen.pixels, local),
            )
        )
    return tuple(truths)


def _on_grid(shape: tuple[int, ...], pixels: NDArray[np.int64], values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Lay values of flat `pixels` on a grid, NaN elsewhere."""
    grid = np.full(shape, np.nan, np.float32)
    grid.ravel()[pixels] = values
    return grid


def case_from_disk(stored: StoredCase, clicks: tuple[int, ...]) -> Case:
    """Put a stored recording and its truth together; vessels without a positive click are left out.

    Parameters
    ----------
    stored : StoredCase
    clicks : tuple of int
        Numbers of positive clicks to judge by: the first so many of the stored ones.
    """
    positive = [p for p in stored.prompts if p.label == 1 and p.frame == 0]
    kept = [i for i, vessel in enumerate(stored.vessels) if any(p.vessel_id == vessel.vessel_id for p in positive)]

    def flow(pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        field, leaves = stored.flow(pair)
        return field[kept], leaves[kept]

    return Case(
        name=stored.name,
        video=open_stack(stored.stack).as_array(),
        shifts=stored.shifts,
        vessels=tuple(_stored_vessel(stored, i) for i in kept),
        overlap=stored.overlap,
        flow=flow,
        prompts={n: _first_clicks(positive, n) for n in clicks},
        pixel_size_um=stored.pixel_size_um,
        frame_rate_hz=stored.frame_rate_hz,
    )


def _first_clicks(positive: list[Prompt], count: int) -> tuple[Prompt, ...]:
    """Return the first clicks of each vessel."""
    taken = []
    for vessel_id in sorted({p.vessel_id for p in positive}):
        taken += [p for p in positive if p.vessel_id == vessel_id][:count]
    return tuple(taken)


def _stored_vessel(stored: StoredCase, index: int) -> VesselTruth:
    vessel = stored.vessels[index]
    inside = ((vessel.centreline >= 0) & (vessel.centreline <= np.array(vessel.mask.shape) - 1)).all(1)
    inside = inside if inside.any() else np.ones_like(inside)
    return VesselTruth(
        vessel_id=vessel.vessel_id,
        mask=vessel.mask,
        width_px=float(vessel.diameter_px[inside].mean()),
        centreline=vessel.centreline[inside],
        centre_velocity=vessel.displacement * _crest(stored, index, vessel),
        mean_velocity=vessel.displacement,
    )


def _crest(stored: StoredCase, index: int, vessel: StoredVessel) -> float:
    """Return the speed in the middle of a vessel over its mean, from the pair in which it moves most."""
    pair = int(np.abs(vessel.displacement).argmax())
    speed = np.hypot(*stored.flow(pair)[0][index])
    pixels = np.argwhere(vessel.mask)
    distance, nearest = cKDTree(vessel.centreline).query(pixels)
    middle = pixels[distance <= MIDDLE * vessel.diameter_px[nearest] / 2]
    mean = float(speed[vessel.mask].mean())
    return float(speed[tuple(middle.T)].mean()) / mean if len(middle) and mean else 1.0


TRUST = 0x74727573
"""Branch of the seed tree that these recordings are drawn from."""

GENERATORS = ("streamlines", "discs")
_RED_CELL_UM = 7.6
_DISC_RATE_HZ = 150.0
_DISCS = DiscScenes(pixel_size_um=(0.3, 0.9), width_px=(5.0, 50.0), speed_cells=(0.03, 2.0))
_LEAST_PX = 150
"""Of a vessel that is clicked."""
_MOST_VESSELS = 8
_THICK = 0.1
"""Of a red cell, that is seen."""
_ALONE = 0.3
"""Share of a vessel by which it can be told what passes it."""


def development_case(
    generator: str, number: int, side: int, frames: int, clicks: int = 3, most_vessels: int | None = _MOST_VESSELS
) -> Case:
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
    most_vessels : int or None
        Of a disc scene that are told; None: all that can be followed by a line.
    """
    rng = stream(TRUST, GENERATORS.index(generator), number)
    name = f"{generator}-{number:03d}"
    if generator == "streamlines":
        return _streamlines(name, rng, side, frames, clicks)
    return _discs(name, rng, side, frames, clicks, most_vessels)


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


def _discs(name: str, rng: np.random.Generator, side: int, frames: int, clicks: int, most: int | None) -> Case:
    plan = RecordPlan(np.arange(frames), frames, 1)
    truths: list[VesselTruth] = []
    while not truths:
        record = draw_disc_record(rng, side, _DISCS, plan)
        truths = [] if record is None else _disc_truths(record)[:most]
    assert record is not None
    prompts = tuple(click for truth in truths for click in _clicks(rng, truth, clicks))
    number = np.sum([truth.mask for truth in truths], axis=0)
    return Case(
        name=name,
        video=_film_discs(rng, record),
        shifts=np.zeros((frames, 2)),
        vessels=tuple(truths),
        overlap=number > 1,
        flow=_NoField(),
        prompts={clicks: prompts},
        pixel_size_um=_RED_CELL_UM / record.cell_px,
        frame_rate_hz=_DISC_RATE_HZ,
    )


def _film_discs(rng: np.random.Generator, record: SceneRecord) -> NDArray[np.float32]:
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
    passed, vessels = _passed(record), np.bincount(record.pixels[record.inside], minlength=record.side**2)
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
        here = record.pixels[mine]
        alone = here[vessels[here] == 1]
        found.append(
            VesselTruth(
                vessel_id=len(found) + 1,
                mask=mask,
                width_px=2 * float(record.radius[mine].mean()),
                centreline=line.points if along >= 0 else line.points[::-1],
                centre_velocity=moved * (float(speed[middle].mean()) if middle.any() else float(speed.mean())),
                mean_velocity=moved * float(speed.mean()),
                # Where vessels lie over each other, cells may be those of another.
                perfused=float(passed[alone if len(alone) >= _ALONE * len(here) else here].mean()),
                local_velocity=_on_grid(mask.shape, record.pixels[mine], speed * float(moved.mean())),
            )
        )
    return found


def _passed(record: SceneRecord) -> NDArray[np.bool_]:
    """Where in a record's picture, flat, the thickness of the cells changes."""
    passed = np.zeros(record.side**2, bool)
    passed[record.reached] = record.range[1] * np.ptp(record.matter, axis=0).astype(float) > _THICK
    return passed


def _clicks(rng: np.random.Generator, truth: VesselTruth, count: int) -> list[Prompt]:
    weight = np.asarray(distance_transform_edt(np.pad(truth.mask, 1))[1:-1, 1:-1]).ravel() ** 2
    places = rng.choice(weight.size, count, p=weight / weight.sum())
    rows, columns = np.unravel_index(places, truth.mask.shape)
    return [Prompt(truth.vessel_id, 0, float(y), float(x), 1) for y, x in zip(rows, columns, strict=True)]
