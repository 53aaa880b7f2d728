"""Training memory: prompted in the first frame, followed by memory alone, corrected now and then."""

import dataclasses

import numpy as np
import pytest
import torch

from sam2flow_core.config.model import MemoryConfig, preset
from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.training import MEMORY_TRAINING, StageConfig, TrainingConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.weights import load_model, save_weights
from sam2flow_core.model.mask_decoder import DecodedMasks
from sam2flow_core.model.memory_designs import MEMORY_DESIGNS
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import DIRECTIONS, ORIENTATIONS, STATISTICS_CHANNELS, VesselField
from sam2flow_core.training.batch import ClipBatch, Lesson, gather_clips
from sam2flow_core.training.clips import TrainingClip
from sam2flow_core.training.initial_weights import initial_model, with_memory
from sam2flow_core.training.losses import mask_loss
from sam2flow_core.training.memory_part import Following, MemoryPart, wander
from sam2flow_core.training.step import TrainingStep
from sam2flow_core.training.trainer import TrainingRequest, train

STAGE = StageConfig(1.0, ((96, 1.0),), 0, False, 0.0, ("memory",), frames=4)
BANK = BankConfig(side=128, run=8, moments=20, moment=2, first=2, workers=0)
ALWAYS = dataclasses.replace(MEMORY_TRAINING, first_boxes=0.0, first_masks=1.0, later_clicks=0.0, wander_px=1.0)


def made_clip(seed: int, vessels: int) -> TrainingClip:
    """Still vessels in four frames of noise, (4, 3, 96, 96)."""
    rng = np.random.default_rng(seed)
    masks = torch.zeros(2, 96, 96)
    masks[0, 40:52], masks[1, :, 30:38] = 1, 1
    masks = masks[:vessels]
    inputs = torch.from_numpy(rng.normal(0, 1, (4, 3, 96, 96)).astype(np.float32)) + 2 * masks.amax(0)
    flow = torch.zeros(0, vessels, 2, 96, 96)
    statistics, half = torch.zeros(1, STATISTICS_CHANNELS, 48, 48), torch.zeros(48, 48)
    field = VesselField(half, half, *(half.expand(n, -1, -1) for n in (DIRECTIONS, ORIENTATIONS, ORIENTATIONS)))
    return TrainingClip(inputs, masks, 0, flow, flow[:, :, 0], statistics, field, torch.zeros(1, 0, 48, 48))


@pytest.fixture(scope="module")
def batch() -> ClipBatch:
    """Three vessels in two clips."""
    return gather_clips([made_clip(0, 2), made_clip(1, 1)])


def lesson_of(batch: ClipBatch, seed: int = 0) -> Lesson:
    return Lesson(batch, STAGE, np.random.default_rng(seed), torch.Generator().manual_seed(seed), [])


def lesson_for(model: SAM2Flow, batch: ClipBatch, config: TrainingConfig) -> Following:
    return Following(model, MemoryPart(model, config).prepare(lesson_of(batch)), config)


def begun(design: str) -> SAM2Flow:
    """Shipped weights with a decoder and a design, whose layers that begin at zero do not hide what lies behind."""
    torch.manual_seed(0)
    model = with_memory(
        initial_model("tiny", "tiny", None),
        MemoryConfig(design, least_affinity=0.0, least_presence=0.0, least_motion=0.0),
    )
    with torch.no_grad():
        for p in model.context_memory.design.parameters():
            if p.abs().sum() == 0:
                p.normal_(0, 0.02)
    # Here the vessels are there, so that pointers are written.
    torch.nn.init.constant_(model.mask_decoder.pred_obj_score_head.layers[-1].bias, 5.0)
    return model


