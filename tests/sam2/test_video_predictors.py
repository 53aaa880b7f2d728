"""A script for SAM 2's video predictor, run by both predictors: the same frames, ids and logits."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from sam2.sam2_video_predictor import SAM2VideoPredictor
from sam2_models import build_official, fill_ours

from sam2flow_core.config.inference import InferenceSettings, Sam2Settings
from sam2flow_core.engine.propagation import propagate_labels
from sam2flow_core.errors import PromptError
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.stack import open_stack

SIZE, FRAMES = 128, 22

# What SAM 2's build sets by default, but for filling holes, which needs its compiled extension; and corrections
# count as prompts, without which propagation overwrites them.
OVERRIDES = [
    "++model.sam_mask_decoder_extra_args.dynamic_multimask_via_stability=true",
    "++model.sam_mask_decoder_extra_args.dynamic_multimask_stability_delta=0.05",
    "++model.sam_mask_decoder_extra_args.dynamic_multimask_stability_thresh=0.98",
    "++model.binarize_mask_from_pts_for_mem_enc=true",
    "++model.add_all_frames_to_correct_as_cond=true",
]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Folder of JPEG frames in colour, a bright square that moves."""
    folder = tmp_path_factory.mktemp("video")
    rng = np.random.default_rng(0)
    for t in range(FRAMES):
        frame = rng.integers(0, 80, (SIZE, SIZE, 3), dtype=np.uint8)
        frame[40:70, 20 + 3 * t : 50 + 3 * t] += np.array([120, 30, 80], np.uint8)
        Image.fromarray(frame).save(folder / f"{t:05d}.jpg", quality=95)
    return str(folder)


@pytest.fixture(scope="module", params=["2.1", pytest.param("2", marks=pytest.mark.slow)])
def predictors(request, tmp_path_factory):
    official = build_official("small", request.param, SIZE, video=True, more=OVERRIDES, apply_postprocessing=False)
    with torch.no_grad():
        # Random weights see no object; then no pointer and no memory would be compared.
        official.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3.0)
    path = tmp_path_factory.mktemp("official") / "sam2.pt"
    torch.save({"model": official.state_dict()}, path)
    settings = replace(InferenceSettings(), sam2=Sam2Settings(image_size=SIZE))
    return official, SAM2MaskPredictor(fill_ours(path), torch.device("cpu"), {}, settings)


def script(predictor, video_path):
    """What users do: points, box and mask on several objects, both directions, a correction, a removal, a reset."""
    said = []

    def note(step):
        frame, ids, logits = step
        said.append((frame, list(ids), logits.float().clone()))

    inference_state = predictor.init_state(video_path=video_path)
    points, labels = np.array([[35, 55]], dtype=np.float32), np.array([1], np.int32)
    note(
        predictor.add_new_points_or_box(
            inference_state=inference_state, frame_idx=3, obj_id=7, points=points, labels=labels
        )
    )
    points, labels = np.array([[35, 55], [90, 100]], dtype=np.float32), np.array([1, 0], np.int32)
    note(predictor.add_new_points_or_box(inference_state, 3, 7, points=points, labels=labels))
    note(predictor.add_new_points_or_box(inference_state, 3, 2, box=np.array([18, 38, 60, 72], np.float32)))
    mask = np.zeros((SIZE, SIZE), bool)
    mask[80:110, 10:60] = True
    note(predictor.add_new_mask(inference_state, frame_idx=3, obj_id=9, mask=mask))
    for out_frame_idx, out_obj_ids, out_mask_logits in predictor.propagate_in_video(inference_state):
        note((out_frame_idx, out_obj_ids, out_mask_logits))
    for step in predictor.propagate_in_video(inference_state, reverse=True):
        note(step)
    note(predictor.add_new_points_or_box(inference_state, 10, 2, [[60.0, 60.0]], [0], clear_old_points=False))
    for step in predictor.propagate_in_video(inference_state, start_frame_idx=8, max_frame_num_to_track=6):
        note(step)
    note(predictor.clear_all_prompts_in_frame(inference_state, 10, 2))
    left, updated = predictor.remove_object(inference_state, 7)
    said.append((-1, list(left), torch.cat([logits for _, logits in updated])))
    for step in predictor.propagate_in_video(inference_state, start_frame_idx=9, max_frame_num_to_track=2):
        note(step)
    predictor.reset_state(inference_state)
    note(predictor.add_new_points_or_box(inference_state, 0, 1, torch.tensor([[[30.0, 50.0]]]), torch.tensor([[1]])))
    for step in predictor.propagate_in_video(inference_state, max_frame_num_to_track=2):
        note(step)
    return said


