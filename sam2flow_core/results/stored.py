"""Frames of a vessel that stay on disk until they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray


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
            return np.asarray(self._array[int(steps) + self._start])[tuple(rest)].astype(self._dtype)
        if not len(steps):
            found = np.zeros((0, *self.shape[1:]))
        elif (np.diff(steps) == 1).all():
            found = np.asarray(self._array[self._start + steps[0] : self._start + steps[-1] + 1])
        else:
            found = np.stack([np.asarray(self._array[int(t) + self._start]) for t in steps])
        return found[(slice(None), *rest)].astype(self._dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self._dtype, copy=False)
