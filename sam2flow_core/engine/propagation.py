"""One annotated frame to all others: each label is an object of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from sam2flow_core.errors import OutputError, PromptError
from sam2flow_core.results.files import whole_file
from sam2flow_core.stack import Stack

_LARGEST = np.iinfo(np.uint16).max
_CLASSIC_TIFF = 2**32 - 2**25
"""Bytes that fit a TIFF file which is not a BigTIFF."""


class Follower(Protocol):
    """A predictor that follows masks; both of ours do."""

    def init_state(self, stack: Stack, /) -> Any:
        """Begin with a recording."""

    def add_new_mask(self, state: Any, /, frame_idx: int, obj_id: int, mask: NDArray[Any]) -> Any:
        """Say where an object is in one frame."""

    def follow_masks(self, state: Any, /) -> Iterator[tuple[int, list[int], Any]]:
        """Frame, ids and logits (objects, 1, Y, X) of every frame, in any order."""


def read_labels(path: Path, stack: Stack) -> NDArray[np.uint16]:
    """Labels (Y, X) of one annotated frame, 0 for background.

    Raises
    ------
    PromptError
        If the file cannot be read, does not fit the recording, or marks nothing.
    """
    try:
        image = np.squeeze(tifffile.imread(path))
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise PromptError(f"{path}: cannot be read as a TIFF image ({error})") from None
    if image.shape != stack.shape[1:]:
        raise PromptError(
            f"{path}: the mask is {_size(image.shape)} px, a frame of the recording {_size(stack.shape[1:])}; "
            "give one image of the same size"
        )
    if image.dtype.kind not in "biu" or image.min() < 0 or image.max() > _LARGEST:
        raise PromptError(f"{path}: labels must be whole numbers from 0 (background) to {_LARGEST}")
    if not image.any():
        raise PromptError(f"{path}: nothing is marked, all is 0; give each object a number of its own")
    return image.astype(np.uint16)


def propagate_labels(
    predictor: Follower,
    stack: Stack,
    labels: NDArray[np.uint16],
    frame: int,
    out: Path,
    progress: Callable[[int], object] = lambda done: None,
) -> list[int]:
    """Follow the labels of one frame through the recording and write all as a TIFF (T, Y, X) of uint16.

    Parameters
    ----------
    predictor : Follower
    stack : Stack
    labels : ndarray (Y, X)
        From `read_labels`; they stay as they are in their own frame. Where objects overlap, the surer one is written.
    frame : int
        The annotated one.
    out : Path
        Appears whole or not at all, and replaces nothing.
    progress : callable
        Told the number of frames that are done.

    Returns
    -------
    list of int
        The labels.
    """
    if out.exists():
        raise OutputError(f"{out}: is there already; choose another name, or remove it first")
    if not 0 <= frame < len(stack):
        raise PromptError(f"frame {frame} is outside the recording (0 to {len(stack) - 1}): give --frame accordingly")
    state = predictor.init_state(stack)
    ids = [int(n) for n in np.unique(labels) if n]
    for label in ids:
        predictor.add_new_mask(state, frame, label, labels == label)
    done: set[int] = set()
    with whole_file(out) as part:
        volume = _open_volume(part, stack.shape)
        for t, found, logits in predictor.follow_masks(state):
            volume[t] = labels if t == frame else _flat(found, logits.float().cpu().numpy()[:, 0])
            done.add(t)
            progress(len(done))
        volume.flush()
        del volume
    return ids


def _open_volume(path: Path, shape: tuple[int, int, int]) -> np.memmap[Any, np.dtype[np.uint16]]:
    """A TIFF on disk whose frames may be written in any order, so that a long recording takes no memory."""
    big = 2 * int(np.prod(shape)) > _CLASSIC_TIFF
    return tifffile.memmap(
        path, shape=shape, dtype=np.uint16, photometric="minisblack", metadata={"axes": "TYX"}, bigtiff=big
    )


def _flat(ids: list[int], logits: NDArray[np.float32]) -> NDArray[np.uint16]:
    """One label per px of logits (objects, Y, X)."""
    surest = np.asarray(ids, np.uint16)[logits.argmax(0)]
    return np.where(logits.max(0) > 0, surest, np.uint16(0))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
