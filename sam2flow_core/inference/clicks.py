"""Clicks, boxes and masks as scripts for SAM 2 give them: lists, arrays or tensors, with or without a batch axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.errors import PromptError
from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND

Given = Sequence[Any] | NDArray[Any] | Tensor | None


def read_clicks(
    points: Given, labels: Given, box: Given, size: tuple[int, int], in_px: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points (P, 2) ``(x, y)`` px with their labels (P,); a box comes first, as its two corners.

    Parameters
    ----------
    points : (P, 2), optional
    labels : (P,), optional
        1 = this object, 0 = not this object.
    box : (4,), optional
        ``x0, y0, x1, y1``.
    size : tuple of int
        ``(height, width)`` of a frame, px.
    in_px : bool
        False: points and box are given in 0 to 1 of the frame's width and height.

    Raises
    ------
    PromptError
        If there is nothing, or points and labels differ in number.
    """
    xy = np.asarray([] if points is None else points, float).reshape(-1, 2)
    kinds = np.asarray([] if labels is None else labels, np.int64).reshape(-1)
    if len(xy) != len(kinds):
        raise PromptError(f"{len(xy)} points but {len(kinds)} labels: give one label per point")
    if box is not None:
        xy = np.concatenate([np.asarray(box, float).reshape(2, 2), xy])
        kinds = np.concatenate([[BOX_FIRST, BOX_SECOND], kinds])
    if not len(xy):
        raise PromptError("neither a point nor a box: give at least one")
    if not np.isfinite(xy).all():
        raise PromptError("a point without a place (not a number): give x and y in px")
    height, width = size
    return (xy if in_px else xy * np.array([width, height])), kinds


def read_mask(mask: NDArray[Any] | Tensor, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a mask (Y, X) is above 0; raises `PromptError` where it has not the ``size`` of the frames."""
    given: NDArray[np.bool_] = np.asarray(mask) > 0
    if given.shape != size:
        raise PromptError(f"mask of {given.shape} for frames of {size}: sizes must agree")
    return given
