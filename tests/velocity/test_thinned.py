"""One pair of several answered: mean, interval and pulse are those of the full run within their own error."""

from dataclasses import fields, replace

import numpy as np
import pytest

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.velocity import per_frame_table
from sam2flow_core.velocity.measure import measure_vessel
from sam2flow_core.velocity.prepared import prepare

from .vessels import Calibrated, make_scene

RATE, PULSE = 160.0, 1.5
CALIBRATED = Calibrated(usable_frame_rate_hz=RATE)


@pytest.fixture(scope="module")
def scene():
    time = np.arange(400) / RATE
    return make_scene(3 + np.sin(2 * np.pi * PULSE * time), shape=(40, 120))


@pytest.fixture(scope="module")
def full(scene):
    return measure_vessel(with_errors(scene.track), scene.images, CALIBRATED)


def with_errors(track):
    """Of each pair its own, as a model makes them."""
    error = np.random.default_rng(1).normal(0, 0.2, (len(track.flow), 1, 1, 1)).astype(np.float32)
    return replace(track, flow=track.flow + error * (track.flow != 0))


def thin(track, every):
    asked = np.arange(len(track.flow)) % every == 0
    return replace(track, flow=np.where(asked[:, None, None, None], track.flow, np.nan).astype(np.float32), asked=asked)


@pytest.mark.parametrize("every", [2, 4])
def test_figures_agree_with_the_full_run_within_its_own_error(scene, full, every):
    found = measure_vessel(thin(with_errors(scene.track), every), scene.images, CALIBRATED)
    a, b = found.statistics, full.statistics
    error = (b.high - b.low) / 2
    assert abs(a.mean - b.mean) < error / 2
    assert (a.high - a.low) / 2 == pytest.approx(error, rel=0.25)
    assert found.spectrum.pulse_hz == pytest.approx(full.spectrum.pulse_hz, abs=0.05)
    assert full.spectrum.pulse_hz == pytest.approx(PULSE, abs=0.1)
    assert a.pulsatility == pytest.approx(b.pulsatility, abs=0.15)
    assert (a.valid_share, a.lost_share) == pytest.approx((b.valid_share, b.lost_share), abs=0.02)
    assert (found.grade, found.flags) == (full.grade, full.flags)
    assert found.space_time.velocity == pytest.approx(full.space_time.velocity, nan_ok=True), "read at full rate"


def test_what_is_not_asked_for_is_blank_and_no_gap(scene):
    found = measure_vessel(thin(scene.track, 4), scene.images, CALIBRATED)
    table = per_frame_table([found])
    between = np.arange(len(table)) % 4 != 0
    assert table.loc[between, ["velocity_um_s", "n_px", "confidence", "flow_pl_s"]].isna().all(axis=None)
    assert table.loc[~between, "n_px"].notna().all() and not table["flags"].any()


def test_a_still_vessel_is_still_as_long_whatever_the_detail(scene):
    still = replace(scene.track, flow=np.zeros_like(scene.track.flow))
    lengths = [
        measure_vessel(thin(still, n), scene.images, CALIBRATED).statistics.longest_stasis_frames for n in (1, 4)
    ]
    assert lengths == pytest.approx([400, 400], abs=4)


def test_a_pulse_faster_than_the_answers_is_not_told(scene):
    found = measure_vessel(thin(scene.track, 80), scene.images, CALIBRATED)
    assert np.isnan(found.spectrum.pulse_hz)


def test_the_longest_stop_is_no_longer_than_all_stops_together(scene):
    still = replace(scene.track, flow=np.zeros_like(scene.track.flow))
    for every in (3, 7):
        found = measure_vessel(thin(still, every), scene.images, CALIBRATED).statistics
        assert found.longest_stasis_frames <= found.stasis_frames


class Watched:
    """Frames that note which of them are asked for."""

    def __init__(self, frames):
        self.frames, self.shape, self.asked = frames, frames.shape, []

    def __getitem__(self, key):
        self.asked += list(np.arange(len(self.frames))[key])
        return self.frames[key]


def test_only_what_was_asked_for_is_read_and_a_mask_that_stays_is_read_once(scene):
    settings = VelocitySettings()
    track = thin(with_errors(scene.track), 4)
    watched = replace(track, flow=Watched(track.flow), mask=Watched(track.mask))
    found, whole = prepare(watched, settings).flow, prepare(with_errors(scene.track), settings).flow
    assert watched.flow.asked == list(np.flatnonzero(track.asked))
    assert watched.mask.asked == list(range(len(track.mask)))
    for field in fields(found):
        read, expected = getattr(found, field.name), getattr(whole, field.name)
        np.testing.assert_allclose(read[track.asked], expected[track.asked], rtol=1e-5)
        assert (read[~track.asked] == 0).all() if field.name == "pixels" else np.isnan(read[~track.asked]).all()


def test_a_mask_that_changes_is_read_in_every_step(scene):
    settings = VelocitySettings()
    mask = scene.track.mask.copy()
    y, x = np.argwhere(mask[0])[len(np.argwhere(mask[0])) // 2]
    mask[100, y, x] = False
    whole = prepare(scene.track, settings).flow
    found = prepare(replace(scene.track, mask=mask), settings).flow
    assert (whole.pixels - found.pixels == (np.arange(len(found.pixels)) == 100)).all()
