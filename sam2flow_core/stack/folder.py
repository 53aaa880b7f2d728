"""A folder of single frames (TIFF, PNG or JPEG), or of the parts of one recording."""

from __future__ import annotations

import re
import struct
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image
from tifffile import TiffFile

from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.brightness import brightness_lookup
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.file_series import find_parts, natural_key, numbered_frames
from sam2flow_core.stack.metadata import plane_counts, plane_of
from sam2flow_core.stack.refusals import check_frame_claim, check_page_claim, check_regular, refuse_damage
from sam2flow_core.stack.sources import Frame, FrameSource, JoinedSource, guess_axes, plan_axes, several_planes
from sam2flow_core.stack.tiff import WHITE_IS_ZERO, TiffSource, read_calibration
from sam2flow_core.stack.timing import Times, page_time, telling
from sam2flow_core.stack.video import VIDEO_SUFFIXES, VideoSource

_KINDS = {"TIFF": (".tif", ".tiff"), "PNG": (".png",), "JPEG": (".jpg", ".jpeg")}
_WHITE_IS_ZERO = 0
_LOSSY = "frames are JPEG files: their compression has changed what they show; measure from the original recording"
_COLOUR = "frames are in colour: they are converted to grey"
_PNG_HEADER = struct.Struct(">8s4x4sIIBB")
_PNG_SAMPLES = {2: 3, 3: 3, 4: 2, 6: 4}  # by colour type: RGB, palette, grey and RGB with transparency
_GREY_AND_TRANSPARENCY = 2
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
_UNREADABLE = "this frame cannot be read"
_ZARR = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


@dataclass(frozen=True)
class _Header:
    """What the header of a picture says; `shape` has a third number where the picture is of several samples."""

    shape: tuple[int, ...]
    dtype: str
    pages: bool = False
    notes: tuple[str, ...] = ()
    plane: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FolderFiles:
    """What a folder holds: its frames are the kind of picture of which there are most.

    Attributes
    ----------
    kind : str
        ``TIFF``, ``PNG`` or ``JPEG``; empty where there is no picture.
    found : tuple of Path
        The files of that kind, in natural order.
    videos : tuple of Path
    notes : tuple of str
        What is not read.
    """

    kind: str
    found: tuple[Path, ...]
    videos: tuple[Path, ...]
    notes: tuple[str, ...]


def files_in(folder: Path) -> FolderFiles:
    """Return the files of a folder; raises `StackError` where it may not be read."""
    try:
        files = sorted((p for p in folder.iterdir() if p.is_file() and p.name[0] != "."), key=natural_key)
    except PermissionError:
        raise StackError("{folder}: no permission to read this folder", folder=folder) from None
    kinds = {kind: [p for p in files if p.suffix.lower() in endings] for kind, endings in _KINDS.items()}
    videos = [p for p in files if p.suffix.lower() in VIDEO_SUFFIXES]
    wanted = max(kinds, key=lambda kind: len(kinds[kind]))
    notes = tuple(
        Message(
            "{count} {kind} files beside the {wanted} files are not read", count=len(found), kind=kind, wanted=wanted
        )
        for kind, found in (kinds | {"video": videos}).items()
        if found and kind != wanted
    )
    return FolderFiles(wanted if kinds[wanted] else "", tuple(kinds[wanted]), tuple(videos), notes)


def open_folder(folder: Path, axes: str | None = None) -> FrameSource:
    """Open the recording that a folder holds.

    Raises
    ------
    StackError
        If it holds no frames, frames of different sizes or types, of several channels, or several recordings.
    """
    files = files_in(folder)
    if not files.kind:
        return _only_video(folder, files.videos, axes)
    found, notes = files.found, files.notes
    if len(found) == 1 and files.kind == "TIFF":
        return _with(TiffSource(found[0], axes), notes)
    headers = {path: _header(path) for path in found}
    several = [path for path in found if headers[path].pages]
    single = [path for path in found if not headers[path].pages]
    if several and len(several) >= _longest_series(single):
        return _with(_parts_in(folder, several, axes), notes + _left_out(single, Message("single pictures")))
    frames, problems = numbered_frames(single, folder.name)
    notes += problems + _left_out(several, Message("files of several frames"))
    return _with(FolderSource(folder, frames, [headers[p] for p in frames], axes), notes)


def _only_video(folder: Path, videos: Sequence[Path], axes: str | None) -> FrameSource:
    if not videos and any((folder / name).is_file() for name in _ZARR):
        raise StackError(
            "{folder}: a Zarr folder is not opened by its path; open it in napari with a reader of its own and choose "
            "that layer as the recording, or save it as TIFF",
            folder=folder,
        )
    if not videos:
        raise StackError("{folder}: no TIFF, PNG or JPEG files in this folder, and no video", folder=folder)
    if len(videos) > 1:
        raise StackError(
            "{folder}: {count} videos in this folder; open one of them, such as {name}",
            folder=folder,
            count=len(videos),
            name=videos[0].name,
        )
    return VideoSource(videos[0], axes)


