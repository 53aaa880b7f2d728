"""One vessel over a whole run: the border between inference and measurement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.results.layout import damaged


class FrameArray(Protocol):
    """An array whose first axis is time, read a few frames at a time: numpy's, or one that lies on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, ...)``."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the frames of a slice, an index or an array of indices as a numpy array."""


class StoredFrames:
    """A `FrameArray` that stays on disk until it is asked for.

    Holds some frames, ascending, of an array whose first axis is the recording's time.

    Attributes
    ----------
    shape : tuple of int
        ``(T, ...)`` of the frames of the run.
    """

    def __init__(self, array: zarr.Array[Any], frames: NDArray[np.int64], dtype: type[np.generic]) -> None:
        self._array, self._frames, self._dtype = array, frames, dtype
        self.shape = (len(frames), *array.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Return the frames of a slice, an index or an array of indices, in the type that is computed with."""
        time, *rest = key if isinstance(key, tuple) else (key,)
        steps = np.arange(self.shape[0])[time]
        if steps.ndim == 0:
            result: NDArray[Any] = self._stored(int(self._frames[int(steps)]))[tuple(rest)].astype(self._dtype)
            return result
        if not len(steps):
            return np.zeros((0, *self.shape[1:]), self._dtype)[(slice(None), *rest)]
        return np.concatenate([part[(slice(None), *rest)].astype(self._dtype) for part in self._parts(steps)])

    def pixels(self, time: slice | NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[Any]:
        """Return some pixels (S, ..., P) of some frames; ``index`` (P,) is into the flattened crop."""
        rows, columns = np.unravel_index(index, self.shape[-2:])
        return np.asarray(self[(time, Ellipsis, rows, columns)])

    def _parts(self, steps: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Frames at the given steps, chunk by chunk: unpacking one costs the same for one frame as for all in it."""
        places = self._frames[steps]
        chunks = places // self._array.chunks[0]
        for group in np.split(places, np.flatnonzero(np.diff(chunks)) + 1):
            first = int(group.min())
            chunk = self._stored(slice(first, int(group.max()) + 1))
            yield chunk if (np.diff(group) == 1).all() else chunk[group - first]

    def _stored(self, key: int | slice) -> NDArray[Any]:
        with damaged(Path(str(self._array.store_path).removeprefix("file:"))):
            return np.asarray(self._array[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self._dtype, copy=False)


@dataclass(frozen=True)
class VesselTrack:
    """One vessel over all frames of a run, in tissue-fixed crops.

    Attributes
    ----------
    vessel_id : int
    name : str
    frames : ndarray of int, shape (T,)
        Frame indices in the recording, ascending.
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
    group : str
        What the user sorts vessels by, such as their type.
    asked : ndarray of bool, shape (T - 1,), or None
        Steps whose flow was asked for; all of them where it is None.
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
    group: str = ""
    asked: NDArray[np.bool_] | None = None

    @property
    def asked_steps(self) -> NDArray[np.bool_]:
        """Steps whose flow was asked for, shape (T - 1,)."""
        return np.ones(max(len(self.frames) - 1, 0), bool) if self.asked is None else self.asked


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
