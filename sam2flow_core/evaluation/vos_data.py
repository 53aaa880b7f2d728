"""Videos with annotated objects in the layouts of DAVIS, SA-V and MOSE, and how well masks follow the objects.

The arithmetic is that of the evaluator published with SA-V, by which results on DAVIS, MOSE and SA-V are compared.

References
----------
.. [1] F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016,
   :doi:`10.1109/CVPR.2016.85`.
.. [2] J. Pont-Tuset et al., "The 2017 DAVIS Challenge on Video Object Segmentation", :doi:`10.48550/arXiv.1704.00675`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.errors import DataError
from sam2flow_core.stack import open_stack
from sam2flow_core.stack.file_series import natural_key
from sam2flow_core.stack.volumes import read_label_picture
from sam2flow_core.untrusted import read_names, why

_LAYOUTS = (
    ("SA-V", "JPEGImages_24fps", "Annotations_6fps"),
    ("DAVIS", "JPEGImages/480p", "Annotations/480p"),
    ("DAVIS", "JPEGImages/Full-Resolution", "Annotations/Full-Resolution"),
    ("MOSE", "JPEGImages", "Annotations"),
)
Mask = NDArray[np.bool_]
_REACH = 0.008
"""How far apart two contours may lie and still agree, as a share of the picture's diagonal."""


@dataclass(frozen=True)
class Annotation:
    """PNG files of one folder: of all objects of a video (DAVIS, MOSE), or of one of them (SA-V).

    Attributes
    ----------
    folder : Path
    frames : tuple of str
        Names of the annotated frames without their ending, in order.
    object_id : str
        Of the one object, as its folder is called; empty where the pixels say it.
    """

    folder: Path
    frames: tuple[str, ...]
    object_id: str = ""

    def labels(self, frame: str, folder: Path | None = None) -> NDArray[Any]:
        """Labels (Y, X) of a frame, 0 for background, from here or from a folder of masks that were found.

        Raises
        ------
        DataError
            If the file is missing, or no picture of labels.
        """
        path = (folder or self.folder) / f"{frame}.png"
        found = read_label_picture(path)
        if found.ndim != 2:
            raise DataError(f"{path}: a picture in colour; labels are one number a pixel (grey, or with a palette)")
        # Of one object, or black and white.
        return (found > 0).astype(np.uint8) if self.object_id or found.dtype == bool else found


@dataclass(frozen=True)
class VosVideo:
    """One video: its folder of frames, and its annotations."""

    name: str
    folder: Path
    annotations: tuple[Annotation, ...]

    @cached_property
    def frames(self) -> dict[str, int]:
        """Number of each frame by its name without ending, in the order of the recording."""
        with open_stack(self.folder, colour=True) as stack:
            return {path.stem: t for t, path in enumerate(stack.paths)}

    def number(self, frame: str) -> int:
        """Number of a frame of this name; raises `DataError` where there is none."""
        if frame not in self.frames:
            raise DataError(f"{self.folder}: no frame '{frame}', which is annotated")
        return self.frames[frame]


@dataclass(frozen=True)
class VosData:
    """A folder of videos with annotations; ``layout`` is DAVIS, SA-V or MOSE."""

    layout: str
    videos: tuple[VosVideo, ...]


def open_vos(root: Path, listed: Path | None = None) -> VosData:
    """Find the videos of a folder.

    Parameters
    ----------
    root : Path
        With ``JPEGImages_24fps`` and ``Annotations_6fps`` (SA-V), ``JPEGImages/480p`` and ``Annotations/480p`` (DAVIS),
        or ``JPEGImages`` and ``Annotations`` (MOSE, YouTube-VOS).
    listed : Path, optional
        Text file with the name of a video a line, such as ``ImageSets/2017/val.txt``; all annotated ones by default.

    Raises
    ------
    DataError
        If the folder has none of these layouts, or a video lacks its frames or annotations.
    """
    there = [names for names in _LAYOUTS if all((root / folder).is_dir() for folder in names[1:])]
    if not there:
        wanted = ", ".join(f"{p} with {t}" for _, p, t in _LAYOUTS)
        raise DataError(f"{root}: no videos in a known layout; there should be one of {wanted}")
    layout, pictures, truth = there[0]
    names = _listed(listed) if listed else [p.name for p in _folders(root / truth)]
    if not names:
        raise DataError(f"{root / truth}: no annotated video")
    return VosData(layout, tuple(_video(name, root / pictures / name, root / truth / name) for name in names))


