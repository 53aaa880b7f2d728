"""Every design of memory carries masks through a video, and vessels of a run are judged by it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.config.inference import InferenceSettings, MatchingSettings
from sam2flow_core.config.model import MemoryConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.weights import load_model, save_folder, save_weights
from sam2flow_core.model.memory_designs import MEMORY_DESIGNS
from sam2flow_core.training.initial_weights import initial_model, with_memory

CPU = torch.device("cpu")


def model_of(design: str):
    torch.manual_seed(0)
    open_gates = {"least_affinity": 0.0, "least_presence": 0.0, "least_motion": 0.0}
    model = with_memory(initial_model("tiny", "tiny", None), MemoryConfig(design, **open_gates)).eval()
    # Here every object is seen, so that every frame gives a memory.
    torch.nn.init.constant_(model.mask_decoder.pred_obj_score_head.layers[-1].bias, 5.0)
    return model


def held(track):
    return len(track.bank.entries) if track.bank else len(track.prompted) + len(track.followed)


@pytest.mark.parametrize("design", MEMORY_DESIGNS)
def test_masks_are_followed_both_ways_and_corrected_in_bounded_memory(design, video, vessel):
    settings = replace(InferenceSettings(), sam2=replace(InferenceSettings().sam2, remembered_frames=8))
    predictor = SAM2MaskPredictor(model_of(design), CPU, {}, settings)
    state = predictor.init_state(video)
    predictor.add_new_mask(state, 6, 1, vessel)
    other = np.zeros_like(vessel)
    other[70:90, 20:60] = True
    predictor.add_new_mask(state, 6, 2, other)
    forward = {t: logits for t, _, logits in predictor.propagate_in_video(state)}
    assert sorted(forward) == list(range(6, 14)) and all(torch.isfinite(x).all() for x in forward.values())
    assert torch.equal(forward[6][0, 0] > 0, torch.from_numpy(vessel))
    assert held(state.tracks[1]) <= 9, "one that was given, and a bounded number of others"
    predictor.add_new_points_or_box(state, 9, 1, [[60, 47]], [1], clear_old_points=False)
    again = {t: logits for t, _, logits in predictor.propagate_in_video(state)}
    # A correction changes its own object, and nothing of the other one.
    assert not torch.allclose(again[11][0], forward[11][0]) and torch.allclose(again[11][1], forward[11][1], atol=1e-4)
    backward = {t: logits for t, _, logits in predictor.propagate_in_video(state, reverse=True)}
    assert sorted(backward) == list(range(7))
    alone = predictor.init_state(video)
    predictor.add_new_mask(alone, 6, 2, other)
    lonely = {t: logits for t, _, logits in predictor.propagate_in_video(alone)}
    assert all(torch.allclose(lonely[t][0], forward[t][1], atol=1e-4) for t in lonely)


@pytest.mark.parametrize("design", ["gated", "relevant"])
def test_a_run_resumes_with_the_memory_it_had(design, video, vessel):
    anything = MatchingSettings(least_present=0.0)
    settings = InferenceSettings(key_frame_every=3, least_mask_quality=0.0, matching=anything)
    predictor = SAM2FlowPredictor(model_of(design), CPU, {}, settings)

    def prompted():
        state = predictor.init_state(video, stabilise=False)
        predictor.add_new_mask(state, 0, 1, vessel)
        return state

    state = prompted()
    stream = predictor.stream(state)
    for _ in range(8):
        next(stream)
    resumed = prompted()
    predictor.restore(resumed, predictor.snapshot(state))
    before, after = state.vessels[1].context.entries, resumed.vessels[1].context.entries
    assert [(e.frame, e.prompted, e.affinity, e.presence, e.box) for e in before] == [
        (e.frame, e.prompted, e.affinity, e.presence, e.box) for e in after
    ]
    assert len(before) > 1 and any(e.box for e in before)
    # Frames that an undisturbed run has kept as they are matched are looked at anew: the last digit of a score.
    scores = [(s.vessels[0].mask_iou, s.vessels[0].object_score) for s in stream]
    again = [(s.vessels[0].mask_iou, s.vessels[0].object_score) for s in predictor.stream(resumed)]
    assert np.allclose(scores, again, rtol=0, atol=1e-6)


def test_a_design_is_kept_with_its_weights(tmp_path):
    model = model_of("short-long")
    save_weights(tmp_path / "w.safetensors", model, {})
    save_folder(tmp_path / "folder", model, {})
    for name in ("w.safetensors", "folder"):
        loaded, _ = load_model(str(tmp_path / name))
        assert loaded.config == model.config and loaded.context_memory.design.attention.layers


def test_designs_without_weights_can_be_asked_of_any_checkpoint():
    model, _ = load_model("tiny", {"mask.memory.design": "gated"})
    assert model.config.mask.memory.design == "gated"
    matching, _ = load_model("tiny", {"mask.memory.design": "relevant"})
    assert matching.matched_memory is not None, "which has no weights of a design's own"
    with pytest.raises(ModelError, match="does not fit"):
        load_model("tiny", {"mask.memory.design": "relevant", "mask.matching_widths": ()})
