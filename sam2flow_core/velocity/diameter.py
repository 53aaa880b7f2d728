"""A vessel's lumen: flow sorted by place along and across it, and its diameter to a fraction of a pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from sam2flow_core.results.reader import FrameArray, VesselTrack, kept_pixels, take_pixels
from sam2flow_core.velocity.centreline import Centreline

_FRAMES_AT_ONCE = (64, 192)
_PIXELS_AT_ONCE = 2**20


@dataclass(frozen=True)
class Footprint:
    """The masks of a run, added up.

    Attributes
    ----------
    share : ndarray of float, shape (h, w)
        Share of the frames that see the vessel in which a pixel belongs to it; 0 where none does.
    ever : ndarray of bool, shape (h, w)
        Pixels that belong to the vessel in any frame.
    area : ndarray of int, shape (T,)
        Pixels of each frame's mask.
    """

    share: NDArray[np.float64]
    ever: NDArray[np.bool_]
    area: NDArray[np.int64]

    @cached_property
    def steady(self) -> bool:
        """Whether the mask is the same in all frames."""
        return bool((self.area == np.count_nonzero(self.ever)).all())

    @cached_property
    def reach(self) -> float:
        """How far from a line through the vessel its walls are sought, px."""
        return 2.0 * float(ndimage.distance_transform_edt(self.share >= 0.5).max(initial=0.0)) + 4.0


def footprint(mask: FrameArray) -> Footprint:
    """Add up masks, shape (T, h, w)."""
    pixels, area = kept_pixels(mask), np.zeros(mask.shape[0], np.int64)
    counted = np.zeros(len(pixels), np.int64)
    for block in blocks(mask.shape[0], len(pixels)):
        part = np.asarray(take_pixels(mask, block, pixels), bool)
        counted += part.view(np.uint8).sum(axis=0, dtype=np.uint8)  # a block holds fewer frames than a byte counts
        area[block] = [np.count_nonzero(frame) for frame in part]
    votes = np.zeros(mask.shape[1:], np.int64)
    votes.flat[pixels] = counted
    return Footprint(votes / max(int((area > 0).sum()), 1), votes > 0, area)


def blocks(frames: int, pixels: int) -> Iterator[slice]:
    """Yield slices that cover `frames` frames of so many pixels, each of them small enough to be held in memory.

    Examples
    --------
    >>> [block.stop for block in blocks(400, 100_000)], [block.stop for block in blocks(400, 2_000)]
    ([64, 128, 192, 256, 320, 384, 400], [192, 384, 400])
    """
    least, most = _FRAMES_AT_ONCE
    length = min(max(_PIXELS_AT_ONCE // max(pixels, 1) // least * least, least), most)
    for start in range(0, frames, length):
        yield slice(start, min(start + length, frames))


@dataclass(frozen=True)
class Lumen:
    """The pixels near a centreline.

    Attributes
    ----------
    index : ndarray of int, shape (P,)
        Into the flattened crop.
    tangent : ndarray of float32, shape (P, 2)
        ``(y, x)`` of the arrow at each pixel.
    station : ndarray of int, shape (P,)
        Nearest centreline point; pixels are in the order of their stations.
    across : ndarray of float, shape (P,)
        Signed distance from the centreline over the radius there.
    steady : bool
        Whether all the pixels belong to the vessel in every frame.
    """

    index: NDArray[np.int64]
    tangent: NDArray[np.float32]
    station: NDArray[np.int64]
    across: NDArray[np.float64]
    steady: bool = False

    def reversed(self, points: int) -> Lumen:
        """Return the same pixels with the arrow of a line of `points` points turned round."""
        station = points - 1 - self.station
        return Lumen(self.index[::-1], -self.tangent[::-1], station[::-1], -self.across[::-1], self.steady)


@dataclass(frozen=True)
class ProjectedFlow:
    """Flow of the lumen pixels: arrays of shape (steps, P), NaN outside the mask of the frame or without an answer.

    Attributes
    ----------
    along : ndarray of float32
        px per frame along the arrow.
    scale : ndarray of float32
        The model's expected absolute error, px.
    """

    along: NDArray[np.float32]
    scale: NDArray[np.float32]


def find_lumen(seen: Footprint, line: Centreline, diameter: NDArray[np.float64]) -> Lumen:
    """Assign the pixels that belong to a vessel in any frame to the points of its centreline.

    Parameters
    ----------
    seen : Footprint
    line : Centreline
    diameter : ndarray, shape (N,)
        px.

    Returns
    -------
    Lumen
        Without the pixels of side branches (further than 1.3 radii from the line) and beyond its ends.
    """
    where = np.argwhere(seen.ever)
    _, station = KDTree(line.points).query(where)
    delta = where - line.points[station]
    across = np.einsum("pc,pc->p", delta, line.normals[station]) / np.maximum(diameter[station] / 2, 0.5)
    ahead = np.einsum("pc,pc->p", delta, line.tangents[station])
    keep = (np.abs(across) <= 1.3) & (np.abs(ahead) <= 1.5)
    order = np.flatnonzero(keep)[np.argsort(station[keep], kind="stable")]
    where, station, across = where[order], station[order], across[order]
    index = np.asarray(np.ravel_multi_index(tuple(where.T), seen.ever.shape), np.int64)
    return Lumen(index, line.tangents[station].astype(np.float32), station, across, seen.steady)


def project(track: VesselTrack, lumen: Lumen, steps: slice | NDArray[np.int64]) -> ProjectedFlow:
    """Return the flow of the lumen pixels along the arrow in some of the steps, few enough to be held in memory."""
    flow = take_pixels(track.flow, steps, lumen.index).astype(np.float32, copy=False)
    along = flow[:, 0] * lumen.tangent[:, 1] + flow[:, 1] * lumen.tangent[:, 0]
    if not lumen.steady:
        along[~take_pixels(track.mask, steps, lumen.index).astype(bool)] = np.nan
    scale = take_pixels(track.scale, steps, lumen.index).astype(np.float32)
    scale[np.isnan(along)] = np.nan
    return ProjectedFlow(along, scale)


def diameter_along(seen: Footprint, line: Centreline, window_px: float) -> NDArray[np.float64]:
    """Measure the width of the mask across the centreline.

    The share of frames in which a pixel belongs to the vessel is a profile with soft flanks; its half-height width,
    found by linear interpolation, does not step with the pixels as the width of one mask does.

    Parameters
    ----------
    seen : Footprint
    line : Centreline
    window_px : float
        Profiles are averaged along the vessel over this length.

    Returns
    -------
    ndarray, shape (N,)
        px; NaN where the profile does not fall below one half on both sides (a branch, the border of the crop).
    """
    profiles = cross_sections(seen.share, line, seen.reach)
    profiles = ndimage.uniform_filter1d(profiles, max(round(min(window_px, len(line.arc) / 4)), 1), axis=0)
    centre = profiles.shape[1] // 2
    right = _half_height(profiles[:, centre:])
    left = _half_height(profiles[:, centre::-1])
    return (right + left) * _STEP


def frame_diameter(area: NDArray[np.int64], diameter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean diameter of each frame, px, shape (T,), from the area of its mask; NaN where it has none.

    Parameters
    ----------
    area : ndarray of int, shape (T,)
        px, from `Footprint`.
    diameter : ndarray, shape (N,)
        Of the whole run.
    """
    seen = area > 0
    if not seen.any() or not np.isfinite(diameter).any():
        return np.full(len(area), np.nan)
    return np.where(seen, area / np.median(area[seen]) * np.nanmean(diameter), np.nan)


def cross_sections(image: NDArray[Any], line: Centreline, reach: float) -> NDArray[np.float64]:
    """Sample an image across the centreline every quarter of a pixel, shape (N, 2 M + 1), the middle on the line."""
    across = np.arange(-np.ceil(reach / _STEP), np.ceil(reach / _STEP) + 1) * _STEP
    points = line.points[:, None, :] + across[None, :, None] * line.normals[:, None, :]
    return np.asarray(ndimage.map_coordinates(image, points.transpose(2, 0, 1), order=1, mode="nearest"), float)


_STEP = 0.25


def _half_height(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where each profile first falls through one half, in samples from its start; NaN where it does not."""
    below = profile < 0.5
    first = below.argmax(axis=1)
    rows = np.arange(len(profile))
    before = np.maximum(first - 1, 0)
    drop = profile[rows, before] - profile[rows, first]
    share = np.where(drop > 0, (profile[rows, before] - 0.5) / np.where(drop > 0, drop, 1), 0)
    return np.where(below.any(axis=1) & (first > 0), before + share, np.nan)
