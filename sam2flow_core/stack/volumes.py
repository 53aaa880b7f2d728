"""Annotated volumes as SLM-SAM 2 has them: a folder of slices for each, or a NIfTI file, and lists of names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sam2flow_core.errors import DataError, require_extra
from sam2flow_core.stack.folder import PICTURE_SUFFIXES, read_picture
from sam2flow_core.stack.opening import ColourSource, open_array, open_stack
from sam2flow_core.stack.refusals import check_regular
from sam2flow_core.stack.sources import SingleFrameError
from sam2flow_core.stack.stack import Stack
from sam2flow_core.untrusted import one_line, plain_name, read_names, why

_NIFTI = (".nii.gz", ".nii")
_SAME_PLACE = 0.5
"""Voxels that the corners of an image and of its masks may lie apart: some programs round what they write there."""
Labels = NDArray[np.uint16]


@dataclass(frozen=True)
class Volume:
    """One volume: its pictures, and its masks where there are any; folders of slices, or NIfTI files."""

    name: str
    images: Path
    masks: Path | None

    def open(self) -> Stack:
        """The slices, (Z, Y, X), in their colours if they have any."""
        pictures = self.images if self.images.is_dir() else _read_nifti(self.images)[0]
        try:
            if isinstance(pictures, Path):
                return open_stack(pictures, colour=True)
            return open_array(pictures, self.images.name, colour=True)
        except SingleFrameError:
            # No recording, but a picture to learn from.
            return _open_picture(self.images) if isinstance(pictures, Path) else _as_stack(pictures[0], self.images)

    def labels(self, t: int | None = None) -> Labels:
        """Labels (Z, Y, X), or of slice ``t`` alone (Y, X); 0 is background.

        Raises
        ------
        DataError
            If there are none, or they are no whole numbers from 0.
        """
        if self.masks is None:
            raise DataError(f"volume '{self.name}': no masks")
        if not self.masks.is_dir():
            self._check_space(self.masks)
            volume = _read_nifti(self.masks)[0]
            self._check_slice(t, len(volume))
            return as_labels(volume if t is None else volume[t], self.masks)
        names = self.slice_names
        self._check_slice(t, len(names))
        slices = [read_label_picture(self.masks / f"{name}.png") for name in (names if t is None else [names[t]])]
        if len({s.shape for s in slices}) != 1 or slices[0].ndim != 2:
            raise DataError(f"{self.masks}: masks must be of one size, one number a pixel")
        return as_labels(slices[0] if t is not None else np.stack(slices), self.masks)

    @cached_property
    def slice_names(self) -> list[str]:
        """Name of each slice without its ending, in the order of the slices; its number where one file holds them."""
        with self.open() as stack:
            files, count = stack.paths if self.images.is_dir() else (), len(stack)
        return [p.stem for p in files] if len(files) == count else [f"{t:05d}" for t in range(count)]

    def _check_space(self, masks: Path) -> None:
        """Raise `DataError` where both files say where they lie, and it is not the same place."""
        places = [] if self.images.is_dir() else [_space(path) for path in (self.images, masks)]
        told = [place for place in places if place is not None]
        if len(told) == 2 and _apart(*told) > _SAME_PLACE:
            raise DataError(
                f"{masks}: lies otherwise in space than {self.images.name} (axes, spacing or origin in its header); "
                "save the masks in the space of the image"
            )

    def _check_slice(self, t: int | None, count: int) -> None:
        if t is not None and not 0 <= t < count:
            raise DataError(f"volume '{self.name}': no slice {t}, there are {count}")


def read_volumes(data: Path, listed: str | Path) -> list[Volume]:
    """Volumes of ``data`` whose names stand in a text file, a line each.

    Parameters
    ----------
    data : Path
        With ``images/VOLUME/00000.jpg`` and ``masks/VOLUME/00000.png``, or ``images/VOLUME.nii.gz`` and
        ``masks/VOLUME.nii.gz``.
    listed : str or Path
        ``train.txt``, ``test.txt``: a name in ``data``, or a path.

    Raises
    ------
    DataError
        If the list or a volume is missing.
    """
    path = data / listed
    try:
        names = read_names(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({why(error)}); it names a volume a line") from None
    if not names:
        raise DataError(f"{path}: names no volume")
    return [find_volume(data, name) for name in names]


def find_volume(data: Path, name: str) -> Volume:
    """The volume of a name; raises `DataError` where there is none."""
    if not plain_name(name):
        raise DataError(f"'{one_line(name)}' is no name of a volume")
    images = _folder_or_file(data / "images", name)
    if images is None:
        raise DataError(f"{data / 'images'}: no volume '{name}', neither a folder of slices nor a NIfTI file")
    return Volume(name, images, _folder_or_file(data / "masks", name))


def read_label_picture(path: Path) -> NDArray[Any]:
    """Numbers that a PNG file holds a pixel, those of its palette where it has one.

    Raises
    ------
    DataError
        If the file is missing, or anything but a PNG: what JPEG makes of labels are other labels.
    """
    check_regular(path)
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return np.array(picture)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; every slice or annotated frame needs a mask") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: no PNG file; save the labels as PNG") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: cannot be read as a PNG file ({why(error)})") from None


def write_nifti(path: Path, labels: Labels, like: Path) -> None:
    """Write labels (Z, Y, X) as NIfTI, in the space of another such file; slices in a folder have none."""
    require_extra("nifti", "writing NIfTI")
    import nibabel

    module: Any = nibabel
    space = np.eye(4) if like.is_dir() else _read_nifti(like)[1]
    module.save(module.Nifti1Image(labels.transpose(2, 1, 0), space), path)


def _open_picture(folder: Path) -> Stack:
    path = next(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and p.name[0] != ".")
    picture, _, _ = read_picture(path)
    if path.suffix.lower() in (".jpg", ".jpeg"):  # which are read in grey otherwise
        picture = np.asarray(Image.open(path).convert("RGB"))
    return _as_stack(picture, path)


def _as_stack(picture: NDArray[Any], path: Path) -> Stack:
    """A recording of one frame, (Y, X) or (Y, X, samples)."""
    colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
    return Stack(ColourSource(lambda _: colours, 1, (path,)), path.stem)


def _folder_or_file(folder: Path, name: str) -> Path | None:
    if (folder / name).is_dir():
        return folder / name
    return next((p for ending in _NIFTI if (p := folder / f"{name}{ending}").is_file()), None)


def _read_nifti(path: Path) -> tuple[NDArray[Any], Any]:
    with _nifti(path) as found:
        volume = np.asanyarray(found.dataobj)
    if volume.ndim != 3:
        raise DataError(f"{path}: {volume.ndim} axes; a volume has three")
    return np.ascontiguousarray(volume.transpose(2, 1, 0)), found.affine


@dataclass(frozen=True, eq=False)
class _Space:
    """Where a volume lies: shape in voxels, and the matrix (4, 4) from voxels to mm."""

    shape: tuple[int, ...]
    place: NDArray[np.float64]

    @property
    def corners(self) -> NDArray[np.float64]:
        """The first voxel and the last along each axis, mm, (4, 3)."""
        ends = np.vstack([np.zeros(3), np.diag(np.maximum(self.shape, 1) - 1)])
        return np.asarray(ends @ self.place[:3, :3].T + self.place[:3, 3])


def _space(path: Path) -> _Space | None:
    """Where the volume of a file lies; None where it does not say.

    Masks that were written from an array often have the identity for their place, which says nothing.
    """
    with _nifti(path) as found:
        told = any(int(found.header[f"{form}_code"]) for form in ("qform", "sform"))
        space = _Space(found.shape[:3], found.affine)
    return space if told and not np.array_equal(space.place, np.eye(4)) else None


def _apart(one: _Space, other: _Space) -> float:
    """The largest distance between the corners of two volumes, in voxels of the first."""
    voxel = np.linalg.norm(one.place[:3, :3], axis=0).min()
    return float(np.linalg.norm(one.corners - other.corners, axis=1).max() / max(voxel, np.finfo(float).tiny))


@contextmanager
def _nifti(path: Path) -> Iterator[Any]:
    """Open a NIfTI file; what its reader raises in the block too is a `DataError`."""
    require_extra("nifti", f"{path.name}, a NIfTI volume,")
    import nibabel

    check_regular(path)
    try:
        # It would say on the screen what it makes of a damaged header.
        with nibabel.imageglobals.LoggingOutputSuppressor():
            yield nibabel.load(path)
    except Exception as error:  # whatever the reader raises on a damaged file
        raise DataError(f"{path}: cannot be read as NIfTI ({why(error)}); it may be damaged") from None


def as_labels(found: NDArray[Any], path: Path) -> Labels:
    """Labels of a file; raises `DataError` unless they are whole numbers, of whatever type, from 0 to 65535."""
    most = np.iinfo(np.uint16).max
    numbers = found.size and found.dtype.kind in "buif"
    if not numbers or found.min() < 0 or found.max() > most or (found != np.floor(found)).any():
        raise DataError(f"{path}: labels must be whole numbers from 0 (background) to 65535")
    return found.astype(np.uint16)
