"""SAM-I2V: its checkpoints are loaded whole, and give what its own code gives; where that is at hand, all of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from i2v_models import ANSWERS, SIZE, build_public, drawn, kept, published_shapes, script, write_video

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.inference import InferenceSettings, Sam2Settings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.build import build_i2v_video_predictor
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.official import fill, matching_config, read_official
from sam2flow_core.model.image_encoder import frames_before
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.sam2flow import SAM2Flow

SETTINGS = InferenceSettings(sam2=Sam2Settings(image_size=SIZE))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A file as published: its names, its shapes, random weights."""
    path = tmp_path_factory.mktemp("published") / "sam-i2v_8gpu.pt"
    torch.save({"model": {name: drawn(name, shape) for name, shape in published_shapes().items()}}, path)
    return path


@pytest.fixture(scope="module")
def predictor(checkpoint):
    built = build_i2v_video_predictor("i2v-infer.yaml", checkpoint, device="cpu")
    assert built.settings.sam2 == Sam2Settings()
    return SAM2MaskPredictor(built.model, built.device, built.description, SETTINGS)


def test_every_tensor_is_accounted_for(checkpoint, capsys):
    tensors = read_official(checkpoint)
    model = SAM2Flow(matching_config(tensors))
    fates = fill(model, tensors)
    left_out = {f.name.removeprefix("image_encoder.trunk_image.") for f in fates if not f.ours}
    assert left_out == {"no_mem_pos_enc", "norm_head.weight", "norm_head.bias", "head.weight", "head.bias"}
    places = [f.ours for f in fates if f.ours]
    assert len(set(places)) == len(places), "two tensors in one place"
    assert set(places) == set(model.state_dict()), "a tensor of ours was left random"
    assert status_of(["weights", str(checkpoint)]) == 0
    assert "SAM-I2V in preset mobile-sam-video: 733 tensors: 728 renamed, 5 left out" in capsys.readouterr().out


def test_recorded_answers_of_the_public_code(predictor, tmp_path):
    mine = kept(script(predictor, write_video(tmp_path / "video", 4), 4))
    theirs = json.loads(ANSWERS.read_text(encoding="utf-8"))
    assert torch.tensor(mine[-1]).std() > 0.01, "nothing to compare"
    for step, (got, wanted) in enumerate(zip(mine, theirs, strict=True)):
        assert torch.allclose(torch.tensor(got), torch.tensor(wanted), atol=1e-4), step


@pytest.mark.slow
def test_a_script_gives_what_the_public_code_gives(predictor, tmp_path):
    """Fourteen frames: from the eighth on, which memories are read is drawn."""
    public = build_public(tmp_path / "code", SIZE)
    image, clip = torch.randn(1, 3, SIZE, SIZE), torch.randn(1, 5, 3, SIZE, SIZE)
    with torch.inference_mode():
        features = public.image_encoder(image, clip.transpose(1, 2))["backbone_fpn"][0]
        assert (predictor.model.encode(image, clip)[2] - features).abs().max() < 1e-4
    video = write_video(tmp_path / "video", 14)
    theirs, mine = script(public, video, 14), script(predictor, video, 14)
    assert [step[:2] for step in mine] == [step[:2] for step in theirs]
    worst = max(float((a[2] - b[2]).abs().max()) for a, b in zip(mine, theirs, strict=True))
    assert worst < 1e-4, worst


def test_the_script_that_sam_i2v_is_tested_with_runs(predictor, tmp_path):
    """Its three kinds of prompts, as tensors that grow by a click, for an object called 0."""
    folder = write_video(tmp_path / "video", 4)
    truth = np.zeros((SIZE, SIZE), bool)
    truth[40:70, 23:53] = True
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for kind in ("3c", "bb", "gm"):
            state = predictor.init_state(
                video_path=folder, async_loading_frames=False, offload_video_to_cpu=True, offload_state_to_cpu=False
            )
            if kind == "3c":
                points = torch.tensor(np.float32([38, 55])).unsqueeze(0).unsqueeze(0)
                labels = torch.tensor([[1]], dtype=torch.int32)
                for more, label in (([[[30, 45]]], [[1]]), ([[[90, 90]]], [[0]])):
                    points = torch.cat((points, torch.tensor(more)), dim=1)
                    labels = torch.cat((labels, torch.tensor(label)), dim=1)
                    _, ids, masks = predictor.add_new_points_or_box(
                        inference_state=state, frame_idx=1, obj_id=0, points=points, labels=labels
                    )
            elif kind == "bb":
                box = np.array([23, 40, 53, 70], dtype=np.float32)
                _, ids, masks = predictor.add_new_points_or_box(inference_state=state, frame_idx=1, obj_id=0, box=box)
            else:
                _, ids, masks = predictor.add_new_mask(inference_state=state, frame_idx=1, obj_id=0, mask=truth)
            assert list(ids) == [0] and masks.shape == (1, 1, SIZE, SIZE)
            found = {
                frame: {i: masks[k] > 0.0 for k, i in enumerate(ids)}
                for frame, ids, masks in predictor.propagate_in_video(state)
            }
            stacked = (torch.stack([found[t][0][0] for t in found], 0).cpu().numpy() * 255.0).astype(np.uint8)
            assert stacked.shape == (3, SIZE, SIZE) and list(found) == [1, 2, 3]


