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
    place = (point + 0.5) / stride - 0.5
    inside = (point >= -0.5).all(-1) & (place[..., 0] <= columns - 0.5) & (place[..., 1] <= rows - 0.5)
    low = place.floor()
    share = place - low
    x, y = (
        torch.stack([low[..., axis], low[..., axis] + 1], -1).clamp(0, count - 1).int()
        for axis, count in ((0, columns), (1, rows))
    )
    x, y = x[..., None, :], y[..., None]
    index = y * columns + x + image.int()[..., None, None] * (rows * columns) if cover is None else cover.place(y, x)
    across, down = (torch.stack([1 - share[..., axis], share[..., axis]], -1) for axis in (0, 1))
    weight = down[..., None] * across[..., None, :]
    return Corners(index.flatten(-2).int(), weight.flatten(-2)), inside


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
