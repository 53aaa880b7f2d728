"""Open a recording, whatever it is made of, with the hints of a text file that lies beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sam2flow_core.errors import StackError
from sam2flow_core.stack.axes import SingleFrameError
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.coloured import ColourSource, is_rgb, open_coloured
from sam2flow_core.stack.file_series import find_parts
from sam2flow_core.stack.folder import folder_hint, open_folder
from sam2flow_core.stack.sources import ArraySource, FrameSource, JoinedSource
from sam2flow_core.stack.stack import Stack, stack_name
from sam2flow_core.stack.tiff import TiffSource
from sam2flow_core.stack.units import um_per
from sam2flow_core.stack.video import VIDEO_SUFFIXES, VideoSource

_LARGEST_BYTES = 200_000
_NUMBER = r"(\d+(?:\.\d+)?)"
_RATE = re.compile(rf"(?:frame[ _]?rate|\bfps)\b\W{{0,6}}(?:\((?:hz|fps)\))?\W{{0,4}}{_NUMBER}", re.IGNORECASE)
_PIXEL = re.compile(
    rf"\bpixel[ _]?size(?:[ _]?um)?\b\W{{0,6}}(?:\([^)\d]{{1,12}}\))?\W{{0,4}}{_NUMBER}[ \t]*([^\s\d,;}}\"]*)",
    re.IGNORECASE,
)


def sidecar_hints(recording: Path, name: str, calibration: Calibration) -> tuple[str, ...]:
    """Say what a text file of the same name tells of a value that the recording itself does not.

    It is shown and not used: such notes are free text, and may belong to another recording.
    """
    wanted = [
        (what, pattern, unit)
        for what, pattern, unit, known in (
            ("pixel size", _PIXEL, "um", calibration.usable_pixel_size_um),
            ("frame rate", _RATE, "Hz", calibration.usable_frame_rate_hz),
        )
        if known is None
    ]
    hints = []
    for path in _texts(recording, name) if wanted else ():
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # a note that cannot be read is no note
        for what, pattern, unit in wanted:
            found = pattern.search(text)
            if found:
                given = found[2] if found.re is _PIXEL and um_per(found[2]) else unit
                hints.append(f"{path.name} says {what} {found[1]} {given}: give it if it is right")
    return tuple(hints)


def _texts(recording: Path, name: str) -> list[Path]:
    folder = recording if recording.is_dir() else recording.parent
    names = [f"{name}.txt", f"{name}_metadata.txt", f"{name}.json", "metadata.txt" if recording.is_dir() else ""]
    paths = [folder / n for n in names if n] + ([folder.parent / f"{name}.txt"] if recording.is_dir() else [])
    return [p for p in paths if p.is_file() and p.stat().st_size <= _LARGEST_BYTES]


def open_stack(source: str | Path | Any, axes: str | None = None, colour: bool = False) -> Stack:
    """Open a recording without reading more than a few of its frames.

    Parameters
    ----------
    source : str, Path or array-like
        A TIFF, BigTIFF, OME-TIFF or ImageJ file; the first file of a recording that was split; a video (AVI, MP4);
        a folder of single frames (TIFF, PNG or JPEG); or any (T, Y, X) array: numpy, zarr, dask.
    axes : str, optional
        What the axes are, such as ``"TYX"`` or ``"ZYX"``, where the file is wrong about it. Any axis but
        Y and X may be time, as long as the others have length 1.
    colour : bool
        Also take what is refused as a recording to measure: RGB arrays (T, Y, X, 3), RGB TIFF files and folders of RGB
        PNG files. `Stack.frame` shows their brightness, `Stack.colours` their colours.

    Returns
    -------
    Stack

    Raises
    ------
    StackError
        If it is no recording that can be measured; the message is one line that says why.

    Examples
    --------
    >>> from sam2flow_core import open_stack
    >>> from sam2flow_core.engine.demo import sample_files
    >>> recording, clicks = sample_files()
    >>> stack = open_stack(recording)
    >>> stack.frame(0).shape == stack.shape[1:]
    True
    >>> stack.calibration.pixel_size_um.value, stack.calibration.frame_rate_hz.value
    (0.6, 160.0)
    """
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        name = stack_name(path)
        opened = (open_coloured(path) if colour else None) or _open_path(path, axes)
        return _stack(opened, name, sidecar_hints(path, name, opened.calibration))
    if not hasattr(source, "shape") or not hasattr(source, "dtype"):
        raise StackError(f"cannot open a {type(source).__name__} as a recording; give a path or a (T, Y, X) array")
    if colour and is_rgb(source.shape):
        return _stack(ColourSource.of_array(source), "array")
    return _stack(ArraySource(source, axes, "array"), "array")


def _open_path(path: Path, axes: str | None) -> FrameSource:
    if path.is_dir():
        return open_folder(path, axes)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(path, axes)
    if path.suffix.lower() == ".png" and path.exists():
        raise StackError(f"{path.name}: a single frame; open the folder that holds all frames")
    try:
        first = TiffSource(path, axes)
    except SingleFrameError as error:
        raise StackError(f"{error}{folder_hint(path)}") from None
    if len(first.paths) > 1:
        return first
    parts = find_parts(path, first, axes)
    if not parts.others:
        first.problems += parts.problems
        return first
    return JoinedSource((first, *parts.others), parts.problems[0])


def _stack(source: FrameSource, name: str, notes: tuple[str, ...] = ()) -> Stack:
    try:
        return Stack(source, name, notes)
    except BaseException:
        source.close()
        raise
