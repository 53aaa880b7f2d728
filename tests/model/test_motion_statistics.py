import numpy as np
import pytest
import torch

from sam2flow_core.model.motion_statistics import MOTION_CHANNELS, InputMaker, MotionStatistics, moving_energy


def drifting(dx, dy, pairs=24, side=64, seed=0):
    """Pairs of frames of coarse noise that moves by so many px from the first to the second."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(pairs, side, side)))
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)
    soft = spectrum * np.exp(-120 * (fy**2 + fx**2))
    moved = soft * np.exp(-2j * np.pi * (fx * dx + fy * dy))
    return tuple(torch.from_numpy(np.fft.irfft2(s, s=(side, side)).astype(np.float32)) for s in (soft, moved))


def channels(first, second):
    statistics = MotionStatistics()
    statistics.add(first, second)
    return statistics.channels()


@pytest.mark.parametrize(("dx", "dy"), [(0.5, 0.0), (0.0, -0.5), (-0.4, 0.3)])
def test_direction_of_motion_is_in_the_channels(dx, dy):
    seen = channels(*drifting(dx, dy))
    x, y = -float(seen[2].mean()), -float(seen[3].mean())
    assert np.arctan2(y, x) == pytest.approx(np.arctan2(dy, dx), abs=0.15)


def test_orientation_of_streaks_is_in_the_channels():
    """Streaks along x change along y: the double-angle vector points to minus x."""
    first, second = (x.mean(2, keepdim=True).expand(-1, -1, 64).contiguous() for x in drifting(0.0, 0.5))
    seen = channels(first, second)
    assert seen[0].mean() < -0.9 and seen[1].abs().mean() < 0.1


def test_a_video_and_its_negative_are_alike_and_units_do_not_matter():
    first, second = drifting(0.5, 0.2)
    seen = channels(first, second)
    assert torch.allclose(channels(-first, -second), seen, atol=1e-4)
    assert torch.allclose(channels(900 * first + 4000, 900 * second + 4000), seen, atol=1e-2)


def test_still_tissue_leaves_nothing():
    """What is the same in every pair is taken out."""
    first, second = drifting(0.5, 0.2)
    tissue = 5 * drifting(0, 0, pairs=1, seed=3)[0]
    assert torch.allclose(channels(first + tissue, second + tissue), channels(first, second), atol=0.02)


def test_pairs_may_come_one_by_one():
    first, second = drifting(0.5, 0.2)
    statistics = MotionStatistics()
    for a, b in zip(first, second, strict=True):
        statistics.add(a[None], b[None])
    assert torch.allclose(statistics.channels(), channels(first, second), atol=1e-3)


def test_a_single_still_frame_is_finite():
    frame = torch.ones(1, 64, 64)
    assert torch.isfinite(channels(frame, frame)).all()


def test_statistics_cover_the_padded_frame():
    first, second = drifting(0.5, 0.2)
    maker = InputMaker(first.mean(0)[:60, :50], first.std(0)[:60, :50])
    statistics = maker.field_input(channels(first, second), (0, 14, 0, 4))
    assert statistics.shape == (1, MOTION_CHANNELS + 2, 32, 32)


def test_a_still_texture_gives_no_direction_and_no_huge_number():
    """What is left of the squares of strong, standing gradients is rounding; its ratios went to ten million."""
    torch.manual_seed(0)
    texture = 200 * torch.rand(1, 64, 64)
    moving = torch.zeros(12, 64, 64)
    moving[:, :, :32] = torch.randn(12, 64, 32)
    statistics = MotionStatistics()
    statistics.add(texture + moving, texture + moving.roll(1, 2) * (moving != 0))
    channels = statistics.channels().view(3, 6, 32, 32)
    assert channels[:, :4].abs().max() <= 1
    assert channels[:, :2, 8:24, 24:].abs().mean() < 0.2


def test_energy_is_where_something_passes_and_not_where_the_lamp_flickers():
    images = torch.zeros(1, 3, 64, 96)
    images[:, 0] += 0.7  # brighter than the background everywhere
    images[:, 0, 30:38, 50:58] -= 3.0
    energy = moving_energy(images, patch=12, stride=4)[0]
    assert energy.shape == (16, 24)
    assert energy[8, 13] > 1.0
    assert energy[:5].max() < 1e-3 and energy[:, :9].max() < 1e-3


def test_what_usually_moves_more_counts_no_more():
    images = torch.zeros(2, 3, 64, 96)
    images[0, 0, 30:38, 50:58] = 1.0
    images[1, 0, 30:38, 50:58] = 4.0
    images[1, 2] = float(np.log(4.0))
    dim, bright = moving_energy(images, patch=12, stride=4)
    assert torch.allclose(dim, bright, atol=1e-4)


def test_the_cameras_noise_counts_little_beside_a_cell():
    noise = torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(0))
    images = torch.cat([0.3 * noise, torch.zeros(1, 2, 64, 96)], 1)
    images[:, 0, 30:38, 50:58] += 2.0
    energy = moving_energy(images, patch=12, stride=4)[0]
    assert energy[8, 13] > 30 * energy[:5].mean()
