"""A script for SAM 2's video predictor, with keywords and shapes as its notebook has them, on weights with flow."""

import numpy as np
import pytest
import torch

from sam2flow_core.errors import ModelError, PromptError
from sam2flow_core.inference.build import build_sam2_video_predictor
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.weights import save_weights
from sam2flow_core.model.sam2flow import SAM2Flow


@pytest.fixture(scope="module")
def checkpoint(predictor, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_weights(path, predictor.model, {})
    return str(path)


def test_a_script_for_sam2_runs_and_gains_flow(checkpoint, video):
    predictor = build_sam2_video_predictor("configs/sam2.1/sam2.1_hiera_t.yaml", checkpoint, device="cpu")
    inference_state = predictor.init_state(video_path=video, offload_video_to_cpu=True, async_loading_frames=True)
    predictor.reset_state(inference_state)
    points, labels = np.array([[60, 47], [60, 80]], dtype=np.float32), np.array([1, 0], np.int32)
    _, out_obj_ids, out_mask_logits = predictor.add_new_points_or_box(
        inference_state=inference_state, frame_idx=2, obj_id=1, points=points, labels=labels
    )
    assert out_obj_ids == [1] and out_mask_logits.shape == (1, 1, 96, 128)
    box = np.array([0, 38, 127, 55], dtype=np.float32)
    predictor.add_new_points_or_box(inference_state=inference_state, frame_idx=2, obj_id=4, box=box)
    predictor.add_new_points_or_box(
        inference_state, 2, 5, torch.tensor([[[0.5, 0.5]]]), torch.tensor([[1]]), normalize_coords=False
    )
    assert inference_state.vessels[5].points[2][0][:2] == pytest.approx((64, 48), abs=2)
    predictor.remove_object(inference_state, 5)
    mask = torch.zeros(96, 128, dtype=torch.bool)
    mask[40:54] = True
    predictor.add_new_mask(inference_state=inference_state, frame_idx=2, obj_id=9, mask=mask)
    video_segments = {}
    for out_frame_idx, out_obj_ids, out_mask_logits in predictor.propagate_in_video(inference_state):
        video_segments[out_frame_idx] = {
            out_obj_id: (out_mask_logits[i] > 0.0).cpu().numpy() for i, out_obj_id in enumerate(out_obj_ids)
        }
    assert sorted(video_segments) == list(range(2, 14)) and set(video_segments[7]) == {1, 4, 9}
    for step in predictor.propagate_in_video(inference_state, reverse=True, max_frame_num_to_track=1):
        assert step.flow is not None and step.flow.shape == (3, 2, 96, 128)
    predictor.add_new_points_or_box(inference_state, 8, 1, points=[[100, 47]], labels=[1])
    obj_ids, updated_frames = predictor.remove_object(inference_state, 4)
    assert obj_ids == [1, 9] and [frame for frame, _ in updated_frames] == [2]
    assert next(iter(predictor.propagate_in_video(inference_state, 8))).obj_ids == [1, 9]
    with pytest.raises(PromptError, match="no vessel 4"):
        predictor.clear_all_prompts_in_frame(inference_state, 2, 4)
    with pytest.raises(PromptError, match="no vessel 4"):
        predictor.remove_object(inference_state, 4, strict=True)


def test_clicks_that_contradict_each_other_are_refused_and_change_nothing(checkpoint, video):
    predictor = build_sam2_video_predictor("", checkpoint, device="cpu")
    state = predictor.init_state(video)
    with pytest.raises(PromptError, match=r"vessel 1: pixel y=47, x=60 of frame 2 is clicked with label 1 .* label 0"):
        predictor.add_new_points_or_box(state, 2, 1, [[60, 47], [60, 47]], [1, 0])
    assert not state.vessels
    predictor.add_new_points_or_box(state, 2, 1, [[60, 47]], [1])
    with pytest.raises(PromptError, match="remove one of the two clicks"):
        predictor.add_new_points_or_box(state, 2, 1, [[60, 47]], [0], clear_old_points=False)
    assert len(state.vessels[1].points[2]) == 1
    predictor.add_new_points_or_box(state, 2, 1, [[60, 80]], [0], clear_old_points=False)


def test_what_the_call_cannot_do_is_refused(checkpoint):
    with pytest.raises(ModelError, match="give ckpt_path"):
        build_sam2_video_predictor("sam2_hiera_t.yaml")
    with pytest.raises(ModelError, match="hydra_overrides_extra"):
        build_sam2_video_predictor("sam2_hiera_t.yaml", checkpoint, hydra_overrides_extra=["++model.x=1"])


def test_no_velocity_comes_from_weights_that_know_masks_only():
    from dataclasses import replace

    from sam2flow_core.config.model import preset

    model = SAM2Flow(replace(preset("tiny"), use_flow=False))
    with pytest.raises(ModelError, match="neither flow nor velocity"):
        SAM2FlowPredictor(model, torch.device("cpu"), {})
