"""Clicks on true vessels, drawn as a person would: well inside them, or clearly beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from sam2flow_core.prompts import Prompt
from sam2flow_core.synthetic.vessels import Floats, Vessel

SMALLEST_VESSEL_PX = 30


def sample_prompts(
    vessels: tuple[Vessel, ...],
    masks: NDArray[np.bool_],
    shift: Floats,
    rng: np.random.Generator,
    n_pos: int,
    n_neg: int,
    frame: int,
) -> tuple[Prompt, ...]:
    """Draw positive and negative clicks for every vessel, in pixels of frame ``frame`` as recorded.

    Positive clicks are drawn with probability proportional to the squared distance to the border of the vessel (away
    from overlaps where possible), negative ones to the distance from it (up to 30 px). Vessels of which fewer
    than 30 pixels are seen get none.

    Parameters
    ----------
    vessels : tuple of Vessel
    masks : ndarray of bool, shape (V, H, W)
    shift : ndarray, shape (2,)
        (dy, dx) of the tissue in that frame.
    rng : numpy.random.Generator
    n_pos, n_neg : int
        Clicks of each kind for each vessel.
    frame : int
    """
    clicks: list[Prompt] = []
    for vessel, mask in zip(vessels, masks, strict=True):
        if mask.sum() < SMALLEST_VESSEL_PX:
            continue
        alone = mask & (masks.sum(0) == 1)
        inner = alone if alone.sum() >= SMALLEST_VESSEL_PX else mask
        for label, count, weight in ((1, n_pos, _depth(inner)), (0, n_neg, _outside(mask))):
            for y, x in _draw(rng, weight, count):
                spot = np.clip((y + shift[0], x + shift[1]), 0, np.array(mask.shape) - 1)
                clicks.append(Prompt(vessel.vessel_id, frame, float(spot[0]), float(spot[1]), label))
    return tuple(clicks)


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]) ** 2


def _outside(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    gap = np.asarray(distance_transform_edt(~mask))
    return np.where((gap > 2) & (gap < 30), gap, 0.0)


def _draw(rng: np.random.Generator, weight: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Draw ``count`` pixels (y, x) with the given weights; none where all weights are zero."""
    total = weight.sum()
    if count == 0 or total == 0:
        return np.zeros((0, 2), np.int64)
    flat = rng.choice(weight.size, count, p=weight.ravel() / total)
    return np.stack(np.unravel_index(flat, weight.shape), 1)
