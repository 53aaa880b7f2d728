"""Time that is not what it seems: repeated and missing frames, by the pictures and by time stamps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter, shift

from sam2flow_core.stack import Timing
from sam2flow_core.stack.timing import find_timing

SAMPLE = Path(__file__).parents[2] / "resources" / "sample.tif"
FRAMES = 64


@pytest.fixture(scope="module")
def video() -> np.ndarray:
    return tifffile.imread(SAMPLE)[:FRAMES]


def timing_of(video: np.ndarray, kept: np.ndarray, times_s: np.ndarray | None = None) -> Timing:
    shown = video[kept]
    return find_timing(shown.__getitem__, 0, len(shown), times_s)


def lose(share: float, seed: int = 3) -> np.ndarray:
    return np.flatnonzero(np.random.default_rng(seed).random(FRAMES) >= share)


@pytest.mark.parametrize("spoil", ["clean", "noisy", "dim", "negative"])
def test_nothing_is_found_where_every_frame_is_in_its_place(video: np.ndarray, spoil: str) -> None:
    noise = np.random.default_rng(1).normal(0, 15, video.shape)
    changed = {"clean": video, "noisy": video + noise, "dim": video / 50.0 - 4, "negative": 255 - video}[spoil]
    found = timing_of(changed, np.arange(FRAMES))
    assert found.steady.all() and found.lost_share == 0 and found.notices == ()


@pytest.mark.parametrize("pace", [0.0, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("seed", [0, 1])
def test_blood_so_slow_that_noise_hides_it_repeats_and_misses_no_frame(pace: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = gaussian_filter(rng.normal(size=(20, 400)), 3)
    cells *= 30 / cells.std()
    frames = rng.normal(120, 8, (96, 128, 128))
    for t, frame in enumerate(frames):
        frame[50:70] += shift(cells, (0, pace * t), order=3)[:, 100:228]
    found = find_timing(frames.__getitem__, 0, len(frames))
    assert found.lost_share == 0 and found.steady.all() and found.notices == ()


@pytest.mark.parametrize("pace", [1.0, 3.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_camera_that_shakes_loses_no_frame(pace: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tissue, cells = (gaussian_filter(rng.normal(size=shape), size) for shape, size in (((152, 152), 2), ((20, 600), 3)))
    frames = np.empty((60, 128, 128))
    for t in range(len(frames)):
        picture = 120 + 15 * tissue / tissue.std()
        picture[62:82] += 30 * shift(cells, (0, pace * t), order=3)[:, 300:452] / cells.std()
        frames[t] = shift(picture, rng.normal(0, 1.5, 2), order=1)[12:-12, 12:-12]
    frames += rng.normal(0, 4, frames.shape)
    found = find_timing(frames.__getitem__, 0, len(frames))
    assert found.lost_share == 0 and found.steady.all() and found.notices == ()
    twice = np.repeat(frames[:30], 2, axis=0)
    assert find_timing(twice.__getitem__, 0, len(twice)).repeats.sum() == 30


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("noise", [0.0, 1.0, 8.0])
def test_every_frame_several_times(video: np.ndarray, times: int, noise: float) -> None:
    kept = np.repeat(np.arange(24), times)
    shown = video[kept] + noise * np.random.default_rng(2).normal(size=(len(kept), *video.shape[1:]))
    found = find_timing(shown.__getitem__, 0, len(shown))
    np.testing.assert_array_equal(found.repeats, np.r_[False, np.diff(kept) == 0])
    assert (np.diff(found.clock)[~found.repeats[1:]] == 1).all()
    assert found.lost_share == pytest.approx(1 - 1 / times)
    assert f"{24 * (times - 1)} of {24 * times} frames repeat" in found.notices[0]


def test_bursts_of_repeats(video: np.ndarray) -> None:
    kept = np.sort(np.r_[np.arange(FRAMES), np.random.default_rng(5).integers(0, FRAMES, 12)])
    found = timing_of(video, kept)
    np.testing.assert_array_equal(np.diff(found.clock), np.diff(kept))


def test_a_lost_frame_that_the_recorder_filled_with_the_one_before(video: np.ndarray) -> None:
    kept = np.arange(FRAMES)
    kept[[12, 30, 47]] = [11, 29, 46]
    found = timing_of(video, kept)
    np.testing.assert_array_equal(np.flatnonzero(found.repeats), [12, 30, 47])
    assert (np.diff(found.clock)[[12, 30, 47]] > 1).all()


@pytest.mark.parametrize(("share", "fewest"), [(0.1, 0.75), (0.25, 0.75), (0.5, 0.7)])
def test_frames_missing_at_random(video: np.ndarray, share: float, fewest: float) -> None:
    kept = lose(share)
    found, apart = timing_of(video, kept), np.diff(kept)
    gap = apart > 1
    assert (~found.steady[gap]).mean() >= fewest
    assert found.steady[~gap].all()
    assert found.lost_share == pytest.approx((apart - 1).sum() / kept[-1], abs=0.12)


def test_a_gap_of_five_frames(video: np.ndarray) -> None:
    found = timing_of(video, np.r_[0:30, 35:FRAMES])
    np.testing.assert_array_equal(np.flatnonzero(~found.steady), [29])
    assert "missing in 1 place" in found.notices[0]


def test_stopped_blood_is_no_repeat(video: np.ndarray) -> None:
    kept = np.r_[0:20, [20] * 12, 21:44]
    shown = video[kept] + np.random.default_rng(4).normal(0, 4, (len(kept), *video.shape[1:]))
    assert find_timing(shown.__getitem__, 0, len(shown)).lost_share == 0


def test_time_stamps_tell_how_long_a_gap_is_and_the_true_rate(video: np.ndarray) -> None:
    kept = np.r_[0:10, 15:FRAMES]
    jitter = np.random.default_rng(6).normal(0, 1e-4, len(kept))
    found = timing_of(video, kept, kept / 160.0 + jitter)
    np.testing.assert_array_equal(np.diff(found.clock), np.diff(kept))
    assert found.missing.sum() == 5
    assert found.interval_s == pytest.approx(1 / 160, rel=0.02)


def test_time_stamps_of_repeats_give_the_rate_of_the_pictures(video: np.ndarray) -> None:
    kept = np.repeat(np.arange(24), 2)
    times = np.arange(48) / 160.0 + np.random.default_rng(6).normal(0, 1e-5, 48)
    found = timing_of(video, kept, times)
    assert found.interval_s == pytest.approx(2 / 160, rel=0.01)
    assert (np.diff(found.clock)[1::2] == 1).all()


@pytest.mark.parametrize("kind", ["even", "unknown", "backwards", "wild"])
def test_time_stamps_that_say_nothing_do_no_harm(video: np.ndarray, kind: str) -> None:
    even = np.arange(FRAMES) / 160.0
    wild = np.cumsum(np.random.default_rng(7).exponential(1 / 160, FRAMES))
    times = {"even": even, "unknown": np.full(FRAMES, np.nan), "backwards": even[::-1], "wild": wild}[kind]
    assert timing_of(video, np.arange(FRAMES), times).steady.all()


def test_few_frames_and_stillness_are_taken_as_they_are() -> None:
    still = np.full((20, 32, 32), 7, np.uint8)
    assert find_timing(still.__getitem__, 0, 20).steady.all()
    assert find_timing(still.__getitem__, 3, 6).steady.all()


def test_pixels_are_softened_as_whole_frames_are_also_at_the_edge() -> None:
    from scipy.ndimage import uniform_filter

    from sam2flow_core.stack.elapsed import _neighbours

    frame = np.random.default_rng(3).integers(0, 4096, (9, 7)).astype(np.float32)
    soft = frame.ravel()[_neighbours(np.arange(63), frame.shape)].mean(axis=0)
    assert np.allclose(soft, uniform_filter(frame, 3).ravel(), rtol=1e-6)
