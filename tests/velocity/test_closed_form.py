"""Cases whose answer is known on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import shift

from sam2flow_core.velocity import measure_vessel, measure_vessels, summary_table

from .conftest import pulsating
from .vessels import Calibrated, Scene, make_scene


def measure(scene: Scene, rate: float = 100.0, pixel: float = 0.5):
    return measure_vessel(scene.track, scene.images, Calibrated(pixel, rate), video_id="test")


def signed(measurement, value: float) -> float:
    """Return a velocity along +x instead of along the arrow."""
    return float(np.sign(measurement.line.tangents[:, 1].mean()) * value)


@pytest.mark.parametrize("velocity", [0.6, 3.0, 9.0])
def test_rigid_shift_is_read_by_both_methods(velocity):
    measured = measure(make_scene(np.full(160, velocity)))
    assert measured.statistics.mean == pytest.approx(velocity, rel=0.01)  # the diagram has its part in it
    assert measured.statistics.kymograph_mean == pytest.approx(velocity, rel=0.03)
    assert measured.statistics.mean * 0.5 * 100 == pytest.approx(summary_table([measured]).v_mean_um_s[0])
    assert measured.grade == "good"


def test_diagram_does_not_look_at_the_flow(plug_scene):
    wrong = replace(plug_scene.track, flow=plug_scene.track.flow * 0.5)
    measured = measure_vessel(wrong, plug_scene.images, Calibrated())
    assert measured.statistics.kymograph_mean == pytest.approx(measure(plug_scene).statistics.kymograph_mean, rel=1e-6)
    assert measured.statistics.method_difference == pytest.approx(-0.5, abs=0.03)


def test_parabola(parabola_scene):
    measured = measure(parabola_scene)
    centre = parabola_scene.centre.mean()
    assert measured.profile.ratio == pytest.approx(2.0, abs=0.1)
    assert measured.profile.centre == pytest.approx(centre, rel=0.03)
    # Seen from above, the mean over the lumen of a parabola is two thirds of its centre.
    assert measured.statistics.mean == pytest.approx(2 / 3 * centre, rel=0.03)
    # Q = pi d^2 / 4 x centre / 2
    found = np.nanmean(measured.diameter_px)
    expected = np.pi * (found * 0.5) ** 2 / 4 * centre / 2 * 0.5 * 100 / 1000
    assert summary_table([measured]).flow_pl_s[0] == pytest.approx(expected, rel=0.08)
    # What hardly moves near the walls hides them: the error says so.
    assert abs(found / 16 - 1) < measured.diameter_error


def test_sine_pulse():
    truth = pulsating(5.0, frames=999, share=0.4, hertz=1.17)
    measured = measure(make_scene(truth, shape=(30, 100)))
    assert measured.spectrum.pulse_hz == pytest.approx(1.17, abs=0.02)
    assert measured.spectrum.snr > 20
    assert measured.statistics.pulsatility == pytest.approx(0.8, abs=0.04)
    assert measured.statistics.resistivity == pytest.approx(0.8 / 1.4, abs=0.03)
    low, high = measured.statistics.pulsatility_low, measured.statistics.pulsatility_high
    assert low < measured.statistics.pulsatility < high < low + 0.2
    assert np.corrcoef(measured.per_frame.velocity[:-1], truth)[0, 1] > 0.99
    assert np.corrcoef(measured.kymograph_velocity[:-1], truth)[0, 1] > 0.95


def test_no_pulse_in_noise():
    rng = np.random.default_rng(1)
    measured = measure(make_scene(5 + 0.3 * rng.normal(size=600), shape=(30, 100)))
    assert np.isnan(measured.spectrum.pulse_hz)
    assert np.isnan(measured.statistics.pulsatility)


def test_reversed_stack_reverses_the_sign(plug_scene):
    track = plug_scene.track
    frames = len(track.frames)
    backwards = replace(track, flow=-track.flow[::-1])
    forth = measure(plug_scene)
    back = measure_vessel(backwards, lambda t: plug_scene.video[frames - 1 - t], Calibrated())
    assert signed(back, back.statistics.mean) == pytest.approx(-signed(forth, forth.statistics.mean), rel=0.01)
    assert signed(back, back.statistics.kymograph_mean) == pytest.approx(
        -signed(forth, forth.statistics.kymograph_mean), rel=0.02
    )
    assert back.line.tangents[:, 1].mean() == pytest.approx(-forth.line.tangents[:, 1].mean(), abs=0.02)


def test_doubled_frame_rate_halves_pixels_and_keeps_micrometres():
    slow = measure(make_scene(pulsating(6.0, 160)), rate=100.0)
    fast = measure(make_scene(pulsating(3.0, 320, rate=200.0)), rate=200.0)
    assert fast.statistics.mean == pytest.approx(slow.statistics.mean / 2, rel=0.02)
    assert fast.statistics.kymograph_mean == pytest.approx(slow.statistics.kymograph_mean / 2, rel=0.04)
    a, b = summary_table([slow, fast]).v_mean_um_s
    assert a == pytest.approx(b, rel=0.02)


@pytest.mark.parametrize("angle", [0.4, np.pi / 2, 2.5, -2.0])
def test_rotated_stacks_agree(angle):
    flat = measure(make_scene(pulsating(4.0, 160), shape=(140, 140), length=100))
    turned = measure(make_scene(pulsating(4.0, 160), shape=(140, 140), length=100, angle=angle))
    assert turned.statistics.mean == pytest.approx(flat.statistics.mean, rel=0.02)
    assert turned.statistics.kymograph_mean == pytest.approx(flat.statistics.kymograph_mean, rel=0.04)
    # The mean picture has no lumen here, but texture, which is turned as well.
    assert np.nanmean(turned.diameter_px) == pytest.approx(np.nanmean(flat.diameter_px), rel=0.13)


def test_scaled_stacks_agree():
    small = measure(make_scene(pulsating(3.0, 160), radius=6, shape=(30, 120), cell=2.5), pixel=1.0)
    large = measure(make_scene(pulsating(6.0, 160), radius=12, shape=(60, 240), cell=5.0), pixel=0.5)
    a, b = summary_table([small, large]).to_dict("records")
    for column in ("v_mean_um_s", "kymo_v_um_s", "length_um"):
        assert a[column] == pytest.approx(b[column], rel=0.06), column
    assert a["diameter_mean_um"] == pytest.approx(b["diameter_mean_um"], rel=0.1)
    assert a["flow_pl_s"] == pytest.approx(b["flow_pl_s"], rel=0.2)


def test_tissue_motion_is_taken_out():
    """Crops follow the tissue by whole pixels; what is left of its shift must not reach the space-time diagram."""
    still = make_scene(np.full(160, 3.0), shape=(60, 160))
    shifts = np.stack([6 * np.sin(np.arange(161) / 17), 4 * np.cos(np.arange(161) / 23)], axis=1)
    moved = np.stack([shift(f, s, order=1, mode="nearest") for f, s in zip(still.video, shifts, strict=True)])
    inner = (slice(None), slice(14, 46))
    track = replace(
        still.track,
        mask=still.track.mask[inner],
        flow=still.track.flow[:, :, 14:46],
        scale=still.track.scale[inner],
        offsets=np.rint(shifts).astype(int) + np.array([14, 0]),
        shifts=shifts,
    )
    measured = measure_vessel(track, lambda t: moved[t], Calibrated())
    assert measured.statistics.kymograph_mean == pytest.approx(3.0, rel=0.04)
    assert measured.space_time.quality > 0.8


def test_many_vessels_give_what_each_gives_alone(plug_scene, parabola_scene):
    padded = np.zeros((241, 70, 170), np.float32)
    padded[:, :48, :160] = plug_scene.video
    twice = [plug_scene.track, replace(plug_scene.track, vessel_id=2)]
    together = measure_vessels(twice, lambda t: padded[t], Calibrated())
    alone = measure_vessel(plug_scene.track, lambda t: padded[t], Calibrated(), others=[plug_scene.track])
    assert together[0].statistics == alone.statistics
    assert together[0].flags == together[1].flags == alone.flags
    assert "BRANCH" in alone.flags