def _with(source: TiffSource | JoinedSource | FolderSource, notes: tuple[str, ...]) -> FrameSource:
    source.problems = notes + source.problems
    return source


def _left_out(files: list[Path], what: str) -> tuple[str, ...]:
    if not files:
        return ()
    names = ", ".join(p.name for p in files[:3]) + (" and so on" if len(files) > 3 else "")
    return (
        Message(
            "{count} {what} are no part of the recording and are left out: {names}",
            count=len(files),
            what=what,
            names=names,
        ),
    )


def _longest_series(files: list[Path]) -> int:
    patterns = Counter(re.sub(r"\d+", "#", p.stem.lower()) for p in files)
    return max((n for pattern, n in patterns.items() if "#" in pattern), default=0)


def folder_hint(path: Path) -> str:
    """What to do with a single frame, to be put behind the message: it has numbered neighbours, or is a line scan."""
    pattern = re.sub(r"\d+", "#", path.name)
    alike = [p for p in path.parent.iterdir() if re.sub(r"\d+", "#", p.name) == pattern]
    if "#" not in pattern or not _evenly_numbered(alike):
        return Message(" (a line scan, with time downwards, is measured by: sam2flow linescan {name})", name=path.name)
    return Message(" (its folder holds {count} numbered frames: open the folder)", count=len(alike))


def _evenly_numbered(files: list[Path]) -> bool:
    """Whether most of the numbers follow each other at one distance, as frames do; pictures of a day have any."""
    numbers = sorted(tuple(int(digits) for digits in re.findall(r"\d+", p.name)) for p in files)
    steps = Counter(tuple(b - a for a, b in zip(*pair, strict=True)) for pair in pairwise(numbers))
    return bool(steps) and 2 * steps.most_common(1)[0][1] > steps.total()


def _parts_in(folder: Path, files: list[Path], axes: str | None) -> TiffSource | JoinedSource:
    first = TiffSource(files[0], axes)
    if {file.resolve() for file in files} <= {path.resolve() for path in first.paths}:
        return first
    parts = find_parts(files[0], first, axes)
    if len(parts.others) + 1 == len(files):
        return JoinedSource((first, *parts.others), parts.problems[0])
    for source in (first, *parts.others):
        source.close()
    raise StackError(
        "{folder}: {count} recordings in this folder; open one of them, such as {name}",
        folder=folder,
        count=len(files),
        name=files[0].name,
    )


