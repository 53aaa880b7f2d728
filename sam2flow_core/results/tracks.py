"""One vessel over a whole run: the border between inference and measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.results.stored import StoredFrames


class FrameArray(Protocol):
    """An array whose first axis is time, read a few frames at a time: numpy's, or one that lies on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, ...)``."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the frames of a slice, an index or an array of indices as a numpy array."""


@dataclass(frozen=True)
class VesselTrack:
    """One vessel over all frames of a run, in tissue-fixed crops.

    Attributes
    ----------
    vessel_id : int
    name : str
    frames : ndarray of int, shape (T,)
        Frame indices in the recording, consecutive.
    offsets : ndarray of int, shape (T, 2)
        ``(y, x)`` of the crop's top-left pixel in each recorded frame.
    mask : FrameArray of bool, shape (T, h, w)
    flow : FrameArray of float32, shape (T - 1, 2, h, w)
        ``(dx, dy)`` px per frame relative to the tissue; zero outside the mask; NaN where the model gave no answer.
    scale : FrameArray of float32, shape (T - 1, h, w)
        Expected absolute error in px.
    shifts : ndarray of float, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px against the reference.
    mask_iou, object_score : ndarray of float, shape (T,)
        What the decoder makes of the mask, and of whether the vessel is there; the second decides nothing.
    round_trip : ndarray of float, shape (T - 1,)
        Forward-backward error in px; NaN in the steps that were not checked.
    """

    vessel_id: int
    name: str
    frames: NDArray[np.int64]
    offsets: NDArray[np.int64]
    mask: FrameArray
    flow: FrameArray
    scale: FrameArray
    shifts: NDArray[np.float64]
    mask_iou: NDArray[np.float32]
    object_score: NDArray[np.float32]
    round_trip: NDArray[np.float32]


def take_pixels(frames: FrameArray, steps: slice | NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[Any]:
    """Return some pixels of some frames, shape (S, ..., P), without converting the rest of the crop.

    Parameters
    ----------
    frames : FrameArray (T, ..., h, w)
    steps : slice or ndarray of int, shape (S,)
    index : ndarray of int, shape (P,)
        Into the flattened crop.
    """
    if isinstance(frames, StoredFrames):
        return frames.pixels(steps, index)
    rows, columns = np.unravel_index(index, frames.shape[-2:])
    return np.asarray(frames[steps])[..., rows, columns]
