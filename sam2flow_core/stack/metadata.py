"""What programs write beside the pixels: OME-XML, and the indices and notes of Micro-Manager and ScanImage."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError, TiffFrame, TiffPage, read_micromanager_metadata, read_ndtiff_index

from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.calibration import number, seconds_per, um_per

PAGE_TAG = 51123
_LONGEST_NOTE = 1_000_000
_COLUMNS = {"C": 0, "Z": 1, "T": 2, "R": 3}
# one axis may go by several names, and by different ones in one file
_PLANES = {
    "C": ("ChannelIndex", "Channel", "channel"),
    "Z": ("SliceIndex", "Slice", "z"),
    "R": ("PositionIndex", "position"),
}
_TIMESTAMP = re.compile(r"(?:frameTimestamps_sec|Frame Timestamp\(s\))\s*=\s*(\S+)")
# since 2016; 2015; 5; 4; 3: the same fact under the names of each version
_CHANNELS = re.compile(r"(?:hChannels\.channelSave|SI[45]\.channelsSave?|SI\.channelsSave)\s*=\s*(\[[^\]]*\]|\S+)")
_CHANNEL_COUNT = re.compile(r"state\.acq\.numberOfChannelsSave\s*=\s*(\d+)")
_SLICES = re.compile(
    r"(?:hStackManager\.(?:actualNumSlices|numSlices)|SI[45]\.stackNumSlices|state\.acq\.numberOfZSlices)\s*=\s*(\d+)"
)
# the number of slices is kept while the stack is switched off
_NO_STACK = re.compile(r"hStackManager\.enable\s*=\s*(?:false|0)\b", re.IGNORECASE)


@dataclass(frozen=True)
class MicroManagerIndex:
    """The list of frames that Micro-Manager puts at the beginning of a file.

    Attributes
    ----------
    summary : dict
        The same in all files of one acquisition.
    rows : ndarray, shape (N, 5)
        Channel, slice, time point, position and byte offset of each picture in this file, in the order of time.
    """

    summary: Mapping[str, Any]
    rows: NDArray[np.integer[Any]]

    @property
    def counts(self) -> dict[str, int]:
        """How many time points (T), positions (R), slices (Z) and channels (C) this file holds."""
        return {a: len(np.unique(self.rows[:, _COLUMNS[a]])) for a in "TRZC"}

    @property
    def time_points(self) -> NDArray[np.integer[Any]]:
        """Running number of each picture's time point."""
        return self.rows[:, _COLUMNS["T"]]


def read_index(tif: TiffFile) -> MicroManagerIndex | None:
    """Read the index of a Micro-Manager stack; None where a file has none, or one that makes no sense."""
    if PAGE_TAG not in tif.pages.first.tags:
        return None
    try:
        found = read_micromanager_metadata(tif.filehandle, {"Summary", "IndexMap"})
        rows = np.asarray(found["IndexMap"])
        rows = rows[rows[:, 4] > 0]
        if found.get("MajorVersion", 0) or not len(rows):
            return None
        return MicroManagerIndex(dict(found["Summary"]), rows[np.lexsort((rows[:, 4], rows[:, 2]))])
    except (ValueError, KeyError, TypeError, IndexError, OSError):
        return None


def page_note(page: TiffPage) -> dict[str, Any]:
    """What Micro-Manager noted of the picture on a page."""
    return _as_note(page.tags.valueof(PAGE_TAG))


def elapsed_s(page: TiffPage) -> float | None:
    """Seconds since the acquisition began, as noted of the picture on a page."""
    return _elapsed(page_note(page))


def ndtiff_elapsed_s(folder: Path) -> dict[tuple[str, int], float | None]:
    """Seconds since the acquisition began of each picture of an NDTiff data set, by file name and byte offset."""
    found: dict[tuple[str, int], float | None] = {}
    by_file: dict[str, list[tuple[int, int, int]]] = {}
    for _, name, data, *_, meta, length, packed in read_ndtiff_index(folder / "NDTiff.index"):
        if Path(name).name == name and not packed and 0 < length <= _LONGEST_NOTE:
            by_file.setdefault(name, []).append((data, meta, length))
    for name, places in by_file.items():
        with (folder / name).open("rb") as file:
            for data, meta, length in places:
                file.seek(meta)
                found[name, data] = _elapsed(_as_note(file.read(length)))
    return found


