"""One annotated frame to all others, each label an object of its own; of one recording, or of many volumes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import DataError, OutputError, PromptError
from sam2flow_core.files import check_writable, folders_while_needed, output_errors, whole_file
from sam2flow_core.stack import Stack, open_stack
from sam2flow_core.stack.refusals import check_regular
from sam2flow_core.stack.volumes import Labels, Volume, as_labels, find_volume, write_nifti
from sam2flow_core.untrusted import read_object, read_regular

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
        check_regular(path)
        with tifffile.TiffFile(path) as tif:
            _check_single(tif, path)
            # The first page alone: a list of pages may lead back to itself.
            image = np.squeeze(tif.pages.first.asarray())
    except FileNotFoundError:
        raise PromptError("{path}: no such file", path=path) from None
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise PromptError("{path}: cannot be read as a TIFF image ({error})", path=path, error=error) from None
    if image.shape != stack.shape[1:]:
        raise PromptError(
            "{path}: the mask is {mask} px, a frame of the recording {frame}; give one image of the same size",
            path=path,
            mask=_size(image.shape),
            frame=_size(stack.shape[1:]),
        )
    try:
        labels = as_labels(image, path)
    except DataError as error:
        raise PromptError(error.message) from None
    if not labels.any():
        raise PromptError("{path}: nothing is marked, all is 0; give each object a number of its own", path=path)
    return labels


def _check_single(tif: tifffile.TiffFile, path: Path) -> None:
    """Raise `PromptError` for labels of several frames: which of them are meant, the file does not say."""
    several = int((tif.imagej_metadata or {}).get("images", 1)) > 1
    with suppress(IndexError):
        several |= tif.pages[1] is not None
    if several:
        raise PromptError("{path}: holds more than one image; save that of the annotated frame by itself", path=path)


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
    with output_errors(out), folders_while_needed(out.parent), whole_file(out) as part:
        volume = _open_volume(part, stack.shape)
        for t, found, logits in predictor.follow_masks(state):
            volume[t] = labels if t == frame else flat_labels(found, logits.float().cpu().numpy()[:, 0])
            done.add(t)
            yield len(done)
        volume.flush()
        del volume


def _check(request: PropagationRequest, stack: Stack) -> None:
    if request.out.exists():
        raise OutputError("{out}: is there already; choose another name, or remove it first", out=request.out)
    check_writable(request.out)
    if not 0 <= request.frame < len(stack):
        raise PromptError(
            "frame {frame} is outside the recording (0 to {last}): give the one that was annotated",
            frame=request.frame,
            last=len(stack) - 1,
        )
    if not request.ids:
        raise PromptError("nothing is marked in frame {frame}: mark an object there first", frame=request.frame)


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


@dataclass(frozen=True)
class VolumeDone:
    """A volume that was followed.

    Attributes
    ----------
    name : str
    labels : ndarray (Z, Y, X)
    dice : dict
        By label, over all slices but the one that was given; empty where there is no truth.
    """

    name: str
    labels: Labels
    dice: Mapping[int, float]

    def text(self) -> str:
        """One line to print."""
        said = ", ".join(f"{label}: {value:.3f}" for label, value in self.dice.items())
        return f"{self.name}: {len(self.labels)} slices" + (f", Dice {said}" if said else "")


def read_mask_prompts(path: Path) -> dict[str, int]:
    """Dictionary of volume to the slice whose mask is given; raises `PromptError` for anything else."""
    try:
        found = read_object(read_regular(path))
    except (OSError, ValueError) as error:
        raise PromptError(f"{path}: cannot be read as JSON ({error})") from None
    if not found or not all(type(t) is int and t >= 0 for t in found.values()):
        raise PromptError(f'{path}: give the slice of each volume, such as {{"volume1": 12}}')
    return found


def propagate_volumes(
    predictor: Follower, data: Path, prompts: Mapping[str, int], out: Path | None, form: str = "png"
) -> Iterator[VolumeDone]:
    """Follow the labels of one slice of each volume to all others, forwards and backwards.

    Parameters
    ----------
    predictor : Follower
        Sees slices at the size that its weights were fine-tuned for.
    data : Path
        As for `read_volumes`; of the masks only the given slice is needed, all of them for Dice.
    prompts : mapping of str to int
        Slice of each volume.
    out : Path or None
        Folder to write to: ``VOLUME/00000.png``, ``VOLUME.tif`` or ``VOLUME.nii.gz``; None: write nothing.
    form : str
        ``png``, ``tiff`` or ``nifti``.

    Raises
    ------
    DataError, PromptError, OutputError
        If a volume or its mask is missing, nothing is marked, or a result is there already.
    """
    volumes = [find_volume(data, name) for name in prompts]
    for volume in volumes:
        if out is not None and _target(out, volume.name, form).exists():
            raise OutputError(f"{_target(out, volume.name, form)}: is there already; choose another folder")
    for volume in volumes:
        t = prompts[volume.name]
        given = volume.labels(t)
        labels = _followed(predictor, volume, given, t)
        if out is not None:
            _write(labels, volume, out, form)
        yield VolumeDone(volume.name, labels, _dice(volume, labels, given, t))


def _followed(predictor: Follower, volume: Volume, given: Labels, t: int) -> Labels:
    ids = [int(n) for n in np.unique(given) if n]
    if not ids:
        raise PromptError(f"volume '{volume.name}': nothing is marked in slice {t}")
    with volume.open() as stack:
        if given.shape != stack.shape[1:]:
            raise DataError(f"volume '{volume.name}': mask of {given.shape}, slices of {stack.shape[1:]}")
        labels = np.zeros(stack.shape, np.uint16)
        state = predictor.init_state(stack)
        for label in ids:
            predictor.add_new_mask(state, t, label, given == label)
        for frame, found, logits in predictor.follow_masks(state):
            labels[frame] = flat_labels(found, logits.float().cpu().numpy()[:, 0])
    labels[t] = given
    return labels


def _dice(volume: Volume, labels: Labels, given: Labels, t: int) -> dict[int, float]:
    try:
        truth = volume.labels()
    except DataError:
        return {}
    others = np.arange(len(labels)) != t
    return (
        {int(n): dice(labels[others] == n, truth[others] == n) for n in np.unique(given) if n}
        if truth.shape == labels.shape
        else {}
    )


def dice(found: Any, truth: Any) -> float:
    """Twice what masks share, over the sum of both; 1 where both are empty."""
    total = int(found.sum()) + int(truth.sum())
    return 2 * int((found & truth).sum()) / total if total else 1.0


def _target(out: Path, name: str, form: str) -> Path:
    return out / (name + {"png": "", "tiff": ".tif", "nifti": ".nii.gz"}[form])


def _write(labels: Labels, volume: Volume, out: Path, form: str) -> None:
    target = _target(out, volume.name, form)
    with output_errors(target):
        (target if form == "png" else out).mkdir(parents=True, exist_ok=True)
    if form == "png":
        small = labels.max() <= np.iinfo(np.uint8).max
        for name, slice_labels in zip(volume.slice_names, labels, strict=True):
            with whole_file(target / f"{name}.png") as part:
                Image.fromarray(slice_labels.astype(np.uint8 if small else np.uint16)).save(part, format="PNG")
    elif form == "tiff":
        with whole_file(target) as part:
            tifffile.imwrite(part, labels, metadata={"axes": "ZYX"}, photometric="minisblack")
    else:
        # The writer goes by the ending, which a part file does not have.
        with whole_file(target) as part:
            named = part.with_name(part.name + ".nii.gz")
            write_nifti(named, labels, volume.images)
            named.replace(part)
