import json
from dataclasses import asdict
from importlib.resources import as_file, files

import numpy as np
import pytest
import torch

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.errors import PromptError
from sam2flow_core.inference.dense import to_recorded
from sam2flow_core.inference.predictor import SAM2FlowPredictor


def run(predictor, video, vessel, **options):
    state = predictor.init_state(video, **options)
    predictor.add_new_mask(state, 0, 1, vessel)
    return state, list(predictor.stream(state))


def test_flow_of_a_moving_texture_is_found_before_anything_is_learned(predictor, video, vessel):
    _, steps = run(predictor, video, vessel, stabilise=False)
    flow = steps[6].vessels[0].flow[:, :, 30:90]
    inside = steps[6].vessels[0].mask[:, 30:90]
    assert np.median(flow[0][inside]) == pytest.approx(3.0, abs=0.5)
    assert abs(np.median(flow[1][inside])) < 0.5


def test_every_frame_is_answered_and_the_last_has_no_flow(predictor, video, vessel):
    _, steps = run(predictor, video, vessel)
    assert [s.frame for s in steps] == list(range(14))
    assert all(s.vessels[0].flow is not None for s in steps[:-1])
    assert steps[-1].vessels[0].flow is None


def test_flow_is_zero_outside_the_mask_and_crops_keep_their_size(predictor, video, vessel):
    state, steps = run(predictor, video, vessel)
    for step in steps[:-1]:
        v = step.vessels[0]
        assert v.mask.shape == state.crops[1]
        assert not v.flow[:, ~v.mask].any()


def test_a_step_unpacks_as_sam2_does_and_carries_flow(predictor, video, vessel):
    state = predictor.init_state(video)
    predictor.add_new_mask(state, 0, 7, vessel)
    step = next(iter(predictor.propagate_in_video(state)))
    frame, ids, logits = step
    assert (frame, ids, tuple(logits.shape)) == (0, [7], (1, 1, 96, 128))
    assert tuple(step.flow.shape) == (1, 2, 96, 128)
    assert np.array_equal(logits[0, 0].numpy() > 0, vessel)


def test_propagation_bounds_and_reverse(predictor, video, vessel):
    state = predictor.init_state(video)
    predictor.add_new_mask(state, 8, 1, vessel)
    assert [s.frame_idx for s in predictor.propagate_in_video(state, max_frame_num_to_track=3)] == [8, 9, 10, 11]
    assert [s.frame_idx for s in predictor.propagate_in_video(state, reverse=True)] == list(range(8, -1, -1))


def test_a_range_of_frames_keeps_its_numbers(predictor, video, vessel):
    state = predictor.init_state(video, start=4, stop=9)
    predictor.add_new_mask(state, 4, 1, vessel)
    steps = list(predictor.stream(state))
    assert [s.frame for s in steps] == [4, 5, 6, 7, 8] and steps[-1].vessels[0].flow is None


@pytest.mark.parametrize("done", [1, 5, 6, 11, 13])
def test_a_resumed_run_is_the_same_to_the_bit(predictor, video, vessel, done):
    _, whole = run(predictor, video, vessel)
    state = predictor.init_state(video)
    predictor.add_new_mask(state, 0, 1, vessel)
    stream = predictor.stream(state)
    for _ in range(done):
        next(stream)
    kept = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in predictor.snapshot(state).items()}
    stream.close()
    again = predictor.init_state(video)
    predictor.add_new_mask(again, 0, 1, vessel)
    predictor.restore(again, kept)
    for a, b in zip(whole[done:], predictor.stream(again), strict=True):
        assert (a.frame, a.shift) == (b.frame, b.shift)
        if a.vessels[0].flow is not None:
            assert np.array_equal(a.vessels[0].flow, b.vessels[0].flow)
            assert np.array_equal(a.vessels[0].scale, b.vessels[0].scale)


def test_two_vessels_answer_as_each_alone(predictor, video, vessel):
    other = np.zeros_like(vessel)
    other[:, 60:70] = True  # crosses the first
    state = predictor.init_state(video)
    predictor.add_new_mask(state, 0, 1, vessel)
    predictor.add_new_mask(state, 0, 2, other)
    together = next(predictor.stream(state)).vessels
    alone = run(predictor, video, other)[1][0].vessels[0]
    assert np.allclose(together[1].flow, alone.flow, atol=1e-4)


def test_memory_does_not_grow_with_the_recording(predictor, video, vessel):
    state, _ = run(predictor, np.concatenate([video] * 6), vessel)
    assert len(state.frames.shifts) < 60
    assert len(state.vessels[1].motion.entries) <= predictor.model.config.update.motion_memory_frames + 1
    assert len(state.levels) <= predictor.settings.cached_frames


def test_objects_are_removed_and_reset(predictor, video, vessel):
    state = predictor.init_state(video)
    predictor.add_new_mask(state, 0, 1, vessel)
    predictor.add_new_points_or_box(state, 0, 2, [[60, 47]], [1])
    left, updated = predictor.remove_object(state, 1)
    assert left == [2] and [frame for frame, _ in updated] == [0] and updated[0][1].shape == (1, 1, 96, 128)
    frame, ids, masks = predictor.clear_all_prompts_in_frame(state, 0, 2)
    assert not state.vessels and (frame, ids, masks.shape) == (0, [], (0, 1, 96, 128))
    predictor.add_new_mask(state, 0, 1, vessel)
    predictor.reset_state(state)
    with pytest.raises(PromptError, match="no vessel is prompted"):
        next(predictor.stream(state))


