"""Masks and speed as sources of lazy layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.session import Spacing


def shown_id(vessel_id: int) -> int:
    """Return the label that stands for a vessel on screen, 1 to 255."""
    return (vessel_id - 1) % 255 + 1


class LabelFrames:
    """Vessel id of each pixel, a frame at a time.

    Eight bits, because napari maps sixteen to colours through a table that takes
    100 ms to make; ids over 255 start again at 1.

    Attributes
    ----------
    shape : tuple of int
        ``(T, Y, X)``.
    dtype : numpy.dtype
    hidden : frozenset of int
        Vessels that are not drawn.
    """

    def __init__(self, frames: FlowFrames) -> None:
        self.shape = frames.shape
        self.dtype = np.dtype(np.uint8)
        self.hidden: frozenset[int] = frozenset()
        self._frames = frames

    def frame(self, t: int) -> NDArray[np.uint8]:
        """Return the labels of frame `t`, shape (Y, X)."""
        labels = self._frames.labels(t)
        few = labels.max(initial=0) <= 255
        shown = (labels if few else np.where(labels > 255, (labels - 1) % 255 + 1, labels)).astype(np.uint8)
        if self.hidden:
            shown[np.isin(labels, list(self.hidden))] = 0
        return shown


def number_places(labels: NDArray[np.unsignedinteger]) -> dict[int, tuple[float, float]]:
    """Return where the number of each vessel is written, ``(y, x)``: in its mask, nearest to the middle."""
    places = {}
    for vessel_id in np.unique(labels[labels > 0]):
        inside = np.argwhere(labels == vessel_id)
        middle = inside.mean(axis=0)
        y, x = inside[np.argmin(((inside - middle) ** 2).sum(axis=1))]
        places[int(vessel_id)] = (float(y), float(x))
    return places


class SpeedFrames:
    """Speed in the unit of the spacing, a frame at a time; zero where there is none.

    Attributes
    ----------
    shape : tuple of int
        ``(T, Y, X)``.
    dtype : numpy.dtype
    spacing : Spacing
    hidden : frozenset of int
        Vessels that are not drawn.
    """

    def __init__(self, frames: FlowFrames, spacing: Spacing) -> None:
        self.shape = frames.shape
        self.dtype = np.dtype(np.float32)
        self.spacing = spacing
        self.hidden: frozenset[int] = frozenset()
        self._frames = frames

    def frame(self, t: int) -> NDArray[np.float32]:
        """Return speed in um/s (px/frame without calibration), shape (Y, X)."""
        inside, dx, dy = self._frames.flow_inside(t, self.hidden)
        speed = np.zeros(self.shape[1:], np.float32)
        speed.flat[inside] = np.hypot(dx, dy) * np.float32(self.spacing.speed_factor)
        return speed
