"""What Micro-Manager and ScanImage write beside the pixels: indices of files, and notes in the headers of pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFrame, TiffPage, read_micromanager_metadata, read_ndtiff_index

from sam2flow_core.stack.units import number

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
