"""Diameter along a vessel, to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.velocity.centreline import Centreline


def diameter_along(share: NDArray[np.float64], line: Centreline, window_px: float) -> NDArray[np.float64]:
    """Measure the width of the mask across the centreline.

    The share of frames in which a pixel belongs to the vessel is a profile with soft flanks; its half-height width,
    found by linear interpolation, does not step with the pixels as the width of one mask does.

    Parameters
    ----------
    share : ndarray, shape (h, w)
        From `Footprint`.
    line : Centreline
    window_px : float
        Profiles are averaged along the vessel over this length.

    Returns
    -------
    ndarray, shape (N,)
        px; NaN where the profile does not fall below one half on both sides (a branch, the border of the crop).
    """
    reach = 2.0 * float(ndimage.distance_transform_edt(share >= 0.5).max(initial=0.0)) + 4.0
    profiles = cross_sections(share, line, reach)
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


def cross_sections(image: NDArray, line: Centreline, reach: float) -> NDArray[np.float64]:
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
