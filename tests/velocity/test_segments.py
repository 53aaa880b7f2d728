"""A vessel whose blood steps is measured in segments, one that tapers is not, and forks balance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.velocity import measure_vessel, measure_vessels, per_frame_table, summary_table

from .conftest import pulsating
from .vessels import Calibrated, Scene, make_scene, make_track

MIDDLE = 80


def end_to_end(before: float, after: float) -> Scene:
    """Two vessels under one mask, whose flow the model knows exactly."""
    one, other = (make_scene(pulsating(v, 120), seed=k) for k, v in enumerate((before, after)))
    video, flow = one.video.copy(), one.track.flow.copy()
    video[:, :, MIDDLE:], flow[..., MIDDLE:] = other.video[:, :, MIDDLE:], other.track.flow[..., MIDDLE:]
    return Scene(video, replace(one.track, flow=flow, group="venule"), one.centre)


@pytest.mark.parametrize(("before", "after"), [(2.0, 4.0), (4.0, -4.0)])
def test_a_step_along_the_length_splits(before, after):
    scene = end_to_end(before, after)
    table = summary_table(measure_vessels([scene.track], scene.images, Calibrated())).set_index("vessel_id")
    assert list(table.index) == [1, 1.1, 1.2]
    assert list(table.parent_id.fillna(0)) == [0, 1, 1]
    assert list(table["name"]) == ["vessel 1"] * 3 and list(table["group"]) == ["venule"] * 3
    whole, first, second = (table.loc[number] for number in (1, 1.1, 1.2))
    assert np.isnan(whole.v_mean_um_s) and np.isnan(whole.flow_pl_s)
    assert "SPEED_STEP" in whole["flags"] and whole.grade == "poor"
    for row, speed in ((first, before), (second, after)):
        assert row.v_mean_um_s == pytest.approx(50 * abs(speed), rel=0.08)
        assert row.kymo_v_um_s == pytest.approx(50 * abs(speed), rel=0.12)
        assert row.length_um == pytest.approx(0.5 * MIDDLE, abs=8)
        assert "SPEED_STEP" not in row["flags"]


def test_frames_of_segments_have_rows_and_the_whole_has_none():
    scene = end_to_end(2.0, 4.0)
    rows = per_frame_table(measure_vessels([scene.track], scene.images, Calibrated()))
    assert set(rows.vessel_id) == {1.1, 1.2}
    assert (rows.groupby("vessel_id").size() == len(scene.video)).all()


def test_segments_that_flow_against_each_other_have_arrows_of_their_own():
    scene = end_to_end(4.0, -4.0)
    measured = measure_vessel(scene.track, scene.images, Calibrated())
    first, second = measured.segments
    assert first.line.tangents[:, 1].mean() * second.line.tangents[:, 1].mean() < 0
    assert first.label == "1.1" and second.label == "1.2"
    assert all(segment.grade == "good" for segment in measured.segments)


def test_a_suspicion_that_two_readings_do_not_share_is_dropped(plug_scene, monkeypatch):
    from sam2flow_core.velocity import measure
    from sam2flow_core.velocity.stretches import Step

    monkeypatch.setattr(measure, "find_cuts", lambda *_: (MIDDLE,))
    monkeypatch.setattr(measure, "step_along", lambda *_: Step(MIDDLE, 4.0, 6.0))
    measured = measure_vessel(plug_scene.track, plug_scene.images, Calibrated())
    assert measured.segments == () and "SPEED_STEP" not in measured.flags
    assert measured.grade == "good"


def test_a_suspicion_is_confirmed_in_the_middle_of_a_long_recording():
    scene = end_to_end(2.0, 4.0)
    settings = VelocitySettings()
    settings = replace(settings, stretches=replace(settings.stretches, confirming_frames=40))
    asked: list[int] = []

    def images(frame: int) -> np.ndarray:
        asked.append(frame)
        return scene.video[frame]

    measured = measure_vessel(scene.track, images, Calibrated(), settings)
    assert len(measured.segments) == 2
    number = np.bincount(asked, minlength=len(scene.video))  # the whole, the suspicion, the segments
    middle = (len(scene.video) - 40) // 2
    assert list(np.flatnonzero(number == 3)) == list(range(middle, middle + 40))
    assert set(number) == {2, 3}


def forked(trunk: float, upper: float, lower: float, widths: tuple[float, float, float]) -> Scene:
    """A Y of straight vessels: the trunk comes from the left, both arms run to the right."""
    shape, middle = (150, 200), np.array([75.0, 90.0])
    directions = np.array([[0.0, 1.0], [-0.5, 0.866], [0.5, 0.866]])
    generator = np.random.default_rng(0)
    frames = 100
    video = (100 + generator.normal(size=(frames, *shape))).astype(np.float32)
    flow = np.zeros((frames - 1, 2, *shape), np.float32)
    mask = np.zeros(shape, bool)
    points = np.stack(np.indices(shape, float), axis=-1) - middle
    for k, (speed, width) in enumerate(zip((trunk, upper, lower), widths, strict=True)):
        along, across = points @ directions[k], points @ np.array([-directions[k][1], directions[k][0]])
        mine = (np.abs(across) <= width / 2) & ((along <= 0) if k == 0 else (along >= 0)) & ~mask
        texture = ndimage.gaussian_filter(generator.normal(size=(64, 1024)), 3.0, mode="wrap")
        texture *= 10 / texture.std()
        video[:, mine] -= 30 * np.sqrt(np.maximum(1 - (2 * across[mine] / width) ** 2, 0)).astype(np.float32)
        for t in range(frames):
            at = np.stack([across[mine] + 32, (along[mine] - speed * t) % 1024])
            video[t][mine] += ndimage.map_coordinates(texture, at, order=1, mode="grid-wrap")
        flow[:, :, mine] = speed * directions[k][::-1][None, :, None]
        mask |= mine
    return Scene(video, make_track(mask, flow), np.full(frames - 1, trunk))


def test_flow_balances_at_a_fork():
    """16^2 x 4 = 12^2 x 4 + 12^2 x 28 / 9: the three arms of a fork, one of them a branch of the mask."""
    scene = forked(4.0, 4.0, 28 / 9, (16.0, 12.0, 12.0))
    (vessel,) = measure_vessels([scene.track], scene.images, Calibrated())
    assert len(vessel.segments) == 3
    assert abs(vessel.balance) < 0.2 and not any("UNBALANCED" in s.flags for s in vessel.segments)
    table = summary_table([vessel])
    expected = np.pi * (16 * 0.5) ** 2 / 4 * 4 * 50 / 1000
    assert table.flow_pl_s[0] == pytest.approx(expected, rel=0.25)
    assert table.balance_pct[1:].abs().max() < 20
    slow = forked(4.0, 4.0, 0.8, (16.0, 9.0, 9.0))
    (leaking,) = measure_vessels([slow.track], slow.images, Calibrated())
    assert leaking.balance > 0.4 and any("UNBALANCED" in s.flags for s in leaking.segments)


def test_a_cut_that_its_own_segments_do_not_bear_out_is_taken_back(monkeypatch):
    """Of three cuts only the one in the middle parts blood that flows differently."""
    from sam2flow_core.velocity import measure

    scene = end_to_end(2.0, 4.0)
    monkeypatch.setattr(measure, "find_cuts", lambda *_: (40, MIDDLE, 120))
    measured = measure_vessel(scene.track, scene.images, Calibrated())
    assert [round(segment.line.length, -1) for segment in measured.segments] == [80, 80]
