"""Which files are one recording: frames numbered by their names, and parts split at a size limit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.calibration import number
from sam2flow_core.stack.metadata import MicroManagerIndex
from sam2flow_core.stack.tiff import TiffSource

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
_ENDINGS = r"(?P<ending>(?:\.ome)?\.(?:tiff?|btf|tf8))"
# camera programs: name-file001, name@0001, name_X2, name_part1; these number the parts of one recording only
_MARKED = re.compile(rf"(?P<base>.+?)(?P<mark>[-_ ]?file|@|_X|[-_ ]part)(?P<number>\d+){_ENDINGS}$", re.IGNORECASE)
# name_1 may be a part, or the same vessel recorded again
_PLAIN = re.compile(rf"(?P<base>.+)(?P<mark>_)(?P<number>\d+){_ENDINGS}$", re.IGNORECASE)
_SPLIT_BYTES = 1_000_000_000


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
            "{name}: files of {count} different names, {names}: no single series of frames; put the frames of "
            "one recording and of one channel into a folder of their own, numbered",
            name=name,
            count=len(series),
            names=", ".join(some),
        )
    numbers, labels = _running_places(frames)
    _refuse_planes(numbers, labels, frames, name)
    problems = _gaps(numbers, frames)
    if len(labels) == 1 and labels[0] in _PLANES and labels[0] not in _ALSO_UNITS_OF_TIME:
        problems += (
            Message(
                "the names count {planes} ('{labels}' in {name}): they are read as frames",
                planes=_PLANES[labels[0]],
                labels=labels[0],
                name=frames[0].name,
            ),
        )
    if others:
        names = ", ".join(p.name for p in others[:3]) + (" and so on" if len(others) > 3 else "")
        problems += (
            Message(
                "{count} pictures of other names are not frames and are left out: {names}",
                count=len(others),
                names=names,
            ),
        )
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
        raise StackError(
            "{name}: several files have one number, such as {name_2}; keep one of each frame",
            name=name,
            name_2=files[0].name,
        )
    for place, label in enumerate(labels):
        called, count = _PLANES.get(label), len(np.unique(numbers[:, place]))
        repeated = len(files) > 2 and count <= len(files) / 2
        if called and repeated and (label not in _ALSO_UNITS_OF_TIME or _counts_anew(numbers, place)):
            raise StackError(
                "{name}: {count} {called} in one folder ('{label}' in {name_2}): a recording has one picture per "
                "time point; put the frames of one of them into a folder of their own",
                name=name,
                count=count,
                called=called,
                label=label,
                name_2=files[0].name,
            )
    running = any(len(np.unique(column)) == len(files) for column in numbers.T)
    if len(labels) > 1 and not running and any(_counts_anew(numbers, place) for place in range(len(labels))):
        raise StackError(
            "{name}: the names count in {count} places ({name_2} to {name_3}), so several series or channels "
            "lie in one folder; put the frames of one into a folder of their own",
            name=name,
            count=len(labels),
            name_2=files[0].name,
            name_3=files[-1].name,
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
    first = files[jumps[0]].name
    return (
        Message(
            "file numbers jump {jumps} times, first after {first}: frames are missing", jumps=len(jumps), first=first
        ),
    )


@dataclass(frozen=True)
class Parts:
    """The files that follow the first one, opened, and one line that says what was done."""

    others: tuple[TiffSource, ...] = ()
    problems: tuple[str, ...] = ()


def find_parts(path: Path, first: TiffSource, axes: str | None = None) -> Parts:
    """Find and open the files that go on where `path` ends.

    Marked names (``name-file001.tif``, ``name@0001.tif``, ``name_X2.tif``, ``name_part1.tif``) are parts for sure.
    ``name.tif`` with ``name_1.tif`` could also be a second recording: it is taken for a part when the first file
    is as large as programs make them before they split (1 GB), or when only the last file has fewer frames.
    Micro-Manager's files say themselves which acquisition they are of, and which of its time points they hold.
    """
    if first.micro_manager is not None:
        return _micro_manager_parts(path, first, first.micro_manager, axes)
    own = _MARKED.match(path.name)
    if own:
        found = _siblings(path, _MARKED, own["base"], own["mark"])
        number = int(own["number"])
        earlier = [p for n, p in found.items() if n < number]
        if earlier:
            return Parts(
                (),
                (
                    Message(
                        "this is a later part of a split recording: open {name} for all of it", name=earlier[0].name
                    ),
                ),
            )
        return _join(path, first, found, number + 1, axes)
    base = re.sub(rf"{_ENDINGS}$", "", path.name, flags=re.IGNORECASE)
    for pattern in (_MARKED, _PLAIN):
        found = _siblings(path, pattern, base, None)
        if found and min(found) <= 2:
            if pattern is _MARKED:
                return _join(path, first, found, min(found), axes)
            try:
                return _unless_repeat(path, first, _join(path, first, found, min(found), axes))
            except StackError:
                return Parts()  # a neighbour that is no recording is no part either
    return Parts()


def _micro_manager_parts(path: Path, first: TiffSource, index: MicroManagerIndex, axes: str | None) -> Parts:
    base, own = path.name, 0
    numbered = _PLAIN.match(path.name)
    if numbered and index.time_points.min() > 0:
        base, own = numbered["base"], int(numbered["number"])
    base = re.sub(rf"{_ENDINGS}$", "", base, flags=re.IGNORECASE)
    found = _siblings(path, _PLAIN, base, None)
    if own:
        text = Message(
            "this is a later part of a split recording, from frame {first} on: open its first file",
            first=index.time_points.min(),
        )
        return Parts((), (text,))
    others: list[TiffSource] = []
    notes: list[str] = []
    while len(others) + 1 in found:
        name = found[len(others) + 1]
        source = _opened(name, axes)
        if source is None or not _goes_on(source, others[-1] if others else first):
            notes.append(
                Message(
                    "{name} lies beside it and is another recording, it does not go on where this one ends",
                    name=name.name,
                )
            )
            if source is not None:
                source.close()
            break
        others.append(source)
    frames = first.shape[0] + sum(s.shape[0] for s in others)
    planned = int(number(index.summary.get("Frames")) or 0)
    if planned > frames:
        notes.append(
            Message(
                "{frames} of {planned} planned frames: the recording was stopped, or its other files are missing",
                frames=frames,
                planned=planned,
            )
        )
    if others:
        notes.insert(
            0,
            Message(
                "{count} files joined, {name} to {last}: {frames} frames",
                count=len(others) + 1,
                name=path.name,
                last=others[-1].paths[0].name,
                frames=frames,
            ),
        )
    return Parts(tuple(others), (reduce(_both, notes),) if notes else ())


def _both(one: str, other: str) -> str:
    return Message("{one}; {other}", one=one, other=other)


def _opened(path: Path, axes: str | None) -> TiffSource | None:
    try:
        return TiffSource(path, axes)
    except StackError:
        return None


def _goes_on(part: TiffSource, before: TiffSource) -> bool:
    """Whether a file of Micro-Manager's is of the same acquisition, and begins where the one before ends."""
    this, last = part.micro_manager, before.micro_manager
    return (
        this is not None
        and last is not None
        and this.summary == last.summary
        and int(this.time_points.min()) == int(last.time_points.max()) + 1
    )


