"""The tissue is followed to a tenth of a pixel, whatever the cells do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import breathing, tissue_video
from scipy.ndimage import correlate1d, gaussian_filter, zoom
from scipy.ndimage import shift as spline_shift

from sam2flow_core.errors import StackError
from sam2flow_core.stack import Shift, Stabiliser, open_stack
from sam2flow_core.stack.registration import binned, translate

REAL = Path(__file__).parents[3] / "shared" / "data" / "ncflowspeed" / "ncflowspeed_240f.tif"


def followed(frames: NDArray, stabiliser: Stabiliser | None = None) -> NDArray:
    """Columns dy, dx, quality for each frame."""
    stabiliser = stabiliser or Stabiliser()
    stabiliser.prime(frames)
    return np.array([(s.dy, s.dx, s.quality) for s in map(stabiliser.register, frames)])


@pytest.mark.parametrize("flow", [0.7, 3.0])
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_moving_tissue_with_flowing_cells(flow: float, noise: float) -> None:
    truth = breathing(90)
    found = followed(tissue_video(truth, flow=flow, noise=noise))
    error = found[:, :2] - truth
    assert np.sqrt((error**2).mean()) < 0.1
    assert found[:, 2].min() > 0.3


def test_still_tissue_stays_still() -> None:
    found = followed(tissue_video(np.zeros((90, 2)), flow=1.5))
    assert np.abs(found[:, :2]).max() < 0.15
    assert found[:, :2].std() < 0.05


def test_nothing_adds_up_over_time() -> None:
    found = followed(tissue_video(np.zeros((400, 2)), side=64, flow=1.0))[:, :2]
    assert np.abs(found[-100:].mean(0) - found[:100].mean(0)).max() < 0.05


def test_a_jump_is_followed_at_once() -> None:
    truth = breathing(90, jump_at=60)
    found = followed(tissue_video(truth, side=128))
    assert np.abs(found[:, :2] - truth).max() < 0.4


def test_a_drift_out_of_the_first_view() -> None:
    truth = np.arange(120)[:, None] * np.array([0.45, -0.3])
    found = followed(tissue_video(truth, side=80))
    assert np.sqrt(((found[:, :2] - truth) ** 2).mean()) < 0.15


def test_binned_frames_give_shifts_in_px_of_the_recording() -> None:
    truth = breathing(40, amplitude=3.0)
    frames = np.array(
        [zoom(f, 4, order=1, mode="grid-constant", grid_mode=True) for f in tissue_video(truth, side=120)]
    )
    assert frames.shape[1:] == (480, 480)
    assert np.sqrt(((followed(frames)[:, :2] - 4 * truth) ** 2).mean()) < 0.15


def test_a_frame_without_tissue_repeats_the_last_shift() -> None:
    truth = breathing(80)
    frames = tissue_video(truth)
    frames[60] = 0
    frames[61] = np.random.default_rng(0).integers(90, 110, frames[0].shape)
    found = followed(frames)
    assert (found[60:62, 2] == 0).all()
    np.testing.assert_array_equal(found[60:62, :2], found[[59, 59], :2])
    assert np.abs(found[62:, :2] - truth[62:]).max() < 0.3


@pytest.mark.parametrize("primed", [True, False])
@pytest.mark.parametrize("frames", ["noise", "black"])
def test_frames_without_any_structure_give_no_shift(frames: str, primed: bool) -> None:
    rng = np.random.default_rng(1)
    video = rng.poisson(100, (60, 96, 128)).astype(np.uint8) if frames == "noise" else np.zeros((10, 96, 128))
    stabiliser = Stabiliser()
    if primed:
        stabiliser.prime(video)
    found = [stabiliser.register(f) for f in video]
    assert all((s.dy, s.dx) == (0.0, 0.0) for s in found)
    assert all(s.quality == 0 for s in found[1:])


def test_fixed_pattern_of_the_camera_does_not_hold_the_tissue() -> None:
    truth = breathing(90)
    pattern = np.random.default_rng(3).normal(0, 1.0, (96, 96))
    frames = np.clip(tissue_video(truth) + pattern, 0, 255).astype(np.uint8)
    assert np.sqrt(((followed(frames)[:, :2] - truth) ** 2).mean()) < 0.1


def test_resumed_run_goes_on_exactly() -> None:
    frames = tissue_video(breathing(60))
    whole = Stabiliser()
    expected = followed(frames, whole)
    first = Stabiliser()
    first.prime(frames)
    for frame in frames[:40]:
        first.register(frame)
    second = Stabiliser()
    second.set_state(first.get_state())
    rest = [second.register(f) for f in frames[40:]]
    np.testing.assert_array_equal([(s.dy, s.dx, s.quality) for s in rest], expected[40:])


def test_state_before_the_first_frame() -> None:
    fresh = Stabiliser()
    fresh.set_state(Stabiliser().get_state())
    assert fresh.register(np.ones((64, 64))) == Shift(0.0, 0.0, 1.0)


def test_rewind_expects_the_first_frame_again() -> None:
    truth = breathing(80, jump_at=40)
    frames = tissue_video(truth)
    stabiliser = Stabiliser()
    followed(frames, stabiliser)
    stabiliser.rewind()
    again = np.array([(s.dy, s.dx) for s in map(stabiliser.register, frames[:20])])
    assert np.sqrt(((again - truth[:20]) ** 2).mean()) < 0.1


def test_aligned_frames_lie_on_the_first() -> None:
    truth = np.array([[0, 0], [3.4, -2.7], [-1.5, 0.5], [0.02, 0.01], [-4.0, 6.0]])
    frames = tissue_video(truth, flow=0.0, noise=0.0)
    stabiliser = Stabiliser()
    inner = (slice(10, -10), slice(10, -10))
    first = frames[0][inner].astype(float)
    for frame, (dy, dx) in zip(frames, truth, strict=True):
        aligned = stabiliser.align(frame, Shift(dy, dx, 1.0))
        assert aligned.dtype == np.float32 and aligned.shape == frame.shape
        difference = aligned[inner] / aligned[inner].mean() - first / first.mean()
        assert difference.std() < 0.015  # the picture's own contrast is four times that; pixels are rounded to 8 bits


def test_alignment_agrees_with_splines() -> None:
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.normal(size=(40, 50)), 1.5)
    for dy, dx in ((0.3, -0.6), (5.25, 2.5), (-7.0, 0.0)):
        ours = Stabiliser().align(smooth, Shift(dy, dx, 1.0))[10:-10, 10:-10]
        splines = spline_shift(smooth, (-dy, -dx), order=3)[10:-10, 10:-10]
        assert np.abs(ours - splines).max() < 0.02 * np.ptp(splines)


def test_frames_are_left_alone_below_a_twentieth_of_a_px() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (20, 20), dtype=np.uint8)
    np.testing.assert_array_equal(Stabiliser().align(frame, Shift(0.04, -0.04, 1.0)), frame)


def test_frames_of_another_size_are_refused() -> None:
    stabiliser = Stabiliser()
    stabiliser.register(np.ones((64, 64)))
    with pytest.raises(StackError, match="one size"):
        stabiliser.register(np.ones((64, 65)))


@pytest.mark.skipif(not REAL.exists(), reason="the real recording in ../shared is not on this machine")
def test_real_recording_does_not_drift() -> None:
    """Its tissue jitters by two tenths of a px, seen alike in both halves of the frame, and stays where it is."""
    with open_stack(REAL) as stack:
        frames = stack.as_array()[:]
    whole, left, right = (followed(frames[..., part])[:, :2] for part in (slice(None), slice(212), slice(212, None)))
    assert whole.std(0).max() < 0.3
    assert np.abs(whole[-30:].mean(0) - whole[:30].mean(0)).max() < 0.2
    common = [np.corrcoef(left[:, k], right[:, k])[0, 1] for k in (0, 1)]
    assert min(common) > 0.35


@pytest.mark.parametrize("shift", [(0.4, -1.7), (0.0, 2.5), (-3.0, 4.0), (0.0, 0.0), (900.3, -0.1)])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_moving_a_frame_is_the_convolution_with_keys_taps_whatever_its_size(shift, dtype):
    frame = np.random.default_rng(0).integers(0, 60_000, (70, 45)).astype(dtype)
    expected = frame.astype(float)
    for axis, part in enumerate(shift):
        whole = int(np.floor(part))
        places = np.clip(np.arange(expected.shape[axis]) + whole, 0, expected.shape[axis] - 1)
        f = part - whole
        taps = [0, -f + 2 * f**2 - f**3, 2 - 5 * f**2 + 3 * f**3, f + 4 * f**2 - 3 * f**3, f**3 - f**2]
        expected = correlate1d(expected.take(places, axis), np.divide(taps, 2), axis, mode="nearest")
    moved = translate(frame, *shift)
    assert moved.dtype == np.float32 and moved is not frame
    np.testing.assert_allclose(moved, expected, atol=0.05)


@pytest.mark.parametrize("factor", [1, 2, 3, 9])
def test_binning_is_the_mean_over_blocks(factor):
    frame = np.random.default_rng(0).integers(0, 60_000, (41, 64)).astype(np.uint16)
    height, width = (n // factor for n in frame.shape)
    blocks = frame[: height * factor, : width * factor].reshape(height, factor, width, factor)
    np.testing.assert_allclose(binned(frame, factor), blocks.mean((1, 3)), rtol=1e-6)
