"""Which files of a folder are the frames of one recording, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import StackError

_NUMBER = re.compile(r"\d+")
_LABEL = re.compile(r"([a-z]*)[^a-z0-9]*$")
# what stands before the number of a channel, slice or position in the names that microscope programs give
_PLANES = {
    **dict.fromkeys(("c", "ch", "chan", "channel", "w", "wl", "wave", "wavelength", "lambda", "color"), "channels"),
    **dict.fromkeys(("z", "slice", "depth", "focus", "plane"), "slices"),
    **dict.fromkeys(("pos", "position", "xy", "stage", "site", "fov", "tile", "well", "p", "s"), "positions"),
    **dict.fromkeys(("cam", "camera"), "cameras"),
}  # fmt: skip
_ALSO_UNITS_OF_TIME = ("s",)
_FEW = 0.25  # of the frames: what else lies in a folder by the way


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sort key by which ``frame10`` comes after ``frame9``."""
    pieces = re.split(r"(\d+)", path.name.lower())
    return [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in pieces]


def numbered_frames(files: Sequence[Path], name: str) -> tuple[list[Path], tuple[str, ...]]:
    """Find the frames of one recording among files of one kind.

    Frames have one name but for one running number. Pictures of other names, such as an average or a dark frame, are
    left out if they are few.

    Parameters
    ----------
    files : sequence of Path
        In natural order.
    name : str
        Of the folder, for messages.

    Returns
    -------
    frames : list of Path
    problems : tuple of str

    Raises
    ------
    StackError
        If the names are those of several series, or of several channels, slices or positions.
    """
    if len(files) < 2:
        return list(files), ()
    series: dict[str, list[Path]] = {}
    for path in files:
        series.setdefault(_NUMBER.sub("#", path.stem.lower()), []).append(path)
    frames = max(series.values(), key=len)
    others = [p for p in files if p not in set(frames)]
    if len(others) > _FEW * len(frames):
        some = [f"{found[0].name} ({len(found)})" for found in list(series.values())[:3]]
        raise StackError(
            f"{name}: files of {len(series)} different names, {', '.join(some)}: no single series of frames;"
            " put the frames of one recording and of one channel into a folder of their own, numbered"
        )
    numbers, labels = _running_places(frames)
    _refuse_planes(numbers, labels, frames, name)
    problems = _gaps(numbers, frames)
    if len(labels) == 1 and labels[0] in _PLANES and labels[0] not in _ALSO_UNITS_OF_TIME:
        problems += (
            f"the names count {_PLANES[labels[0]]} ('{labels[0]}' in {frames[0].name}): they are read as frames",
        )
    if others:
        names = ", ".join(p.name for p in others[:3]) + (" and so on" if len(others) > 3 else "")
        problems += (f"{len(others)} pictures of other names are not frames and are left out: {names}",)
    return frames, problems


def _running_places(files: Sequence[Path]) -> tuple[NDArray[np.int64], list[str]]:
    """Numbers in the names, (files, places), and the letters before each; only the places that change."""
    table = np.array([[int(n) % 2**62 for n in _NUMBER.findall(p.stem)] for p in files], np.int64)
    changing = (table != table[0]).any(axis=0)
    labels = [label for label, changes in zip(_labels(files[0]), changing, strict=True) if changes]
    return table[:, changing], labels


def _refuse_planes(numbers: NDArray[np.int64], labels: list[str], files: Sequence[Path], name: str) -> None:
    """Refuse names that count channels, slices or positions, or that count anew for each of something."""
    if not labels or len(np.unique(numbers, axis=0)) < len(files):
        raise StackError(f"{name}: several files have one number, such as {files[0].name}; keep one of each frame")
    for place, label in enumerate(labels):
        called, count = _PLANES.get(label), len(np.unique(numbers[:, place]))
        repeated = len(files) > 2 and count <= len(files) / 2
        if called and repeated and (label not in _ALSO_UNITS_OF_TIME or _counts_anew(numbers, place)):
            raise StackError(
                f"{name}: {count} {called} in one folder ('{label}' in {files[0].name}): a recording has one picture"
                " per time point; put the frames of one of them into a folder of their own"
            )
    running = any(len(np.unique(column)) == len(files) for column in numbers.T)
    if len(labels) > 1 and not running and any(_counts_anew(numbers, place) for place in range(len(labels))):
        raise StackError(
            f"{name}: the names count in {len(labels)} places ({files[0].name} to {files[-1].name}), so several series"
            " or channels lie in one folder; put the frames of one into a folder of their own"
        )


def _labels(path: Path) -> list[str]:
    """Letters before each number of a name."""
    stem = path.stem.lower()
    return [match[1] if (match := _LABEL.search(stem[: n.start()])) else "" for n in _NUMBER.finditer(stem)]


def _counts_anew(numbers: NDArray[np.int64], place: int) -> bool:
    """Whether one number begins again at the same value each time another one changes."""
    rest = np.delete(numbers, place, axis=1)
    groups, inverse = np.unique(rest, axis=0, return_inverse=True)
    if len(groups) < 2 or len(groups) > len(numbers) / 1.5:
        return False
    starts = [numbers[inverse.reshape(-1) == g, place].min() for g in range(len(groups))]
    return len(set(starts)) == 1


def _gaps(numbers: NDArray[np.int64], files: Sequence[Path]) -> tuple[str, ...]:
    """Say so where the running number of the names jumps."""
    if numbers.shape[1] != 1:
        return ()
    steps = np.diff(numbers[:, 0])
    jumps = np.flatnonzero(steps != np.median(steps))
    if not len(jumps):
        return ()
    return (f"file numbers jump {len(jumps)} times, first after {files[jumps[0]].name}: frames are missing",)