@pytest.mark.parametrize("design", MEMORY_DESIGNS)
def test_gradients_reach_every_weight_of_every_design(batch, design):
    """The loss of frames that only memory can answer reaches the encoder of memories and all that reads them."""
    model = begun(design)
    lesson = lesson_for(model, batch, ALWAYS)
    lesson.run()
    sum(lesson.losses[2:]).backward()
    memory = model.context_memory
    reached = {n for n, p in memory.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    silent = {n for n, _ in memory.named_parameters()} - reached
    # Never asked here: an object that has gone.
    assert {n for n in silent if n not in ("no_obj_ptr", "no_obj_embed", "no_mem_embed")} == set()
    assert all(p.grad is None for p in model.flow.parameters())
    assert all(p.grad is None for p in model.image_encoder.parameters())


def test_the_last_frame_teaches_what_the_first_one_wrote(batch):
    """Memories are not detached: a loss of the last frame alone reaches the memory of a frame between."""
    lesson = lesson_for(begun("short-long"), batch, ALWAYS)
    lesson.run()
    tokens = [e.tokens for e in lesson.banks[0].entries]
    grads = torch.autograd.grad(lesson.losses[-1], tokens[:3], allow_unused=True)
    assert len(tokens) == 4 and all(g is not None and g.abs().sum() > 0 for g in grads)


@pytest.mark.parametrize("design", ["recent", "short-long"])
def test_vessels_that_keep_one_bank_remember_as_with_one_each(batch, design, monkeypatch):
    """A design that does not choose by what it sees gives the same answers, whether rows share a bank or not."""
    model = begun(design).eval()
    with torch.no_grad():
        together = lesson_for(model, batch, ALWAYS)
        together.run()
        monkeypatch.setattr(type(model.context_memory.design), "chooses", True)
        alone = lesson_for(model, batch, ALWAYS)
        alone.run()
    assert len(together.banks) == 1 and len(alone.banks) == 5
    for a, b in zip(together.losses, alone.losses, strict=True):
        assert float(a) == pytest.approx(float(b), abs=1e-5)


@pytest.mark.parametrize("later", [0.0, 1.0])
def test_later_frames_are_corrected_as_often_as_asked(batch, later):
    config = dataclasses.replace(ALWAYS, later_clicks=later)
    lesson = lesson_for(begun("recent"), batch, config)
    losses, scores = lesson.run()
    assert [e.prompted for e in lesson.banks[0].read()] == [True, *[later == 1.0] * 3]
    assert len(losses) == 1 + 3 * (2 if later else 1) and len(scores) == 4
    assert scores[0] == 1.0, "a mask that was given is the answer"


def test_memory_is_read_over_random_gaps_both_ways(batch):
    """Frames are not always neighbours, and a prompted frame may be the last one."""
    part = MemoryPart(begun("recent"), dataclasses.replace(ALWAYS, memory_frames=3))
    drawn = {tuple(part.prepare(lesson_of(batch, seed)).numbers) for seed in range(30)}
    assert all(len(numbers) == 3 and list(numbers) in (sorted(numbers), sorted(numbers)[::-1]) for numbers in drawn)
    assert {(0, 1, 3), (3, 2, 0)} <= drawn


def test_windows_take_the_masks_along(batch):
    marked = torch.stack([batch.masks[[0, 1]], batch.masks[[2, 2]]])[:, None].expand(-1, 4, -1, -1, -1)
    image = torch.tensor([0, 0, 1])
    rng = np.random.default_rng(1)
    inputs, masks, outside = wander(marked, batch.masks, image, marked[:, 0, 0] < 0.5, 4.0, rng)
    assert inputs.shape == (2, 4, 2, 64, 64) and masks.shape == (4, 3, 64, 64)
    seen = torch.stack([inputs[0, :, 0], inputs[0, :, 1], inputs[1, :, 0]], 1)
    assert torch.equal(seen, masks), "what is seen and what is true move together"
    assert torch.equal(outside, inputs[:, 0, 0] < 0.5)
    assert not torch.equal(masks[0], masks[-1]), "the tissue has moved"
    still, same, _ = wander(marked, batch.masks, image, marked[:, 0, 0] < 0.5, 0.0, np.random.default_rng(1))
    assert still.shape == marked.shape and torch.equal(same[3], batch.masks)


@pytest.mark.parametrize("kind", ["balanced", "focal"])
def test_region_losses_are_least_for_the_truth_and_teach(kind):
    truth = torch.zeros(1, 32, 32)
    truth[0, 8:16] = 1

    def loss(logits):
        small = torch.nn.functional.avg_pool2d(logits[:, None], 4).expand(1, 4, 8, 8)
        decoded = DecodedMasks(small, torch.ones(1, 4), torch.ones(1) * 9, torch.zeros(1, 4, 4), small)
        return mask_loss(decoded, truth, torch.tensor([0]), 1, False, kind)

    unsure = torch.zeros_like(truth).requires_grad_()
    loss(unsure).backward()
    assert (unsure.grad[truth == 1] < 0).all() and (unsure.grad[truth == 0] > 0).all()
    assert loss(truth * 16 - 8) < loss(torch.zeros_like(truth)) < loss(-truth * 16 + 8)


def test_a_step_logs_its_figures(batch):
    loss, figures = TrainingStep(begun("recent"), MEMORY_TRAINING)(batch, STAGE, np.random.default_rng(0))
    assert loss.requires_grad and figures["loss"] == pytest.approx(float(loss.detach()))
    assert 0 <= figures["iou_memory"] <= 1


def small_run(tmp_path, monkeypatch, design, resume=None, seed=1):
    config = dataclasses.replace(MEMORY_TRAINING, stages=(STAGE,), bank=BANK)
    monkeypatch.setattr("sam2flow_core.training.initial_weights.MEMORY_TRAINING", config)
    out, start = tmp_path / f"{design}.safetensors", tmp_path / "decoding.safetensors"
    if not start.exists():
        torch.manual_seed(0)
        save_weights(start, initial_model("tiny", "tiny", None), {})
    request = TrainingRequest(
        out, start=str(start), memory=MemoryConfig(design), steps=2, seed=seed, resume=resume, device="cpu"
    )
    list(train(request))
    return out


def test_a_design_is_trained_and_nothing_else(tmp_path, monkeypatch):
    out = small_run(tmp_path, monkeypatch, "relevant")
    (before, _), (after, description) = (load_model(str(p)) for p in (tmp_path / "decoding.safetensors", out))
    assert after.config.mask.memory == MemoryConfig("relevant") and "decoding" in description["notes"]["start"]
    old, new = before.state_dict(), after.state_dict()
    changed = {name.split(".")[0] for name in old if not torch.equal(old[name], new[name])}
    assert changed <= {"context_memory", "mask_decoder", "prompt_encoder"}, "images and flow are left as they are"
    begun = {name for name in new if name not in old}
    assert begun and all(name.startswith("context_memory.design.") for name in begun)
    with pytest.raises(ModelError, match="a run of memory 'relevant', not 'gated'"):
        small_run(tmp_path, monkeypatch, "gated", resume=out.with_name(out.name + ".resume"))


def test_what_cannot_be_begun_is_refused():
    with pytest.raises(ModelError, match="on top of weights: say which"):
        initial_model("tiny", None, MemoryConfig("gated"))
    with pytest.raises(ModelError, match="weights of preset 'tiny', not 'small'"):
        initial_model("small", "tiny", None)
    with pytest.raises(ModelError, match="same weights in every design, so there is nothing to train"):
        initial_model("tiny", "tiny", MemoryConfig("gated"))
    assert initial_model("tiny", None, None).config == preset("tiny")
