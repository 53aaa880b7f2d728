"""From a click to its vessel: follow the vessel both ways through the vesselness.

A vessel is an unbranched tube. From each positive click a path follows the local
direction of the vesselness until it leaves the vessels, comes to a fork or meets
a negative click; it goes straight on where two vessels cross. The tube is what
lies as near to the path as the walls do. This is a
start that works before anything is learned; `region_growth` learns to correct it.
A box names all that is vessel in it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, POSITIVE
from sam2flow_core.model.tangent import direction_field

_STRIDE = 2
"""Px per cell of the vesselness."""
_STEP = 2.0
_SNAP = 8.0
"""px; a click so near to a vessel means it."""
_GAP = 4
"""Steps a path may cross where no vessel is seen."""
_WIDEST = 20
"""Cells; half the width of the widest vessel."""
_SHARPNESS = 2.0
"""Logit per px from the tube's wall."""
_CUT = 1.5
"""A negative click ends the path within so many radii."""
_OUTSIDE = -8.0
_FORK = 3
_WALL_SHARE = 0.35
"""Share of the surest vesselness at which a wall is drawn."""


def grow_tubes(vesselness: Tensor, points: Tensor, labels: Tensor, reach: float) -> Tensor:
    """Logits of each vessel's tube.

    Parameters
    ----------
    vesselness : Tensor (V, h, w)
        Logits at stride 2, of the image each vessel lies in.
    points : Tensor (V, P, 2)
        ``(x, y)`` px.
    labels : LongTensor (V, P)
    reach : float
        Arc length in px that is followed each way.

    Returns
    -------
    Tensor (V, h, w)
        Strongly negative for a vessel without a positive click.
    """
    vesselness = vesselness - _half_height(vesselness)
    inside = (vesselness > 0).float()
    field = direction_field(F.avg_pool2d(inside[:, None], 2)[:, 0])
    radius = _wall_distance(inside)
    rows = [_tube(inside[v], field[v], radius[v], points[v], labels[v], reach) for v in range(len(points))]
    tubes = torch.stack(rows)
    # Vessels have the outline that the vesselness gives them.
    return torch.minimum(tubes, vesselness.clamp(-8, 8))


def _half_height(vesselness: Tensor) -> Tensor:
    """Where a vessel ends: at a share of how sure its middle is, (V, 1, 1).

    On recordings unlike the training videos the whole neighbourhood of a vessel
    is given some vesselness; its middle is given more.
    """
    heights = [
        _WALL_SHARE * torch.quantile(v[v > 0], 0.8) if bool((v > 0).any()) else v.new_zeros(()) for v in vesselness
    ]
    return torch.stack(heights)[:, None, None]


def _arms(inside: Tensor, point: Tensor, reach: float) -> int:
    """Number of vessels that leave a point (x, y) px: 2 along a vessel, 3 at a fork, 4 where two cross.

    Counted on a ring; a neighbour that the point cannot see along a straight line does not count.
    """
    angles = torch.arange(48, device=inside.device) * (2 * math.pi / 48)
    rays = torch.stack([angles.cos(), angles.sin()], 1)
    # Close enough that no wall between two neighbours is stepped over.
    steps = torch.linspace(0.3, 1.0, max(3, int(reach / _STRIDE)), device=inside.device) * reach
    places = point + rays * steps[:, None, None]
    cells = ((places + 0.5) / _STRIDE).floor().long()
    h, w = inside.shape
    within = (cells >= 0).all(-1) & (cells[..., 0] < w) & (cells[..., 1] < h)
    seen = inside[cells[..., 1].clamp(0, h - 1), cells[..., 0].clamp(0, w - 1)] * within
    open_way = seen.prod(0)
    return int((open_way > open_way.roll(1)).sum())


def _wall_distance(inside: Tensor) -> Tensor:
    """Distance to the nearest wall in px, counted by erosion."""
    left, distance = inside[:, None], inside[:, None].clone()
    for _ in range(_WIDEST):
        left = -F.max_pool2d(-left, 3, 1, 1)
        distance = distance + left
    return distance[:, 0] * _STRIDE


