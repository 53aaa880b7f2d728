"""Open a recording, whatever it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sam2flow_core.errors import StackError
from sam2flow_core.stack.axes import SingleFrameError
from sam2flow_core.stack.coloured import ColourSource, is_rgb, open_coloured
from sam2flow_core.stack.folder import folder_hint, open_folder
from sam2flow_core.stack.parts import find_parts
from sam2flow_core.stack.sidecar import sidecar_hints
from sam2flow_core.stack.sources import ArraySource, FrameSource, JoinedSource
from sam2flow_core.stack.stack import Stack, stack_name
from sam2flow_core.stack.tiff import TiffSource
from sam2flow_core.stack.video import VIDEO_SUFFIXES, VideoSource


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
