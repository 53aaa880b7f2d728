"""The whole program on a case: clicks to masks, flow, and velocities with their grades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.evaluation.ours import OurFlow
from sam2flow_core.evaluation.records import Case, VesselTruth
from sam2flow_core.inference import FrameFlow
from sam2flow_core.results.tracks import VesselTrack
from sam2flow_core.stack import Calibration
from sam2flow_core.velocity import VesselMeasurement, measure_vessels
from sam2flow_core.velocity.pulse import spectrum

COLUMNS = (
    "case", "vessel_id", "grade", "true", "measured", "low", "high", "kymograph", "correlation", "pulsatility",
    "true_width_px", "width_px", "seconds", "true_pulse_hz", "pulse_hz", "true_cells_s", "cells_s",
)  # fmt: skip


def judge_velocities(flow: OurFlow, case: Case) -> pd.DataFrame:
    """Measure every vessel of a case as `sam2flow run` does.

    Returns
    -------
    DataFrame
        One row per vessel. ``true, measured, low, high, kymograph``: mean velocity over the recording, its 95 %
        interval, and the reading of the space-time diagram, px per frame, signed along the true arrow.
        ``correlation`` of the velocity over time with the truth, ``pulsatility`` (max - min) / mean of the truth.
        ``true_pulse_hz`` is the peak that the true velocity over time shows, NaN where it shows none; ``true_cells_s``
        the cells that pass.
    """
    steps = flow.predict(case).steps
    tracks = [track_of(steps, vessel.vessel_id) for vessel in case.vessels]
    calibration = Calibration().with_user(case.pixel_size_um, case.frame_rate_hz)
    measured = measure_vessels(tracks, lambda frame: case.video[frame], calibration, video_id=case.name)
    rows = [_row(case, truth, vessel) for truth, vessel in zip(case.vessels, measured, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def track_of(steps: Sequence[FrameFlow], vessel_id: int) -> VesselTrack:
    """Put the crops of one vessel together."""
    parts = [next(v for v in step.vessels if v.vessel_id == vessel_id) for step in steps]
    answered = [part for part in parts if part.flow is not None]
    return VesselTrack(
        vessel_id=vessel_id,
        name=str(vessel_id),
        frames=np.array([step.frame for step in steps]),
        offsets=np.array([part.offset for part in parts]),
        mask=np.stack([part.mask for part in parts]),
        flow=np.stack([part.flow for part in answered if part.flow is not None]),
        scale=np.stack([part.scale for part in answered if part.scale is not None]),
        shifts=np.array([step.shift for step in steps], float),
        mask_iou=np.array([part.mask_iou for part in parts], np.float32),
        object_score=np.array([part.object_score for part in parts], np.float32),
        round_trip=np.array([part.round_trip for part in answered], np.float32),
    )


def _row(case: Case, truth: VesselTruth, vessel: VesselMeasurement) -> tuple[object, ...]:
    along = _sign(truth, vessel)
    figures = vessel.statistics
    interval = sorted((along * figures.low, along * figures.high))
    true = truth.mean_velocity
    series = along * vessel.per_frame.velocity[:-1]
    known = np.isfinite(series)
    varies = known.sum() > 2 and np.ptp(true[known]) > 0 and np.ptp(series[known]) > 0
    correlation = float(np.corrcoef(series[known], true[known])[0, 1]) if varies else float("nan")
    mean = float(true.mean())
    width = float(np.nanmean(vessel.diameter_px)) if np.isfinite(vessel.diameter_px).any() else float("nan")
    rate, beat = case.frame_rate_hz, SeriesSettings()
    pulse = spectrum(np.asarray(true, float), rate, beat.pulse_band_hz, beat.pulse_probability).pulse_hz
    return (
        case.name, truth.vessel_id, vessel.grade, mean, along * figures.mean, *interval, along * figures.kymograph_mean,
        correlation, float(np.ptp(true)) / max(abs(mean), 1e-9), truth.width_px, width,
        len(true) / rate, pulse, vessel.spectrum.pulse_hz,
        abs(truth.cells_per_frame) * rate, vessel.cells.flux_per_frame * rate,
    )  # fmt: skip


def _sign(truth: VesselTruth, vessel: VesselMeasurement) -> float:
    """Return 1 where the measured arrow points along the true one, -1 where against it."""
    points = vessel.centreline + np.array(vessel.origin)
    tangents = np.gradient(truth.centreline, axis=0)
    nearest = cKDTree(truth.centreline).query(points)[1]
    return 1.0 if float((tangents[nearest] * vessel.line.tangents).sum()) >= 0 else -1.0
