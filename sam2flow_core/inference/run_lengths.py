"""Masks as run lengths, column by column, as COCO keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import DataError
from sam2flow_core.extras import require_extra

RunLengths = dict[str, Any]
"""``size``: [Y, X]; ``counts``: px outside, inside, outside ... down the columns, or COCO's text for these numbers."""


def to_runs(mask: NDArray[np.bool_]) -> RunLengths:
    """Run lengths of a mask (Y, X); the first number counts px outside and may be 0."""
    down = np.asarray(mask, bool).ravel(order="F")
    turns = np.flatnonzero(down[1:] != down[:-1]) + 1
    counts = np.diff(np.concatenate([[0], turns, [down.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if down[0] else counts}


def from_runs(runs: RunLengths) -> NDArray[np.bool_]:
    """Mask (Y, X) of run lengths in either form.

    Raises
    ------
    DataError
        If they do not fill the picture.
    ExtraError
        If they are COCO's text and its package is not installed.
    """
    height, width = runs["size"]
    if isinstance(runs["counts"], str | bytes):
        require_extra("coco", "run lengths written as COCO's text")
        from pycocotools import mask as coco

        result: NDArray[np.bool_] = coco.decode({"size": [height, width], "counts": runs["counts"]}).astype(bool)
        return result
    counts = np.asarray(runs["counts"], np.int64)
    if counts.sum() != height * width or (counts < 0).any():
        raise DataError(f"run lengths of {counts.sum()} px for a mask of {height} x {width}: they do not belong to it")
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(width, height).T


def area_of(runs: RunLengths) -> int:
    """Px inside, of run lengths as numbers."""
    return int(sum(runs["counts"][1::2]))


def as_coco(runs: RunLengths) -> RunLengths:
    """Run lengths with COCO's text for counts, which JSON can hold; raises `ExtraError` without its package."""
    require_extra("coco", "run lengths written as COCO's text")
    from pycocotools import mask as coco

    packed = coco.frPyObjects(runs, *runs["size"])
    return {"size": packed["size"], "counts": packed["counts"].decode("ascii")}
