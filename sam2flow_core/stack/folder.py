"""A folder of single frames (TIFF, PNG or JPEG), or of the parts of one recording."""

from __future__ import annotations

import re
import struct
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image
from tifffile import TiffFile

from sam2flow_core.errors import StackError
from sam2flow_core.stack.axes import guess_axes, plan_axes
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.claims import check_frame_claim, check_page_claim, check_regular
from sam2flow_core.stack.faults import refuse_damage
from sam2flow_core.stack.parts import find_parts
from sam2flow_core.stack.sources import Frame, FrameSource, JoinedSource
from sam2flow_core.stack.tiff import TiffSource
from sam2flow_core.stack.tiff_metadata import read_calibration
from sam2flow_core.stack.time_stamps import Times, page_time, telling

_TIFF = (".tif", ".tiff")
_PNG = (".png",)
_JPEG = (".jpg", ".jpeg")
_LOSSY = "frames are JPEG files: their compression has changed what they show; measure from the original recording"
_PNG_HEADER = struct.Struct(">8s4x4sIIBB")
_PNG_SAMPLES = {2: 3, 4: 2, 6: 4}  # by colour type: RGB, grey with transparency, RGB with transparency
_UNREADABLE = "this frame cannot be read"


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sort key by which ``frame10`` comes after ``frame9``."""
    pieces = re.split(r"(\d+)", path.name.lower())
    return [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in pieces]


def open_folder(folder: Path, axes: str | None = None) -> FrameSource:
    """Open the recording that a folder holds.

    Raises
    ------
    StackError
        If it holds no frames, frames of different sizes, or several recordings.
    """
    try:
        files = sorted((p for p in folder.iterdir() if p.is_file() and p.name[0] != "."), key=natural_key)
    except PermissionError:
        raise StackError(f"{folder}: no permission to read this folder") from None
    kinds = Counter(p.suffix.lower() for p in files if p.suffix.lower() in _TIFF + _PNG + _JPEG)
    if not kinds:
        raise StackError(f"{folder}: no TIFF, PNG or JPEG files in this folder")
    wanted = max((_TIFF, _PNG, _JPEG), key=lambda suffixes: sum(kinds[s] for s in suffixes))
    frames = [p for p in files if p.suffix.lower() in wanted]
    if len(frames) == 1 and wanted is _TIFF:
        return TiffSource(frames[0], axes)
    if wanted is _TIFF and _has_pages(frames[0]):
        return _parts_in(folder, frames, axes)
    return FolderSource(folder, frames, axes)


def folder_hint(path: Path) -> str:
    """What to do with a single frame that has numbered neighbours, to be put behind the message."""
    pattern = re.sub(r"\d+", "#", path.name)
    alike = [p for p in path.parent.iterdir() if p != path and re.sub(r"\d+", "#", p.name) == pattern]
    return f" (its folder holds {len(alike) + 1} numbered frames: open the folder)" if "#" in pattern and alike else ""


def _parts_in(folder: Path, files: list[Path], axes: str | None) -> FrameSource:
    first = TiffSource(files[0], axes)
    if set(files) <= set(first.paths):
        return first
    parts = find_parts(files[0], first, axes)
    if len(parts.others) + 1 == len(files):
        return JoinedSource((first, *parts.others), parts.problems[0])
    for source in (first, *parts.others):
        source.close()
    raise StackError(f"{folder}: {len(files)} recordings in this folder; open one of them, such as {files[0].name}")


class FolderSource:
    """One file per frame, in natural order of the names."""

    def __init__(self, folder: Path, files: list[Path], axes: str | None) -> None:
        if axes and axes.upper() not in ("TYX", "ZYX", "CYX"):
            raise StackError(f"{folder.name}: axes of a folder of frames are TYX, not '{axes}'")
        first = _read(files[0])
        plan_axes((len(files), *first.shape), "T" + guess_axes(first.shape), folder.name)
        self.shape = (len(files), first.shape[0], first.shape[1])
        self.dtype = first.dtype
        self.paths = tuple(files)
        self.declared_bits = None
        self.calibration, self.problems = _calibration(files[0])
        self.problems += _gaps(files)
        for path in files[1:]:
            self._check(path, _size(path))

    def read(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X)."""
        path = self.paths[t]
        frame = _read(path)
        self._check(path, frame.shape)
        return frame.astype(self.dtype, copy=False)

    def times(self) -> Times | None:
        """Seconds at which the frames were taken, where their files say so; opens each of them."""
        if self.paths[0].suffix.lower() not in _TIFF:
            return None
        return telling([_time(path) for path in self.paths])

    def close(self) -> None:
        """Nothing is held open between frames."""

    def _check(self, path: Path, size: tuple[int, ...]) -> None:
        if tuple(size) != self.shape[1:]:
            found, first = (" x ".join(str(n) for n in s) for s in (size, self.shape[1:]))
            raise StackError(f"{path.name}: frame is {found}, the first one {first}; all frames must have one size")


