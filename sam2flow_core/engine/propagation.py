"""One annotated frame to all others: each label is an object of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import OutputError, PromptError
from sam2flow_core.files import check_writable, whole_file
from sam2flow_core.stack import Stack, open_stack

_LARGEST = np.iinfo(np.uint16).max
_REMEMBERED = 32
"""Frames kept in memory; more than memory attention looks back."""
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


@dataclass(frozen=True, eq=False)
class PropagationRequest:
    """One annotated frame that is to be carried to all others.

    Attributes
    ----------
    stack : Path
    labels : ndarray of uint16, shape (Y, X)
        0 is background, each number an object. They stay as they are in their own frame; where objects overlap
        elsewhere, the surer one is written.
    frame : int
        The annotated one.
    out : Path
        TIFF to write; it appears whole or not at all, and replaces nothing.
    model, device : str
        As in `RunRequest`; weights that know no flow are welcome.
    stack_axes : str or None
    """

    stack: Path
    labels: NDArray[np.uint16]
    frame: int
    out: Path
    model: str = "tiny"
    device: str = "auto"
    stack_axes: str | None = None

    @property
    def ids(self) -> list[int]:
        """The labels."""
        return _ids(self.labels)


def read_labels(path: Path, stack: Stack) -> NDArray[np.uint16]:
    """Labels (Y, X) of one annotated frame, 0 for background.

    Raises
    ------
    PromptError
        If the file cannot be read, does not fit the recording, or marks nothing.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            # The first page alone: a list of pages may lead back to itself.
            image = np.squeeze(tif.pages.first.asarray())
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


def propagate(request: PropagationRequest) -> Generator[int, None, None]:
    """Follow the labels of one frame through the recording and write all as a TIFF (T, Y, X) of uint16.

    With weights that know flow an object keeps its place in the tissue, whose own motion is followed; with weights of
    SAM 2 it may move and change.

    Yields
    ------
    int
        Number of frames that are done; closing the iterator before the end leaves no file.

    Raises
    ------
    OutputError
        If the file is there already or cannot be written.
    PromptError
        If nothing is marked, or the frame is not in the recording.
    StackError, ModelError
        If the recording or the model cannot be opened.
    """
    from sam2flow_core.inference.build import load_predictor

    settings = InferenceSettings()
    settings = replace(settings, sam2=replace(settings.sam2, remembered_frames=_REMEMBERED))
    with open_stack(request.stack, axes=request.stack_axes, colour=True) as stack:
        _check(request, stack)
        predictor = load_predictor(request.model, request.device, settings)
        yield from propagate_labels(predictor, stack, request.labels, request.frame, request.out)


def propagate_labels(
    predictor: Follower, stack: Stack, labels: NDArray[np.uint16], frame: int, out: Path
) -> Generator[int, None, None]:
    """Do what `propagate` does with a predictor and a recording that are open."""
    state = predictor.init_state(stack)
    for label in _ids(labels):
        predictor.add_new_mask(state, frame, label, labels == label)
    done: set[int] = set()
    with whole_file(out) as part:
        volume = _open_volume(part, stack.shape)
        for t, found, logits in predictor.follow_masks(state):
            volume[t] = labels if t == frame else flat_labels(found, logits.float().cpu().numpy()[:, 0])
            done.add(t)
            yield len(done)
        volume.flush()
        del volume


def _check(request: PropagationRequest, stack: Stack) -> None:
    if request.out.exists():
        raise OutputError(f"{request.out}: is there already; choose another name, or remove it first")
    check_writable(request.out)
    if not 0 <= request.frame < len(stack):
        raise PromptError(
            f"frame {request.frame} is outside the recording (0 to {len(stack) - 1}): give the one that was annotated"
        )
    if not request.ids:
        raise PromptError(f"nothing is marked in frame {request.frame}: mark an object there first")


def _ids(labels: NDArray[np.uint16]) -> list[int]:
    return [int(n) for n in np.unique(labels) if n]


def _open_volume(path: Path, shape: tuple[int, int, int]) -> np.memmap[Any, np.dtype[np.uint16]]:
    """A TIFF on disk whose frames may be written in any order, so that a long recording takes no memory."""
    big = 2 * int(np.prod(shape)) > _CLASSIC_TIFF
    return tifffile.memmap(
        path, shape=shape, dtype=np.uint16, photometric="minisblack", metadata={"axes": "TYX"}, bigtiff=big
    )


def flat_labels(ids: list[int], logits: NDArray[np.float32]) -> NDArray[np.uint16]:
    """One label per px of logits (objects, Y, X)."""
    surest = np.asarray(ids, np.uint16)[logits.argmax(0)]
    return np.where(logits.max(0) > 0, surest, np.uint16(0))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
