"""An array-like view of a stack that reads frames only when they are asked for."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Frames(Protocol):
    """What gives frames: a stack."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, Y, X)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the frames."""

    def frame(self, t: int) -> NDArray[Any]:
        """Read a frame (Y, X)."""


class LazyFrames:
    """(T, Y, X) with NumPy's basic indexing; each index reads the frames it names and no others.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    ndim : int
    chunks : tuple of int
        ``(1, Y, X)``: what one read costs.
    """

    ndim = 3

    def __init__(self, stack: Frames) -> None:
        self._stack = stack
        self.shape = stack.shape
        self.dtype = stack.dtype
        self.chunks = (1, *stack.shape[1:])

    @property
    def size(self) -> int:
        """Number of pixels over all frames."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes that all frames would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        time, *inside = _expand(key)
        rest = tuple(inside)
        # NumPy checks and normalises the index for us
        frames = np.arange(self.shape[0])[time]
        if frames.ndim == 0:
            return np.asarray(self._stack.frame(int(frames))[rest])
        if frames.size == 0:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *rest)]
        return np.stack([self._stack.frame(int(t))[rest] for t in frames])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("frames lie on disk: reading them is a copy")
        return self[:].astype(dtype or self.dtype, copy=False)


def _expand(key: Any) -> tuple[Any, Any, Any]:
    """Spell out an index with `...` or fewer than three parts."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(p is None for p in parts):
        raise IndexError("a lazy stack takes no new axes; index it first")
    if any(p is Ellipsis for p in parts):
        at = next(i for i, p in enumerate(parts) if p is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (4 - len(parts))
    parts += [slice(None)] * (3 - len(parts))
    if len(parts) != 3:
        raise IndexError(f"too many indices for a (T, Y, X) stack: {len(parts)}")
    return parts[0], parts[1], parts[2]
