"""Direction of a vessel at each cell, and the streamlines that follow it.

The direction is the principal axis of the mask's mass in a window; the finest
window in which the mass is clearly elongated wins. It has no sign: a path gets
one when it is traced.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.model import COST_VOLUME
from sam2flow_core.model.sparse_cells import SparseCells
from sam2flow_core.model.strips import goes_whole

_CUT = 0.35
"""Radians; directions are given within a quarter turn of this one."""


def direction_field(coverage: Tensor) -> Tensor:
    """Direction of the vessel at each cell, as a double angle.

    Parameters
    ----------
    coverage : Tensor (V, h, w)
        Share of each cell inside the vessel.

    Returns
    -------
    Tensor (V, 2, h, w)
        ``(cos 2a, sin 2a)`` of the direction's angle a to the x axis; its length is the elongation there, 0 to 1:
        small where vessels meet.
    """
    if goes_whole(coverage.shape[-2:]) or not len(coverage):
        return _direction_of(coverage)
    # One vessel after the other: what lies between takes many times the memory of the answer.
    return torch.cat([_direction_of(one) for one in coverage.split(1)])


def _direction_of(coverage: Tensor) -> Tensor:
    field = torch.zeros(coverage.shape[0], 2, *coverage.shape[1:], device=coverage.device)
    left = torch.ones_like(coverage)
    for sigma in COST_VOLUME.direction_windows:
        axis, elongation = _principal_axis(coverage, sigma)
        share = left * torch.sigmoid((elongation - 0.6) * 20.0) if sigma != COST_VOLUME.direction_windows[-1] else left
        field = field + share[:, None] * axis
        left = left - share
    return field


def _principal_axis(coverage: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    reach = math.ceil(2.5 * sigma)
    r = torch.arange(-reach, reach + 1, device=coverage.device, dtype=coverage.dtype)
    g = torch.exp(-0.5 * (r / sigma) ** 2)
    g = g / g.sum()

    def moment(power_y: int, power_x: int) -> Tensor:
        ky, kx = (g * r**power_y).view(1, 1, -1, 1), (g * r**power_x).view(1, 1, 1, -1)
        out = F.conv2d(F.conv2d(coverage[:, None], ky, padding=(reach, 0)), kx, padding=(0, reach))
        return out[:, 0]

    mass = moment(0, 0).clamp_min(1e-6)
    mx, my = moment(0, 1) / mass, moment(1, 0) / mass
    # 1/12 is the spread of mass within a cell: without it a one-cell line would have no width at all.
    cxx = moment(0, 2) / mass - mx**2 + 1 / 12
    cyy = moment(2, 0) / mass - my**2 + 1 / 12
    cxy = moment(1, 1) / mass - mx * my
    size = torch.sqrt((cxx - cyy) ** 2 + 4 * cxy**2 + 1e-12)
    total = (cxx + cyy).clamp_min(1e-6)
    return torch.stack([cxx - cyy, 2 * cxy], 1) / total[:, None], size / total


def trace_paths(cells: SparseCells, field: Tensor, reach: float) -> Tensor:
    """Follow the direction field both ways from every cell.

    Parameters
    ----------
    cells : SparseCells
    field : Tensor (V, 2, h, w)
        From `direction_field`.
    reach : float
        Arc length in px to follow each way.

    Returns
    -------
    Tensor (N, 2 K + 1, 2)
        Points ``(x, y)`` in px at arc lengths ``-K s .. K s``, s = the stride; the middle one is the cell.
    """
    steps = math.ceil(reach / cells.stride)
    start = cells.position
    first = _direction_at(cells, field, start, None)
    halves = []
    for sign in (-1.0, 1.0):
        point, heading, half = start, first * sign, []
        for _ in range(steps):
            # The midpoint rule: with the direction at the start of a step, paths would swing out of every bend.
            middle = point + heading * (cells.stride / 2)
            heading = _direction_at(cells, field, middle, heading)
            point = point + heading * cells.stride
            half.append(point)
        halves.append(half)
    return torch.stack([*halves[0][::-1], start, *halves[1]], 1)


def _direction_at(cells: SparseCells, field: Tensor, point: Tensor, heading: Tensor | None) -> Tensor:
    """Unit direction (N, 2) at ``point``, turned to agree with ``heading``."""
    h, w = field.shape[-2:]
    cell = ((point + 0.5) / cells.stride).floor().long()
    x, y = cell[:, 0].clamp(0, w - 1), cell[:, 1].clamp(0, h - 1)
    double = field[cells.vessel, :, y, x]
    # The first sign is arbitrary; the cut is turned away from the image's axes, where rounding would choose it.
    cosine, sine = math.cos(2 * _CUT), math.sin(2 * _CUT)
    turned_back = (double[:, 1] * cosine - double[:, 0] * sine, double[:, 0] * cosine + double[:, 1] * sine)
    angle = 0.5 * torch.atan2(*turned_back) + _CUT
    direction = torch.stack([torch.cos(angle), torch.sin(angle)], 1)
    if heading is None:
        return direction
    agree = (direction * heading).sum(1, keepdim=True)
    turned = torch.where(agree < 0, -direction, direction)
    # Where vessels meet, outside them, or across a sharp corner, the old heading is the better guess.
    lost = (double.norm(dim=1, keepdim=True) < 0.15) | (agree.abs() < 0.3)
    return torch.where(lost, heading, turned)
