"""Frames are shrunk or enlarged for the network; all that goes in and comes out is in px of the recording."""

import numpy as np
import pytest
import torch
from scipy.ndimage import zoom

from sam2flow_core.engine.contract import give_prompts
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.prompts import Prompt
from sam2flow_core.stack import open_stack

FACTORS = [0.5, 2.0, 3.0]


def enlarged(array: np.ndarray, times: int) -> np.ndarray:
    """Each px as a square of px."""
    return array.repeat(times, -2).repeat(times, -1)


def filmed_larger(video: np.ndarray, times: int) -> np.ndarray:
    """A video of more px, which averaging gives back as it was."""
    smooth = zoom(video.astype(np.float32), (1, times, times), order=1, grid_mode=True, mode="nearest")
    frames, height, width = video.shape
    means = smooth.reshape(frames, height, times, width, times).mean((2, 4))
    return smooth + enlarged(video - means, times)


def streamed(predictor, video, masks, **options):
    state = predictor.init_state(video, **options)
    for number, mask in enumerate(masks, start=1):
        predictor.add_new_mask(state, 0, number, mask)
    return state, list(predictor.stream(state))


@pytest.mark.parametrize("factor", FACTORS)
def test_a_place_stays_where_it_is_at_any_resolution(factor):
    y, x = np.mgrid[:61, :47]
    spot = 200 * np.exp(-((y - 31.0) ** 2 + (x - 17.0) ** 2) / 50)
    video = WorkingFrames(open_stack(np.stack([spot, spot]).astype(np.float32)), factor)
    seen = video.seen(0)
    assert seen.shape == video.shape == (int(np.ceil(61 / factor)), int(np.ceil(47 / factor)))
    rows, columns = np.mgrid[: seen.shape[0], : seen.shape[1]]
    centre = [(seen * n).sum() / seen.sum() for n in (rows, columns)]
    assert centre == pytest.approx([video.place(31.0), video.place(17.0)], abs=0.03)
    back = video.enlarged(torch.from_numpy(seen)).numpy()
    assert back.shape == (61, 47)
    assert [(back * n).sum() / back.sum() for n in (y, x)] == pytest.approx([31.0, 17.0], abs=0.05)


