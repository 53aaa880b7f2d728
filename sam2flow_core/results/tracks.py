"""One vessel over a whole run: the border between inference and measurement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    mask : ndarray of bool, shape (T, h, w)
    flow : ndarray of float32, shape (T - 1, 2, h, w)
        ``(dx, dy)`` px per frame relative to the tissue; zero outside the mask; NaN where the model gave no answer.
    scale : ndarray of float32, shape (T - 1, h, w)
        Expected absolute error in px.
    shifts : ndarray of float, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px against the reference.
    mask_iou, object_score : ndarray of float, shape (T,)
    """

    vessel_id: int
    name: str
    frames: NDArray[np.int64]
    offsets: NDArray[np.int64]
    mask: NDArray[np.bool_]
    flow: NDArray[np.float32]
    scale: NDArray[np.float32]
    shifts: NDArray[np.float64]
    mask_iou: NDArray[np.float32]
    object_score: NDArray[np.float32]
