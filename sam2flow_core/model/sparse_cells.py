"""The cells that vessels touch, as a flat list, and the streamlines that follow the vessel through them.

Everything the flow part computes, it computes on this list and nowhere else, so
its cost follows the prompted area, vessels that cross keep a list each, and a
batch with ragged numbers of vessels is only a longer list.

The direction is the principal axis of the mask's mass in a window; the finest
window in which the mass is clearly elongated wins. It has no sign: a path gets
one when it is traced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import PairSettings
from sam2flow_core.config.model import COST_VOLUME
from sam2flow_core.model.strips import goes_whole

_CUT = 0.35
"""Radians; directions are given within a quarter turn of this one."""


@dataclass(frozen=True)
class SparseCells:
    """Cells of ``stride`` x ``stride`` px that vessels touch.

    Attributes
    ----------
    vessel : LongTensor (N,)
        Row of the mask the cell came from.
    image : LongTensor (N,)
        Row of the image batch that vessel lies in.
    place : LongTensor (N, 2)
        ``(row, column)`` on the grid.
    coverage : Tensor (N,)
        Share of the cell that lies in the vessel, 0 to 1.
    neighbours : LongTensor (N, 9)
        Cells around each cell, row by row; ``N`` where there is none.
    grid : LongTensor (V, h, w)
        Row of the list at each place, ``N`` where there is none.
    stride : int
    """

    vessel: Tensor
    image: Tensor
    place: Tensor
    coverage: Tensor
    neighbours: Tensor
    grid: Tensor
    stride: int

    @property
    def count(self) -> int:
        """Number of cells N."""
        return int(self.vessel.shape[0])

    @property
    def position(self) -> Tensor:
        """Centres ``(x, y)`` in px, (N, 2)."""
        return (self.place.flip(1).float() + 0.5) * self.stride - 0.5


def find_cells(masks: Tensor, image_of_vessel: Tensor, stride: int) -> SparseCells:
    """List the cells that vessels touch.

    Parameters
    ----------
    masks : Tensor (V, H, W)
        Per-vessel masks, 0 to 1 or bool; H and W multiples of ``stride``.
    image_of_vessel : LongTensor (V,)
        Which image of the batch each vessel lies in.
    stride : int
        Pixels per cell.

    Returns
    -------
    SparseCells
        Possibly with no cell at all, where every mask is empty.
    """
    coverage = coverage_of(masks, stride)
    vessel, row, column = torch.nonzero(coverage > 0, as_tuple=True)
    count = vessel.shape[0]
    grid = torch.full(coverage.shape, count, dtype=torch.long, device=masks.device)
    grid[vessel, row, column] = torch.arange(count, device=masks.device)
    padded = F.pad(grid, (1, 1, 1, 1), value=count)
    around = [padded[vessel, row + dy, column + dx] for dy in range(3) for dx in range(3)]
    return SparseCells(
        vessel=vessel,
        image=image_of_vessel[vessel],
        place=torch.stack([row, column], 1),
        coverage=coverage[vessel, row, column],
        neighbours=torch.stack(around, 1),
        grid=grid,
        stride=stride,
    )


@dataclass(frozen=True)
class Thinning:
    """Which cells are kept, and from which of them the others are answered.

    Attributes
    ----------
    kept : LongTensor (M,)
        Ascending.
    sources : IntTensor (N, 4)
        For each cell, of those that are kept, in their order: itself, or those it lies between; where there are fewer,
        the rest weigh nothing or count again.
    weight : Tensor (N, 4)
        Shares of each.
    """

    kept: Tensor
    sources: Tensor
    weight: Tensor

    @property
    def nearest(self) -> Tensor:
        """The kept cell (N,) that stands for each cell where one is enough."""
        return self.sources[:, 0].long()

    def spread(self, values: Tensor) -> Tensor:
        """Values (N, ...) of all cells, of those that the kept ones have (M, ...)."""
        table = values.flatten(1)
        found = F.embedding_bag(self.sources, table, per_sample_weights=self.weight.to(table), mode="sum")
        return found.view(len(self.sources), *values.shape[1:])

    def gather(self, values: Tensor) -> Tensor:
        """Sums (M,) of values (N,) over the cells that each kept one answers for, by its share in them."""
        shares = (values[:, None] * self.weight).flatten()
        return values.new_zeros(len(self.kept)).index_add(0, self.sources.flatten().long(), shares)


@dataclass(frozen=True)
class Thinnings:
    """Where the cost volume is made, and where it is read; each None where that is at all cells.

    Attributes
    ----------
    compared, asked : Thinning, optional
        What is asked is compared.
    """

    compared: Thinning | None
    asked: Thinning | None


def thin_out(cells: SparseCells, coverage: Tensor, tangent: Tensor, settings: PairSettings) -> Thinnings:
    """Compare every second cell as on a chessboard, and ask half of these inside wide vessels; in narrow ones, all.

    What is compared at a cell is three cells wide: its neighbours see most of it as well. Inside wide vessels they also
    say much the same, but what is pooled over more of them is surer. In narrow ones there are few to pool over.

    Parameters
    ----------
    cells : SparseCells
    coverage : Tensor (V, h, w)
        Share of each cell inside each vessel.
    tangent : Tensor (N, 2)
        Unit direction at each cell: only cells that point the same way are mixed.
    settings : PairSettings
    """
    share = F.avg_pool2d(coverage[:, None], 5, stride=1, padding=2)
    widest = F.max_pool2d(share, 3, stride=1, padding=1)[:, 0]
    at = (cells.vessel, cells.place[:, 0], cells.place[:, 1])
    inside, narrow = share[:, 0][at] >= settings.wide, widest[at] < settings.narrow
    row, column = (cells.place % 2).unbind(1)
    alike = (take(tangent, cells.neighbours) * tangent[:, None]).sum(-1) > settings.alike
    # Of the nine cells around, row by row, those that lie in even rows and columns.
    choices = torch.tensor([[4, 4, 4, 4], [3, 3, 5, 5], [1, 1, 7, 7], [0, 2, 6, 8]], device=row.device)
    chosen = choices[2 * row + column]
    between = inside & (row + column > 0) & torch.gather(alike, 1, chosen).all(1)
    black = ((row + column) == 1) & ~narrow
    if not settings.chessboard:
        return Thinnings(None, _thinned(cells, chosen, between))
    pair, there = _before_and_after(cells, tangent, alike & ~take(between, cells.neighbours))
    edge = black & ~between & there
    chosen, between = torch.where(edge[:, None], pair, chosen), between | edge
    return Thinnings(_thinned(cells, chosen, between & black), _thinned(cells, chosen, between))


def _thinned(cells: SparseCells, chosen: Tensor, between: Tensor) -> Thinning | None:
    """Leave out the cells ``between`` (N,) the ``chosen`` (N, 4) of the nine around each."""
    if not bool(between.any()):
        return None
    kept = torch.nonzero(~between)[:, 0]
    rank = torch.zeros(cells.count + 1, dtype=torch.int32, device=kept.device)
    rank[kept] = torch.arange(len(kept), dtype=torch.int32, device=kept.device)
    chosen = torch.where(between[:, None], chosen, 4)
    weight = torch.where(between[:, None], 0.25, torch.tensor([1.0, 0.0, 0.0, 0.0], device=kept.device))
    return Thinning(kept, rank[torch.gather(cells.neighbours, 1, chosen)], weight)


def _before_and_after(cells: SparseCells, tangent: Tensor, fit: Tensor) -> tuple[Tensor, Tensor]:
    """Places (N, 4) among the nine of two cells on either side of each, and whether both ``fit`` (N, 9).

    Those that lie more along the vessel, if they fit; else those across.
    """
    beside, above = (torch.tensor(pair, device=tangent.device) for pair in ([3, 3, 5, 5], [1, 1, 7, 7]))
    level = tangent[:, 0].abs() >= tangent[:, 1].abs()
    level_fits, steep_fits = fit[:, 3] & fit[:, 5], fit[:, 1] & fit[:, 7]
    level = torch.where(level, level_fits | ~steep_fits, level_fits & ~steep_fits)
    return torch.where(level[:, None], beside, above), level_fits | steep_fits


def coverage_of(masks: Tensor, stride: int) -> Tensor:
    """Share (V, h, w) of each cell that lies in each vessel, of masks (V, H, W)."""
    # One vessel after the other: in numbers, masks take four times the memory. Into one tensor: small ones left between
    # large ones that go would keep the memory of these from being used again.
    vessels, height, width = masks.shape
    shares = torch.empty(vessels, height // stride, width // stride, device=masks.device)
    for mask, share in zip(masks, shares, strict=True):
        share.copy_(F.avg_pool2d((mask > 0.5).float()[None], stride)[0])
    return shares


def take(values: Tensor, index: Tensor) -> Tensor:
    """Rows of ``values`` (N, ...) at ``index``; the index N gives zeros."""
    padded = torch.cat([values, values.new_zeros(1, *values.shape[1:])])
    return padded.index_select(0, index.reshape(-1)).reshape(*index.shape, *values.shape[1:])


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
