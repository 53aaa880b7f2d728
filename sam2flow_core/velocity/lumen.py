"""The flow of a vessel, projected on its tangent and sorted by place along and across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from sam2flow_core.results.tracks import VesselTrack, take_pixels
from sam2flow_core.velocity.centreline import Centreline
from sam2flow_core.velocity.footprint import blocks

SAMPLED = 200
"""Steps that are enough for a mean over time."""


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
        Nearest centreline point.
    across : ndarray of float, shape (P,)
        Signed distance from the centreline over the radius there.
    """

    index: NDArray[np.int64]
    tangent: NDArray[np.float32]
    station: NDArray[np.int64]
    across: NDArray[np.float64]

    def reversed(self, points: int) -> Lumen:
        """Return the same pixels with the arrow of a line of `points` points turned round."""
        return Lumen(self.index, -self.tangent, points - 1 - self.station, -self.across)


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


def find_lumen(pixels: NDArray[np.bool_], line: Centreline, diameter: NDArray[np.float64]) -> Lumen:
    """Assign the pixels of a mask to the points of a centreline.

    Parameters
    ----------
    pixels : ndarray of bool, shape (h, w)
        Pixels that belong to the vessel in any frame.
    line : Centreline
    diameter : ndarray, shape (N,)
        px.

    Returns
    -------
    Lumen
        Without the pixels of side branches (further than 1.3 radii from the line) and beyond its ends.
    """
    where = np.argwhere(pixels)
    _, station = KDTree(line.points).query(where)
    delta = where - line.points[station]
    across = np.einsum("pc,pc->p", delta, line.normals[station]) / np.maximum(diameter[station] / 2, 0.5)
    ahead = np.einsum("pc,pc->p", delta, line.tangents[station])
    keep = (np.abs(across) <= 1.3) & (np.abs(ahead) <= 1.5)
    where, station, across = where[keep], station[keep], across[keep]
    index = np.ravel_multi_index(tuple(where.T), pixels.shape)
    return Lumen(index, line.tangents[station].astype(np.float32), station, across)


def project(track: VesselTrack, lumen: Lumen, steps: slice | NDArray[np.int64]) -> ProjectedFlow:
    """Return the flow of the lumen pixels along the arrow in some of the steps, few enough to be held in memory."""
    flow = take_pixels(track.flow, steps, lumen.index).astype(np.float32)
    inside = take_pixels(track.mask, steps, lumen.index).astype(bool)
    along = flow[:, 0] * lumen.tangent[:, 1] + flow[:, 1] * lumen.tangent[:, 0]
    along[~inside] = np.nan
    scale = take_pixels(track.scale, steps, lumen.index).astype(np.float32)
    scale[np.isnan(along)] = np.nan
    return ProjectedFlow(along, scale)


def sample_steps(track: VesselTrack, lumen: Lumen, steps: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the velocity along the arrow in `SAMPLED` to twice as many of the steps, spread evenly, shape (S, P)."""
    chosen = steps[:: max(len(steps) // SAMPLED, 1)]
    parts = [project(track, lumen, chosen[block]).along for block in blocks(len(chosen))]
    return np.concatenate(parts) if parts else np.zeros((0, len(lumen.index)), np.float32)
