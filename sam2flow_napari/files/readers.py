"""Open recordings, projects, results and prompts through napari's File menu or by dropping them on the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sam2flow_core.errors import Sam2FlowError

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str | list[str]], list[LayerData]]


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
            f"{project.recording}: the recording of this project has moved; put it back, or beside {folder.name}"
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
