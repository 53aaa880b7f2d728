"""Open a recording, whatever it is made of, with the hints of a text file that lies beside it, and say what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from tifffile import TiffFile

from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.brightness import LUMA
from sam2flow_core.stack.calibration import Calibration, Measured, um_per
from sam2flow_core.stack.file_series import find_parts, numbered_frames
from sam2flow_core.stack.folder import files_in, folder_hint, open_folder
from sam2flow_core.stack.refusals import check_frame_claim, check_page_claim, check_regular, refuse_damage
from sam2flow_core.stack.resolution import choose_resolution
from sam2flow_core.stack.sources import ArraySource, Frame, FrameSource, JoinedSource, SingleFrameError, single_frame
from sam2flow_core.stack.stack import Stack, stack_name
from sam2flow_core.stack.tiff import TiffSource
from sam2flow_core.stack.video import VIDEO_SUFFIXES, VideoSource
from sam2flow_core.untrusted import visible

_PNG_SAMPLES = {2: 3, 6: 4}
"""Of the colour types RGB, and RGB with transparency."""
_NOTE = Message("frames are in colour: they are shown in grey where colour is not asked for")


class ColourSource:
    """RGB frames that are read one at a time.

    Parameters
    ----------
    read : callable
        Frame t (Y, X, 3 or 4) of a frame number.
    count : int
        Number of frames.
    paths : tuple of Path
        Files behind it.
    """

    def __init__(self, read: Callable[[int], Frame], count: int, paths: tuple[Path, ...] = ()) -> None:
        self._read = read
        first = read(0)
        self.shape = (count, first.shape[0], first.shape[1])
        self.dtype = first.dtype
        self.paths = paths
        self.problems: tuple[str, ...] = (_NOTE,)
        self.calibration, self.declared_bits = Calibration(), None

    @classmethod
    def of_array(cls, array: Any) -> ColourSource:
        """Of any array (T, Y, X, 3 or 4)."""
        return cls(lambda t: np.asarray(array[t]), int(array.shape[0]))

    def colours(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X, 3)."""
        frame = np.array(self._read(t)[..., :3])
        if frame.shape[:2] != self.shape[1:] or frame.dtype != self.dtype:
            raise StackError("frame {t} has another size or type than the first one; all must be alike", t=t)
        return frame

    def read(self, t: int) -> Frame:
        """Brightness of frame ``t`` as a new array (Y, X)."""
        bright = self.colours(t).astype(np.float32) @ LUMA
        return (np.rint(bright) if self.dtype.kind in "iu" else bright).astype(self.dtype)

    def times(self) -> None:
        """Colours carry no times."""

    def close(self) -> None:
        """Nothing is held open."""


def is_rgb(shape: Sequence[int]) -> bool:
    """Whether an array is a video in colour, (T, Y, X, 3 or 4), by its shape."""
    return len(shape) == 4 and shape[0] > 1 and shape[-1] in (3, 4) and min(shape[1:3]) > 4


def open_coloured(path: Path) -> ColourSource | None:
    """Video of a folder of RGB PNG files or of an RGB TIFF file; None for anything else."""
    if path.is_dir():
        return _open_coloured_folder(path)
    if path.suffix.lower() not in (".tif", ".tiff") or not path.is_file():
        return None
    with refuse_damage(path.name, "not a TIFF file, though its name says so"), TiffFile(path) as tif:
        pages = len(tif.pages)
        page: Any = tif.pages.first
        check_page_claim(page, path.name)
        if pages < 2 or not is_rgb((pages, *page.shape)):
            return None
    return ColourSource(lambda t: _read_page(path, t), pages, (path,))


def _open_coloured_folder(folder: Path) -> ColourSource | None:
    files = files_in(folder)
    if files.kind != "PNG" or len(files.found) < 2:
        return None
    frames, problems = numbered_frames(files.found, folder.name)
    if len(frames) < 2 or not _is_colour_png(frames[0]):
        return None
    source = ColourSource(lambda t: _read_png(frames[t]), len(frames), tuple(frames))
    source.problems = (*files.notes, *problems, *source.problems)
    return source


