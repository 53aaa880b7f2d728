"""Masks, speed and directions as sources of lazy layers, and the colour wheel of directions."""

from __future__ import annotations

from colorsys import hsv_to_rgb

import numpy as np
from numpy.typing import NDArray

from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.session import Spacing

_HUES, _LEVELS = 36, 7
"""Together fewer than 256: a frame of bytes with a table of colours is what napari draws fastest."""


def wheel_colours() -> list[tuple[float, float, float]]:
    """Return the colours (red, green, blue), 0 to 1, of the values 1, 2, 3, ... of `wheel_values`."""
    return [hsv_to_rgb(hue / _HUES, (level + 1) / _LEVELS, 1.0) for hue in range(_HUES) for level in range(_LEVELS)]


def wheel_values(dx: NDArray[np.floating], dy: NDArray[np.floating], limit: float) -> NDArray[np.uint8]:
    """Return the place of each flow vector in the table of colours.

    Parameters
    ----------
    dx, dy : ndarray
        To the right and downwards, as images are shown.
    limit : float
        Length that gets the full colour; longer ones do not get more.

    Returns
    -------
    ndarray of uint8, same shape
        0 where there is no flow.
    """
    speed = np.hypot(dx, dy)
    # Red to the right, and on with the clock: rightwards, down, left, up.
    turn = np.arctan2(dy, dx) / (2 * np.pi) % 1
    hue = np.rint(turn * _HUES).astype(int) % _HUES
    level = np.clip(np.ceil(speed / limit * _LEVELS).astype(int) - 1, 0, _LEVELS - 1)
    return np.where(speed > 0, 1 + hue * _LEVELS + level, 0).astype(np.uint8)


def wheel_picture(side: int) -> NDArray[np.uint8]:
    """Return the wheel itself, shape (side, side, 4), red, green, blue and opacity: the legend."""
    place = np.linspace(-1, 1, side)
    dx, dy = np.meshgrid(place, place)
    values = wheel_values(dx, dy, 1.0)
    values[np.hypot(dx, dy) > 1] = 0
    table = np.array([(0.0, 0.0, 0.0, 0.0), *((*colour, 1.0) for colour in wheel_colours())])
    result: NDArray[np.uint8] = np.rint(255 * table[values]).astype(np.uint8)
    return result


class WheelFrames:
    """The flow of a frame in the colours of the wheel, a frame at a time.

    Attributes
    ----------
    shape : tuple of int
        ``(T, Y, X)``.
    dtype : numpy.dtype
    limit : float
        Speed in px per frame that gets the full colour.
    hidden : frozenset of int
        Vessels that are not drawn.
    """

    def __init__(self, frames: FlowFrames) -> None:
        self.shape = frames.shape
        self.dtype = np.dtype(np.uint8)
        self.limit = 1.0
        self.hidden: frozenset[int] = frozenset()
        self._frames = frames

    def frame(self, t: int) -> NDArray[np.uint8]:
        """Return the values of frame `t`, shape (Y, X)."""
        inside, dx, dy = self._frames.flow_inside(t, self.hidden)
        values = np.zeros(self.shape[1:], np.uint8)
        values.flat[inside] = wheel_values(dx, dy, self.limit)
        return values


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
