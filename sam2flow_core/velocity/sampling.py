"""The space-time diagram: brightness along the vessel, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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


class LaneSampler:
    """Collects `Samples` of one vessel while the frames pass by, a span of them at a time.

    Parameters
    ----------
    track : Placed
    line : Centreline
    offsets_across : ndarray, shape (L,)
        px from the centreline to each lane.
    ever : ndarray of bool, shape (h, w)
        From `Footprint`.

    Attributes
    ----------
    image_shape : tuple of int
        ``(Y, X)``, once a frame has been sampled.
    """

    def __init__(
        self, track: Placed, line: Centreline, offsets_across: NDArray[np.float64], ever: NDArray[np.bool_]
    ) -> None:
        self.track = track
        self.image_shape = (0, 0)
        self._shape = (len(offsets_across), len(line.points))
        self._points = np.ascontiguousarray(
            (line.points + offsets_across[:, None, None] * line.normals).reshape(-1, 2).T
        )
        self._residual = residual_shifts(track)
        rows, columns = np.nonzero(~ever)
        stride = max(len(rows) // 1000, 1)  # a thousand pixels give the mean brightness well enough
        self._outside = np.stack([rows[::stride], columns[::stride]], axis=1)
        self.begin(0, 0)

    def begin(self, first: int, last: int) -> None:
        """Forget what was collected, and be ready for the steps `first` to `last` (not included) of the track."""
        lanes, points = self._shape
        self._first = first
        self._lanes = np.full((lanes, last - first, points), np.nan, np.float32)
        self._background = np.full(last - first, np.nan)

    def places(self, step: int) -> NDArray[np.float64]:
        """Where the lanes run in the recorded frame of a step, ``(y, x)`` px, shape (2, L N)."""
        return np.asarray(self._points + (self.track.offsets[step] + self._residual[step])[:, None], float)

    def add(self, step: int, image: NDArray[Any], values: NDArray[np.float32]) -> None:
        """Keep what `values` (L N,) says of the `places` of a step, and look beside the vessel in the whole frame."""
        self.image_shape = (image.shape[0], image.shape[1])
        self._lanes[:, step - self._first] = values.reshape(self._shape)
        pixels = self._outside + self.track.offsets[step]
        pixels = pixels[np.all((pixels >= 0) & (pixels < image.shape), axis=1)]
        if len(pixels):
            self._background[step - self._first] = image[pixels[:, 0], pixels[:, 1]].mean()

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
    for step in range(first, last):
        image = np.asarray(images(int(samplers[0].track.frames[step])))
        places = [sampler.places(step) for sampler in samplers]
        ends = np.cumsum([place.shape[1] for place in places])[:-1]
        # All vessels at once: asking takes as long as a short vessel's answer.
        values = ndimage.map_coordinates(
            image, np.concatenate(places, axis=1), np.float32, order=1, mode="constant", cval=np.nan
        )
        for sampler, mine in zip(samplers, np.split(values, ends), strict=True):
            sampler.add(step, image, mine)
        for each in others:
            each.add(step, image)


def residual_shifts(track: Placed) -> NDArray[np.float64]:
    """Return what the whole-pixel offsets of the crops leave of the tissue's shift, shape (T, 2), ``(y, x)`` px."""
    difference = track.shifts - track.offsets
    return np.asarray(difference - np.median(np.rint(difference), axis=0), float)
