"""Measure what a run has answered, range by range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.results import Results
from sam2flow_core.stack import Calibration, Timing
from sam2flow_core.velocity import VesselMeasurement, measure_vessels
from sam2flow_core.velocity.centreline import Centreline
from sam2flow_core.velocity.sampling import ImageReader

_FEWEST = 2
"""Frames of a range from which on there is something to measure."""


def measure_run(
    results: Results,
    images: ImageReader,
    calibration: Calibration,
    timing: Timing,
    recorded: NDArray[np.int64],
    settings: VelocitySettings,
) -> list[VesselMeasurement]:
    """Return the measurement of each vessel in each range, the ranges of a vessel one after the other.

    The arrow of a vessel is that of its first range.

    Parameters
    ----------
    results : Results
    images : callable
        Frame index -> recorded frame (Y, X).
    calibration : Calibration
    timing : Timing
        Of the frames in `recorded`.
    recorded : ndarray of int
        Frames that the run goes through, ascending; those in `results` are among them.
    settings : VelocitySettings
    """
    found: list[VesselMeasurement] = []
    arrows: dict[int, Centreline] = {}
    for start, stop in results.ranges:
        tracks = [results.track(vessel, (start, stop)) for vessel in results.vessel_ids]
        frames = tracks[0].frames if tracks else np.zeros(0, np.int64)
        if len(frames) < _FEWEST:
            continue
        measured = measure_vessels(
            tracks, images, calibration, settings, results.header.video_id,
            timing.at(np.searchsorted(recorded, frames)), arrows,
        )  # fmt: skip
        arrows = {m.vessel_id: m.line for m in measured} | arrows
        part = f"frames {start} to {stop - 1}" if len(results.ranges) > 1 else ""
        found += [replace(m, part=part) for m in measured]
    order = list(results.vessel_ids)
    return sorted(found, key=lambda m: (order.index(m.vessel_id), int(m.frames[0])))


def diagram_of(measured: Sequence[VesselMeasurement], frames: NDArray[np.int64]) -> NDArray[np.float32]:
    """Space-time diagram (T, N) of one vessel over all frames of a run, along the line of its first range."""
    points = len(measured[0].centreline)
    image = np.full((len(frames), points), np.nan, np.float32)
    for each in measured:
        width = min(points, each.kymograph.shape[1])
        image[np.searchsorted(frames, each.frames), :width] = each.kymograph[:, :width]
    return image
