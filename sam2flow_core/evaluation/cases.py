"""Cases from scenes of the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.evaluation.records import Case, VesselTruth
from sam2flow_core.prompts import Prompt
from sam2flow_core.synthetic import Scene
from sam2flow_core.synthetic.film import film
from sam2flow_core.synthetic.truth import true_flow
from sam2flow_core.synthetic.vessels import Vessel

FRAMES_AT_ONCE = 16


def case_from_scene(name: str, scene: Scene, frames: int, clicks: tuple[int, ...], seed: int) -> Case:
    """Film a scene and put its truth beside it.

    Parameters
    ----------
    name : str
    scene : Scene
    frames : int
        Length of the video.
    clicks : tuple of int
        Numbers of positive clicks per vessel to draw.
    seed : int
        Of the clicks.

    Returns
    -------
    Case
        Vessels that show too few pixels to be clicked are left out.
    """
    index = np.arange(frames)
    shifts = scene.shifts(index)
    parts = [
        film(scene, part, shifts[part], "cpu").numpy() for part in np.array_split(index, -(-frames // FRAMES_AT_ONCE))
    ]
    prompts = _nested_clicks(scene, clicks, seed)
    prompted = {p.vessel_id for p in prompts[max(clicks)]}
    kept = [i for i, vessel in enumerate(scene.vessels) if vessel.vessel_id in prompted]
    return Case(
        name=name,
        video=np.concatenate(parts),
        shifts=shifts,
        vessels=tuple(_vessel(scene.vessels[i], scene.masks[i], index[:-1]) for i in kept),
        overlap=scene.masks.sum(0) > 1,
        flow=_SceneFlow(scene, kept),
        prompts=prompts,
        pixel_size_um=scene.pixel_size_um,
        frame_rate_hz=scene.frame_rate_hz,
    )


@dataclass(frozen=True)
class _SceneFlow:
    """The exact flow of any pair, worked out when asked: that of a long video would not fit in memory."""

    scene: Scene
    kept: list[int]

    def __call__(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        flow, leaves = true_flow(self.scene, np.array([pair]))
        return flow[0, self.kept].numpy(), leaves[0, self.kept].numpy()


def _nested_clicks(scene: Scene, clicks: tuple[int, ...], seed: int) -> dict[int, tuple[Prompt, ...]]:
    """Draw the most clicks once; fewer are the first of them, as a person adds click to click."""
    most = scene.sample_prompts(np.random.default_rng(seed), max(clicks), 0)
    by_vessel: dict[int, list[Prompt]] = {}
    for prompt in most:
        by_vessel.setdefault(prompt.vessel_id, []).append(prompt)
    return {n: tuple(p for drawn in by_vessel.values() for p in drawn[:n]) for n in clicks}


def _vessel(vessel: Vessel, mask: NDArray[np.bool_], pairs: NDArray[np.int64]) -> VesselTruth:
    inside = ((vessel.centreline >= 0) & (vessel.centreline <= np.array(mask.shape) - 1)).all(1)
    return VesselTruth(
        vessel_id=vessel.vessel_id,
        mask=mask,
        width_px=float(vessel.diameter_px[inside].mean() if inside.any() else vessel.diameter_px.mean()),
        centreline=vessel.centreline[inside],
        centre_velocity=vessel.travel_px(pairs) * float(vessel.profile(np.zeros(1))[0]),
    )
