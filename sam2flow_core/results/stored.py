"""Frames of a vessel that stay on disk until they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.results.opening import damaged


class StoredFrames:
    """Frames ``start`` to ``stop`` of an array whose first axis is the recording's time.

    Attributes
    ----------
    shape : tuple of int
        ``(T, ...)`` of the frames of the run.
    """

    def __init__(self, array: zarr.Array, start: int, stop: int, dtype: type[np.generic]) -> None:
        self._array, self._start, self._dtype = array, start, dtype
        self.shape = (max(stop - start, 0), *array.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Return the frames of a slice, an index or an array of indices, in the type that is computed with."""
        time, *rest = key if isinstance(key, tuple) else (key,)
        steps = np.arange(self.shape[0])[time]
        if steps.ndim == 0:
            return self._stored(int(steps) + self._start)[tuple(rest)].astype(self._dtype)
        if not len(steps):
            return np.zeros((0, *self.shape[1:]), self._dtype)[(slice(None), *rest)]
        return np.concatenate([part[(slice(None), *rest)].astype(self._dtype) for part in self._parts(steps)])

    def pixels(self, time: slice | NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[Any]:
        """Return some pixels (S, ..., P) of some frames; ``index`` (P,) is into the flattened crop."""
        rows, columns = np.unravel_index(index, self.shape[-2:])
        return np.asarray(self[(time, Ellipsis, rows, columns)])

    def _parts(self, steps: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Frames at the given steps, chunk by chunk: unpacking one costs the same for one frame as for all in it."""
        places = steps + self._start
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
