"""The vessel field as arrays, to be read at single places."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.model.strips import strips
from sam2flow_core.model.vessel_field import FIELD_STRIDE, VesselField

Floats = NDArray[np.float64]


class FieldReading(NamedTuple):
    """A vessel as seen from a place in it, in about its direction.

    ``chance`` that it is there, ``turn`` to its direction (radians), ``offset`` of the place from its centreline
    (radii, positive on the left), its ``radius`` (cells), the chance of an ``end``, and from -1 to 1 how surely blood
    flows ``forward`` in it.
    """

    chance: float
    turn: float
    offset: float
    radius: float
    end: float
    forward: float


class FieldMap:
    """The vessel field of one recording, laid out for reading at single places.

    Parameters
    ----------
    field : VesselField
        Without the axis of recordings.
    settings : TracingSettings
    """

    stride = FIELD_STRIDE
    """Px per cell."""

    def __init__(self, field: VesselField, settings: TracingSettings) -> None:
        self._log_radius = settings.log_radius
        # A copy: a view would hold on to the whole field.
        self.inside: NDArray[np.float32] = field.inside.float().cpu().numpy().copy()
        self.count = field.offset.shape[0]
        rows, columns = self.inside.shape
        self.table: NDArray[np.float32] = np.empty((rows, columns, 4 * self.count + 1), np.float32)
        for strip in strips((rows, columns)):
            self.table[strip.top : strip.bottom] = self._laid_out(VesselField(*(strip.of(part) for part in field)))
        self.angles = np.arange(self.count) * np.pi / self.count

    def _laid_out(self, field: VesselField) -> NDArray[np.float32]:
        """What `read` reads, (h, w, channels)."""
        runs = torch.sigmoid(field.runs)
        first, second = runs[: self.count], runs[self.count :]
        radius = (field.log_radius - np.log(self.stride)).clamp(*self._log_radius)
        parts = [(first + second).clamp(max=1.0), field.offset, radius, first - second, torch.sigmoid(field.ends)[None]]
        return torch.cat(parts).permute(1, 2, 0).contiguous().float().cpu().numpy()

    @property
    def shape(self) -> tuple[int, int]:
        """``(h, w)`` cells."""
        return self.table.shape[0], self.table.shape[1]

    def cells(self, points: Floats) -> Floats:
        """Places ``(row, column)`` in cells of points (..., 2), ``(x, y)`` px."""
        return (points[..., ::-1] - 0.5 * (self.stride - 1)) / self.stride

    def holds(self, place: Floats) -> bool:
        """Whether a place ``(row, column)`` is in the field."""
        return bool(-0.5 <= place[0] <= self.shape[0] - 0.5 and -0.5 <= place[1] <= self.shape[1] - 0.5)

    def read(self, place: Floats) -> NDArray[np.float32]:
        """All channels at a place, bilinear."""
        y, x = np.clip(place, 0, np.array(self.shape) - 1.001)
        row, column = int(y), int(x)
        dy, dx = y - row, x - column
        t = self.table
        top = (1 - dx) * t[row, column] + dx * t[row, column + 1]
        below = (1 - dx) * t[row + 1, column] + dx * t[row + 1, column + 1]
        result: NDArray[np.float32] = (1 - dy) * top + dy * below
        return result

    def look(self, place: Floats, angle: float) -> FieldReading:
        """What runs through a place in about a direction."""
        n, values = self.count, self.read(place)
        apart = np.mod(self.angles - angle + np.pi / 2, np.pi) - np.pi / 2
        near = np.clip(1 - np.abs(apart) * n / (2 * np.pi), 0, None)
        weight = near * values[:n]
        total = float(weight.sum())
        share = weight / max(total, 1e-6)
        sign = np.where(np.cos(self.angles - angle) >= 0, 1.0, -1.0)
        return FieldReading(
            chance=total,
            turn=float(share @ apart),
            offset=float((share * sign) @ values[n : 2 * n]),
            radius=float(np.exp(share @ values[2 * n : 3 * n])),
            end=float(values[-1]),
            forward=float((near * sign) @ values[3 * n : 4 * n]) / max(total, 1e-6),
        )