def _is_colour_png(path: Path) -> bool:
    check_regular(path)
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or head[25] not in _PNG_SAMPLES:
        return False
    width, height = (int.from_bytes(head[i : i + 4], "big") for i in (16, 20))
    check_frame_claim(height, width, max(1, head[24] // 8) * _PNG_SAMPLES[head[25]], path.stat().st_size, path.name)
    return True


def _read_png(path: Path) -> Frame:
    if not _is_colour_png(path):
        raise StackError("{name}: is grey, the first frame is in colour; all must be alike", name=path.name)
    with refuse_damage(path.name, "this frame cannot be read"):
        frame: Frame = imagecodecs.png_decode(path.read_bytes())
    return frame


def _read_page(path: Path, t: int) -> Frame:
    with refuse_damage(path.name, f"frame {t} cannot be read"), TiffFile(path) as tif:
        page: Any = tif.pages[t]
        check_page_claim(page, path.name)
        frame: Frame = page.asarray()
    return frame.astype(frame.dtype.newbyteorder("="), copy=False)


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
            (Message("pixel size"), _PIXEL, "um", calibration.usable_pixel_size_um),
            (Message("frame rate"), _RATE, "Hz", calibration.usable_frame_rate_hz),
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
                hints.append(
                    Message(
                        "{name} says {what} {found} {given}: give it if it is right",
                        name=path.name,
                        what=what,
                        found=found[1],
                        given=given,
                    )
                )
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
        raise StackError(
            "cannot open a {name} as a recording; give a path or a (T, Y, X) array", name=type(source).__name__
        )
    return open_array(source, "array", axes, colour)


def open_array(array: Any, name: str, axes: str | None = None, colour: bool = False) -> Stack:
    """Open an array (T, Y, X) as `open_stack` does; messages call it by the name of the file that it came from."""
    if colour and is_rgb(array.shape):
        return _stack(ColourSource.of_array(array), name)
    return _stack(ArraySource(array, axes, name), name)


def _open_path(path: Path, axes: str | None) -> FrameSource:
    if path.is_dir():
        return open_folder(path, axes)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(path, axes)
    if path.suffix.lower() in (".png", ".jpg", ".jpeg") and path.is_file():
        raise single_frame(path.name, folder_hint(path))
    try:
        first = TiffSource(path, axes)
    except SingleFrameError:
        raise single_frame(path.name, folder_hint(path)) from None
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


_SOURCES = {
    "user": "given by you",
    "ome": "OME metadata",
    "imagej": "ImageJ tags",
    "tiff": "TIFF resolution tag",
    "video": "video file",
    "none": "",
}


def describe_stack(stack: Stack) -> str:
    """Aligned text: shape, type, axes, calibration with sources, and problems found, without a final line break."""
    frames, height, width = stack.shape
    pixel, rate = stack.calibration.pixel_size_um, stack.calibration.frame_rate_hz
    rows = [
        ("name", stack.name),
        ("file" if len(stack.paths) == 1 else "files", _files(stack)),
        ("shape", f"{frames} frames of {height} x {width} px (T, Y, X)"),
        ("pixels", f"{stack.dtype}, {stack.bit_depth} bits in use, {_size(stack)} in memory"),
        ("pixel size", _measured(pixel, "um/px")),
        ("frame rate", _measured(rate, "Hz")),
    ]
    if stack.calibration.usable_pixel_size_um:
        um = stack.calibration.usable_pixel_size_um
        rows.append(("field", f"{height * um:.4g} x {width * um:.4g} um"))
    if stack.calibration.usable_frame_rate_hz:
        rows.append(("duration", f"{frames / stack.calibration.usable_frame_rate_hz:.4g} s"))
    rows.append(("worked on", str(choose_resolution(stack, stack.calibration.pixel_size_um))))
    problems = stack.problems or ("none found",)
    rows += [("problems" if i == 0 else "", text) for i, text in enumerate(problems)]
    return "\n".join(f"{label:<12}{visible(value)}".rstrip() for label, value in rows)


def _measured(value: Measured, unit: str) -> str:
    if value.value is None:
        return "unknown"
    text = f"{value.value:.6g} {unit}  ({_SOURCES[value.source]})"
    return text if value.plausible else f"{text}  not plausible, not used"


def _files(stack: Stack) -> str:
    if not stack.paths:
        return "none (an array)"
    if len(stack.paths) == 1:
        return str(stack.paths[0])
    return f"{len(stack.paths)}, {stack.paths[0]} to {stack.paths[-1].name}"


def _size(stack: Stack) -> str:
    size = float(stack.as_array().nbytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
