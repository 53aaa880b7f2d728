from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sam2flow_core.velocity import GRADES, measure_vessel

from .vessels import Calibrated, make_scene


def grade(scene, **changes):
    measured = measure_vessel(replace(scene.track, **changes), scene.images, Calibrated())
    return measured.grade, " ".join(measured.reasons)


def test_clean_vessel_is_good_and_says_why(plug_scene):
    word, reasons = grade(plug_scene)
    assert word == "good"
    assert "agree within" in reasons


@pytest.mark.parametrize("gain", [-1.0, 0.0, 0.5, 0.69, 1.31, 2.0])
def test_wrong_flow_is_never_good(plug_scene, gain):
    word, reasons = grade(plug_scene, flow=plug_scene.track.flow * np.float32(gain))
    assert GRADES.index(word) >= 2
    assert "space-time diagram" in reasons


def test_unreadable_diagram_confirms_nothing():
    word, reasons = grade(make_scene(np.full(120, 3.0), noise=300))
    assert GRADES.index(word) >= 2
    assert "no readable space-time diagram" in reasons


def test_large_scale_and_gaps_lower_the_grade(plug_scene):
    assert grade(plug_scene, scale=plug_scene.track.scale * 40)[0] != "good"
    flow = plug_scene.track.flow.copy()
    flow[:100] = np.nan
    word, reasons = grade(plug_scene, flow=flow)
    assert word == "fair"
    assert "58%" in reasons


def test_a_mask_that_does_not_fit_its_clicks_is_not_good(plug_scene):
    word, reasons = grade(plug_scene, mask_iou=np.full_like(plug_scene.track.mask_iou, 0.3))
    assert word == "poor"
    assert "right by 30%" in reasons


def test_no_flow_at_all_is_unusable(plug_scene):
    word, reasons = grade(plug_scene, flow=np.full_like(plug_scene.track.flow, np.nan))
    assert word == "unusable"
    assert "no velocity" in reasons


def test_a_mask_in_which_blood_runs_both_ways_is_not_good(plug_scene):
    flow = plug_scene.track.flow.copy()
    flow[..., : flow.shape[-1] // 3] *= -1
    word, reasons = grade(plug_scene, flow=flow)
    assert GRADES.index(word) >= 2
    assert "runs the other way" in reasons