def _siblings(path: Path, pattern: re.Pattern[str], base: str, mark: str | None) -> dict[int, Path]:
    matches = ((pattern.match(p.name), p) for p in path.parent.iterdir())
    found = {int(m["number"]): p for m, p in matches if m and m["base"] == base and (mark is None or m["mark"] == mark)}
    return dict(sorted(found.items()))


def _join(path: Path, first: TiffSource, found: dict[int, Path], start: int, axes: str | None) -> Parts:
    names: list[Path] = []
    while start + len(names) in found:
        names.append(found[start + len(names)])
    if not names:
        return Parts()
    others: list[TiffSource] = []
    try:
        for name in names:
            others.append(TiffSource(name, axes))
    except BaseException:
        for source in others:
            source.close()
        raise
    frames = first.shape[0] + sum(s.shape[0] for s in others)
    text: str = Message(
        "{count} files joined, {name} to {last}: {frames} frames",
        count=len(others) + 1,
        name=path.name,
        last=names[-1].name,
        frames=frames,
    )
    later = [n for n in found if n >= start + len(names)]
    if later:
        part = start + len(names)
        text = _both(text, Message("part {part} is missing, later ones are left out", part=part))
    return Parts(tuple(others), (text,))


def _unless_repeat(path: Path, first: TiffSource, parts: Parts) -> Parts:
    sources = (first, *parts.others)
    alike = all(s.shape[1:] == first.shape[1:] and s.dtype == first.dtype for s in sources)
    counts = [s.shape[0] for s in sources]
    cut_to_size = path.stat().st_size >= _SPLIT_BYTES or counts[-1] < counts[0]
    if parts.others and alike and len(set(counts[:-1])) == 1 and counts[-1] <= counts[0] and cut_to_size:
        return parts
    for source in parts.others:
        source.close()
    if not parts.others or not alike:
        return Parts()
    beside = parts.others[0].paths[0].name
    return Parts(
        (),
        (
            Message(
                "{beside} lies beside it and is taken for another recording, not for its second part", beside=beside
            ),
        ),
    )
