"""Where a vessel lies, from the masks of all frames; they are read once, some frames at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.results.tracks import FrameArray

_FRAMES_AT_ONCE = 64


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


def footprint(mask: FrameArray) -> Footprint:
    """Add up masks, shape (T, h, w)."""
    votes = np.zeros(mask.shape[1:], np.int64)
    areas = []
    for block in blocks(mask.shape[0]):
        part = np.asarray(mask[block])
        votes += part.sum(axis=0)
        areas.append(part.sum(axis=(1, 2)))
    area = np.concatenate(areas) if areas else np.zeros(0, np.int64)
    return Footprint(votes / max(int((area > 0).sum()), 1), votes > 0, area)


def blocks(frames: int) -> Iterator[slice]:
    """Yield slices that cover `frames` frames, each of them small enough to be held in memory."""
    for start in range(0, frames, _FRAMES_AT_ONCE):
        yield slice(start, min(start + _FRAMES_AT_ONCE, frames))