def entry(memory, frame, prompted=False, like=None):
    draws = torch.Generator().manual_seed(frame)
    view = torch.randn(1, 256, 4, 4, generator=draws) if like is None else like
    tokens, pointer = torch.randn(1, 16, 64, generator=draws), torch.randn(1, 1, 256, generator=draws)
    return MemoryEntry(frame, prompted, 1.0, tokens, pointer, view=view, inside=torch.ones(1, 16, dtype=torch.bool))


def drawn_slots(memory, entries, frame, seed=0, first=0, image=None):
    """Frames that are read, by their place in time: 6 the prompted one, 5 to 2 those far away, 1 and 0 those near."""
    image = torch.ones(1, 256, 4, 4) if image is None else image
    draws = torch.Generator().manual_seed(seed)
    found = memory.design.associate(memory, image, entries, frame, first, draws)
    frame_of = {id(e.tokens): e.frame for e in entries}
    return [(slot, frame_of[id(t)]) for slot, t in zip(found.slots, found.tokens, strict=True)], found


def test_the_associator_reads_near_and_far_frames(predictor):
    memory = predictor.model.context_memory
    entries = [entry(memory, 0, True), *(entry(memory, t) for t in range(1, 30))]
    slots, found = drawn_slots(memory, entries, 30)
    assert [slot for slot, _ in slots] == [6, 5, 4, 3, 2, 1, 0] and slots[0] == (6, 0)
    frames = [frame for _, frame in slots[1:]]
    assert frames == sorted(frames) and all(10 <= t < 26 for t in frames[:4]) and all(t >= 26 for t in frames[4:])
    assert found.ages == pytest.approx([1.0, *((7 - place) / 7 for place in range(1, 7))])
    assert drawn_slots(memory, entries, 30)[0] == slots != drawn_slots(memory, entries, 30, seed=1)[0]
    # A frame that was seen before is drawn more often than others.
    now = torch.randn(1, 256, 4, 4)
    entries[28] = entry(memory, 28, like=now)
    often = sum(28 in [t for _, t in drawn_slots(memory, entries, 30, s, image=now)[0]] for s in range(300)) / 300
    assert 0.58 < often < 0.85


def test_where_little_was_seen_the_prompted_frame_fills_the_places(predictor):
    memory = predictor.model.context_memory
    entries = [entry(memory, 3, True), entry(memory, 4)]
    assert drawn_slots(memory, entries, 5)[0] == [(6, 3), (6, 3), (6, 3), (6, 3), (1, 4)]
    # Backwards in time everything is the same, counted from the last frame.
    assert drawn_slots(memory, [entry(memory, 6, True), entry(memory, 5)], 4, first=9)[0] == [
        (6, 6), (6, 6), (6, 6), (6, 6), (1, 5),
    ]  # fmt: skip
    slots, found = drawn_slots(memory, entries[:1], 0)
    assert slots == [(6, 3)] and not found.pointers
    assert torch.isfinite(memory.attend(torch.randn(1, 256, 4, 4), found)).all()


@torch.no_grad()
def test_prompt_tokens_are_read_inside_the_masks(predictor):
    memory, image = predictor.model.context_memory, torch.randn(1, 256, 4, 4)
    cells = torch.zeros(1, 16, dtype=torch.bool)
    cells[0, :4] = True
    here = replace(entry(memory, 0, True), inside=cells)
    tokens = memory.tokens(image, [[here]], 1)
    assert tokens.shape == (1, 3, 256)
    beyond, within = here.tokens.clone(), here.tokens.clone()
    beyond[:, 4:] += 1
    within[:, :4] += 1
    assert torch.equal(memory.tokens(image, [[replace(here, tokens=beyond)]], 1), tokens)
    assert not torch.allclose(memory.tokens(image, [[replace(here, tokens=within)]], 1), tokens, atol=1e-3)
    assert not torch.allclose(memory.tokens(image, [[]], 1), tokens, atol=1e-3)


def test_the_integrator_looks_at_the_frames_before():
    assert frames_before(7, 5) == [3, 4, 5, 6, 7]
    assert frames_before(2, 5) == [0, 1, 2, 2, 2]
    assert frames_before(2, 0) == []


def test_a_run_is_repeated_and_goes_both_ways(predictor, tmp_path):
    video = write_video(tmp_path / "video", 9)

    def run():
        state = predictor.init_state(video)
        predictor.add_new_points_or_box(state, 8, 1, [[60, 55]], [1])
        return torch.cat([logits for _, _, logits in predictor.propagate_in_video(state, reverse=True)])

    first = run()
    assert len(first) == 9 and torch.isfinite(first).all() and torch.equal(first, run())


def test_a_damaged_checkpoint_is_refused(checkpoint, tmp_path):
    tensors = read_official(checkpoint)
    del tensors["memory_prompt_generator.query_embedding_fg.weight"]
    torch.save({"model": tensors}, tmp_path / "less.pt")
    with pytest.raises(ModelError, match=r"lacks 1 tensors .*generator\.queries\.weight"):
        build_i2v_video_predictor("", tmp_path / "less.pt", device="cpu")
