"""The resolution that the network works at, and the way from the px of a recording to its px and back.

Cells of 40 px are as hard for matching and masks as cells of 3 px. The frames are shrunk by averaging (or enlarged)
until cells are as large as the network knows them; masks and flow are enlarged again, smoothly.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.stack import Stack

Number = TypeVar("Number", float, NDArray[np.float64])


class Neighbours(NamedTuple):
    """What each of P px of the picture is interpolated from.

    Attributes
    ----------
    y, x : ndarray of int, shape (P, K)
        Working px; one where a working px is a recorded one, else four.
    weights : ndarray of float32, shape (P, K)
        Add up to 1.
    """

    y: NDArray[np.intp]
    x: NDArray[np.intp]
    weights: NDArray[np.float32]


class WorkingFrames:
    """The picture of a recording (`Stack.picture`) at the resolution that the network works at.

    Parameters
    ----------
    stack : Stack
    factor : float
        Recorded px to a working px along each side: a whole number, or one over it.

    Attributes
    ----------
    shape : tuple of int
        ``(h, w)`` in working px.

    Notes
    -----
    The centre of the first px is (0, 0) in both: a place at ``y`` in the recorded picture is at
    ``(y + 1 / 2) / factor - 1 / 2`` in the working one.
    """

    def __init__(self, stack: Stack, factor: float = 1.0) -> None:
        self.stack, self.factor = stack, factor
        height, width = stack.picture.shape
        self.shape = int(np.ceil(height / factor)), int(np.ceil(width / factor))

    def seen(self, t: int) -> NDArray[np.float32]:
        """What frame ``t`` shows, (h, w) in working px: means of the recorded px that a working px covers."""
        return self._resized(self.stack.seen(t))

    def place(self, along: Number) -> Number:
        """A coordinate of the recorded picture in working px."""
        return along if self.factor == 1 else (along + 0.5) / self.factor - 0.5

    def recorded(self, along: float) -> float:
        """A coordinate in working px in px of the recorded picture: what `place` was given."""
        return along if self.factor == 1 else (along + 0.5) * self.factor - 0.5

    def shrunk_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask (h, w) in working px, of one of the recorded picture.

        Where half of a px is covered; if there is no such px, any of it.
        """
        covered = self._resized(mask.astype(np.float32))
        half = covered >= 0.5
        return half if half.any() else covered > 0

    def enlarged(self, logits: Tensor) -> Tensor:
        """Logits of the recorded picture, of those (H, W) in working px, padding included."""
        height, width = self.stack.picture.shape
        if self.factor != 1:
            logits = F.interpolate(logits[None, None].float(), scale_factor=self.factor, mode="bilinear")[0, 0]
        return logits[:height, :width]

    def neighbours(self, y: NDArray[np.intp], x: NDArray[np.intp], known: NDArray[np.bool_]) -> Neighbours:
        """The working px that P px of the recorded picture are interpolated from.

        Parameters
        ----------
        y, x : ndarray of int, shape (P,)
        known : ndarray of bool, shape (H, W)
            The working px that may be asked; the nearest one serves where none of the next ones is.
        """
        if self.factor == 1:
            return Neighbours(y[:, None], x[:, None], np.ones((len(y), 1), np.float32))
        at_y, at_x = self.place(y.astype(np.float64)), self.place(x.astype(np.float64))
        low_y, low_x = np.floor(at_y).astype(np.intp), np.floor(at_x).astype(np.intp)
        rows = low_y[:, None] + np.array([0, 0, 1, 1], np.intp)
        columns = low_x[:, None] + np.array([0, 1, 0, 1], np.intp)
        weights = (1 - np.abs(rows - at_y[:, None])) * (1 - np.abs(columns - at_x[:, None]))
        rows, columns = np.clip(rows, 0, known.shape[0] - 1), np.clip(columns, 0, known.shape[1] - 1)
        weights *= known[rows, columns]
        total = weights.sum(1, keepdims=True)
        if (lost := total[:, 0] < 1e-6).any():
            nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
            rows[lost], columns[lost] = (n[rows[lost, :1], columns[lost, :1]] for n in nearest)
            weights[lost], total[lost] = [1, 0, 0, 0], 1
        # What does not count is asked all the same, so it has to be there.
        best = weights.argmax(1)[:, None]
        for index in (rows, columns):
            np.copyto(index, np.take_along_axis(index, best, 1), where=weights == 0)
        return Neighbours(rows, columns, (weights / total).astype(np.float32))

    def _resized(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.factor == 1:
            return image
        if self.factor < 1:
            large = F.interpolate(torch.from_numpy(image)[None, None], scale_factor=1 / self.factor, mode="bicubic")
            return np.ascontiguousarray(large[0, 0].numpy())
        step = int(self.factor)
        (height, width), (rows, columns) = image.shape, self.shape
        whole = np.pad(image, ((0, rows * step - height), (0, columns * step - width)), mode="edge")
        return np.ascontiguousarray(whole.reshape(rows, step, columns, step).mean((1, 3), dtype=np.float32))
