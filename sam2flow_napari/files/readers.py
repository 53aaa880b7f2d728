"""Open recordings, projects, results and prompts through napari's File menu or by dropping them on the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sam2flow_core.errors import Sam2FlowError
from sam2flow_napari.files.project_reader import read_project_layers, read_results_layers

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
