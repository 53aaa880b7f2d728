"""The two tables. A gap is blank, never 0; without calibration the um columns are blank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.velocity.records import VesselMeasurement
from sam2flow_core.velocity.uncertainty import Z95, calibration_error

PER_FRAME_COLUMNS = (
    "video_id",
    "vessel_id",
    "frame",
    "time_s",
    "velocity_um_s",
    "velocity_px_frame",
    "velocity_ci_low_um_s",
    "velocity_ci_high_um_s",
    "speed_p10_um_s",
    "speed_p90_um_s",
    "diameter_um",
    "flow_pl_s",
    "n_px",
    "confidence",
    "motion_dx_px",
    "motion_dy_px",
    "flags",
)
SUMMARY_COLUMNS = (
    "video_id",
    "vessel_id",
    "length_um",
    "diameter_mean_um",
    "diameter_sd_um",
    "n_frames",
    "valid_pct",
    "v_mean_um_s",
    "v_median_um_s",
    "v_sd_um_s",
    "v_ci_low_um_s",
    "v_ci_high_um_s",
    "v_min_um_s",
    "v_max_um_s",
    "pulsatility_index",
    "resistivity_index",
    "pulse_hz",
    "pulse_snr",
    "reversal_pct",
    "stasis_s",
    "longest_stasis_s",
    "flow_pl_s",
    "flux_cells_s",
    "kymo_v_um_s",
    "method_diff_pct",
    "profile_k",
    "grade",
    "flags",
    "name",
    "group",
    "parent_id",
    "lost_pct",
    "balance_pct",
    "first_frame",
    "last_frame",
    "pulsatility_ci_low",
    "pulsatility_ci_high",
)


def per_frame_table(measurements: Sequence[VesselMeasurement]) -> pd.DataFrame:
    """Return `per_frame.csv`: one row per vessel (or segment of one) and frame; the last frame has no velocity."""
    tables = [_frames_of(unit) for m in measurements for unit in m.units]
    if not tables:
        return pd.DataFrame(columns=list(PER_FRAME_COLUMNS))
    return pd.concat(tables, ignore_index=True)


def summary_table(measurements: Sequence[VesselMeasurement]) -> pd.DataFrame:
    """Return `summary.csv`: one row per vessel, and below that of a vessel that was cut one for each segment.

    Examples
    --------
    >>> summary_table([]).columns[:3].tolist()
    ['video_id', 'vessel_id', 'length_um']
    """
    rows = [_summary_of(row) for m in measurements for row in (m, *m.segments)]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def table_id(m: VesselMeasurement) -> int | float:
    """Return the number of a vessel in the tables: whole, or 1.2 for the second segment of the first."""
    return float(m.label) if m.segment else m.vessel_id


def _frames_of(m: VesselMeasurement) -> pd.DataFrame:
    series, factor = m.per_frame, m.um_s_per_px_frame
    pixel = float("nan") if m.pixel_size_um is None else m.pixel_size_um
    velocity = series.velocity * factor
    half = Z95 * np.hypot(series.standard_error * factor, calibration_error(SeriesSettings()) * velocity)
    columns = {
        "video_id": m.video_id,
        "vessel_id": table_id(m),
        "frame": m.frames,
        "time_s": m.time_s,
        "velocity_um_s": velocity,
        "velocity_px_frame": series.velocity,
        "velocity_ci_low_um_s": velocity - half,
        "velocity_ci_high_um_s": velocity + half,
        "speed_p10_um_s": series.p10 * factor,
        "speed_p90_um_s": series.p90 * factor,
        "diameter_um": series.diameter * pixel,
        "flow_pl_s": volume_flow(m),
        # Blank, not 0, where no flow was asked for.
        "n_px": series.pixels if series.asked.all() else pd.arrays.IntegerArray(series.pixels, ~series.asked),
        "confidence": series.confidence,
        "motion_dx_px": series.motion[:, 1],
        "motion_dy_px": series.motion[:, 0],
        "flags": [" ".join(flags) for flags in series.flags],
    }
    return pd.DataFrame(columns, columns=list(PER_FRAME_COLUMNS))


def _summary_of(m: VesselMeasurement) -> dict[str, object]:
    s, factor = m.statistics, m.um_s_per_px_frame
    pixel = float("nan") if m.pixel_size_um is None else m.pixel_size_um
    rate = float("nan") if m.frame_rate_hz is None else m.frame_rate_hz
    known = m.diameter_px[np.isfinite(m.diameter_px)]
    flow = volume_flow(m)
    return {
        "video_id": m.video_id,
        "vessel_id": table_id(m),
        "length_um": m.line.length * pixel,
        "diameter_mean_um": known.mean() * pixel if len(known) else float("nan"),
        "diameter_sd_um": np.hypot(known.std(), m.diameter_error * known.mean()) * pixel
        if len(known)
        else float("nan"),
        "n_frames": len(m.frames),
        "valid_pct": 100 * s.valid_share,
        "v_mean_um_s": s.mean * factor,
        "v_median_um_s": s.median * factor,
        "v_sd_um_s": s.sd * factor,
        "v_ci_low_um_s": s.low * factor,
        "v_ci_high_um_s": s.high * factor,
        "v_min_um_s": s.minimum * factor,
        "v_max_um_s": s.maximum * factor,
        "pulsatility_index": s.pulsatility,
        "resistivity_index": s.resistivity,
        "pulse_hz": m.spectrum.pulse_hz,
        "pulse_snr": m.spectrum.snr,
        "reversal_pct": 100 * s.reversal_share,
        "stasis_s": s.stasis_frames / rate,
        "longest_stasis_s": s.longest_stasis_frames / rate,
        "flow_pl_s": np.nanmean(flow) if np.isfinite(flow).any() else float("nan"),
        "flux_cells_s": m.cells.flux_per_frame * rate,
        "kymo_v_um_s": s.kymograph_mean * factor,
        "method_diff_pct": 100 * s.method_difference,
        "profile_k": m.profile.ratio,
        "grade": m.grade,
        "flags": " ".join(m.flags),
        "name": m.name,
        "group": m.group,
        "parent_id": m.vessel_id if m.segment else float("nan"),
        "lost_pct": 100 * s.lost_share,
        "balance_pct": 100 * m.balance,
        "first_frame": int(m.frames[0]) if len(m.frames) else -1,
        "last_frame": int(m.frames[-1]) if len(m.frames) else -1,
        "pulsatility_ci_low": s.pulsatility_low,
        "pulsatility_ci_high": s.pulsatility_high,
    }


def volume_flow(m: VesselMeasurement) -> np.ndarray:
    """Return the volumetric flow of each frame in pL/s, shape (T,); NaN in gaps and without calibration.

    Q = pi d^2 / 4 x mean over a round cross-section (um^3/s, / 1000 = pL/s). That mean is the centre velocity over
    k; the mean over the lumen as seen from above, which `velocity` is, gives more weight to the fast middle. Without
    a fitted profile the two are taken as one. Of a vessel that was cut it is the sum of what flows into its own fork.
    """
    if m.segments:
        arms = [volume_flow(segment) for segment in m.segments if segment.segment in m.joint]
        return np.sum(arms, axis=0) if arms else np.full(len(m.frames), np.nan)
    pixel = float("nan") if m.pixel_size_um is None else m.pixel_size_um
    ratio = m.profile.centre / m.profile.ratio / m.statistics.mean if np.isfinite(m.profile.ratio) else 1.0
    diameter = m.per_frame.diameter * pixel
    return np.pi * diameter**2 / 4 * m.per_frame.velocity * m.um_s_per_px_frame * ratio / 1000
