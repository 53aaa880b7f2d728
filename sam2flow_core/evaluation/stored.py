"""Cases from a folder that ``sam2flow synth`` wrote."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sam2flow_core.evaluation.records import MIDDLE, Case, VesselTruth
from sam2flow_core.prompts import Prompt
from sam2flow_core.stack import open_stack
from sam2flow_core.synthetic import StoredCase, StoredVessel


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
        vessels=tuple(_vessel(stored, i) for i in kept),
        overlap=stored.overlap,
        flow=flow,
        prompts={n: _first(positive, n) for n in clicks},
        pixel_size_um=stored.pixel_size_um,
        frame_rate_hz=stored.frame_rate_hz,
    )


def _first(positive: list[Prompt], count: int) -> tuple[Prompt, ...]:
    """Return the first clicks of each vessel."""
    taken = []
    for vessel_id in sorted({p.vessel_id for p in positive}):
        taken += [p for p in positive if p.vessel_id == vessel_id][:count]
    return tuple(taken)


def _vessel(stored: StoredCase, index: int) -> VesselTruth:
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
