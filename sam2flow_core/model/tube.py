"""From a click to its vessel: follow the vessel both ways through the vesselness.

A vessel is an unbranched tube. From each positive click it is followed along the
lines of `vessel_graph` until it ends, forks or meets a negative click; it goes
straight on where two vessels cross. The tube is what lies as near to the line as
the walls do. This is a start that works before anything is learned;
`region_growth` learns to correct it. A box names all that is vessel in it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, POSITIVE
from sam2flow_core.model.vessel_graph import Floats, VesselGraph, trace_graph

_STRIDE = 2
"""Px per cell of the vesselness."""
_SNAP = 8.0
"""px; a click so near to a vessel means it."""
_SHARPNESS = 2.0
"""Logit per px from the tube's wall."""
_CUT = 1.5
"""A negative click ends the vessel within so many radii."""
_OUTSIDE = -8.0
_WALL_SHARE = 0.5
"""Share of the surest vesselness nearby at which a wall is drawn."""
_NEARBY = 10
"""Cells."""


def grow_tubes(
    vesselness: Tensor,
    image_of_vessel: Tensor,
    points: Tensor,
    labels: Tensor,
    reach: float,
    visible: tuple[int, int],
) -> Tensor:
    """Logits of each vessel's tube.

    Parameters
    ----------
    vesselness : Tensor (images, h, w)
        Logits at stride 2.
    image_of_vessel : LongTensor (V,)
    points : Tensor (V, P, 2)
        ``(x, y)`` px.
    labels : LongTensor (V, P)
    reach : float
        Arc length in px that is followed each way.
    visible : tuple of int
        Rows and columns in px of the recorded frame; beyond it the image is padding.

    Returns
    -------
    Tensor (V, h, w)
        Strongly negative for a vessel without a positive click.
    """
    rows, columns = (-(-length // _STRIDE) for length in visible)
    recorded = vesselness[:, :rows, :columns]
    recorded = recorded - _half_height(recorded)
    graphs = [trace_graph(v.float().cpu().numpy()) for v in recorded]
    beyond = (0, vesselness.shape[2] - columns, 0, vesselness.shape[1] - rows)
    vesselness = F.pad(recorded[:, None], beyond, mode="replicate")[:, 0]
    shape = (vesselness.shape[1], vesselness.shape[2])
    clicks, kinds = points.float().cpu().numpy().astype(float), labels.cpu().numpy()
    grown = [_tube(graphs[i], shape, clicks[v], kinds[v], reach) for v, i in enumerate(image_of_vessel.tolist())]
    tubes = torch.from_numpy(np.stack(grown)).to(vesselness)
    # Vessels have the outline that the vesselness gives them.
    return torch.minimum(tubes, vesselness[image_of_vessel].clamp(-8, 8))


def _half_height(vesselness: Tensor) -> Tensor:
    """Where a vessel ends: at a share of how sure its middle is, (images, h, w).

    On recordings unlike the training videos the whole neighbourhood of a vessel
    is given some vesselness; its middle is given more. Each place is held against the
    surest one nearby, not in the image: a faint vessel is a vessel too.
    """
    reach = 2 * _NEARBY + 1
    surest = F.max_pool2d(vesselness.clamp_min(0)[:, None], reach, 1, _NEARBY)
    return _WALL_SHARE * F.avg_pool2d(surest, reach, 1, _NEARBY, count_include_pad=False)[:, 0]


def _tube(
    graph: VesselGraph, shape: tuple[int, int], points: Floats, labels: NDArray[np.integer], reach: float
) -> NDArray[np.float32]:
    cells = (points[:, ::-1] - 0.5) / _STRIDE
    logits = np.full(shape, _OUTSIDE, np.float32)
    first, second = (cells[labels == kind] for kind in (BOX_FIRST, BOX_SECOND))
    if len(first) and len(second):
        (top, left), (bottom, right) = first[0], second[0]
        y, x = np.arange(shape[0])[:, None], np.arange(shape[1])
        logits[(y >= top) & (y <= bottom) & (x >= left) & (x <= right)] = -_OUTSIDE
    stops = cells[labels == NEGATIVE]
    clicks = cells[labels == POSITIVE]
    named = [(click, _from_click(graph, shape, click, stops, reach)) for click in clicks]
    tubes = [tube for _, tube in named if tube is not None]
    for tube in _fewest(tubes, [click for click, tube in named if tube is not None]):
        logits = np.maximum(logits, tube)
    return logits


def _from_click(
    graph: VesselGraph, shape: tuple[int, int], click: Floats, stops: Floats, reach: float
) -> NDArray[np.float32] | None:
    """Tube of the vessel that one click means; None where there is none."""
    found = graph.nearest(*click)
    if found is None or found[2] * _STRIDE > _SNAP:
        return None
    return _around(*_follow(graph, found[0], found[1], stops, reach / _STRIDE), shape)


def _fewest(tubes: list[NDArray[np.float32]], clicks: list[Floats]) -> list[NDArray[np.float32]]:
    """The tubes that are needed to take in the clicks (each began at one), those with the most clicks first.

    A click where two vessels lie over each other may mean either; the other clicks say which.
    """
    if not tubes:
        return []
    rows, columns = np.clip(np.rint(clicks).astype(int), 0, np.array(tubes[0].shape) - 1).T
    taken = np.stack([tube[rows, columns] > 0 for tube in tubes]) | np.eye(len(clicks), dtype=bool)
    left, chosen = np.ones(len(clicks), bool), []
    while left.any():
        best = int((taken & left).sum(1).argmax())
        chosen.append(tubes[best])
        left &= ~taken[best]
    return chosen


def _follow(graph: VesselGraph, number: int, point: int, stops: Floats, reach: float) -> tuple[Floats, Floats]:
    """Points (K, 2) along the vessel through a point of the graph, and the wall's distance (K,) at each."""
    halves = [_half(graph, number, point, at_end, stops, reach) for at_end in (False, True)]
    line = np.concatenate([halves[0][0][::-1], halves[1][0][1:]])
    return line, np.concatenate([halves[0][1][::-1], halves[1][1][1:]])


def _half(
    graph: VesselGraph, number: int, point: int, at_end: bool, stops: Floats, reach: float
) -> tuple[Floats, Floats]:
    own = slice(point, None) if at_end else slice(point, None, -1)
    lines, walls = [graph.lines[number][own]], [_even(graph.radii[number])[own]]
    seen = {number}
    while (arm := graph.onward(number, at_end)) is not None and arm.line not in seen:
        number, at_end = arm.line, not arm.at_end
        seen.add(number)
        turn = slice(None) if at_end else slice(None, None, -1)
        line, wall = graph.lines[number][turn], _even(graph.radii[number])[turn]
        lines += [_bridge(lines[-1][-1], line[0]), line]
        walls += [np.full(len(lines[-2]), min(walls[-1][-1], wall[0])), wall]
    line, wall = np.concatenate(lines), np.concatenate(walls)
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    keep = arc <= reach
    for stop in stops:
        near = np.flatnonzero(np.hypot(*(line - stop).T) < _CUT * wall)
        if len(near):
            # The click itself stays with its vessel however near the other one is.
            keep[max(int(near[0]), 1) :] = False
    return line[keep], wall[keep]


def _even(wall: Floats) -> Floats:
    """Distance to the wall without the blobs at junctions: a vessel keeps its own width there."""
    return np.minimum(wall, 1.3 * np.median(wall))


def _bridge(start: Floats, end: Floats) -> Floats:
    """Points between two lines on either side of a crossing, a cell apart, without the ends."""
    count = int(np.hypot(*(end - start)))
    share = (np.arange(count) + 1.0)[:, None] / (count + 1)
    return start + share * (end - start)


def _around(line: Floats, wall: Floats, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Logits of what lies as near to a line as the walls do."""
    pad = 8
    apart = np.ones((shape[0] + 2 * pad, shape[1] + 2 * pad), bool)
    owner = np.zeros(apart.shape, np.intp)
    place = np.clip(np.rint(line).astype(np.intp) + pad, 0, np.array(apart.shape) - 1)
    apart[tuple(place.T)] = False
    owner[tuple(place.T)] = np.arange(len(line))
    away, nearest = distance_transform_edt(apart, return_indices=True)
    depth = 1.25 * wall[owner[tuple(nearest)]] + 0.75 - away
    logits = np.clip(depth * _STRIDE * _SHARPNESS, _OUTSIDE, -_OUTSIDE)
    return logits[pad:-pad, pad:-pad].astype(np.float32)
