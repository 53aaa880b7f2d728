"""Files through napari: its File menu, what is dropped on the window, the sample, and other readers' layers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sam2flow_core.errors import PromptError, Sam2FlowError, StackError

if TYPE_CHECKING:
    from napari.layers import Image

RESOURCES = "sam2flow_resources"
_UM = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}
_SECONDS = {"second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6}
_UNUSED_S = 24 * 3600
_LONGEST_NAME = 100
LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str | list[str]], list[LayerData]]


def sample_path() -> Path:
    """Return the sample recording's path.

    Raises
    ------
    StackError
        If this installation lacks it.
    """
    try:
        path = Path(str(files(RESOURCES) / "sample.tif"))
    except ModuleNotFoundError:
        path = Path("sample.tif")
    if not path.is_file():
        raise StackError("the sample recording is missing from this installation: reinstall sam2flow")
    return path


def is_bundled(path: Path) -> bool:
    """Whether a file is the sample of this installation."""
    try:
        return path == sample_path()
    except StackError:
        return False


def open_sample() -> list[LayerData]:
    """Open the sample through File > Open Sample."""
    return read_stack(str(sample_path()))


def recording_of_layer(layer: Image) -> Path:
    """Return the file of the recording that a layer shows.

    A file that another reader has opened and that this program reads as well is used as it is. Anything else is
    written once as a TIFF with the layer's scale and units, because what measures runs in a process of its own.

    Raises
    ------
    StackError
        If the layer is no film in shades of grey.
    OSError
        If the TIFF cannot be written.
    """
    from sam2flow_core.stack import open_stack

    source = Path(layer.source.path) if layer.source.path else None
    if source is not None:
        try:
            open_stack(source).close()
        except Sam2FlowError:
            pass  # of a kind that only the other reader knows
        else:
            return source
    data = layer.data[0] if layer.multiscale else layer.data
    if layer.rgb:
        raise StackError("{name}: a film in shades of grey is wanted; this one is in colour", name=layer.name)
    if data.ndim != 3:
        raise StackError(
            "{name}: a film in shades of grey is wanted, with axes (t, y, x); this has {axes}",
            name=layer.name,
            axes=data.ndim,
        )
    return _written(layer, data)


def _written(layer: Image, data: Any) -> Path:
    import tifffile

    from sam2flow_core.files import whole_file

    sides, seconds = _scale(layer)
    kept = data.dtype if data.dtype in (np.uint8, np.uint16, np.float32) else np.float32
    content = hashlib.sha256(repr((data.shape, str(kept), sides, seconds)).encode())
    for t in range(len(data)):  # all of them: films may begin alike, with a dark frame say
        content.update(np.asarray(data[t], kept).tobytes())
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in layer.name)[:_LONGEST_NAME] or "layer"
    path = Path.home() / ".sam2flow" / "layers" / f"{name}-{content.hexdigest()[:12]}.tif"
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_unused(path.parent)
    if path.exists():
        path.touch()
        return path
    metadata: dict[str, Any] = {"axes": "TYX"} | ({"finterval": seconds} if seconds else {})
    if sides:
        metadata["unit"] = "um"  # without a size it would be read as one um
    with whole_file(path) as part:
        tifffile.imwrite(
            part,
            (np.asarray(data[t], kept) for t in range(len(data))),
            shape=data.shape,
            dtype=kept,
            imagej=True,
            metadata=metadata,
            resolution=(1 / sides, 1 / sides) if sides else None,
        )
    return path


def _remove_unused(folder: Path) -> None:
    """Remove copies of layers that nobody has taken up for a day, and in which nothing was ever marked or typed."""
    for copy in folder.glob("*.tif"):
        with suppress(OSError, Sam2FlowError):  # what cannot be read is no reason to remove anything
            if time.time() - copy.stat().st_mtime > _UNUSED_S:
                _remove_if_empty(copy)


def _remove_if_empty(copy: Path) -> None:
    from sam2flow_core.project import PROJECT_FILE, CalibrationEdit, read_project
    from sam2flow_napari.session import project_folder

    folder = project_folder(copy)
    kept = list(folder.iterdir()) if folder.is_dir() else []
    if kept:
        project = read_project(folder)
        if project.state.vessels or project.edit != CalibrationEdit():
            return
        if {file.name for file in kept} - {PROJECT_FILE, "prompts.csv"}:  # runs, say
            return
    copy.unlink()
    for file in kept:
        file.unlink()
    if folder.is_dir():
        folder.rmdir()


def _scale(layer: Image) -> tuple[float | None, float | None]:
    """Return um per pixel and seconds per frame, each None where the layer's units do not say it."""
    time, _, across = (str(unit) for unit in layer.units[-3:])
    sides = float(layer.scale[-1]) * _UM[across] if across in _UM else None
    seconds = float(layer.scale[-3]) * _SECONDS[time] if time in _SECONDS else None
    return sides, seconds


