"""The vessel field as arrays, to be read at single places, and which point of a line a place is nearest to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.model.strips import strips
from sam2flow_core.model.vessel_field import FIELD_STRIDE, VesselField

Floats = NDArray[np.float64]


class FieldReading(NamedTuple):
    """Vessels as seen from places (...,) in them, in about their directions.

    ``chance`` that one is there, ``turn`` to its direction (radians), ``offset`` of the place from its centreline
    (radii, positive on the left), its ``radius`` (cells), the chance of an ``end``, and from -1 to 1 how surely blood
    flows ``forward`` in it.
    """

    chance: Floats
    turn: Floats
    offset: Floats
    radius: Floats
    end: Floats
    forward: Floats


class FieldMap:
    """The vessel field of one recording, laid out for reading at single places.

    Parameters
    ----------
    field : VesselField
        Without the axis of recordings.
    settings : TracingSettings
    pictures : Tensor (2, h, w), optional
        Background and activity of the recording at the field's stride, free of unit; what strips show beside
        the field.
    size : tuple of int, optional
        Height and width of the recording's picture in px, where the network's input was padded beyond it: what the
        field says there is made up, and vessels end at the picture's side.
    moving : Tensor (2 P, h, w), optional
        What moves in the first frames of pairs from all over the recording, then in the second ones, free of unit.

    Attributes
    ----------
    settings : TracingSettings
    size : ndarray (2,)
        Height and width of the picture in cells.
    table : ndarray (h, w, 4 * count + 4)
        In each of ``count`` orientations the chance of a vessel, its offset, the logarithm of its radius in cells, and
        how surely blood flows in the first of the two directions (-1 to 1); then the chance of an end, that of any
        vessel, background and activity. Half precision: it is the largest thing that is kept of a recording.
    """

    stride = FIELD_STRIDE
    """Px per cell."""

    def __init__(
        self,
        field: VesselField,
        settings: TracingSettings,
        pictures: Tensor | None = None,
        size: tuple[int, int] | None = None,
        moving: Tensor | None = None,
    ) -> None:
        self.settings = settings
        # A copy: a view would hold on to the whole field.
        self.inside: NDArray[np.float32] = field.inside.float().cpu().numpy().copy()
        self.count = field.offset.shape[0]
        rows, columns = self.inside.shape
        self.size = np.array([rows, columns], float) if size is None else np.array(size) / self.stride
        shown = field.inside.new_zeros(2, rows, columns) if pictures is None else pictures
        self.table: NDArray[np.float16] = np.empty((rows, columns, 4 * self.count + 4), np.float16)
        for strip in strips((rows, columns)):
            part = VesselField(*(strip.of(channel) for channel in field))
            self.table[strip.top : strip.bottom] = self._laid_out(part, strip.of(shown))
        self.angles = np.arange(self.count) * np.pi / self.count
        self._moving = self._thinned(moving)

    def _thinned(self, moving: Tensor | None) -> NDArray[np.float16]:
        """As many pairs as strips are looked at in (h, w, 2 P), spread evenly."""
        if moving is None or not len(moving):
            return np.empty((*self.shape, 0), np.float16)
        there = len(moving) // 2
        chosen = np.unique(np.linspace(0, there - 1, self.settings.motion.pairs).round().astype(int))
        both = torch.from_numpy(np.r_[chosen, there + chosen])
        return moving[both].permute(1, 2, 0).contiguous().half().cpu().numpy()

    def _laid_out(self, field: VesselField, shown: Tensor) -> NDArray[np.float16]:
        runs = torch.sigmoid(field.runs)
        first, second = runs[: self.count], runs[self.count :]
        either = (first + second).clamp(max=1.0)
        radius = (field.log_radius - np.log(self.stride)).clamp(*self.settings.log_radius)
        places = torch.sigmoid(torch.stack([field.ends, field.inside]))
        parts = [either, field.offset.clamp(-100, 100), radius, first - second, places, shown.to(places)]
        return torch.cat(parts).permute(1, 2, 0).contiguous().half().cpu().numpy()

    @property
    def shape(self) -> tuple[int, int]:
        """``(h, w)`` cells."""
        return self.table.shape[0], self.table.shape[1]

    def cells(self, points: Floats) -> Floats:
        """Places ``(row, column)`` in cells of points (..., 2), ``(x, y)`` px."""
        return (points[..., ::-1] - 0.5 * (self.stride - 1)) / self.stride

    def holds(self, places: Floats) -> NDArray[np.bool_]:
        """Whether places (..., 2), ``(row, column)``, are in the picture."""
        return np.asarray(((places >= -0.5) & (places <= self.size - 0.5)).all(-1))

    def read(self, places: Floats) -> NDArray[np.float32]:
        """All channels of the table at places (..., 2), bilinear."""
        return _bilinear(self.table, places)

    def read_pairs(self, places: Floats) -> NDArray[np.float32]:
        """What moves at places (..., 2) in the first and the second frames of P pairs (..., 2 P), bilinear."""
        return _bilinear(self._moving, places)

    def look(self, places: Floats, angles: Floats) -> FieldReading:
        """What runs through places (..., 2) in about the directions ``angles`` (...,)."""
        n, values = self.count, self.read(places)
        apart = np.mod(self.angles - angles[..., None] + np.pi / 2, np.pi) - np.pi / 2
        near = np.clip(1 - np.abs(apart) * n / (2 * np.pi), 0, None)
        weight = near * values[..., :n]
        total = weight.sum(-1)
        share = weight / np.maximum(total, 1e-6)[..., None]
        sign = np.where(np.cos(self.angles - angles[..., None]) >= 0, 1.0, -1.0)
        return FieldReading(
            chance=total,
            turn=(share * apart).sum(-1),
            offset=(share * sign * values[..., n : 2 * n]).sum(-1),
            radius=np.exp((share * values[..., 2 * n : 3 * n]).sum(-1)),
            end=values[..., 4 * n].astype(float),
            forward=(near * sign * values[..., 3 * n : 4 * n]).sum(-1) / np.maximum(total, 1e-6),
        )


def _bilinear(table: NDArray[np.float16], places: Floats) -> NDArray[np.float32]:
    at = np.clip(places, 0, np.array(table.shape[:2]) - 1.001)
    corner = at.astype(np.intp)
    dy, dx = np.moveaxis((at - corner).astype(np.float32), -1, 0)[..., None]
    row, column = np.moveaxis(corner, -1, 0)
    top = (1 - dx) * table[row, column] + dx * table[row, column + 1]
    below = (1 - dx) * table[row + 1, column] + dx * table[row + 1, column + 1]
    result: NDArray[np.float32] = (1 - dy) * top + dy * below
    return result


def arc_lengths(line: Floats) -> Floats:
    """Way along a line's points (K, 2) from the first one to each (K,).

    Examples
    --------
    >>> arc_lengths(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]])).tolist()
    [0.0, 5.0, 6.0]
    """
    return np.asarray(np.r_[0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def nearest_points(line: Floats, shape: tuple[int, int]) -> tuple[Floats, NDArray[np.intp]]:
    """Distance (h, w) in cells to a line's points (K, 2), each in its nearest cell, and the nearest point (h, w).

    Of points in one cell the last one counts. Points beyond the picture count at its side.
    """
    apart = np.ones(shape, bool)
    owner = np.zeros(shape, np.intp)
    place = tuple(np.clip(np.rint(line).astype(np.intp), 0, np.array(shape) - 1).T)
    apart[place], owner[place] = False, np.arange(len(line))
    away, cell = distance_transform_edt(apart, return_indices=True)
    return away, owner[tuple(cell)]
