"""The space-time diagram against patterns moved by a known amount."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from sam2flow_core.config.velocity import KymographSettings, PathSettings, VelocitySettings
from sam2flow_core.velocity.correlation import correlate, flanks, follow, moving_pattern, stack_velocity
from sam2flow_core.velocity.diagram import read_diagram
from sam2flow_core.velocity.sampling import Samples


def pattern(velocity: np.ndarray, points: int, noise: float = 1.0, cell: float = 2.0, seed: int = 0) -> np.ndarray:
    """Return a moving pattern, shape (3, T, points), lit by a lamp that flickers by 2 %."""
    rng = np.random.default_rng(seed)
    travelled = np.r_[0.0, np.cumsum(velocity)]
    reach = int(np.abs(travelled).max()) + points + 20
    texture = gaussian_filter1d(rng.normal(size=2 * reach), cell)
    place = np.arange(points) - travelled[:, None] + reach
    image = np.interp(place, np.arange(2 * reach), texture / texture.std())
    lamp = 1 + 0.02 * rng.normal(size=len(travelled))
    still = 20 * gaussian_filter1d(rng.normal(size=points), 2)
    lanes = np.stack([lamp[:, None] * (100 + still + 3 * image + 3 * noise * rng.normal(size=image.shape))] * 3)
    return moving_pattern(Samples(lanes.astype(np.float32), lamp), 100, KymographSettings())


@pytest.mark.parametrize("velocity", [0.4, -1.0, 4.0, -12.0, 30.0])
def test_constant_velocity(velocity):
    moving = pattern(np.full(200, velocity), 150)
    found = correlate(moving, KymographSettings())
    assert np.nanmean(found.velocity) == pytest.approx(velocity, rel=0.03)
    assert found.quality > 0.85
    assert np.nanmedian(stack_velocity(moving, KymographSettings())) == pytest.approx(velocity, rel=0.1)


def test_fast_pulse_is_followed_and_not_averaged_low():
    truth = 18 * (1 + 0.5 * np.sin(2 * np.pi * 1.5 * np.arange(300) / 160))
    found = correlate(pattern(truth, 200), KymographSettings()).velocity[:-1]
    assert found.mean() == pytest.approx(truth.mean(), rel=0.02)
    assert np.ptp(found) == pytest.approx(np.ptp(truth), rel=0.12)


@pytest.mark.parametrize("velocity", [1.0, 4.0])
def test_short_segments_are_not_biased_low(velocity):
    found = [correlate(pattern(np.full(240, velocity), 30, seed=s), KymographSettings()).velocity for s in range(4)]
    assert np.nanmean(found) == pytest.approx(velocity, rel=0.05)


@pytest.mark.parametrize("velocity", [0.15, 0.45])
def test_slow_blood_is_not_held_back_by_what_stands_still(velocity):
    moving = pattern(np.full(240, velocity), 120, cell=3.0)
    rng = np.random.default_rng(1)
    fading = gaussian_filter1d(rng.normal(size=(241, 120)), 6, axis=0)  # stands still, and changes within some frames
    fading = gaussian_filter1d(fading, 3, axis=1)
    mixed = (moving + 1.2 * fading / fading.std()).astype(np.float32)
    found, short = (correlate(mixed, s) for s in (KymographSettings(), KymographSettings(slow_px=0.0)))
    errors = [abs(float(np.nanmean(reading.velocity)) - velocity) for reading in (found, short)]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("frames", [4, 9, 13, 24, 25])
def test_slow_blood_in_few_frames_has_no_long_lags(frames):
    found = correlate(pattern(np.full(frames, 0.2), 120), KymographSettings())
    assert found.velocity.shape == (frames + 1,) and np.isfinite(found.velocity[:-1]).all()


def test_noise_has_no_quality():
    noise = np.random.default_rng(0).normal(size=(3, 200, 120)).astype(np.float32)
    assert correlate(noise, KymographSettings()).quality < 0.5


@pytest.mark.parametrize("shape", [(3, 3, 100), (3, 100, 6)])
def test_too_little_to_read(shape):
    found = correlate(np.ones(shape, np.float32), KymographSettings())
    assert np.isnan(found.velocity).all()
    assert found.quality == 0


@pytest.mark.parametrize("penalty", [0.0, 0.2, 5.0])
def test_the_path_is_the_best_of_all_that_are_allowed(penalty):
    """Against every step from every place, one by one; no step is longer than it may be."""
    settings = PathSettings(penalty=penalty)
    score = np.random.default_rng(3).normal(size=(7, 200))
    best, back = score[0], []
    places = np.arange(200)
    apart = np.abs(places[:, None] - places)
    for here in score[1:]:
        options = np.where(apart <= settings.reach, best - penalty * settings.step * apart, -np.inf)
        back.append(options.argmax(axis=1))
        best = here + options.max(axis=1)
    wanted = [int(best.argmax())]
    for step in reversed(back):
        wanted.append(int(step[wanted[-1]]))
    assert follow(score, settings).tolist() == wanted[::-1]


@pytest.mark.parametrize("frames", [9, 64, 103])
def test_a_match_is_the_correlation_of_the_rows_that_overlap(frames):
    """At one lag and whole displacements, summed as it is defined: windows of three blocks, whatever is left over."""
    settings = KymographSettings(lags=(2,), block_frames=4)
    moving = pattern(np.full(frames - 1, 3.0), 40)
    rows = flanks(moving, settings)
    block, pairs, points = min(4, frames // 4), frames - 2, rows.shape[2]
    windows = frames // block
    starts = np.minimum(np.arange(windows) * block, pairs - 1)
    shift = 6  # px in two frames
    sums = []
    for first, second in ((rows[:, :-2, :-shift], rows[:, 2:, shift:]),):
        for values in (first * second, first**2, second**2):
            over = np.add.reduceat(values.sum(axis=(0, 2), dtype=float), starts)
            sums.append(over + 0.5 * np.r_[0, over[:-1]] + 0.5 * np.r_[over[1:], 0])
    wanted = sums[0] / np.sqrt(sums[1] * sums[2])
    found = correlate(moving, settings, rows)
    assert np.nanmedian(found.velocity) == pytest.approx(3.0, rel=0.05)
    at = np.interp((np.arange(windows) + 0.5) * block, np.arange(frames) + 0.5, found.match)
    assert np.median(np.abs(at - wanted)) < 0.1 and points == 36


def test_who_asks_for_the_speed_only_gets_the_same_speed():
    lanes = np.random.default_rng(0).normal(100, 3, (3, 80, 60)).astype(np.float32)
    samples = Samples(lanes, np.full(80, 90.0))
    whole, speed = (read_diagram(samples, 100.0, VelocitySettings(), only) for only in (False, True))
    for name in ("velocity", "radon", "transit", "match"):
        np.testing.assert_array_equal(getattr(whole.space_time, name), getattr(speed.space_time, name))
    assert whole.space_time.quality == speed.space_time.quality
    assert np.isnan(speed.space_time.floor) and not speed.stretches.product.any()


def test_a_picture_that_stands_still_has_no_pattern_and_no_velocity():
    still = np.random.default_rng(0).normal(77.3, 9, (3, 1, 60))
    samples = Samples(np.repeat(still, 80, axis=1).astype(np.float32), np.full(80, 90.0))
    assert np.abs(moving_pattern(samples, 100, KymographSettings())).max() < 10  # it was 1e38 times a rounding error
    with np.errstate(over="raise"):
        found = read_diagram(samples, 100.0, VelocitySettings(), False)
    assert np.isfinite(found.space_time.image).all()
