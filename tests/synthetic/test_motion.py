import numpy as np
import pytest

from sam2flow_core.synthetic import SceneSettings
from sam2flow_core.synthetic.motion import heartbeat, sample_motion, sample_time_course, time_course


@pytest.mark.parametrize("second", [0.0, 0.4])
def test_the_heartbeat_has_the_pulsatility_asked_for(second):
    t = np.arange(0, 10, 0.001)
    beat = heartbeat(t, rate_hz=1.5, index=0.8, second=second, phase=0.3)
    assert np.ptp(beat) / beat.mean() == pytest.approx(0.8, rel=0.01)
    spectrum = np.abs(np.fft.rfft(beat - beat.mean()))
    assert np.fft.rfftfreq(len(t), 0.001)[spectrum.argmax()] == pytest.approx(1.5)


def test_travel_is_the_integral_of_speed_between_and_past_the_knots():
    course = time_course(0.1, np.array([1.0, 2.0, -1.0]))
    assert course.travel([0.0, 0.05, 0.1, 0.25, 0.3, 0.5]) == pytest.approx([0, 0.05, 0.1, 0.25, 0.2, 0.0])


def test_stops_and_reversals_come_at_the_rate_asked_for():
    settings = SceneSettings(event_rate_hz=0.5, duration_s=20.0, pulsatility=(0.2, 0.2), vasomotion=(0.0, 0.0))
    courses = [sample_time_course(np.random.default_rng(seed), settings, 50.0).relative for seed in range(8)]
    assert np.mean([(c < 0.1).any() for c in courses]) > 0.8
    assert any((c < -0.2).any() for c in courses)
    calm = SceneSettings(event_rate_hz=0.0, duration_s=20.0)
    assert sample_time_course(np.random.default_rng(0), calm, 50.0).relative.min() > 0


def test_tissue_starts_at_rest_and_drifts_as_fast_as_asked():
    changes = {"breathing_um": (0.0, 0.0), "heartbeat_um": (0.0, 0.0), "jump_rate_hz": 0.0}
    settings = SceneSettings(motion_probability=1.0, drift_um_s=(10.0, 10.0), **changes)
    motions = [sample_motion(np.random.default_rng(seed), settings, 0.5) for seed in range(10)]
    ends = np.array([np.hypot(*motion.at(np.array([0.0, 2.0]))[1]) for motion in motions])
    assert set(ends.round(6)) == {0.0, 40.0}  # half of the moving scenes drift
    assert all(np.all(motion.at(np.zeros(1)) == 0) for motion in motions)
