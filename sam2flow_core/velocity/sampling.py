"""The space-time diagram: brightness along the vessel, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    sharpness : ndarray, shape (T,)
        Mean squared gradient of the lumen over its mean brightness squared.
    """

    lanes: NDArray[np.float32]
    background: NDArray[np.float64]
    sharpness: NDArray[np.float64]


@dataclass
class LaneSampler:
    """Collects `Samples` of one vessel while the frames pass by once."""

    track: VesselTrack
    line: Centreline
    offsets_across: NDArray[np.float64]
    lanes: NDArray[np.float32] = field(init=False)
    background: NDArray[np.float64] = field(init=False)
    sharpness: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        frames, points = len(self.track.frames), len(self.line.points)
        self.lanes = np.full((len(self.offsets_across), frames, points), np.nan, np.float32)
        self.background = np.full(frames, np.nan)
        self.sharpness = np.full(frames, np.nan)
        across = self.offsets_across[:, None, None] * self.line.normals
        self._points = (self.line.points + across).reshape(-1, 2)
        self._residual = residual_shifts(self.track)
        outside = ~self.track.mask.any(axis=0)
        rows, columns = np.nonzero(outside)
        stride = max(len(rows) // 2000, 1)  # two thousand pixels give the mean brightness well enough
        self._outside = np.stack([rows[::stride], columns[::stride]], axis=1)

    def add(self, step: int, image: NDArray[Any]) -> None:
        """Sample frame number `step` of the track from the whole recorded frame `image`, shape (Y, X)."""
        offset = self.track.offsets[step]
        values = bilinear(image, self._points + offset + self._residual[step])
        sampled = values.reshape(len(self.offsets_across), -1)
        self.lanes[:, step] = sampled
        mean = np.nanmean(sampled) if np.isfinite(sampled).any() else np.nan
        if sampled.shape[1] > 1 and np.isfinite(mean):
            self.sharpness[step] = np.nanmean(np.diff(sampled, axis=1) ** 2) / max(mean**2, 1e-12)
        pixels = self._outside + offset
        keep = np.all((pixels >= 0) & (pixels < image.shape), axis=1)
        if keep.any():
            self.background[step] = image[tuple(pixels[keep].T)].mean()

    def samples(self) -> Samples:
        """Return what was collected."""
        return Samples(self.lanes, self.background, self.sharpness)


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


def bilinear(image: NDArray[Any], points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the brightness at ``(y, x)`` points, shape (P, 2), NaN outside the frame."""
    height, width = image.shape
    inside = np.all((points >= 0) & (points <= (height - 1, width - 1)), axis=1)
    corner = np.clip(np.floor(points), 0, (max(height - 2, 0), max(width - 2, 0))).astype(np.int64)
    fy, fx = (np.where(inside[:, None], points, 0) - corner).T
    flat = image.ravel()
    first = corner[:, 0] * width + corner[:, 1]
    top = flat[first] * (1 - fx) + flat[first + 1] * fx
    bottom = flat[first + width] * (1 - fx) + flat[first + width + 1] * fx
    values = top * (1 - fy) + bottom * fy
    return np.where(inside, values, np.nan).astype(np.float32)
