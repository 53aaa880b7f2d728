"""Where cases come from: scenes of the generator, filmed when they are needed, and folders of ``sam2flow synth``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

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
    true_displacement,
    true_flow,
    vitals_v1,
)

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
        truths.append(
            VesselTruth(
                vessel_id=vessel.vessel_id,
                mask=mask,
                width_px=float(vessel.diameter_px[inside].mean()),
                centreline=vessel.centreline[inside],
                centre_velocity=vessel.travel_px(start, until) * middle,
                mean_velocity=means[:, index],
                cells_per_frame=float(flux[index]),
            )
        )
    return tuple(truths)


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
