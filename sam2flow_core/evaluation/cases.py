"""Cases from scenes of the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.evaluation.records import MIDDLE, Case, VesselTruth
from sam2flow_core.prompts import Prompt
from sam2flow_core.synthetic import Scene, cell_flux, film_long, true_displacement, true_flow


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
    kept = [i for i, vessel in enumerate(scene.vessels) if vessel.vessel_id in prompted]
    return Case(
        name=name,
        video=np.concatenate(list(film_long(scene, frames))),
        shifts=scene.shifts(frames),
        vessels=_vessels(scene, kept, frames),
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
    kept: list[int]
    frames: NDArray[np.int64]

    def __call__(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        flow, leaves = true_flow(self.scene, self.frames[pair : pair + 1], self.frames[pair + 1 : pair + 2])
        return flow[0, self.kept].numpy(), leaves[0, self.kept].numpy()


def _nested_clicks(scene: Scene, clicks: tuple[int, ...], seed: int) -> dict[int, tuple[Prompt, ...]]:
    """Draw the most clicks once; fewer are the first of them, as a person adds click to click."""
    most = scene.sample_prompts(np.random.default_rng(seed), max(clicks), 0)
    by_vessel: dict[int, list[Prompt]] = {}
    for prompt in most:
        by_vessel.setdefault(prompt.vessel_id, []).append(prompt)
    return {n: tuple(p for drawn in by_vessel.values() for p in drawn[:n]) for n in clicks}


def _vessels(scene: Scene, kept: list[int], frames: NDArray[np.int64]) -> tuple[VesselTruth, ...]:
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