def _tube(inside: Tensor, field: Tensor, radius: Tensor, points: Tensor, labels: Tensor, reach: float) -> Tensor:
    h, w = inside.shape
    logits = torch.full_like(inside, _OUTSIDE)
    stops = points[labels == NEGATIVE]
    corners = [points[labels == kind] for kind in (BOX_FIRST, BOX_SECOND)]
    y = torch.arange(h, device=inside.device) * _STRIDE + 0.5
    x = torch.arange(w, device=inside.device) * _STRIDE + 0.5
    if len(corners[0]) and len(corners[1]):
        (left, top), (right, bottom) = corners[0][0], corners[1][0]
        boxed = ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right))
        logits = torch.where(boxed, -_OUTSIDE, logits)
    for click in points[labels == POSITIVE]:
        start = _snap(inside, radius, click)
        if start is None:
            continue
        path, wall = _follow(inside, field, radius, start, stops, reach)
        away = torch.sqrt((path[:, 0, None, None] - x) ** 2 + (path[:, 1, None, None] - y[:, None]) ** 2)
        depth = (1.25 * wall + 1.5)[:, None, None] - away
        logits = torch.maximum(logits, (depth.amax(0) * _SHARPNESS).clamp(_OUTSIDE, -_OUTSIDE))
    return logits


def _snap(inside: Tensor, radius: Tensor, click: Tensor) -> Tensor | None:
    """Middle of the vessel nearest to the click; None if none is near."""
    cells = torch.nonzero(inside)
    if not len(cells):
        return None
    away = (cells.flip(1).float() * _STRIDE + 0.5 - click).norm(dim=1)
    if float(away.min()) > _SNAP:
        return None
    row, column = cells[away.argmin()].tolist()
    for _ in range(_WIDEST):
        top, left = max(row - 1, 0), max(column - 1, 0)
        around = radius[top : row + 2, left : column + 2]
        if float(around.max()) <= float(radius[row, column]):
            break
        step_row, step_column = divmod(int(around.argmax()), around.shape[1])
        row, column = top + step_row, left + step_column
    return click.new_tensor([column * _STRIDE + 0.5, row * _STRIDE + 0.5])


def _follow(
    inside: Tensor, field: Tensor, radius: Tensor, start: Tensor, stops: Tensor, reach: float
) -> tuple[Tensor, Tensor]:
    """Points (K, 2) px of the path through ``start`` and the wall's distance (K,) at each."""
    h, w = inside.shape

    def cell(point: Tensor, stride: float, rows: int, columns: int) -> tuple[int, int]:
        column, row = ((point + 0.5) / stride).floor().long().tolist()
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)

    typical = radius[cell(start, _STRIDE, h, w)].clamp_min(1.0)
    points, walls = [start], [typical]
    for sign in (-1.0, 1.0):
        point, heading, gap = start, None, 0
        for _ in range(int(reach / _STEP)):
            cosine, sine = field[(slice(None), *cell(point, 2 * _STRIDE, *field.shape[1:]))].tolist()
            angle, sure = 0.5 * math.atan2(sine, cosine), math.hypot(cosine, sine)
            ahead = start.new_tensor([math.cos(angle), math.sin(angle)])
            if heading is None:
                heading = ahead * sign
            else:
                ahead = ahead if float(ahead @ heading) >= 0 else -ahead
                # Where vessels meet there is no sure direction, and the path goes straight on.
                heading = F.normalize(heading + sure**2 * ahead, dim=0)
            point = point + heading * _STEP
            aside = start.new_tensor([-float(heading[1]), float(heading[0])]) * _STRIDE
            walls_aside = [float(radius[cell(point + k * aside, _STRIDE, h, w)]) for k in (-1, 1)]
            if max(walls_aside) <= 1.4 * float(typical):
                # Keep to the middle.
                point = point + 0.25 * aside * ((walls_aside[1] > walls_aside[0]) - (walls_aside[0] > walls_aside[1]))
            at = cell(point, _STRIDE, h, w)
            off = not (-1 <= float(point[0]) <= w * _STRIDE and -1 <= float(point[1]) <= h * _STRIDE)
            gap = 0 if inside[at] > 0 else gap + 1
            blocked = len(stops) and float((stops - point).norm(dim=1).min()) < _CUT * float(typical)
            if off or gap > _GAP or blocked or _arms(inside, point, 2.0 * float(typical) + 3.0) == _FORK:
                break
            if inside[at] > 0:
                # A junction is wider than the vessel; the tube keeps to the vessel's own width.
                points.append(point)
                walls.append(torch.minimum(radius[at].clamp_min(1.0), 1.4 * typical))
    return torch.stack(points), torch.stack(walls)
