import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.velocity.pulse import beats, extremes, spectrum

RATE, SETTINGS = 100.0, SeriesSettings()


def beating(depth: float) -> np.ndarray:
    """Return 10 s of a heartbeat of 1.3 Hz with a second harmonic and some noise, 4 px per frame on average."""
    turn = 2 * np.pi * 1.3 * np.arange(1000) / RATE
    noise = np.random.default_rng(0).normal(0, 0.1, 1000)
    return 4 * (1 + depth * (np.sin(turn) + 0.3 * np.sin(2 * turn))) + noise


def test_stops_do_not_drown_the_heartbeat():
    velocity = beating(0.12)
    velocity[120:270] *= 0.02
    velocity[600:700] *= 0.02
    assert spectrum(velocity, RATE, SETTINGS).pulse_hz == pytest.approx(1.3, abs=0.05)


def test_a_heartbeat_that_stops_the_blood_is_not_cut_away():
    velocity = np.maximum(beating(1.0), 0)
    assert (velocity < 1).mean() > 0.2
    assert spectrum(velocity, RATE, SETTINGS).pulse_hz == pytest.approx(1.3, abs=0.05)


def test_noise_has_no_heartbeat_with_or_without_stops():
    velocity = 4 + np.random.default_rng(1).normal(0, 0.5, 1000)
    assert np.isnan(spectrum(velocity, RATE, SETTINGS).pulse_hz)
    velocity[300:400] = 0.0
    assert np.isnan(spectrum(velocity, RATE, SETTINGS).pulse_hz)


@pytest.mark.parametrize("seed", range(4))
def test_slow_errors_do_not_pass_for_the_heartbeat(seed):
    slow = ndimage.gaussian_filter1d(np.random.default_rng(seed).normal(size=1000), 18)
    velocity = beating(0.08) + 0.3 * slow / slow.std()
    assert spectrum(velocity, RATE, SETTINGS).pulse_hz == pytest.approx(1.3, abs=0.05)


def test_beats_are_told_from_their_extremes_and_noise_has_none():
    lows, highs = beats(beating(0.3), RATE / 1.3)
    assert len(lows) >= 12
    assert (np.median(lows), np.median(highs)) == extremes(beating(0.3), RATE / 1.3)
    assert len(beats(beating(0.0), float("nan"))[0]) == 0
