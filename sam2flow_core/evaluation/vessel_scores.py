"""What the whole program makes of each vessel, against the truth: masks, velocities, pulse and flux, drift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.spatial import cKDTree

from sam2flow_core.config.velocity import SeriesSettings, VelocitySettings
from sam2flow_core.engine.contract import give_prompts
from sam2flow_core.evaluation.cases import Case, VesselTruth, out_of_frame
from sam2flow_core.evaluation.flow_comparison import compare
from sam2flow_core.evaluation.metrics import boundary_f, endpoint_error, mask_iou
from sam2flow_core.evaluation.sam2flow_method import SAM2FlowMethod, answer_on_grid
from sam2flow_core.inference import FrameFlow, SAM2FlowPredictor
from sam2flow_core.inference.masks import memory_logits
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.stack import Calibration, open_stack
from sam2flow_core.velocity import VesselMeasurement, measure_vessels
from sam2flow_core.velocity.pulse import spectrum

_CROSSING_SHARE = 0.05  # of a vessel's pixels that lie on another one
MASK_COLUMNS = ("case", "vessel_id", "clicks", "width_px", "crossing", "iou", "boundary_f")
VELOCITY_COLUMNS = (
    "case", "vessel_id", "grade", "true", "measured", "low", "high", "kymograph", "correlation", "pulsatility",
    "true_width_px", "width_px", "seconds", "true_pulse_hz", "pulse_hz", "true_cells_s", "cells_s",
)  # fmt: skip
_PULSE_SECONDS = 9.0  # shorter recordings do not resolve a heartbeat to 0.05 Hz
_DRIFT_FRAMES = 300  # frames; a shorter case has no time to drift
_DRIFT_PART = 6  # the first and the last sixth are compared
_DRIFT_PAIRS = 25  # judged in each
DRIFT_COLUMNS = ("case", "frames", "epe_first", "epe_last", "iou_first", "iou_last")


def score_masks(predictor: SAM2FlowPredictor, case: Case, tolerance_px: float) -> pd.DataFrame:
    """Judge the masks of the first frame after each number of clicks.

    Clicks are added one after the other, as a person does, and none of them corrects an error seen. The background
    comes from the whole recording, as in a run.

    Returns
    -------
    DataFrame
        One row per vessel and number of clicks: ``case, vessel_id, clicks, width_px, crossing, iou, boundary_f``.
    """
    state = predictor.init_state(open_stack(case.video), pixel_size_um=case.pixel_size_um)
    rows = []
    for vessel in case.vessels:
        done = 0
        for clicks, prompts in sorted(case.prompts.items()):
            mine = [p for p in prompts if p.vessel_id == vessel.vessel_id]
            for prompt in mine[done:]:
                answer = predictor.add_new_points_or_box(
                    state, 0, vessel.vessel_id, [(prompt.x, prompt.y)], [prompt.label], clear_old_points=False
                )
                assert answer is not None
                _, ids, logits = answer
            done = len(mine)
            mask = logits[ids.index(vessel.vessel_id), 0].numpy() > 0
            crossing = bool(case.overlap[vessel.mask].mean() > _CROSSING_SHARE)
            scores = (mask_iou(mask, vessel.mask), boundary_f(mask, vessel.mask, tolerance_px))
            rows.append((case.name, vessel.vessel_id, clicks, vessel.width_px, crossing, *scores))
    return pd.DataFrame(rows, columns=list(MASK_COLUMNS))


def score_memory_masks(predictor: SAM2FlowPredictor, case: Case, clicks: int) -> pd.DataFrame:
    """Judge the masks that memory alone finds in the last frame of vessels clicked in the first.

    Tissue motion is taken out, and only what is in the picture counts. A run keeps the masks of its prompts instead:
    this is what the context memory is able to say by itself.

    Returns
    -------
    DataFrame
        One row per vessel: ``case, vessel_id, clicks`` (0: none in the frame that is judged), ``width_px, iou``.
    """
    state = predictor.init_state(open_stack(case.video), pixel_size_um=case.pixel_size_um)
    give_prompts(predictor, state, case.prompts[clicks])
    last = len(case.video) - 1
    with torch.inference_mode():
        logits = memory_logits(predictor.model, state, last, predictor.settings)
        logits = torch.stack([state.frames.video.enlarged(found) for found in logits])
    seen = ~out_of_frame(case, last)
    found = dict(zip(state.vessels, (logits > 0).cpu().numpy(), strict=True))
    height, width = seen.shape
    rows = [
        (case.name, v.vessel_id, 0, v.width_px, mask_iou(found[v.vessel_id][:height, :width] & seen, v.mask & seen))
        for v in case.vessels
    ]
    return pd.DataFrame(rows, columns=["case", "vessel_id", "clicks", "width_px", "iou"])


def score_velocities(flow: SAM2FlowMethod, case: Case) -> pd.DataFrame:
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
    predicted = flow.predict(case)
    steps, settings = predicted.steps, VelocitySettings().at_scale(predicted.factor)
    tracks = [track_of(steps, vessel.vessel_id) for vessel in case.vessels]
    calibration = Calibration().with_user(case.pixel_size_um, case.frame_rate_hz)
    measured = measure_vessels(tracks, lambda frame: case.video[frame], calibration, settings, video_id=case.name)
    pairs = zip(case.vessels, measured, strict=True)
    rows = [_velocity_row(case, truth, _unit_on(truth, vessel)) for truth, vessel in pairs]
    return pd.DataFrame(rows, columns=list(VELOCITY_COLUMNS))


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


def _velocity_row(case: Case, truth: VesselTruth, vessel: VesselMeasurement) -> tuple[object, ...]:
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
    rate = case.frame_rate_hz
    pulse = spectrum(np.asarray(true, float), rate, SeriesSettings()).pulse_hz
    return (
        case.name, truth.vessel_id, vessel.grade, mean, along * figures.mean, *interval, along * figures.kymograph_mean,
        correlation, float(np.ptp(true)) / max(abs(mean), 1e-9), truth.width_px, width,
        len(true) / rate, pulse, vessel.spectrum.pulse_hz,
        abs(truth.cells_per_frame) * rate, vessel.cells.flux_per_frame * rate,
    )  # fmt: skip


def _unit_on(truth: VesselTruth, vessel: VesselMeasurement) -> VesselMeasurement:
    """Return the vessel, or of one that was cut the segment that lies most on the true one."""

    def points_on(unit: VesselMeasurement) -> int:
        points = np.rint(unit.centreline + np.array(unit.origin)).astype(int)
        inside = points.clip(0, np.array(truth.mask.shape) - 1)
        return int(truth.mask[tuple(inside.T)].sum())

    return max(vessel.units, key=points_on)


def _sign(truth: VesselTruth, vessel: VesselMeasurement) -> float:
    """Return 1 where the measured arrow points along the true one, -1 where against it."""
    points = vessel.centreline + np.array(vessel.origin)
    tangents = np.gradient(truth.centreline, axis=0)
    nearest = cKDTree(truth.centreline).query(points)[1]
    return 1.0 if float((tangents[nearest] * vessel.line.tangents).sum()) >= 0 else -1.0


def pulse_and_flux(velocities: pd.DataFrame) -> pd.DataFrame:
    """Say how well the pulse and the flux of cells were measured: a row for each.

    Parameters
    ----------
    velocities : DataFrame
        From `score_velocities`, all recordings below each other.

    Returns
    -------
    DataFrame
        ``what, vessels`` (where the truth has it), ``found %`` of them, ``error, median``, ``90th percentile``,
        ``largest`` and ``unit``; vessels in which cells cannot be told apart are not found, which is no error.
    """
    beating = velocities[(velocities.seconds >= _PULSE_SECONDS) & velocities.true_pulse_hz.notna()]
    flowing = velocities[velocities.true_cells_s > 0]
    pulse = (beating.pulse_hz - beating.true_pulse_hz).abs()
    cells = 100 * (flowing.cells_s / flowing.true_cells_s - 1).abs()
    rows = [
        _error_row(f"pulse, recordings over {_PULSE_SECONDS:.0f} s", pulse, "Hz"),
        _error_row("cells passing", cells, "%"),
    ]
    return pd.DataFrame(rows)


def _error_row(what: str, error: pd.Series, unit: str) -> dict[str, object]:
    found = error.dropna()
    return {
        "what": what,
        "vessels": len(error),
        "found %": 100 * len(found) / max(len(error), 1),
        "error, median": found.median(),
        "90th percentile": found.quantile(0.9),
        "largest": found.max(),
        "unit": unit,
    }


def score_drift(flow: SAM2FlowMethod, case: Case) -> pd.DataFrame:
    """Compare the errors in the first and the last part of a long case.

    Returns
    -------
    DataFrame
        ``case, frames, epe_first, epe_last`` (px, pixels as in the main table that the masks hold), ``iou_first,
        iou_last`` (mean over vessels of the masks in the first and the last frame); no row for a short case.
    """
    frames = len(case.video)
    if frames < _DRIFT_FRAMES:
        return pd.DataFrame(columns=list(DRIFT_COLUMNS))
    part = frames // _DRIFT_PART
    errors = []
    for start in (0, frames - 1 - part):
        pairs = np.unique(np.linspace(start, start + part - 1, _DRIFT_PAIRS).round().astype(int))
        judged = compare(case, flow, [int(pair) for pair in pairs])
        clear = ~(judged.overlap | judged.leaves) & np.isfinite(judged.scale)
        errors.append(float(endpoint_error(judged.predicted[clear], judged.true[clear]).mean()))
    overlaps = [_mean_iou(flow, case, frame) for frame in (0, frames - 1)]
    return pd.DataFrame([(case.name, frames, *errors, *overlaps)], columns=list(DRIFT_COLUMNS))


def _mean_iou(flow: SAM2FlowMethod, case: Case, frame: int) -> float:
    """Return the agreement of the masks of a frame with the true ones where the tissue is in the picture."""
    vessel_ids = tuple(vessel.vessel_id for vessel in case.vessels)
    height, width = case.overlap.shape
    step = flow.predict(case).steps[frame]
    masks = answer_on_grid(step, vessel_ids, case.shifts[frame], (height, width))[2]
    seen = ~out_of_frame(case, frame)
    scores = [mask_iou(mask & seen, vessel.mask & seen) for mask, vessel in zip(masks, case.vessels, strict=True)]
    return float(np.mean(scores))
