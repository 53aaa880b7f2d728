from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sam2flow_core.velocity import (
    PER_FRAME_COLUMNS,
    SUMMARY_COLUMNS,
    measure_vessel,
    per_frame_table,
    summary_table,
)

from .vessels import Calibrated


def measure(scene, calibration=None, **changes):
    return measure_vessel(replace(scene.track, **changes), scene.images, calibration or Calibrated(), video_id="v")


def test_columns_are_those_of_the_contract(plug_scene):
    measured = [measure(plug_scene)]
    summary = (
        "video_id vessel_id length_um diameter_mean_um diameter_sd_um n_frames valid_pct v_mean_um_s v_median_um_s "
        "v_sd_um_s v_ci_low_um_s v_ci_high_um_s v_min_um_s v_max_um_s pulsatility_index resistivity_index pulse_hz "
        "pulse_snr reversal_pct stasis_s longest_stasis_s flow_pl_s flux_cells_s kymo_v_um_s method_diff_pct profile_k "
        "grade flags name group parent_id lost_pct balance_pct first_frame last_frame pulsatility_ci_low "
        "pulsatility_ci_high"
    )
    per_frame = (
        "video_id vessel_id frame time_s velocity_um_s velocity_px_frame velocity_ci_low_um_s velocity_ci_high_um_s "
        "speed_p10_um_s speed_p90_um_s diameter_um flow_pl_s n_px confidence motion_dx_px motion_dy_px flags"
    )
    assert list(summary_table(measured)) == list(SUMMARY_COLUMNS) == summary.split()
    assert list(per_frame_table(measured)) == list(PER_FRAME_COLUMNS) == per_frame.split()
    assert list(summary_table([])) == list(SUMMARY_COLUMNS)
    assert list(per_frame_table([])) == list(PER_FRAME_COLUMNS)


def test_no_micrometres_without_calibration(plug_scene):
    measured = [measure(plug_scene, Calibrated(None, 100.0))]
    frames, row = per_frame_table(measured), summary_table(measured).iloc[0]
    for column in PER_FRAME_COLUMNS:
        if "_um" in column or "pl_s" in column:
            assert frames[column].isna().all(), column
    for column in SUMMARY_COLUMNS:
        if "_um" in column or "pl_s" in column:
            assert pd.isna(row[column]), column
    assert frames.velocity_px_frame[:-1].notna().all()
    assert row.pulse_hz == pytest.approx(1.3, abs=0.05)
    assert row.grade == "good"


def test_no_seconds_without_frame_rate(plug_scene):
    measured = [measure(plug_scene, Calibrated(0.5, None))]
    frames, row = per_frame_table(measured), summary_table(measured).iloc[0]
    assert frames.time_s.isna().all()
    assert frames.velocity_um_s.isna().all()
    assert pd.isna(row.pulse_hz)
    assert pd.isna(row.stasis_s)
    assert row.diameter_mean_um == pytest.approx(8.0, rel=0.1)


def test_gaps_are_blank_and_not_zero(plug_scene, tmp_path):
    flow = plug_scene.track.flow.copy()
    flow[30:40] = np.nan
    measured = [measure(plug_scene, flow=flow)]
    per_frame_table(measured).to_csv(tmp_path / "per_frame.csv", index=False)
    lines = (tmp_path / "per_frame.csv").read_text().splitlines()
    velocity = PER_FRAME_COLUMNS.index("velocity_um_s")
    assert lines[1 + 35].split(",")[velocity] == ""
    assert lines[1 + 45].split(",")[velocity] != ""
    assert lines[-1].split(",")[velocity] == ""  # the last frame has no next one
    assert summary_table(measured).valid_pct[0] == pytest.approx(100 * 230 / 240)


def test_stasis_and_reversal():
    from .vessels import make_scene

    velocity = np.r_[np.full(100, 4.0), np.zeros(50), np.full(50, -2.0), np.full(50, 4.0)]
    scene = make_scene(velocity)
    row = summary_table([measure(scene)]).iloc[0]
    assert row.longest_stasis_s == pytest.approx(0.5, abs=0.05)
    assert row.reversal_pct == pytest.approx(20, abs=1)


def test_interval_holds_the_mean_and_grows_with_the_scale(plug_scene):
    sure = summary_table([measure(plug_scene)]).iloc[0]
    unsure = summary_table([measure(plug_scene, scale=plug_scene.track.scale * 20)]).iloc[0]
    assert sure.v_ci_low_um_s < sure.v_mean_um_s < sure.v_ci_high_um_s
    assert sure.v_ci_low_um_s < 5 * 0.5 * 100 < sure.v_ci_high_um_s
    width = sure.v_ci_high_um_s - sure.v_ci_low_um_s
    assert unsure.v_ci_high_um_s - unsure.v_ci_low_um_s > 2 * width


def test_every_figure_of_an_empty_vessel_is_blank(plug_scene):
    nothing = measure(plug_scene, mask=np.zeros_like(plug_scene.track.mask))
    row = summary_table([nothing]).iloc[0]
    assert row.grade == "unusable"
    assert row.valid_pct == 0
    assert "MASK_LOST" in row["flags"]
    for column in ("v_mean_um_s", "v_ci_low_um_s", "flow_pl_s", "pulse_hz", "pulsatility_index"):
        assert pd.isna(row[column]), column
    assert per_frame_table([nothing]).velocity_px_frame.isna().all()
