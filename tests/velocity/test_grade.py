from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sam2flow_core.config.flags import FLAG_MEANINGS
from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.velocity import GRADES, measure_vessel
from sam2flow_core.velocity.grade import Findings, Views, find_doubts, grade_vessel
from sam2flow_core.velocity.uncertainty import lasting_error

from .vessels import Calibrated, make_scene

CONFIRMED = Findings(
    flags=(),
    views=Views(flow=3.0, rows=3.0, transit=3.0, slant=3.0),
    gain=1.0,
    match=1.0,
    lasting_error=0.02,
    valid_share=1.0,
    lost_share=0.0,
    opposed=0.0,
    beside=1.0,
    mask=0.8,
    presence=1.0,
    unsharp=0.0,
    along=(),
    at_end=False,
)
"""A vessel of which nothing is wrong."""


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


def test_gaps_lower_the_grade(plug_scene):
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


def test_a_mask_with_faster_blood_beside_its_middle_is_not_good(plug_scene):
    flow = plug_scene.track.flow.copy()
    rows = np.arange(flow.shape[-2])
    flow[..., np.abs(rows - rows.mean()) > 5, :] *= 1.8
    word, reasons = grade(plug_scene, flow=flow)
    assert GRADES.index(word) >= 2
    assert "a second vessel in the mask" in reasons


@pytest.mark.parametrize(("frames", "word"), [(60, "good"), (140, "fair")])
def test_a_passing_loss_of_focus_keeps_no_vessel_from_being_good(plug_scene, frames, word):
    blurred = plug_scene.video.copy()
    blurred[60 : 60 + frames] = gaussian_filter(blurred[60 : 60 + frames], (0, 4, 4))
    measured = measure_vessel(plug_scene.track, lambda t: blurred[t], Calibrated())
    assert "OUT_OF_FOCUS" in measured.flags and measured.grade == word, measured.reasons


ALONE = replace(CONFIRMED, views=replace(CONFIRMED.views, transit=float("nan")))


@pytest.mark.parametrize("changes", [{"flags": ("LOW_CONTRAST",)}, {"flags": ("TOO_SHORT",)}])
def test_what_two_readings_of_the_diagram_confirm_is_good_whatever_was_feared(changes):
    assert grade_vessel(replace(CONFIRMED, **changes), VelocitySettings()).grade == "good"
    assert grade_vessel(replace(ALONE, **changes), VelocitySettings()).grade != "good"


def test_two_of_three_readings_have_to_agree_with_the_flow():
    one = replace(CONFIRMED, views=Views(flow=3.0, rows=3.1, transit=float("nan"), slant=1.0))
    two = replace(CONFIRMED, views=Views(flow=3.0, rows=3.1, transit=float("nan"), slant=2.9))
    assert grade_vessel(one, VelocitySettings()).grade == "fair"
    assert grade_vessel(two, VelocitySettings()).grade == "good"


def test_what_the_network_fears_counts_less_where_the_diagram_bears_the_flow_out():
    fears, settings = np.full(20, 3.0), VelocitySettings().series
    confirmed, differs, alone = (lasting_error(fears, off, 3.0, settings) for off in (0.0, 1.5, np.nan))
    assert confirmed < 0.4 < differs < alone == 3.0
    sure, unsure = (find_doubts(replace(CONFIRMED, lasting_error=e), VelocitySettings()) for e in (0.03, 0.5))
    assert sure.error < 0.1 < 0.9 < unsure.error


def test_what_lowers_the_chance_most_is_told_first():
    slow = replace(CONFIRMED, views=Views(flow=0.4, rows=0.4, transit=0.4, slant=0.4), lasting_error=0.08)
    graded = grade_vessel(slow, VelocitySettings())
    sure = grade_vessel(CONFIRMED, VelocitySettings())
    assert graded.grade != "good" and graded.chance < sure.chance - 0.05
    assert "expects errors of 8%" in graded.reasons[0]
    slower = replace(slow, views=Views(flow=0.1, rows=0.1, transit=0.1, slant=0.1), lasting_error=0.03)
    assert grade_vessel(slower, VelocitySettings()).reasons[0] == FLAG_MEANINGS["NEAR_FLOOR"]
    wrong = replace(CONFIRMED, views=Views(flow=2.5, rows=4.5, transit=float("nan"), slant=4.5))
    assert any("differ by 44%" in reason for reason in grade_vessel(wrong, VelocitySettings()).reasons)


@pytest.mark.parametrize(("at_end", "word"), [(True, "good"), (False, "poor")])
def test_what_is_wrong_near_an_end_of_the_line_is_told_and_lowers_no_grade(at_end, word):
    findings = replace(CONFIRMED, along=("the speed steps",), at_end=at_end)
    graded = grade_vessel(findings, VelocitySettings())
    assert graded.grade == word and "the speed steps" in graded.reasons


def test_a_mask_in_which_blood_runs_both_ways_is_not_good(plug_scene):
    flow = plug_scene.track.flow.copy()
    flow[..., : flow.shape[-1] // 3] *= -1
    word, reasons = grade(plug_scene, flow=flow)
    assert GRADES.index(word) >= 2
    assert "runs the other way" in reasons
