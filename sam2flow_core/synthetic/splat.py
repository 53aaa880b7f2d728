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

    The thickness of a body is ``weight * (1 - e) * (1 - dimple (1 - e)^2)`` for e < 1, with e the elliptic radius squared
    after the parachute's bend: a smooth disc, hollow in the middle by ``dimple``.
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


def _draw_group(
    bodies: Bodies, group: NDArray[np.intp], canvas: Tensor, shape: tuple[int, int], pad: int
) -> None:
    """Add the bodies ``group`` to the flat canvas."""
    device, (height, width) = canvas.device, shape

    def column(values: NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(values[group], dtype=torch.float32, device=device)[:, None, None]

    reach = np.maximum(bodies.long, bodies.wide)[group] * (1 + 0.5 * np.abs(bodies.bow[group]))
    half = int(np.ceil(reach.max()))
    top = np.floor(bodies.y[group]).astype(np.int64) - half + 1
    left = np.floor(bodies.x[group]).astype(np.int64) - half + 1
    steps = torch.arange(2 * half, device=device)
    first_y = torch.as_tensor(top, device=device)[:, None, None]
    first_x = torch.as_tensor(left, device=device)[:, None, None]
    rows, columns = first_y + steps[None, :, None], first_x + steps[None, None, :]
    # Offsets are formed in double precision before rounding to float32, so far corners cost no accuracy.
    dy = torch.as_tensor(top - bodies.y[group], dtype=torch.float32, device=device)[:, None, None] + steps[:, None]
    dx = torch.as_tensor(left - bodies.x[group], dtype=torch.float32, device=device)[:, None, None] + steps[None, :]
    sine, cosine = torch.sin(column(bodies.angle)), torch.cos(column(bodies.angle))
    across = (dy * cosine - dx * sine) / column(bodies.wide)
    along = (dx * cosine + dy * sine) / column(bodies.long) + column(bodies.bow) * (across * across - 0.3)
    depth = (1 - along * along - across * across).clamp_(min=0)
    thick = column(bodies.weight) * depth * (1 - column(bodies.dimple) * depth * depth)
    rows, columns = rows + pad, columns + pad
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    slot = torch.as_tensor(bodies.slot[group], device=device)[:, None, None]
    index = (slot * height + rows.clamp(0, height - 1)) * width + columns.clamp(0, width - 1)
    canvas.index_add_(0, index.reshape(-1), (thick * inside).reshape(-1))