@pytest.mark.parametrize("factor", FACTORS)
def test_what_is_known_in_a_mask_is_carried_to_each_px_of_it_and_from_nowhere_else(factor):
    video = WorkingFrames(open_stack(np.random.default_rng(0).random((2, 60, 60))), factor)
    known = np.zeros(video.shape, bool)
    known[video.shape[0] // 3 : -3] = True
    y, x = (n.ravel() for n in np.mgrid[:60, :60])
    near = video.neighbours(y, x, known)
    assert known[near.y, near.x].all()
    assert near.weights.sum(1) == pytest.approx(1)
    values = 3 * near.y + 5 * near.x
    inside = known[np.rint(video.place(y.astype(float))).astype(int).clip(1, video.shape[0] - 2), video.shape[1] // 2]
    inside &= (y > 26) & (y < 48) & (x > 3) & (x < 56)
    wanted = 3 * video.place(y.astype(float)) + 5 * video.place(x.astype(float))
    assert (values * near.weights).sum(1)[inside] == pytest.approx(wanted[inside], abs=1e-3)


@pytest.mark.parametrize("times", [2, 3])
def test_an_enlarged_recording_gives_the_same_flow_times_its_scale(predictor, video, vessel, times):
    _, plain = streamed(predictor, video, [vessel], working_resolution=1)
    large = filmed_larger(video, times)
    state, steps = streamed(predictor, large, [enlarged(vessel, times)], working_resolution=times)
    for one, other in zip(plain[:-1], steps[:-1], strict=True):
        was, now = one.vessels[0], other.vessels[0]
        assert now.mask.shape == state.crops[1] and now.flow.shape == (2, *now.mask.shape)
        assert now.mask.sum() == times**2 * was.mask.sum()
        y, x = np.argwhere(now.mask)[0] + now.offset
        assert [y // times, x // times] == (np.argwhere(was.mask)[0] + was.offset).tolist()
        for channel in range(2):
            ratio = now.flow[channel][now.mask].mean() - times * was.flow[channel][was.mask].mean()
            assert abs(ratio) < 0.02 * times
        assert now.scale[now.mask].mean() == pytest.approx(times * was.scale[was.mask].mean(), rel=0.02)
        assert other.shift == pytest.approx(np.multiply(one.shift, times), abs=1e-3)


def test_without_a_change_of_resolution_nothing_is_interpolated(predictor, video, vessel):
    state = predictor.init_state(video, working_resolution=1)
    near = state.frames.video.neighbours(*np.nonzero(vessel), vessel)
    assert near.weights.shape == (vessel.sum(), 1)


@pytest.mark.parametrize("factor", FACTORS)
def test_a_mask_that_is_given_is_the_mask_to_the_px_and_every_px_has_a_flow(predictor, video, factor):
    thin = np.zeros(video.shape[1:], bool)
    thin[47, 20:100] = True  # thinner than a px of the network
    ragged = np.zeros(video.shape[1:], bool)
    ragged[41:53:2, 11:117] = ragged[42:52, 11:117:3] = True
    state, steps = streamed(predictor, video, [thin, ragged], working_resolution=factor, stabilise=False)
    for step in steps[:-1]:
        for vessel, mask in zip(step.vessels, (thin, ragged), strict=True):
            laid = np.zeros(video.shape[1:], bool)
            (top, left), (h, w) = vessel.offset, vessel.mask.shape
            laid[top : top + h, left : left + w] = vessel.mask
            assert np.array_equal(laid, mask)
            assert np.isfinite(vessel.flow).all() and (vessel.scale[vessel.mask] > 0).all()
    step = next(iter(predictor.propagate_in_video(state)))
    assert np.array_equal(step.mask_logits[:, 0].numpy() > 0, np.stack([thin, ragged]))
    assert tuple(step.flow.shape) == (2, 2, *video.shape[1:])


def test_clicks_name_the_same_vessel_at_any_resolution_and_its_walls_are_smooth(video):
    from sam2flow_core import SAM2FlowPredictor

    shipped = SAM2FlowPredictor.from_pretrained("tiny", device="cpu")
    clicks = (Prompt(1, 0, 46.0, 30.0, 1), Prompt(1, 0, 47.0, 90.0, 1))
    plain = shipped.init_state(video, working_resolution=1)
    wanted = give_prompts(shipped, plain, clicks, last=0)[2][0, 0].numpy() > 0
    larger = tuple(Prompt(1, 0, 3 * p.y + 1, 3 * p.x + 1, 1) for p in clicks)
    state = shipped.init_state(filmed_larger(video, 3), working_resolution=3)
    found = give_prompts(shipped, state, larger, last=0)[2][0, 0].numpy() > 0
    assert wanted.sum() > 500
    both, either = (found & enlarged(wanted, 3)).sum(), (found | enlarged(wanted, 3)).sum()
    assert both / either > 0.93
    assert not np.array_equal(found, enlarged(found[1::3, 1::3], 3))  # walls are no staircase of the network's px


@pytest.mark.parametrize("done", [1, 6])
def test_a_resumed_run_is_the_same_to_the_bit_at_a_working_resolution(predictor, video, vessel, done):
    large, mask = filmed_larger(video, 2), enlarged(vessel, 2)
    _, whole = streamed(predictor, large, [mask], working_resolution=2)
    state = predictor.init_state(large, working_resolution=2)
    predictor.add_new_mask(state, 0, 1, mask)
    stream = predictor.stream(state)
    for _ in range(done):
        next(stream)
    kept = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in predictor.snapshot(state).items()}
    stream.close()
    again = predictor.init_state(large, working_resolution=2)
    predictor.add_new_mask(again, 0, 1, mask)
    predictor.restore(again, kept)
    rest = list(predictor.stream(again))
    assert [s.frame for s in rest] == list(range(done, len(large)))
    for one, other in zip(whole[done:-1], rest[:-1], strict=True):
        assert np.array_equal(one.vessels[0].flow, other.vessels[0].flow) and one.shift == other.shift
