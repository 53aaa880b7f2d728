"""The space-time diagram: brightness along the vessel, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.velocity.centreline import Centreline

ImageReader = Callable[[int], NDArray[Any]]


class Placed(Protocol):
    """Where something that the tissue carries lies in each frame: a `VesselTrack`, or a line that was drawn."""

    @property
    def frames(self) -> NDArray[np.int64]:
        """Frame indices in the recording, ascending, shape (T,)."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """``(y, x)`` of its origin in each recorded frame, whole px, shape (T, 2)."""

    @property
    def shifts(self) -> NDArray[np.float64]:
        """Tissue displacement ``(dy, dx)`` of each frame, px, shape (T, 2)."""


@dataclass(frozen=True)
class Samples:
    """Brightness sampled along the lanes of one vessel.

    Attributes
    ----------
    lanes : ndarray of float32, shape (L, T, N)
        NaN outside the recorded frame.
    background : ndarray, shape (T,)
        Mean brightness of the crop outside the vessel: it carries the flicker of the lamp.
    """

    lanes: NDArray[np.float32]
    background: NDArray[np.float64]


class Interpolation:
    """Brightness of frames between their pixels, bilinear; places that stay are looked up once for many frames.

    Parameters
    ----------
    count : int
        Number of places.
    shape : tuple of int
        ``(Y, X)`` of the frames, two pixels a side at the least.
    """

    def __init__(self, count: int, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._corner = np.zeros(count, np.intp)
        self._weights = np.full((4, count), np.nan)

    def move(self, part: slice, places: NDArray[np.float64]) -> None:
        """Say where some of the places lie: ``(y, x)`` px of the frame, shape (2, P)."""
        size = np.array(self._shape)[:, None]
        corner = np.nan_to_num(np.clip(np.floor(places), 0, size - 2))  # a frame without an answer lies nowhere
        (down, right), (y, x) = places - corner, corner.astype(np.intp)
        self._corner[part] = y * self._shape[1] + x
        up, left = 1 - down, 1 - right
        self._weights[:, part] = up * left, up * right, down * left, down * right
        outside = np.any((places < 0) | (places > size - 1), axis=0)
        self._weights[:, part][:, outside] = np.nan

    def of(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Brightness at the places of a frame (Y, X), shape (P,); NaN outside it."""
        pixels, width = image.ravel(), self._shape[1]
        values = pixels.take(self._corner) * self._weights[0]
        for step, weight in zip((1, width, width + 1), self._weights[1:], strict=True):
            values += pixels[step:].take(self._corner) * weight
        return np.asarray(values, np.float32)


