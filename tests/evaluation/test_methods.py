"""Each peer is wired the right way round: a known shift comes back as (dx, dy)."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_scenes import SIZE, rigid_case
from scipy.ndimage import fourier_shift, gaussian_filter

from sam2flow_core.evaluation.methods import (
    PairMethod,
    RaftSmall,
    TwoFrameMethod,
    compare_kymograph,
    pair_methods,
    remove_background,
)

SHIFT = (2.5, -1.5)  # dx, dy


def shifted_pair() -> np.ndarray:
    texture = gaussian_filter(np.random.default_rng(3).normal(size=(96, 112)), 2.0, mode="wrap")
    moved = np.fft.ifftn(fourier_shift(np.fft.fftn(texture), SHIFT[::-1])).real
    return remove_background(np.stack([texture, moved]), np.zeros_like(texture))


@pytest.mark.parametrize("method", pair_methods()[1:], ids=lambda m: m.name)
def test_a_rigid_shift_is_found(method: PairMethod) -> None:
    flow = method.flow(*shifted_pair())
    assert flow.shape == (2, 96, 112)
    inner = flow[:, 30:-30, 30:-30]
    np.testing.assert_allclose(np.median(inner, axis=(1, 2)), SHIFT, atol=0.2)


def test_zero_flow_is_zero() -> None:
    zero = pair_methods()[0]
    assert not zero.flow(*shifted_pair()).any()


def test_raft_takes_frames_of_any_size() -> None:
    first, second = shifted_pair()
    assert RaftSmall(weights=None).flow(first[:50, :33], second[:50, :33]).shape == (2, 50, 33)


def test_the_background_becomes_mid_grey_and_cells_keep_their_sign() -> None:
    rng = np.random.default_rng(0)
    background = rng.uniform(100, 4000, (32, 32))
    frames = np.repeat(background[None], 3, axis=0) + rng.normal(0, 5, (3, 32, 32))
    frames[1, 4:8, 4:8] += 40
    frames[1, 20:24, 20:24] -= 40
    prepared = remove_background(frames.astype(np.uint16), background)
    assert np.median(prepared) == pytest.approx(128, abs=2)
    assert prepared[1, 5, 5] > 230
    assert prepared[1, 21, 21] < 25


def test_the_kymograph_reads_a_moving_pattern_along_the_true_line() -> None:
    frames, velocity = 40, 3.0
    case = rigid_case(velocity, frames)
    rng = np.random.default_rng(1)
    pattern = gaussian_filter(rng.normal(size=(SIZE[0], SIZE[1] + 400)), 2.0)
    video = np.zeros((frames, *SIZE), np.float32)
    for t in range(frames):
        for vessel in case.vessels[::-1]:
            start = 200 - round(t * float(vessel.centre_velocity[0]))
            video[t][vessel.mask] = pattern[:, start : start + SIZE[1]][vessel.mask]
    compared = compare_kymograph(replace(case, video=1 + video, shifts=np.zeros((frames, 2))))
    np.testing.assert_allclose(compared.vessel_true, [3.0, -1.5])
    np.testing.assert_allclose(compared.vessel_predicted, [3.0, -1.5], rtol=0.05)
    assert compared.predicted.size == 0


def test_a_method_is_kept_under_what_decides_its_answers_and_nothing_else() -> None:
    def fingerprints() -> list[str]:
        methods = (*pair_methods(), RaftSmall(None), RaftSmall(None, "RAFT-small (random weights)"))
        return [TwoFrameMethod(method, 200).fingerprint for method in methods]

    assert fingerprints() == fingerprints()
    assert "Dis(name='DIS (medium)') background 200" in fingerprints(), "as kept by every version before"
    assert not any(" at 0x" in text for text in fingerprints())
