"""Where in a strip things move as they do at the click: it tells a vessel's walls from those of one that lies over it.

Summed over a recording, the motion of two vessels that lie over each other is one blur. Along the way of the clicked
vessel it comes apart again: the same pairs of frames are pulled straight, the speed at the click is read from each, and
every place is asked whether it moves at that speed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sam2flow_core.config.tracing import StripMotionSettings
from sam2flow_core.model.strip_decoder import MOTION_CHANNELS
from sam2flow_core.tracing.field_map import Floats, arc_lengths

Floats32 = NDArray[np.float32]

_FACTORS = (1.0, 0.5, 0.0, -1.0)
_TINY = 1e-6


def strip_motion(
    pairs: Floats32,
    line: Floats,
    radius: Floats,
    lateral: Floats,
    clicks: NDArray[np.intp],
    settings: StripMotionSettings,
) -> Floats32:
    """Channels (MOTION_CHANNELS, S, W) of a strip.

    Parameters
    ----------
    pairs : ndarray (S, W, 2 P)
        What moves at the strip's points in the first frames of P pairs, then in the second ones.
    line : ndarray (S, 2)
        Centreline, cells.
    radius : ndarray (S,)
        Cells.
    lateral : ndarray (W,)
        Places across, radii.
    clicks : ndarray of int
        Points that are nearest to the clicks.
    """
    shape = (MOTION_CHANNELS, *pairs.shape[:2])
    if not len(clicks) or not pairs.shape[2]:
        return np.zeros(shape, np.float32)
    first, second = np.split(pairs, 2, axis=2)
    arc = arc_lengths(line)
    size = float(radius[clicks].mean())
    near = np.asarray((np.abs(arc[:, None] - arc[clicks]) < settings.window * size).any(1))
    steps, sure = _steps(first, second, arc, near, np.abs(lateral) < settings.core, settings)
    found = np.empty(shape, np.float32)
    for number, factor in enumerate(_FACTORS):
        found[number] = _likeness(first, _ahead(second, arc, factor * steps), settings)
    found[4] = sure
    found[5] = np.log(np.abs(steps).mean() / size + 0.05)
    return found


def _steps(
    first: Floats32,
    second: Floats32,
    arc: Floats,
    near: NDArray[np.bool_],
    core: NDArray[np.bool_],
    settings: StripMotionSettings,
) -> tuple[Floats, float]:
    """Step of each pair (P,) along the way from its first frame to its second, cells, and how sure all are, 0 to 1."""
    tried = np.array([*(-s for s in reversed(settings.steps)), 0.0, *settings.steps])
    here = first[near][:, core]
    score = np.empty((len(tried), first.shape[2]))
    for k, step in enumerate(tried):
        there = _at(second[:, core], arc, arc[near] + step)
        score[k] = (here * there).sum((0, 1)) / np.sqrt((here**2).sum((0, 1)) * (there**2).sum((0, 1)) + _TINY)
    usual = score.mean(1)
    best = (score + settings.usual * usual[:, None]).argmax(0)
    return tried[best], float(score[best, np.arange(len(best))].mean().clip(0, 1))


def _at(values: Floats32, arc: Floats, places: Floats) -> Floats32:
    """Values (S, W, P) at arc lengths (K,), (K, W, P); 0 beyond the ends."""
    at = np.interp(places, arc, np.arange(len(arc)))
    low = np.minimum(at.astype(np.intp), len(arc) - 2)
    share = (at - low).astype(np.float32)[:, None, None]
    found: Floats32 = (1 - share) * values[low] + share * values[low + 1]
    found[(places < arc[0]) | (places > arc[-1])] = 0
    return found


def _ahead(values: Floats32, arc: Floats, steps: Floats) -> Floats32:
    """Values (S, W, P), each pair's a step (P,) further along the way."""
    moved = np.empty_like(values)
    for step in np.unique(steps):
        mine = steps == step
        moved[:, :, mine] = _at(values[:, :, mine], arc, arc + step)
    return moved


def _likeness(first: Floats32, second: Floats32, settings: StripMotionSettings) -> Floats32:
    """Correlation (S, W), -1 to 1, of what is seen round each place."""
    moments = np.stack([(first * second).sum(2), (first**2).sum(2), (second**2).sum(2)])
    both, one, two = gaussian_filter(moments, (0, settings.along, settings.across), mode="nearest")
    return np.asarray(both / np.sqrt(one * two + _TINY), np.float32)
