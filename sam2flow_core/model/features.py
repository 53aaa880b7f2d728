"""Reading feature maps between their grid points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.cover import Cover

_CACHED_BYTES = 1 << 21
"""Of features that are read at a time."""
_SHORTEST = 1e-4
"""Length of features below which they are taken for nothing."""


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