class FolderSource:
    """One file per frame."""

    def __init__(self, folder: Path, files: list[Path], headers: list[_Header], axes: str | None) -> None:
        if axes and axes.upper() not in ("TYX", "ZYX", "CYX"):
            raise StackError("{name}: axes of a folder of frames are TYX, not '{axes}'", name=folder.name, axes=axes)
        first = _read(files[0])
        if first.ndim == 3 and first.shape[-1] == _GREY_AND_TRANSPARENCY:
            raise StackError(
                "{name}: grey pictures with transparency; save them without it (Fiji: Image > Type > 8-bit)",
                name=folder.name,
            )
        plan_axes((len(files), *first.shape), "T" + guess_axes(first.shape), folder.name)
        counts = {"T": len(files)} | plane_counts(header.plane for header in headers)
        if any(n > 1 for letter, n in counts.items() if letter != "T"):
            raise several_planes([(letter, n) for letter, n in counts.items() if n > 1], folder.name)
        self.shape = (len(files), first.shape[0], first.shape[1])
        self.dtype = first.dtype
        self.paths = tuple(files)
        self.declared_bits = None
        for path, header in zip(files, headers, strict=True):
            self._check(path, header.shape, header.dtype)
        self.calibration, self.problems = _calibration(files[0])
        self.problems += tuple(dict.fromkeys(note for header in headers for note in header.notes))

    def read(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X)."""
        path = self.paths[t]
        frame = _read(path)
        self._check(path, frame.shape, frame.dtype.str[1:])
        return frame

    def colours(self, t: int) -> Frame | None:
        """Frame ``t`` (Y, X, 3) of JPEG files in colour, else None."""
        path = self.paths[t]
        if path.suffix.lower() not in _KINDS["JPEG"] or _header(path).notes != (_COLOUR,):
            return None
        with refuse_damage(path.name, _UNREADABLE):
            frame = _decode_jpeg(path, "RGB")
        self._check(path, frame.shape[:2], frame.dtype.str[1:])
        return frame

    def times(self) -> Times | None:
        """Seconds at which the frames were taken, where their files say so; opens each of them."""
        if self.paths[0].suffix.lower() not in _KINDS["TIFF"]:
            return None
        return telling([_time(path) for path in self.paths])

    def close(self) -> None:
        """Nothing is held open between frames."""

    def _check(self, path: Path, size: tuple[int, ...], dtype: str) -> None:
        if tuple(size) != self.shape[1:] or dtype != self.dtype.str[1:]:
            found = f"{' x '.join(str(n) for n in size)} {np.dtype(dtype)}"
            first = f"{' x '.join(str(n) for n in self.shape[1:])} {self.dtype}"
            raise StackError(
                "{name}: frame is {found}, the first one {first}; all must have one size and type",
                name=path.name,
                found=found,
                first=first,
            )


PICTURE_SUFFIXES = tuple(ending for endings in _KINDS.values() for ending in endings)


def read_picture(path: Path) -> tuple[Frame, Calibration, tuple[str, ...]]:
    """Read a file of one picture: (Y, X), or (Y, X, samples) where it has colours; its calibration; what is odd.

    Raises
    ------
    StackError
        If it cannot be read, or claims to be larger than a picture can be.
    """
    header = _header(path)
    calibration, problems = _calibration(path)
    return _read(path), calibration, (*problems, *header.notes)


def _read(path: Path) -> Frame:
    with refuse_damage(path.name, _UNREADABLE):
        if path.suffix.lower() not in _KINDS["TIFF"]:
            _header(path)
        if path.suffix.lower() in _KINDS["PNG"]:
            frame: Any = imagecodecs.png_decode(path.read_bytes())
        elif path.suffix.lower() in _KINDS["JPEG"]:
            frame = _decode_jpeg(path, "GRAYSCALE")
        else:
            with TiffFile(path) as tif:
                page = tif.pages.first
                check_page_claim(page, path.name)
                lookup, _ = brightness_lookup(page, path.name)
                frame = page.asarray() if lookup is None else lookup[page.asarray()]
    return np.asarray(frame, dtype=frame.dtype.newbyteorder("="))


def _decode_jpeg(path: Path, colours: str) -> Frame:
    data = path.read_bytes()
    # The decoder fills what is missing with grey and says nothing. Within a picture these bytes mean nothing else.
    if data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN):
        raise StackError("{name}: this frame is cut off; copy or export it again", name=path.name)
    frame: Frame = imagecodecs.jpeg8_decode(data, outcolorspace=colours)
    return frame


def _time(path: Path) -> float | None:
    try:
        with TiffFile(path) as tif:
            return page_time(tif.pages.first)
    except Exception:  # whatever the reader raises on a damaged file
        return None  # the frame itself is refused when it is read


def _header(path: Path) -> _Header:
    """What a file's header alone says; refused where no camera makes such frames."""
    what = "not a TIFF file, though its name says so" if path.suffix.lower() in _KINDS["TIFF"] else _UNREADABLE
    with refuse_damage(path.name, what):
        check_regular(path)
        if path.suffix.lower() in _KINDS["PNG"]:
            return _png_header(path)
        if path.suffix.lower() in _KINDS["JPEG"]:
            width, height, mode = _jpeg_header(path)
            _check_picture(path, height, width, 3)
            return _Header((height, width), "u1", notes=() if mode == "L" else (_COLOUR,))
        with TiffFile(path) as tif:
            page = tif.pages.first
            check_page_claim(page, path.name)
            pages = tif.pages.is_multipage or int((tif.imagej_metadata or {}).get("images", 1)) > 1
            lookup, notes = (None, ()) if pages else brightness_lookup(page, path.name)
            dtype = np.dtype(page.dtype) if lookup is None else lookup.dtype
            notes += (WHITE_IS_ZERO,) * (int(page.photometric) == _WHITE_IS_ZERO)
            return _Header(page.shape, dtype.str[1:], pages, notes, plane_of(page))


def _png_header(path: Path) -> _Header:
    with path.open("rb") as file:
        _, _, width, height, bits, colour = _PNG_HEADER.unpack(file.read(_PNG_HEADER.size))
    samples = _PNG_SAMPLES.get(colour, 1)
    _check_picture(path, height, width, max(1, bits // 8) * samples)
    return _Header((height, width, samples)[: 2 + (samples > 1)], "u2" if bits == 16 else "u1")


def _jpeg_header(path: Path) -> tuple[int, int, str]:
    # Pillow prints a warning of its own for large pictures; how large they may be is said here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path, formats=["JPEG"]) as image:
            return (*image.size, image.mode)


def _check_picture(path: Path, height: int, width: int, pixel_bytes: int) -> None:
    check_frame_claim(height, width, pixel_bytes, path.stat().st_size, path.name)


def _calibration(path: Path) -> tuple[Calibration, tuple[str, ...]]:
    if path.suffix.lower() in _KINDS["PNG"]:
        return Calibration(), ()
    if path.suffix.lower() in _KINDS["JPEG"]:
        return Calibration(), (_LOSSY,)
    with refuse_damage(path.name, _UNREADABLE), TiffFile(path) as tif:
        return read_calibration(tif)
