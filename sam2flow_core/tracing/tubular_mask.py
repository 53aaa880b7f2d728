"""From clicks to the tubular mask of their vessel.

A vessel is an unbranched tube. From a positive click it is followed through the vessel
field until it ends, forks or meets a negative click; where that misses other clicks, the vessel
is the one that leads through all of them. The mask is what lies as near to its centreline as it
is wide. A box names all that is vessel in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, median_filter
from torch import Tensor

from sam2flow_core.config.tracing import TracingSettings, TubularMaskSettings
from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, POSITIVE
from sam2flow_core.model.sam2flow import Prompts, TracedMasks
from sam2flow_core.tracing.field_map import FieldMap, Floats
from sam2flow_core.tracing.minimal_path import minimal_path
from sam2flow_core.tracing.tracer import Trace, starts, trace

Floats32 = NDArray[np.float32]


def trace_masks(
    maps: list[FieldMap] | None, image_of_vessel: Tensor, prompts: Prompts, reach: float, settings: TracingSettings
) -> TracedMasks | None:
    """Follow the clicks of V vessels.

    Parameters
    ----------
    maps : list of FieldMap, optional
        The vessel field of each image, all of one size; None where the network has none.
    image_of_vessel : LongTensor (V,)
    prompts : Prompts
    reach : float
        Arc length in px that is followed each way.
    settings : TracingSettings

    Returns
    -------
    TracedMasks or None
        None where there is no vessel field.
    """
    if maps is None:
        return None
    device = prompts.points.device
    clicks, kinds = prompts.points.float().cpu().numpy().astype(float), prompts.labels.cpu().numpy()
    owners = enumerate(image_of_vessel.tolist())
    found = [_tubular_mask(maps[i], clicks[v], kinds[v], reach, settings) for v, i in owners]
    logits, sureness = (np.stack(x).astype(np.float32) for x in zip(*found, strict=True))
    return TracedMasks(torch.from_numpy(logits).to(device), torch.from_numpy(sureness).to(device))


class _Candidate(NamedTuple):
    """A mask that a click may mean: number of the click, logits (h, w), and chance of the vessel along it."""

    click: int
    logits: Floats32
    chance: Floats


def _tubular_mask(
    field: FieldMap, points: Floats, labels: NDArray[np.integer], reach: float, settings: TracingSettings
) -> tuple[Floats32, np.float32]:
    """Logits of a vessel, and how well it fits: its chance along the way, times the share of the clicks in it."""
    cells = field.cells(points)
    first, second = (cells[labels == kind] for kind in (BOX_FIRST, BOX_SECOND))
    logits, chances = np.full(field.shape, settings.mask.outside, np.float32), [np.zeros(0)]
    if len(first) and len(second):
        logits = _boxed(field, first[0], second[0], settings.mask)
        chances.append(1 / (1 + np.exp(-logits[logits > 0])))
    stops, clicks = cells[labels == NEGATIVE], cells[labels == POSITIVE]
    for mask in _follow_clicks(field, clicks, stops, reach / field.stride, settings):
        logits = np.maximum(logits, mask.logits)
        chances.append(mask.chance)
    chance = np.concatenate(chances)
    rows, columns = _nearest(clicks, field.shape)
    caught = np.mean(logits[rows, columns] > 0) if len(clicks) else 1.0
    return logits, np.float32(chance.mean() * caught if len(chance) else 0.0)


def _follow_clicks(
    field: FieldMap, clicks: Floats, stops: Floats, reach: float, settings: TracingSettings
) -> list[_Candidate]:
    """The one mask that takes in all clicks; where there is none, as few as possible."""
    candidates, shape = [], settings.mask
    for number, click in enumerate(clicks):
        for start in starts(field, click, shape.snap_px / field.stride, shape.candidates, settings.follow):
            way = _until(trace(field, start, reach, settings.follow), start.place[None], stops, shape.cut)
            candidates.append(_Candidate(number, _around(way, field, shape), way.chance))
    masks = _fewest(candidates, clicks)
    rows, columns = _nearest(clicks, field.shape)
    if len(clicks) < 2 or (len(masks) == 1 and (masks[0].logits[rows, columns] > 0).all()):
        return masks
    whole = minimal_path(field, clicks, reach, settings)
    if whole is None:
        return masks
    way = _until(whole, clicks, stops, shape.cut)
    return [_Candidate(0, _around(way, field, shape), way.chance)]


def _nearest(cells: Floats, shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells nearest to places (N, 2)."""
    rows, columns = np.clip(np.rint(cells).astype(np.intp), 0, np.array(shape) - 1).T
    return rows, columns


def _boxed(field: FieldMap, one: Floats, other: Floats, settings: TubularMaskSettings) -> Floats32:
    """What is vessel in a box with corners ``(row, column)``."""
    (top, left), (bottom, right) = one, other
    y, x = np.arange(field.shape[0])[:, None], np.arange(field.shape[1])
    inside = (y >= top) & (y <= bottom) & (x >= left) & (x <= right)
    return np.where(inside, field.inside, np.float32(settings.outside))


def _fewest(candidates: list[_Candidate], clicks: Floats) -> list[_Candidate]:
    """The masks that are needed to take in the clicks, those with the most of them first.

    A click where two vessels lie over each other may mean either; the other clicks say which.
    """
    if not candidates:
        return []
    rows, columns = _nearest(clicks, candidates[0].logits.shape)
    meant = [candidate.click for candidate in candidates]
    taken = np.stack([candidate.logits[rows, columns] > 0 for candidate in candidates])
    taken[np.arange(len(candidates)), meant] = True
    left, chosen = np.isin(np.arange(len(clicks)), meant), []
    while left.any():
        best = int((taken & left).sum(1).argmax())
        chosen.append(candidates[best])
        left &= ~taken[best]
    return chosen


def _until(way: Trace, places: Floats, stops: Floats, radii: float) -> Trace:
    """What is left of a vessel between the negative clicks on either side of the places (N, 2) it was followed from."""
    line, radius = way.line, way.radius
    here = [int(np.hypot(*(line - place).T).argmin()) for place in places]
    first, last = 0, len(line)
    for stop in stops:
        near = np.flatnonzero(np.hypot(*(line - stop).T) < radii * radius)
        # The click itself stays with its vessel however near the other one is.
        first = max([first, *(near[near < min(here)] + 1)])
        last = min([last, *near[near > max(here)]])
    return way.part(first, last)


def _around(way: Trace, field: FieldMap, settings: TubularMaskSettings) -> Floats32:
    """Logits of what lies as near to a centreline as the vessel is wide there."""
    pad = 8
    radius = median_filter(way.radius, settings.even, mode="nearest") - settings.inset
    apart = np.ones((field.shape[0] + 2 * pad, field.shape[1] + 2 * pad), bool)
    owner = np.zeros(apart.shape, np.intp)
    place = np.clip(np.rint(way.line).astype(np.intp) + pad, 0, np.array(apart.shape) - 1)
    apart[tuple(place.T)] = False
    owner[tuple(place.T)] = np.arange(len(place))
    away, nearest = distance_transform_edt(apart, return_indices=True)
    depth = radius[owner[tuple(nearest)]] - away
    logits = np.clip(depth * field.stride * settings.sharpness, settings.outside, -settings.outside)
    result: Floats32 = logits[pad:-pad, pad:-pad].astype(np.float32)
    return result
