"""The chance to be right can only fall with a doubt, and two of three readings decide."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from sam2flow_core.cli.show import _vessel_line
from sam2flow_core.config.velocity import TrustSettings, VelocitySettings
from sam2flow_core.reports.wording import interval_in_words, vessel_verdict
from sam2flow_core.stack.timing import Timing
from sam2flow_core.velocity import GRADES, measure_vessel, summary_table
from sam2flow_core.velocity.grade import Views, chance_right, level_of
from sam2flow_core.velocity.records import Doubts
from sam2flow_core.velocity.uncertainty import with_interval

from .vessels import Calibrated

SURE = Doubts(apart=0.02, weak=0.0, error=0.1, slow=0.02)


def test_blood_that_stands_still_in_every_reading_is_left_as_it_is():
    assert Views(flow=0.0, rows=0.0, transit=0.0).gain(0.5, TrustSettings()) == 1


@pytest.mark.parametrize("doubt", [field.name for field in fields(Doubts)])
def test_no_doubt_raises_the_chance(doubt):
    chances = [chance_right(replace(SURE, **{doubt: much}), TrustSettings()) for much in np.linspace(0, 1, 11)]
    assert (np.diff(chances) <= 0).all()
    assert len(TrustSettings().weights) == len(fields(Doubts)) and min(TrustSettings().weights) >= 0


def test_readings_that_agree_are_good_and_readings_that_do_not_are_not():
    assert level_of(chance_right(SURE, TrustSettings()), TrustSettings()) == 0
    for bad in (replace(SURE, apart=0.9), replace(SURE, weak=1.0), replace(SURE, error=1.0), replace(SURE, slow=0.9)):
        assert level_of(chance_right(bad, TrustSettings()), TrustSettings()) > 0


def test_the_diagram_outvotes_the_flow_only_where_both_its_readings_agree():
    assert Views(2.0, 3.0, 3.1).outvote(0.15, 0.4)
    assert not Views(3.0, 2.0, 3.1).outvote(0.15, 0.4)
    assert not Views(2.0, 3.0, 4.0).outvote(0.15, 0.4)
    assert not Views(2.0, 3.0, float("nan")).outvote(0.15, 0.4)


@pytest.mark.parametrize(
    ("views", "moved"),
    [
        (Views(2.0, 2.5, 2.6), 1 + 0.8 * (2.55 / 2.0 - 1)),
        (Views(-2.0, -2.5, -2.6), 1 + 0.8 * (2.55 / 2.0 - 1)),
        (Views(2.0, 2.5, 3.2), 1.0),  # they do not agree
        (Views(2.0, 2.5, float("nan")), 1.0),
        (Views(1.5, 2.5, 2.6), 1 + 0.8 * (2.55 / 1.5 - 1)),
        (Views(1.2, 2.5, 2.6), 1.0),  # too far off: what the flow says over time is nothing to multiply
        (Views(-2.0, 2.5, 2.6), 1.0),
    ],
)
def test_the_flow_is_taken_to_two_readings_that_agree_and_never_far(views, moved):
    assert views.gain(0.24, TrustSettings()) == pytest.approx(moved)  # twice the diagram's error: four fifths
    assert views.gain(0.0, TrustSettings()) == 1


def test_a_flow_that_is_low_is_mended_by_the_diagram_and_the_page_says_so(plug_scene):
    flow = np.asarray(plug_scene.track.flow[:])
    doubted = replace(plug_scene.track, flow=np.float32(0.85) * flow, scale=np.full_like(plug_scene.track.scale, 1.5))
    low = measure_vessel(doubted, plug_scene.images, Calibrated())
    right = measure_vessel(plug_scene.track, plug_scene.images, Calibrated())
    assert low.statistics.mean == pytest.approx(right.statistics.mean, rel=0.06)
    assert low.statistics.method_difference == pytest.approx(-0.15, abs=0.06)  # of the flow as it was
    assert low.diagram_gain == pytest.approx(1.13, abs=0.06)
    assert any("to the space-time diagram" in reason for reason in low.reasons)


@pytest.mark.parametrize(("missing", "corrected"), [(3, True), (60, False)])
def test_one_short_gap_does_not_keep_the_diagram_from_mending_a_flow(plug_scene, missing, corrected):
    flow = np.float32(0.85) * np.asarray(plug_scene.track.flow[:])
    doubted = replace(plug_scene.track, flow=flow, scale=np.full_like(plug_scene.track.scale, 1.5))
    frames = np.arange(len(plug_scene.video))
    after = frames > 80
    timing = Timing(frames + 63 * after, np.where(frames[:-1] == 80, missing, 0))
    measured = measure_vessel(doubted, plug_scene.images, Calibrated(), timing=timing)
    assert (measured.diagram_gain > 1.05) == corrected


def test_where_rows_alone_contradict_the_flow_is_compared_with_transit_times(plug_scene, monkeypatch):
    from sam2flow_core.velocity import diagram

    told = diagram.correlate

    def low(*given):
        found = told(*given)
        return replace(found, velocity=0.6 * found.velocity)

    monkeypatch.setattr(diagram, "correlate", low)
    measured = measure_vessel(plug_scene.track, plug_scene.images, Calibrated())
    assert abs(measured.statistics.method_difference) < 0.15
    assert "METHOD_DISAGREE" not in measured.flags
    assert GRADES.index(measured.grade) <= 1


def test_an_interval_is_widened_about_its_mean(plug_scene):
    statistics = measure_vessel(plug_scene.track, plug_scene.images, Calibrated()).statistics
    wide = with_interval(statistics, "fair", TrustSettings(interval_gain=(1.0, 2.0, 3.0)))
    assert wide.high - wide.low == pytest.approx(2 * (statistics.high - statistics.low))
    assert wide.mean == statistics.mean
    assert VelocitySettings().trust.interval_gain[0] >= 1


def test_an_unusable_velocity_has_no_interval_in_tables_reports_and_on_the_command_line(plug_scene):
    measured = measure_vessel(plug_scene.track, plug_scene.images, Calibrated())
    bare = replace(measured, statistics=with_interval(measured.statistics, "unusable", TrustSettings()))
    row = summary_table([bare]).iloc[0]
    assert np.isnan(row["v_ci_low_um_s"]) and np.isnan(row["v_ci_high_um_s"]) and np.isfinite(row["v_mean_um_s"])
    assert "(no interval)" in vessel_verdict(bare) and "nan" not in vessel_verdict(bare)
    assert "(no interval)" in _vessel_line(row.to_dict(), cut=False, with_frames=False)
    assert interval_in_words(np.nan, np.nan, "um/s") == "–"
