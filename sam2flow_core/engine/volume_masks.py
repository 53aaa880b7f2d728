"""One annotated slice to all others, in many volumes: masks both ways, and Dice where the truth is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from sam2flow_core.engine.propagation import Follower, flat_labels
from sam2flow_core.errors import DataError, OutputError, PromptError
from sam2flow_core.files import output_errors, whole_file
from sam2flow_core.stack.volumes import Labels, Volume, find_volume, write_nifti

FORMATS = ("png", "tiff", "nifti")


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
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PromptError(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(found, dict) or not found or not all(type(t) is int and t >= 0 for t in found.values()):
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
        for name, slice_labels in zip(volume.slice_names(), labels, strict=True):
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