class Surroundings:
    """Brightness of the tissue around a vessel, in a frame after the other.

    A frame is looked at once, however many lines are read in the vessel.

    Parameters
    ----------
    track : Placed
    ever : ndarray of bool, shape (h, w)
        From `Footprint`.
    """

    def __init__(self, track: Placed, ever: NDArray[np.bool_]) -> None:
        self._offsets = track.offsets
        rows, columns = np.nonzero(~ever)
        stride = max(len(rows) // 1000, 1)  # a thousand pixels give the mean brightness well enough
        self._outside = np.stack([rows[::stride], columns[::stride]])
        self._place: tuple[int, ...] = ()
        self._pixels = np.zeros(0, np.intp)
        self._known: dict[int, float] = {}

    def at(self, step: int, image: NDArray[Any]) -> float:
        """Mean brightness in the whole recorded frame `image` of a step; NaN where none of the tissue is in it."""
        if (known := self._known.get(step)) is not None:
            return known
        offset = self._offsets[step]
        place = (int(offset[0]), int(offset[1]), *image.shape)
        if place != self._place:  # mostly the tissue lies where it did
            pixels = self._outside + offset[:, None]
            rows, columns = pixels[:, np.all((pixels >= 0) & (pixels < np.array(image.shape)[:, None]), axis=0)]
            self._pixels, self._place = rows * image.shape[1] + columns, place
        self._known[step] = float(image.ravel().take(self._pixels).mean()) if len(self._pixels) else float("nan")
        return self._known[step]


class LaneSampler:
    """Collects `Samples` of one vessel while the frames pass by, a span of them at a time.

    Parameters
    ----------
    track : Placed
    line : Centreline
    offsets_across : ndarray, shape (L,)
        px from the centreline to each lane.
    around : Surroundings
        Of the vessel.

    Attributes
    ----------
    image_shape : tuple of int
        ``(Y, X)``, once a frame has been sampled.
    """

    def __init__(
        self, track: Placed, line: Centreline, offsets_across: NDArray[np.float64], around: Surroundings
    ) -> None:
        self.track = track
        self.around = around
        self.image_shape = (0, 0)
        self._shape = (len(offsets_across), len(line.points))
        self._points = np.ascontiguousarray(
            (line.points + offsets_across[:, None, None] * line.normals).reshape(-1, 2).T
        )
        self._residual = residual_shifts(track)
        self.begin(0, 0)

    def begin(self, first: int, last: int) -> None:
        """Forget what was collected, and be ready for the steps `first` to `last` (not included) of the track."""
        lanes, points = self._shape
        self._first = first
        self._lanes = np.full((lanes, last - first, points), np.nan, np.float32)
        self._background = np.full(last - first, np.nan)

    @property
    def size(self) -> int:
        """Number of points, L N."""
        return int(self._points.shape[1])

    def shift(self, step: int) -> tuple[float, float]:
        """How far the lanes of a step lie from where they run in the crop, ``(y, x)`` px of the recorded frame."""
        dy, dx = self.track.offsets[step] + self._residual[step]
        return float(dy), float(dx)

    def places(self, shift: tuple[float, float]) -> NDArray[np.float64]:
        """Return where the lanes run in the recorded frame, ``(y, x)`` px, shape (2, L N)."""
        return np.asarray(self._points + np.array(shift)[:, None])

    def add(self, step: int, image: NDArray[Any], values: NDArray[np.float32]) -> None:
        """Keep what `values` (L N,) says of the places of a step, and look beside the vessel in the whole frame."""
        self.image_shape = (image.shape[0], image.shape[1])
        self._lanes[:, step - self._first] = values.reshape(self._shape)
        self._background[step - self._first] = self.around.at(step, image)

    def samples(self) -> Samples:
        """Return what was collected."""
        return Samples(self._lanes, self._background)


class FrameSampler(Protocol):
    """Takes what it needs of each frame that passes by."""

    def add(self, step: int, image: NDArray[Any]) -> None:
        """Look at step `step` of the track in the whole recorded frame `image`, shape (Y, X)."""


def sample_lanes(
    samplers: Sequence[LaneSampler],
    images: ImageReader,
    first: int,
    last: int,
    others: Sequence[FrameSampler] = (),
) -> None:
    """Read the frames of steps `first` to `last` (not included) once and let all samplers take their samples.

    The tracks of one recording begin at the same frame.

    Parameters
    ----------
    samplers : sequence of LaneSampler
        At least one; they begin anew.
    images : callable
    first, last : int
    others : sequence of FrameSampler
        They go on with what they have.
    """
    for sampler in samplers:
        sampler.begin(first, last)
    ends = np.cumsum([0, *(sampler.size for sampler in samplers)])
    parts = [slice(begin, end) for begin, end in pairwise(ends.tolist())]
    interpolation, shifts = None, [(np.nan, np.nan)] * len(samplers)
    for step in range(first, last):
        image = np.asarray(images(int(samplers[0].track.frames[step])))
        interpolation = interpolation or Interpolation(ends[-1], (image.shape[0], image.shape[1]))
        for k, (sampler, part) in enumerate(zip(samplers, parts, strict=True)):
            if (shift := sampler.shift(step)) != shifts[k]:
                interpolation.move(part, sampler.places(shift))
                shifts[k] = shift
        # All vessels at once: asking takes as long as a short vessel's answer.
        values = interpolation.of(image)
        for sampler, part in zip(samplers, parts, strict=True):
            sampler.add(step, image, values[part])
        for each in others:
            each.add(step, image)


def residual_shifts(track: Placed) -> NDArray[np.float64]:
    """Return what the whole-pixel offsets of the crops leave of the tissue's shift, shape (T, 2), ``(y, x)`` px."""
    difference = track.shifts - track.offsets
    return np.asarray(difference - np.median(np.rint(difference), axis=0), float)
