"""Matching features of the tiles that prompted vessels can reach, and reading them between their grid points.

Flow is asked for along vessels only. In a large picture they touch little of it, and features of the whole of it, for
every frame that the lags span, would take gigabytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.strips import Window

_SIDE = 32
"""Cells of a tile."""
_CACHED_BYTES = 1 << 21
"""Of features that are read at a time."""
_SHORTEST = 1e-4
"""Length of features below which they are taken for nothing."""


@dataclass(frozen=True)
class Cover:
    """Tiles of feature maps, kept below each other in place of the whole: (1, D, tiles x 32, 32).

    The first of the kept tiles is blank: who looks beyond the cover sees nothing there.

    Attributes
    ----------
    size : tuple of int
        ``(rows, columns)`` of the whole maps.
    slots : LongTensor (tile rows, tile columns)
        Place of each tile among those kept; 0 where it is not.
    """

    size: tuple[int, int]
    slots: Tensor

    @property
    def count(self) -> int:
        """Tiles kept, without the blank one."""
        return int(self.slots.max())

    @property
    def tiles(self) -> list[Window]:
        """Where the kept tiles lie, in their order; at the border a tile may be cut."""
        rows, columns = torch.nonzero(self.slots, as_tuple=True)
        order = self.slots[rows, columns].argsort()
        corners = zip((rows[order] * _SIDE).tolist(), (columns[order] * _SIDE).tolist(), strict=True)
        return [Window(y, y + _SIDE, x, x + _SIDE).within(self.size) for y, x in corners]

    def blank(self, channels: int, like: Tensor) -> Tensor:
        """Maps of no tile yet (1, channels, tiles x 32, 32)."""
        # Channels lie side by side: each place is read as a whole.
        return like.new_zeros(1, (self.count + 1) * _SIDE, _SIDE, channels).permute(0, 3, 1, 2)

    def lay(self, number: int, tile: Tensor, maps: Tensor) -> None:
        """Put the ``number``-th kept tile (1, D, rows, columns) into its place in maps."""
        top = (number + 1) * _SIDE
        maps[..., top : top + tile.shape[-2], : tile.shape[-1]] = tile

    def place(self, row: Tensor, column: Tensor) -> Tensor:
        """Flat index in the kept tiles of cells of the whole maps."""
        slot = self.slots[row // _SIDE, column // _SIDE]
        return (slot * _SIDE + row % _SIDE) * _SIDE + column % _SIDE


def cover_vessels(masks: Tensor, stride: int, reach: float, size: tuple[int, int]) -> Cover:
    """Cover all that lies within reach of vessels.

    Parameters
    ----------
    masks : Tensor (V, H, W)
        Above 0.5 where the vessel is.
    stride : int
        Px per cell of the features.
    reach : float
        Px.
    size : tuple of int
        ``(rows, columns)`` of the features.
    """
    side = _SIDE * stride
    touched = torch.zeros(-(-size[0] // _SIDE), -(-size[1] // _SIDE), device=masks.device)
    for mask in masks:
        rows, columns = torch.nonzero(mask > 0.5, as_tuple=True)
        touched[rows // side, columns // side] = 1
    # Whole tiles are added on every side: what lies within reach of any cell of a tile lies in them.
    around = -int(-reach // side)
    near = F.max_pool2d(touched[None, None], 2 * around + 1, stride=1, padding=around)[0, 0] > 0
    slots = torch.zeros(near.shape, dtype=torch.long, device=masks.device)
    slots[near] = torch.arange(1, int(near.sum()) + 1, device=masks.device)
    return Cover(size, slots)


@dataclass(frozen=True)
class Corners:
    """Places in feature maps, ready to be read as often as needed.

    Attributes
    ----------
    index : IntTensor (..., 4)
        The four grid points around each place, as flat indices over (images, rows, columns) of the maps that are kept.
        In 32 bits: reading at long indices takes twice the time.
    weight : Tensor (..., 4)
        Their bilinear weights.
    """

    index: Tensor
    weight: Tensor


def find_corners(
    image: Tensor, point: Tensor, stride: int, size: tuple[int, int], cover: Cover | None = None
) -> tuple[Corners, Tensor]:
    """Corners of points (..., 2) ``(x, y)`` px, and whether each lies in the image.

    Parameters
    ----------
    image : LongTensor, broadcast against the points
        Row of the batch.
    point : Tensor (..., 2)
    stride : int
        Px per grid point; point (i, j) of the grid lies at pixel ``((i + .5) stride - .5, ...)``.
    size : tuple of int
        ``(rows, columns)`` of the maps. Beyond the border the nearest grid point is read.
    cover : Cover, optional
        Where only these tiles of the maps, of a single image, are kept.
    """
    rows, columns = size
    # Each coordinate by itself, in one piece: on pairs of numbers most operations take several times as long.
    x, y = ((point[..., axis] + 0.5) / stride - 0.5 for axis in (0, 1))
    inside = (x >= -0.5) & (y >= -0.5) & (x <= columns - 0.5) & (y <= rows - 0.5)
    (left, right, share_x), (top, bottom, share_y) = _between(x, columns), _between(y, rows)
    corners = [(row, column) for row in (top, bottom) for column in (left, right)]
    if cover is None:
        first = image.int() * (rows * columns)
        index = [row * columns + column + first for row, column in corners]
    else:
        index = [cover.place(row, column).int() for row, column in corners]
    weight = [down * across for down in (1 - share_y, share_y) for across in (1 - share_x, share_x)]
    return Corners(torch.stack(index, -1), torch.stack(weight, -1)), inside


def _between(place: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The grid points before and after each place, of ``count`` ones, and the share of the second."""
    low = place.floor()
    before = low.int()
    return before.clamp(0, count - 1), (before + 1).clamp(0, count - 1), place - low


def read_corners(maps: Tensor, corners: Corners) -> Tensor:
    """Features (..., D) at places of maps (images, D, rows, columns), scaled back to length 1.

    Between grid points a mean of features is shorter than they are: left so, whole steps of the grid would look
    like better matches than what lies between.
    """
    mixed = mix(rows_of(maps), corners.index, corners.weight)
    return mixed / _length(mixed)[..., None]


def match(features: Tensor, maps: Tensor, corners: Corners) -> Tensor:
    """Correlation (N, K) of features (N, D), of length 1, with maps (images, D, rows, columns) at places (N, K)."""
    table, (count, places) = rows_of(maps), corners.index.shape[:2]
    # What is read is many times the size of the result: few at a time stay in the processor's cache.
    whole = maps.is_cuda or torch.is_grad_enabled()
    step = max(count if whole else _CACHED_BYTES // (4 * max(places, 1) * features.shape[1]), 1)
    found = []
    for part, index, weight in zip(
        features.split(step), corners.index.split(step), corners.weight.split(step), strict=True
    ):
        there = mix(table, index, weight)
        found.append((there * part[:, None]).sum(-1) / _length(there))
    return torch.cat(found)


def rows_of(maps: Tensor) -> Tensor:
    """Maps (images, D, rows, columns) as a table, a row for each place; without a copy if they lie channels last."""
    # In one piece: strided rows are read fifteen times slower.
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1]).contiguous()


def mix(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Weighted sums (..., D) of rows of a table (places, D) at corners (..., 4)."""
    shares = weight.reshape(-1, 4).to(table)
    bags = F.embedding_bag(index.reshape(-1, 4), table, per_sample_weights=shares, mode="sum")
    return bags.view(*index.shape[:-1], table.shape[1])


def _length(features: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(features, dim=-1)
    return length.clamp_min(_SHORTEST)