def plane_of(page: TiffPage | TiffFrame) -> dict[str, Any]:
    """Channel (C), slice (Z) and position (R) of the picture on a page, where they are noted."""
    note = page_note(page.aspage())
    axes = note.get("Axes")
    if isinstance(axes, dict):
        note = {**note, **axes}
    return {a: next((note[k] for k in keys if k in note), None) for a, keys in _PLANES.items()}


def plane_counts(planes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many channels (C), slices (Z) and positions (R) there are among the planes of some pages."""
    seen = list(planes)
    return {a: max(1, len({str(p[a]) for p in seen if p.get(a) is not None})) for a in _PLANES}


def _as_note(found: Any) -> dict[str, Any]:
    if isinstance(found, str | bytes):
        try:
            found = json.loads(found)
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


def _elapsed(note: dict[str, Any]) -> float | None:
    elapsed = number(note.get("ElapsedTime-ms"))
    return None if elapsed is None else elapsed / 1000


def scanimage_header(page: TiffPage) -> str:
    """Return the settings that ScanImage wrote into the first page of a file."""
    return "\n".join(str(page.tags.valueof(tag, default="")) for tag in ("Software", "ImageDescription"))


def page_counts(page: TiffPage, pages: int) -> dict[str, int]:
    """How many time points (T), slices (Z) and channels (C) the pages of a file are, by the first page's header."""
    text = scanimage_header(page)
    channels, slices = _channels(text), _slices(text)
    return {"T": max(1, -(-pages // (channels * slices))), "Z": slices, "C": channels}


def timestamp_s(page: TiffPage) -> float | None:
    """Seconds since the acquisition began, as noted of the picture on a page."""
    found = _TIMESTAMP.search(str(page.tags.valueof("ImageDescription", default="")))
    return number(found[1]) if found else None


def _channels(text: str) -> int:
    found = _CHANNELS.search(text)
    if found:
        return max(1, len(re.findall(r"\d+", found[1])))
    count = _CHANNEL_COUNT.search(text)
    return max(1, int(count[1])) if count else 1


def _slices(text: str) -> int:
    found = None if _NO_STACK.search(text) else _SLICES.search(text)
    return max(1, int(found[1])) if found else 1


_FAULTS = (TiffFileError, OSError, ValueError, RuntimeError, IndexError, KeyError, TypeError)


def ome_root(tif: TiffFile) -> ElementTree.Element | None:
    """Return the OME-XML of a file; None where there is none, or it cannot be read."""
    if not tif.ome_metadata:
        return None
    try:
        return ElementTree.fromstring(tif.ome_metadata)
    except ElementTree.ParseError:
        return None


def ome_pixels(tif: TiffFile, series: int = 0) -> ElementTree.Element | None:
    """Return the ``Pixels`` element of an image of a file's OME-XML, or of its first image."""
    root = ome_root(tif)
    found = [] if root is None else [e for e in root.iter() if e.tag.endswith("}Pixels")]
    return found[series] if series < len(found) else next(iter(found), None)


def ome_length(pixels: ElementTree.Element, axis: str) -> tuple[float | None, str]:
    """Side of a pixel in um along X or Y, and a unit that is not known."""
    return _quantity(pixels, f"PhysicalSize{axis}", "µm", um_per)


def ome_interval(pixels: ElementTree.Element) -> tuple[float | None, str]:
    """Declared seconds from frame to frame, and a unit that is not known."""
    return _quantity(pixels, "TimeIncrement", "s", seconds_per)


def ome_times(pixels: ElementTree.Element, letter: str, frames: int) -> list[float | None]:
    """Seconds of each frame (``DeltaT`` of its plane) along the axis T, Z or C; None for a frame without."""
    along = f"The{letter}" if letter in "TZC" else "TheT"
    others = [f"The{a}" for a in "TZC" if f"The{a}" != along]
    stamps: list[float | None] = [None] * frames
    for plane in pixels:
        t = number(plane.get(along)) if plane.tag.endswith("}Plane") else None
        if t is not None and 0 <= t < frames and all(plane.get(other, "0") == "0" for other in others):
            stamps[int(t)] = _quantity(plane, "DeltaT", "s", seconds_per)[0]
    return stamps


def _quantity(
    element: ElementTree.Element, name: str, default: str, factor: Callable[[str], float | None]
) -> tuple[float | None, str]:
    value, unit = number(element.get(name)), element.get(f"{name}Unit", default)
    if value is None:
        return None, ""
    per = factor(unit)
    return (None, unit) if per is None else (value * per, "")


def settle_ome(tif: TiffFile, path: Path) -> tuple[str | None, tuple[str, ...]]:
    """Take out of a file's OME-XML what would bring in frames of another recording.

    Files are found by the names they had when they were written. A file that was renamed since would show whatever lies
    under its old name; a set of which one file was replaced would go on in another recording.

    Returns
    -------
    xml : str or None
        What to read instead of the file's own OME-XML; None where that is right as it stands.
    problems : tuple of str

    Raises
    ------
    StackError
        If the file is part of a set that another file describes, or was renamed so that its part is not known.
    """
    root = ome_root(tif)
    if root is None:
        return None, ()
    _refuse_companion(root, path)
    entries = [(data, uuid) for data in _all(root, "TiffData") for uuid in data if uuid.tag.endswith("UUID")]
    others = {uuid.get("FileName", ""): uuid.text or "" for _, uuid in entries if not _is_own(uuid, root, path)}
    if not others or not all(_is_plain(name) for name in others):
        return None, ()  # names in other folders are refused later, with the other claims
    if all(uuid.get("FileName", "") in others for _, uuid in entries):
        return _renamed(root, entries, others, path)
    foreign = {n: reason for n, text in others.items() if (reason := _foreign(path, n, text))}
    if not foreign:
        return None, ()
    for pixels in _all(root, "Pixels"):
        for data in [d for d in pixels if any(u.get("FileName") in foreign for u in d if u.tag.endswith("UUID"))]:
            pixels.remove(data)
    problems = tuple(
        Message("{n} beside it {reason}: its frames are left out", n=n, reason=reason) for n, reason in foreign.items()
    )
    return ElementTree.tostring(root, encoding="unicode"), problems


def missing_files(tif: TiffFile) -> tuple[str, ...]:
    """Names of files that a file's OME-XML names and that are not beside it."""
    root = ome_root(tif)
    named = [] if root is None else [uuid.get("FileName", "") for uuid in _uuids(root)]
    folder = Path(tif.filehandle.path).parent
    return tuple(name for name in dict.fromkeys(named) if _is_plain(name) and not (folder / name).exists())


def _renamed(
    root: ElementTree.Element,
    entries: list[tuple[ElementTree.Element, ElementTree.Element]],
    names: dict[str, str],
    path: Path,
) -> tuple[str, tuple[str, ...]]:
    if len(names) > 1:
        some = ", ".join(sorted(names)[:2])
        raise StackError(
            "{name}: renamed since it was written: it belongs to {count} files, {some} and so on; give all of "
            "them their own names and put them into one folder",
            name=path.name,
            count=len(names),
            some=some,
        )
    for data, uuid in entries:
        data.remove(uuid)
    old = next(iter(names))
    text = Message("this file was called {old} when it was written; a file of that name beside it is not read", old=old)
    return ElementTree.tostring(root, encoding="unicode"), (text,) if (path.parent / old).exists() else ()


def _is_own(uuid: ElementTree.Element, root: ElementTree.Element, path: Path) -> bool:
    own = (root.get("UUID") or "").strip()
    return uuid.get("FileName", path.name).lower() == path.name.lower() or bool(
        own and (uuid.text or "").strip() == own
    )


def _foreign(path: Path, name: str, declared: str) -> str:
    """Why a named file is not part of the set; nothing where it is, or is not there."""
    other = path.parent / name
    if not other.is_file():
        return ""
    try:
        with TiffFile(other, is_mmstack=False) as tif:
            root = ome_root(tif)
    except _FAULTS:
        return Message("cannot be read")
    if root is None or not declared.strip():
        return ""
    named = {u.get("FileName", "").lower(): (u.text or "").strip() for u in _uuids(root)}
    own = (root.get("UUID") or named.get(name.lower(), "")).strip()
    if own and own != declared.strip():
        return Message("is another recording (its UUID is not the one named)")
    if not own and not any(_all(root, "BinaryOnly")) and path.name.lower() not in named:
        return Message("is another recording (it does not name this file)")
    return ""


def _refuse_companion(root: ElementTree.Element, path: Path) -> None:
    for binary in _all(root, "BinaryOnly"):
        described = binary.get("MetadataFile", "")
        if _is_plain(described) and described != path.name and described.lower().endswith((".tif", ".tiff", ".btf")):
            raise StackError(
                "{name}: part of a set that {described} describes; open {described}",
                name=path.name,
                described=described,
            )


def _uuids(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [uuid for data in _all(root, "TiffData") for uuid in data if uuid.tag.endswith("UUID")]


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if e.tag.rpartition("}")[2] == name]


def _is_plain(name: str) -> bool:
    return bool(name) and Path(name).name == name and "\\" not in name