def _read(path: Path) -> Frame:
    with refuse_damage(path.name, _UNREADABLE):
        if path.suffix.lower() not in _TIFF:
            _size(path)
        if path.suffix.lower() in _PNG:
            frame: Any = imagecodecs.png_decode(path.read_bytes())
        elif path.suffix.lower() in _JPEG:
            frame = imagecodecs.jpeg8_decode(path.read_bytes(), outcolorspace="GRAYSCALE")
        else:
            with TiffFile(path) as tif:
                check_page_claim(tif.pages.first, path.name)
                frame = tif.pages.first.asarray()
    return np.asarray(frame, dtype=frame.dtype.newbyteorder("="))


def _time(path: Path) -> float | None:
    try:
        with TiffFile(path) as tif:
            return page_time(tif.pages.first)
    except Exception:  # whatever the reader raises on a damaged file
        return None  # the frame itself is refused when it is read


def _size(path: Path) -> tuple[int, ...]:
    """Frame size from the file's header alone; refused where no camera makes such frames."""
    with refuse_damage(path.name, _UNREADABLE):
        check_regular(path)
        if path.suffix.lower() in _PNG:
            with path.open("rb") as file:
                _, _, width, height, bits, colour = _PNG_HEADER.unpack(file.read(_PNG_HEADER.size))
            _check_picture(path, height, width, max(1, bits // 8) * _PNG_SAMPLES.get(colour, 1))
            return (height, width)
        if path.suffix.lower() in _JPEG:
            width, height = _jpeg_size(path)
            _check_picture(path, height, width, 3)
            return (height, width)
        with TiffFile(path) as tif:
            check_page_claim(tif.pages.first, path.name)
            return tuple(tif.pages.first.shape)


def _jpeg_size(path: Path) -> tuple[int, int]:
    # Pillow prints a warning of its own for large pictures; how large they may be is said here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path, formats=["JPEG"]) as image:
            return image.size


def _check_picture(path: Path, height: int, width: int, pixel_bytes: int) -> None:
    check_frame_claim(height, width, pixel_bytes, path.stat().st_size, path.name)


def _has_pages(path: Path) -> bool:
    with refuse_damage(path.name, "not a TIFF file, though its name says so"):
        check_regular(path)
        with TiffFile(path) as tif:
            return tif.pages.is_multipage or int((tif.imagej_metadata or {}).get("images", 1)) > 1


def _calibration(path: Path) -> tuple[Calibration, tuple[str, ...]]:
    if path.suffix.lower() in _PNG:
        return Calibration(), ()
    if path.suffix.lower() in _JPEG:
        return Calibration(), (_LOSSY,)
    with refuse_damage(path.name, _UNREADABLE), TiffFile(path) as tif:
        return read_calibration(tif)


def _gaps(files: list[Path]) -> tuple[str, ...]:
    """Say so where the running number of the names jumps."""
    numbers = [[int(n) for n in re.findall(r"\d+", p.stem)] for p in files]
    if len({len(n) for n in numbers}) != 1 or not numbers[0]:
        return ()
    table = np.array(numbers)
    changing = np.flatnonzero((table != table[0]).any(axis=0))
    if len(changing) != 1:
        return ()
    steps = np.diff(table[:, changing[0]])
    jumps = np.flatnonzero(steps != np.median(steps))
    if not len(jumps):
        return ()
    return (f"file numbers jump {len(jumps)} times, first after {files[jumps[0]].name}: frames are missing",)
