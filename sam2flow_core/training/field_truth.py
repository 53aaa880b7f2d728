"""The true vessel field of a scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.vessel_field import DIRECTIONS, ORIENTATIONS, VesselField

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LumenPoints:
    """The cells of the field that lie in vessels, once for each vessel they lie in.

    Attributes
    ----------
    side : int
        Cells along each side of the field.
    row, column : ndarray of int, shape (N,)
    angle : ndarray, shape (N,)
        Direction of flow, radians from the x axis towards the y axis.
    offset : ndarray, shape (N,)
        Distance from the centreline in radii, positive on the left of the flow as seen on the screen.
    radius : ndarray, shape (N,)
        Px.
    ends : ndarray, shape (E, 3)
        ``(row, column)`` and radius in cells of the ends of vessels inside the frame.
    """

    side: int
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    angle: Floats
    offset: Floats
    radius: Floats
    ends: Floats

    def turned(self, turns: int, mirror: bool) -> LumenPoints:
        """As `clips` turns pictures: quarter turns, then right and left swapped."""
        points = self
        for _ in range(turns):
            y, x, radius = points.ends.T
            points = replace(
                points, row=self.side - 1 - points.column, column=points.row, angle=points.angle - np.pi / 2,
                ends=np.stack([self.side - 1 - x, y, radius], 1),
            )  # fmt: skip
        if mirror:
            y, x, radius = points.ends.T
            points = replace(
                points, column=self.side - 1 - points.column, angle=np.pi - points.angle, offset=-points.offset,
                ends=np.stack([y, self.side - 1 - x, radius], 1),
            )  # fmt: skip
        return points


def true_field(points: LumenPoints) -> VesselField:
    """Chances instead of logits: a direction between two of the sixteen is part of both; 0 where nothing is."""
    n = points.side
    turn = np.mod(points.angle / (2 * np.pi) * DIRECTIONS, DIRECTIONS)
    runs = np.zeros((DIRECTIONS, n, n), np.float32)
    offset, radius = np.zeros((2, ORIENTATIONS, n, n), np.float32)
    surest = np.zeros((ORIENTATIONS, n, n), np.float32)
    low = np.floor(turn).astype(int)
    for step in (0, 1):
        share = (1 - (turn - low) if step == 0 else turn - low).astype(np.float32)
        direction = (low + step) % DIRECTIONS
        np.maximum.at(runs, (direction, points.row, points.column), share)
        cell = (direction % ORIENTATIONS, points.row, points.column)
        np.maximum.at(surest, cell, share)
        mine = surest[cell] == share
        at = tuple(c[mine] for c in cell)
        offset[at] = np.where(direction < ORIENTATIONS, points.offset, -points.offset)[mine]
        radius[at] = np.log(points.radius)[mine]
    inside = np.zeros((n, n), np.float32)
    inside[points.row, points.column] = 1
    return VesselField(*(torch.from_numpy(x) for x in (inside, _ends(points), runs, offset, radius)))


def _ends(points: LumenPoints) -> NDArray[np.float32]:
    n = points.side
    y, x = np.arange(n)[:, None], np.arange(n)
    chance = np.zeros((n, n), np.float32)
    for row, column, radius in points.ends:
        spread = 0.5 * radius + 1.0
        chance = np.maximum(chance, np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / spread**2).astype(np.float32))
    return chance


def field_loss(field: VesselField, truth: VesselField) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of chances, and absolute error of offset and log radius where vessels are; both (B, ...).

    The mean over the B fields: each is weighed by itself.
    """
    close = F.max_pool2d(truth.inside[:, None], 5, 1, 2)[:, 0] - truth.inside
    inside = _entropy(field.inside, truth.inside, 1 + 2 * close)
    runs = _entropy(field.runs, truth.runs, 1 + 6 * truth.runs)
    ends = _entropy(field.ends, truth.ends, 1 + 10 * truth.ends)
    sure = torch.maximum(truth.runs[:, :ORIENTATIONS], truth.runs[:, ORIENTATIONS:])
    weight = sure / sure.sum((1, 2, 3), keepdim=True).clamp_min(1) / len(sure)
    offset = ((field.offset - truth.offset).abs() * weight).sum()
    radius = ((field.log_radius - truth.log_radius).abs() * weight).sum()
    figures = {"inside": inside, "runs": runs, "ends": ends, "offset": offset, "radius": radius}
    loss = inside + 4 * runs + ends + 0.5 * offset + 0.5 * radius
    return loss, {k: v.detach() for k, v in figures.items()}


def _entropy(logits: Tensor, chance: Tensor, weight: Tensor) -> Tensor:
    each = F.binary_cross_entropy_with_logits(logits, chance, weight, reduction="none").flatten(1).sum(1)
    return (each / weight.flatten(1).sum(1)).mean()
