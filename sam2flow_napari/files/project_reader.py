"""A project or results folder as layers, with or without the dock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

LayerData = tuple[Any, dict[str, Any], str]


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
    from sam2flow_napari.layers.flow_frames import FlowFrames
    from sam2flow_napari.layers.lazy_layers import SpeedFrames
    from sam2flow_napari.session import Spacing

    results = open_results(folder)
    calibration = results.header.calibration
    spacing = Spacing(_usable(calibration.get("pixel_size_um")), _usable(calibration.get("frame_rate_hz")))
    frames = FlowFrames(results.header.shape)
    frames.show_results(folder, results)
    speed = SpeedFrames(frames, spacing)
    limit = max(float(np.max(speed.frame(results.header.start))), 1e-6)
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