def _listed(path: Path) -> list[str]:
    try:
        names = read_names(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({why(error)}); it names a video a line") from None
    if not names:
        raise DataError(f"{path}: names no video")
    return names


def _video(name: str, pictures: Path, truth: Path) -> VosVideo:
    for folder in (pictures, truth):
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; video '{name}' needs frames and annotations")
    parts = [Annotation(p, _png_names(p), p.name) for p in _folders(truth)] or [Annotation(truth, _png_names(truth))]
    return VosVideo(name, pictures, tuple(parts))


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")


def _png_names(folder: Path) -> tuple[str, ...]:
    pictures = [p for p in folder.iterdir() if p.suffix.lower() == ".png" and p.name[0] != "."]
    files = [p for p in pictures if p.suffix == ".png"]
    if odd := sorted(set(pictures) - set(files)):
        raise DataError(f"{odd[0]}: write the ending as .png; the frame would be left out of the scores")
    if not files:
        raise DataError(f"{folder}: no PNG file with labels")
    return tuple(p.stem for p in sorted(files, key=natural_key))


class Score(NamedTuple):
    """J and F, each 0 to 1."""

    j: float
    f: float

    @property
    def jf(self) -> float:
        """Mean of both."""
        return (self.j + self.f) / 2


def region_similarity(mask: Mask, truth: Mask) -> float:
    """Intersection over union, J; 1 where both are empty."""
    union = int((mask | truth).sum())
    return int((mask & truth).sum()) / union if union else 1.0


def contour_accuracy(mask: Mask, truth: Mask) -> float:
    """F of the contours' px that lie near the other contour; 1 where neither has any."""
    reach = float(np.ceil(_REACH * np.linalg.norm(mask.shape)))
    drawn, true = contour(mask), contour(truth)
    if not drawn.any() or not true.any():
        # Against nothing either precision or recall is zero, and F with it.
        return float(drawn.any() == true.any())
    precision = (drawn & _widened(true, reach)).sum() / drawn.sum()
    recall = (true & _widened(drawn, reach)).sum() / true.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def contour(mask: Mask) -> Mask:
    """Px (Y, X) whose neighbour to the right, below, or right below is on the other side of the contour."""
    held = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    here = held[:-1, :-1]
    found = (here ^ held[:-1, 1:]) | (here ^ held[1:, :-1]) | (here ^ held[1:, 1:])
    found[-1, -1] = False
    return found


def _widened(line: Mask, reach: float) -> Mask:
    """Px within reach of a line: a dilation by a disc, but faster."""
    result: Mask = ndimage.distance_transform_edt(~line) <= reach
    return result


@dataclass
class ObjectScores:
    """J and F of the objects of a video, from its frames in order.

    An object counts from the first frame on in which it is, or is thought to be; then also where it is away, which is
    right as long as nothing is marked.
    """

    j: dict[int, list[float]] = field(default_factory=dict)
    f: dict[int, list[float]] = field(default_factory=dict)
    true: set[int] = field(default_factory=set)

    def add(self, labels: NDArray[Any], truth: NDArray[Any]) -> None:
        """Compare labels (Y, X) of a frame, 0 for background, with the true ones."""
        ids = set(np.unique(truth).tolist()) - {0}
        self.true |= ids
        for object_id in self.j.keys() | ids | (set(np.unique(labels).tolist()) - {0}):
            mask, right = labels == object_id, truth == object_id
            self.j.setdefault(object_id, []).append(region_similarity(mask, right))
            self.f.setdefault(object_id, []).append(contour_accuracy(mask, right))

    def scores(self) -> dict[int, Score]:
        """Mean over the frames of each object that is truly there."""
        return {i: Score(float(np.mean(self.j[i])), float(np.mean(self.f[i]))) for i in sorted(self.true)}


def mean_score(scores: Iterable[Score]) -> Score:
    """Mean over objects, whatever their videos; not a number for none."""
    rows = np.array([(s.j, s.f) for s in scores]).reshape(-1, 2)
    if not len(rows):
        return Score(float("nan"), float("nan"))
    j, f = rows.mean(0).tolist()
    return Score(j, f)
