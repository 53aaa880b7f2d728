"""The space-time diagram: brightness along the vessel, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.results.tracks import VesselTrack
from sam2flow_core.velocity.centreline import Centreline

ImageReader = Callable[[int], NDArray[Any]]


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


@dataclass
class LaneSampler:
    """Collects `Samples` of one vessel while the frames pass by once."""

    track: VesselTrack
    line: Centreline
    offsets_across: NDArray[np.float64]
    lanes: NDArray[np.float32] = field(init=False)
    background: NDArray[np.float64] = field(init=False)
    image_shape: tuple[int, int] = field(init=False, default=(0, 0))

    def __post_init__(self) -> None:
        frames, points = len(self.track.frames), len(self.line.points)
        self.lanes = np.full((len(self.offsets_across), frames, points), np.nan, np.float32)
        self.background = np.full(frames, np.nan)
        across = self.offsets_across[:, None, None] * self.line.normals
        self._points = (self.line.points + across).reshape(-1, 2)
        self._residual = residual_shifts(self.track)
        outside = ~self.track.mask.any(axis=0)
        rows, columns = np.nonzero(outside)
        stride = max(len(rows) // 1000, 1)  # a thousand pixels give the mean brightness well enough
        self._outside = np.stack([rows[::stride], columns[::stride]], axis=1)

    def add(self, step: int, image: NDArray[Any]) -> None:
        """Sample frame number `step` of the track from the whole recorded frame `image`, shape (Y, X)."""
        offset = self.track.offsets[step]
        self.image_shape = (image.shape[0], image.shape[1])
        points = self._points + (offset + self._residual[step])
        values = ndimage.map_coordinates(image, points.T, np.float32, order=1, mode="constant", cval=np.nan)
        sampled = values.reshape(len(self.offsets_across), -1)
        self.lanes[:, step] = sampled
        pixels = self._outside + offset
        pixels = pixels[np.all((pixels >= 0) & (pixels < image.shape), axis=1)]
        if len(pixels):
            self.background[step] = image[pixels[:, 0], pixels[:, 1]].mean()

    def samples(self) -> Samples:
        """Return what was collected."""
        return Samples(self.lanes, self.background)


def sample_lanes(samplers: Sequence[LaneSampler], images: ImageReader) -> None:
    """Read every frame once and let all `samplers` that need it take their samples."""
    wanted: dict[int, list[tuple[LaneSampler, int]]] = {}
    for sampler in samplers:
        for step, frame in enumerate(sampler.track.frames):
            wanted.setdefault(int(frame), []).append((sampler, step))
    for frame in sorted(wanted):
        image = np.asarray(images(frame))
        for sampler, step in wanted[frame]:
            sampler.add(step, image)


def residual_shifts(track: VesselTrack) -> NDArray[np.float64]:
    """Return what the whole-pixel offsets of the crops leave of the tissue's shift, shape (T, 2), ``(y, x)`` px."""
    difference = track.shifts - track.offsets
    return np.asarray(difference - np.median(np.rint(difference), axis=0), float)
