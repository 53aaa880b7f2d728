"""Pulse, flux of cells and drift against the truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluation_scenes import SIZE, rigid_case

from sam2flow_core.config.velocity import TrustSettings, VelocitySettings
from sam2flow_core.evaluation import accuracy
from sam2flow_core.evaluation.cases import Answer
from sam2flow_core.evaluation.sam2flow_method import PredictedCase, SAM2FlowMethod
from sam2flow_core.evaluation.vessel_scores import pulse_and_flux, score_drift
from sam2flow_core.inference import FrameFlow, VesselFlow
from sam2flow_core.synthetic import SceneSettings, cell_flux, sample_scene
from sam2flow_core.synthetic.case_files import moving_cells


def test_only_long_recordings_are_asked_for_a_pulse_and_a_blank_is_no_error():
    table = pd.DataFrame(
        {
            "seconds": [10.0, 10.0, 10.0, 10.0, 2.0],
            "true_pulse_hz": [1.2, 1.0, 1.5, np.nan, 1.0],
            "pulse_hz": [1.21, 1.04, np.nan, 1.1, 3.0],
            "true_cells_s": [10.0, 20.0, 5.0, 8.0, 0.0],
            "cells_s": [11.0, 19.0, np.nan, np.nan, 4.0],
        }
    )
    pulse, cells = pulse_and_flux(table).to_dict("records")
    assert (pulse["vessels"], cells["vessels"]) == (3, 4)
    assert pulse["found %"] == pytest.approx(200 / 3) and cells["found %"] == 50
    assert pulse["error, median"] == pytest.approx(0.025) and pulse["largest"] == pytest.approx(0.04)
    assert cells["error, median"] == pytest.approx(7.5) and cells["largest"] == pytest.approx(10)


def test_the_true_flux_is_the_density_of_the_cells_times_their_speed():
    settings = SceneSettings(
        plan=("single",), diameter_px=(7, 7), diameter_um=(3, 6), event_rate_hz=0.0, gaps=0.0, motion_probability=0.0
    )
    scene = sample_scene(np.random.default_rng(4), (96, 96), settings)
    frames = np.arange(600)
    (flux,) = cell_flux(scene, frames)
    seen = moving_cells(scene, frames)
    per_px = len(seen) / len(frames) / scene.vessels[0].length
    steps = seen.sort_values(["cell", "frame"])
    moved = np.hypot(steps.y.diff(), steps.x.diff())[(steps.cell.diff() == 0) & (steps.frame.diff() == 1)]
    speed = moved[moved < 5 * moved.median()].mean()  # without the jumps back to the start
    assert flux == pytest.approx(per_px * speed, rel=0.1)


class Worsening:
    """Off by 1 px in the first half of the recording and by 3 px in the second; its masks lose their right half."""

    def predict(self, case):
        return PredictedCase([self.step(case, t) for t in range(len(case.video))], [])

    def step(self, case, t):
        vessels = []
        for vessel in case.vessels:
            mask = vessel.mask.copy()
            if t > len(case.video) / 2:
                mask[:, 32:] = False
            vessels.append(VesselFlow.of(vessel.vessel_id, (0, 0), mask, None, None))
        return FrameFlow(t, (0.0, 0.0), tuple(vessels))

    def answers(self, case, pairs):
        for pair in pairs:
            error = np.array([1.0 if pair < len(case.video) / 2 else 3.0, 0], np.float32)
            flow = case.flow(pair)[0] + error[:, None, None]
            scale = np.ones((2, *SIZE), np.float32)
            scale[:, :, 32:] = np.nan  # the masks leave this out, and it is wrong
            flow[..., 32:] = 50
            yield Answer(pair, flow, scale, 0.0)


def test_drift_is_the_error_at_the_end_beside_that_at_the_beginning() -> None:
    row = score_drift(Worsening(), rigid_case(frames=400)).iloc[0]
    assert (row.epe_first, row.epe_last) == pytest.approx((1, 3))
    assert (row.iou_first, row.iou_last) == pytest.approx((1, 0.5))
    assert row.frames == 400


def test_a_short_case_has_no_time_to_drift() -> None:
    assert score_drift(Worsening(), rigid_case(frames=48)).empty


def test_velocities_that_were_kept_with_other_grades_are_measured_anew(monkeypatch):
    clicked = SAM2FlowMethod("SAM2Flow", "weights", None, 3)
    before = accuracy._velocity_score(clicked).fingerprint
    stricter = replace(VelocitySettings(), trust=replace(TrustSettings(), levels=(0.99, 0.6, 0.2)))
    monkeypatch.setattr(accuracy, "VelocitySettings", lambda: stricter)
    assert accuracy._velocity_score(clicked).fingerprint != before