def get_stack_reader(path: str | list[str]) -> Reader | None:
    """Return a reader of recordings, or None if `path` is none."""
    from sam2flow_core.stack import open_stack

    if isinstance(path, list):
        return None
    try:
        open_stack(path).close()
    except Sam2FlowError:
        # napari's own reader may still show it as a picture.
        return None
    return read_stack


def read_stack(path: str | list[str]) -> list[LayerData]:
    """Read a recording as a lazy image layer with its scale and units."""
    from sam2flow_napari.layers.factory import recording_arguments
    from sam2flow_napari.session import open_recording

    recording = open_recording(_one(path))
    return [(recording.stack.as_array(), recording_arguments(recording), "image")]


def get_project_reader(path: str | list[str]) -> Reader | None:
    """Return a reader of project and results folders, or None if `path` is none."""
    if isinstance(path, list):
        return None
    folder = Path(path)
    if (folder / "project.json").is_file():
        return lambda p: read_project_layers(_one(p))
    if (folder / "results.zarr").is_dir():
        return lambda p: read_results_layers(_one(p))
    if folder.name == "results.zarr":
        return lambda p: read_results_layers(_one(p).parent)
    return None


def get_prompts_reader(path: str | list[str]) -> Reader | None:
    """Return a reader of ``prompts.csv``, or None if `path` is another table."""
    from sam2flow_core.prompts import read_prompts

    if isinstance(path, list):
        return None
    try:
        read_prompts(path)
    except Sam2FlowError:
        return None
    return read_prompt_points


def read_prompt_points(path: str | list[str]) -> list[LayerData]:
    """Read prompts as a points layer with features ``vessel_id`` and ``label``."""
    from sam2flow_core.prompts import read_prompts

    file = _one(path)
    prompts = read_prompts(file)
    points = np.array([(p.frame, p.y, p.x) for p in prompts], float)
    features = {"vessel_id": [p.vessel_id for p in prompts], "label": [p.label for p in prompts]}
    arguments = {"name": file.stem, "features": features, "axis_labels": ("t", "y", "x"), "units": ("pixel",) * 3}
    return [(points, arguments, "points")]


def _one(path: str | list[str]) -> Path:
    return Path(path if isinstance(path, str) else path[0])


def read_project_layers(folder: Path) -> list[LayerData]:
    """Read the recording that a project belongs to; the dock then puts prompts and results in place.

    Raises
    ------
    StackError
        If the recording is gone.
    OutputError
        If the project cannot be read.
    """
    from sam2flow_core.errors import StackError
    from sam2flow_core.project import read_project
    from sam2flow_napari.layers.factory import recording_arguments
    from sam2flow_napari.session import open_recording

    project = read_project(folder)
    if not project.recording.exists():
        raise StackError(
            "{recording}: the recording of this project has moved; put it back, or beside {name}",
            recording=project.recording,
            name=folder.name,
        )
    recording = open_recording(project.recording, project.edit)
    return [(recording.stack.as_array(), recording_arguments(recording), "image")]


def read_results_layers(folder: Path) -> list[LayerData]:
    """Read the masks and the speed of a finished run."""
    from sam2flow_core.results import open_results
    from sam2flow_napari.layers.factory import lazy, placement, speed_colours
    from sam2flow_napari.layers.flow_frames import FlowFrames, first_answered
    from sam2flow_napari.layers.lazy_layers import SpeedFrames
    from sam2flow_napari.session import Spacing

    results = open_results(folder)
    calibration = results.header.calibration
    spacing = Spacing(_usable(calibration.get("pixel_size_um")), _usable(calibration.get("frame_rate_hz")))
    frames = FlowFrames(results.header.shape)
    frames.show_results(folder, results)
    speed = SpeedFrames(frames, spacing)
    limit = max(float(np.max(speed.frame(first_answered(results)))), 1e-6)
    return [
        (results.labels, {"name": "vessels", "opacity": 0.45, **placement(spacing)}, "labels"),
        (
            lazy(speed),
            {
                "name": f"speed ({spacing.speed_unit})",
                "colormap": speed_colours(),
                "contrast_limits": (0, limit),
                "blending": "translucent",
                **placement(spacing),
            },
            "image",
        ),
    ]


def _usable(measured: Any) -> float | None:
    return measured["value"] if measured and measured.get("plausible") else None


def write_prompt_points(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a points layer (t, y, x) as ``prompts.csv``; points without the features of a prompt count as vessel 1.

    Raises
    ------
    PromptError
        If the layer is not (t, y, x).
    """
    from sam2flow_core.prompts import Prompt, write_prompts

    if len(data) and len(data[0]) != 3:
        raise PromptError("prompts need points with frame, y and x: add them to a layer with three axes")
    features = attributes.get("features")
    columns = getattr(features, "columns", ())
    vessels = features["vessel_id"] if features is not None and "vessel_id" in columns else [1] * len(data)
    labels = features["label"] if features is not None and "label" in columns else [1] * len(data)
    prompts = tuple(
        Prompt(int(v), round(float(t)), float(y), float(x), int(label))
        for (t, y, x), v, label in zip(data, vessels, labels, strict=True)
    )
    write_prompts(path, prompts)
    return [path]