def test_a_script_for_sam2_gives_the_same_masks(predictors, video):
    official, ours = predictors
    theirs, mine = script(official, video), script(ours, video)
    assert [(frame, ids) for frame, ids, _ in mine] == [(frame, ids) for frame, ids, _ in theirs]
    tracked = torch.stack([logits for frame, ids, logits in theirs if len(ids) == 3 and frame != 3])
    assert len(tracked) > 20 and tracked.std() > 0.01 and tracked.std(0).max() > 1e-3, "nothing to compare"
    worst = max(float((a[2] - b[2]).abs().max()) for a, b in zip(mine, theirs, strict=True))
    # Pointers without their age differ by 6e-4.
    assert worst < 1e-4, worst


def test_prompts_that_do_not_fit_are_refused(predictors, video):
    _, ours = predictors
    state = ours.init_state(video)
    with pytest.raises(PromptError, match="no object is prompted"):
        next(ours.propagate_in_video(state))
    with pytest.raises(PromptError, match="outside the recording"):
        ours.add_new_points_or_box(state, FRAMES, 1, [[1, 2]], [1])
    with pytest.raises(PromptError, match="sizes must agree"):
        ours.add_new_mask(state, 0, 1, np.ones((5, 5)))
    with pytest.raises(PromptError, match="a box comes before"):
        ours.add_new_points_or_box(state, 0, 1, [[1, 2]], [1], clear_old_points=False, box=[1, 2, 3, 4])
    with pytest.raises(PromptError, match=r"object 1: pixel y=2, x=1 of frame 0 is clicked with label 1 .* label 0"):
        ours.add_new_points_or_box(state, 0, 1, [[1, 2], [1, 2]], [1, 0])
    with pytest.raises(PromptError, match="there is no object 5"):
        ours.clear_all_prompts_in_frame(state, 0, 5)
    assert not state.tracks


def test_a_long_video_keeps_a_bounded_memory(predictors, video):
    _, ours = predictors
    settings = replace(ours.settings, sam2=replace(ours.settings.sam2, remembered_frames=4))
    bounded = SAM2MaskPredictor(ours.model, torch.device("cpu"), {}, settings)
    state = bounded.init_state(video)
    bounded.add_new_points_or_box(state, 0, 1, [[30, 50]], [1])
    assert len(list(bounded.propagate_in_video(state))) == FRAMES
    assert len(state.tracks[1].followed) <= 5 and len(state.levels) <= bounded.settings.cached_frames


def test_labels_are_carried_to_every_frame(predictors, video, tmp_path):
    _, ours = predictors
    labels = np.zeros((SIZE, SIZE), np.uint16)
    labels[40:70, 30:60], labels[80:110, 10:60] = 300, 2
    out = tmp_path / "masks.tif"
    with open_stack(video) as stack:
        told = list(propagate_labels(ours, stack, labels, 4, out))
    found = tifffile.imread(out)
    assert found.shape == (FRAMES, SIZE, SIZE) and np.array_equal(found[4], labels)
    assert told[-1] == FRAMES and sorted(set(told)) == list(range(1, FRAMES + 1))
    state = ours.init_state(video)
    for label in (2, 300):
        ours.add_new_mask(state, 4, label, labels == label)
    assert len(list(ours.propagate_in_video(state))) == FRAMES - 4
    frames = {t: logits for t, _, logits in ours.propagate_in_video(state, reverse=True)}
    best = np.where(frames[1].amax(0)[0] > 0, np.array([2, 300])[frames[1].argmax(0)[0]], 0)
    assert best.any() and np.array_equal(found[1], best)


@pytest.mark.parametrize("ours", [SAM2FlowPredictor, SAM2MaskPredictor])
def test_what_is_given_by_place_means_what_it_means_to_sam2(ours):
    """`init_state(video, False, True)` switched the stabilisation off and left out the first frame."""
    compared = 0
    for name, theirs in vars(SAM2VideoPredictor).items():
        if name.startswith("_") or not inspect.isfunction(theirs) or not hasattr(ours, name):
            continue
        wanted = [p for p in inspect.signature(theirs).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        found = list(inspect.signature(getattr(ours, name)).parameters.values())[: len(wanted)]
        assert [p.name for p in found] == [p.name for p in wanted], name
        assert [p.default for p in found] == [p.default for p in wanted], name
        compared += 1
    assert compared > 5
