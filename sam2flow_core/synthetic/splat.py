"""Cells drawn on the canvas: each one an analytic thickness profile, placed at its exact sub-pixel position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Bodies:
    """Cells to draw, (M,) each: frame slot, centre (y, x) px, angle, semi-axes, shape, weight."""

    slot: NDArray[np.int64]
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    angle: NDArray[np.float64]
    long: NDArray[np.float64]
    wide: NDArray[np.float64]
    bow: NDArray[np.float64]
    dimple: NDArray[np.float64]
    weight: NDArray[np.float64]


def draw(bodies: Bodies, frames: int, size: tuple[int, int], pad: int, device: str | torch.device) -> Tensor:
    """Sum the thickness of all bodies on a canvas (frames, H + 2 pad, W + 2 pad).

    The thickness of a body is ``weight * (1 - e) * (1 - dimple (1 - e)^2)`` for e < 1, with e the elliptic radius
    squared after the parachute's bend: a smooth disc, hollow in the middle by ``dimple``.
    """
    height, width = size[0] + 2 * pad, size[1] + 2 * pad
    canvas = torch.zeros(frames * height * width, device=device)
    reach = np.maximum(bodies.long, bodies.wide) * (1 + 0.5 * np.abs(bodies.bow))
    seen = (np.abs(bodies.y - (size[0] - 1) / 2) < height / 2 + reach) & (
        np.abs(bodies.x - (size[1] - 1) / 2) < width / 2 + reach
    )
    # Bodies of like size are drawn together, so that a few white cells do not enlarge every red cell's patch.
    order = np.flatnonzero(seen)
    if order.size:
        edge = 1.5 * float(np.median(reach[order]))
        for group in (order[reach[order] <= edge], order[reach[order] > edge]):
            if group.size:
                _draw_group(bodies, group, canvas, (height, width), pad)
    return canvas.view(frames, height, width)


def _draw_group(bodies: Bodies, group: NDArray[np.intp], canvas: Tensor, shape: tuple[int, int], pad: int) -> None:
    """Add the bodies ``group`` to the flat canvas."""
    device, (height, width) = canvas.device, shape

    def column(values: NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(values[group], dtype=torch.float32, device=device)[:, None, None]

    reach = np.maximum(bodies.long, bodies.wide)[group] * (1 + 0.5 * np.abs(bodies.bow[group]))
    half = int(np.ceil(reach.max()))
    steps = np.arange(2 * half)
    rows = np.floor(bodies.y[group]).astype(np.int64)[:, None] - half + 1 + steps
    columns = np.floor(bodies.x[group]).astype(np.int64)[:, None] - half + 1 + steps
    # Offsets are formed in double precision. Those outside the canvas are sent far away, where a body has no thickness.
    far = 1e4
    dy = np.where((rows >= -pad) & (rows < height - pad), rows - bodies.y[group, None], far)
    dx = np.where((columns >= -pad) & (columns < width - pad), columns - bodies.x[group, None], far)
    rows, columns = np.clip(rows + pad, 0, height - 1), np.clip(columns + pad, 0, width - 1)
    row_start = (bodies.slot[group, None] * height + rows) * width
    index = torch.as_tensor(row_start, device=device)[:, :, None] + torch.as_tensor(columns, device=device)[:, None, :]
    sine, cosine = np.sin(bodies.angle[group, None]), np.cos(bodies.angle[group, None])
    wide, long = bodies.wide[group, None], bodies.long[group, None]
    across = _sum(dy * cosine / wide, -dx * sine / wide, device)
    along = _sum(dy * sine / long, dx * cosine / long, device)
    square = across * across
    if np.any(bodies.bow[group]):
        along = along.addcmul_(column(bodies.bow), square - 0.3)
    depth = square.addcmul_(along, along).neg_().add_(1).clamp_(min=0)
    thick = (column(-bodies.dimple) * depth * depth).add_(1).mul_(depth).mul_(column(bodies.weight))
    canvas.index_add_(0, index.view(-1), thick.view(-1))


def _sum(rows: NDArray[np.float64], columns: NDArray[np.float64], device: torch.device) -> Tensor:
    """Return the (M, P, P) sum of a part that varies by row and one that varies by column."""
    return (
        torch.as_tensor(rows.astype(np.float32), device=device)[:, :, None]
        + torch.as_tensor(columns.astype(np.float32), device=device)[:, None, :]
    )