def test_prompts_that_do_not_fit_are_refused(predictor, video):
    state = predictor.init_state(video)
    with pytest.raises(PromptError, match="2 points but 1 labels"):
        predictor.add_new_points_or_box(state, 0, 1, [[1, 2], [3, 4]], [1])
    with pytest.raises(PromptError, match="neither a point nor a box"):
        predictor.add_new_points_or_box(state, 0, 1)
    with pytest.raises(PromptError, match="outside the recording"):
        predictor.add_new_points_or_box(state, 99, 1, [[1, 2]], [1])
    with pytest.raises(PromptError, match="sizes must agree"):
        predictor.add_new_mask(state, 0, 1, np.ones((5, 5)))
    assert not state.vessels


@pytest.fixture(scope="module")
def shipped():
    """With the first frames of the sample, and clicks on its first vessel, and one to end it, ``(x, y)``."""
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    clicks, stop = [[94.0, 201.0], [114.0, 248.0]], [85.0, 170.0]
    with as_file(files("sam2flow_resources").joinpath("sample.tif")) as path:
        yield predictor, predictor.init_state(path, stop=8), clicks, stop


def mask_of(state, vessel):
    return state.vessels[vessel].mask_logits() > 0


def test_a_negative_click_says_the_same_in_whatever_frame_it_is_set(shipped):
    """It stood for a mask of its own, and the mean of both covered most of the picture."""
    predictor, state, clicks, stop = shipped
    predictor.add_new_points_or_box(state, 0, 1, points=clicks, labels=[1, 1])
    plain = mask_of(state, 1)
    predictor.add_new_points_or_box(state, 0, 2, points=[*clicks, stop], labels=[1, 1, 0])
    predictor.add_new_points_or_box(state, 0, 3, points=clicks, labels=[1, 1])
    predictor.add_new_points_or_box(state, 5, 3, points=[stop], labels=[0])
    predictor.add_new_points_or_box(state, 5, 4, points=[stop], labels=[0])
    assert not mask_of(state, 4).any()
    predictor.add_new_points_or_box(state, 0, 4, points=clicks, labels=[1, 1])
    together, apart, before = (mask_of(state, vessel) for vessel in (2, 3, 4))
    assert 0 < together.sum() < plain.sum()
    for mask in (apart, before):
        # The tissue moves by a fraction of a px between the frames.
        assert (mask & together).sum() > 0.97 * (mask | together).sum()
    predictor.clear_all_prompts_in_frame(state, 5, 3)
    assert torch.equal(mask_of(state, 3), plain)


def test_a_negative_click_ends_a_painted_mask(shipped):
    predictor, state, _, _ = shipped
    painted = np.zeros(state.frames.stack.shape[1:], bool)
    painted[100:110, 20:220] = True
    predictor.add_new_mask(state, 0, 5, painted)
    _, ids, logits = predictor.add_new_points_or_box(state, 3, 5, points=[[180.0, 104.0]], labels=[0])
    _, _, same = predictor.add_new_points_or_box(
        state, 0, 5, points=[[180.0, 104.0]], labels=[0], clear_old_points=False
    )
    for answer in (logits, same):
        left = answer[ids.index(5), 0].numpy() > 0
        assert left[105, 22:168].all() and not left[:, 187:].any()
    predictor.clear_all_prompts_in_frame(state, 3, 5)
    assert mask_of(state, 5).any()
    _, _, again = predictor.add_new_mask(state, 0, 5, painted)
    assert (again[ids.index(5), 0].numpy() > 0)[105, 22:218].all(), "a mask that is painted anew is whole"


def test_moving_whole_pixels_there_and_back():
    image = np.arange(12.0).reshape(3, 4)
    moved = to_recorded(image, 1, -2, fill=-1)
    assert moved[1, 0] == image[0, 2] and moved[0, 0] == -1 and moved[2, 3] == -1
    assert np.array_equal(to_recorded(moved, -1, 2)[:2, 2:], image[:2, 2:])
    assert (to_recorded(image, 50, 0, fill=3) == 3).all()


def test_all_settings_that_decide_an_answer_are_told_for_the_provenance(predictor):
    """Those of tracing too, and what was chosen instead of the defaults."""
    told = predictor.description["inference"]
    assert told == asdict(predictor.settings) and told["key_frame_every"] == 5
    assert told["tracing"]["follow"]["gap"] == TracingSettings().follow.gap
    json.dumps(told)


def test_flow_is_answered_in_full_precision_whatever_the_script_asks_for(predictor, video, vessel):
    """SAM 2's example enters an autocast around all that it calls."""

    def answers():
        state = predictor.init_state(video)
        predictor.add_new_points_or_box(state, 0, 2, points=[[60, 46]], labels=[1])
        predictor.add_new_mask(state, 0, 1, vessel)
        return list(predictor.propagate_in_video(state, max_frame_num_to_track=2))

    plain = answers()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        inside = answers()
        assert torch.is_autocast_enabled("cpu"), "the script's own work goes on as it asked"
    for one, other in zip(plain, inside, strict=True):
        assert torch.equal(one.mask_logits, other.mask_logits)
        assert torch.equal(one.flow, other.flow)
