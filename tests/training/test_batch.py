"""A batch of ragged clips teaches what its clips teach one by one."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sam2flow_core.config.model import preset
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.model.cost_volume import pairs_around
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import DIRECTIONS, ORIENTATIONS, STATISTICS_CHANNELS, VesselField
from sam2flow_core.training.batch import ClipBatch, Lesson, gather_clips
from sam2flow_core.training.clips import TrainingClip
from sam2flow_core.training.flow_part import FlowPart, FlowTask
from sam2flow_core.training.mask_part import MaskPart
from sam2flow_core.training.memory_part import MemoryPart
from sam2flow_core.training.step import FieldPart, TrainingStep

SIDE = 64
STAGE = StageConfig(1.0, ((SIDE, 1.0),), 2, True, 0.0)


def made_clip(seed: int, vessels: int, frames: int, first: int, pairs: int) -> TrainingClip:
    """Bars of noise that moves; the second vessel crosses the first."""
    torch.manual_seed(seed)
    masks = torch.zeros(3, SIDE, SIDE)
    masks[0, 20:32], masks[1, :, 40:46], masks[2, 50:53, :30] = 1, 1, 1
    inputs = torch.stack([torch.roll(torch.randn(3, SIDE, SIDE), t, -1) for t in range(frames)])
    inputs = F.avg_pool2d(inputs, 3, 1, 1) * 3
    flow = torch.randn(pairs, vessels, 2, 1, 1).expand(-1, -1, -1, SIDE, SIDE) * 3
    weight = masks[None, :vessels] * torch.rand(pairs, vessels, 1, 1).clamp_min(0.3)
    half = torch.rand(SIDE // 2, SIDE // 2)
    field = VesselField(
        half, half * 0.5, *(torch.rand(n, SIDE // 2, SIDE // 2) for n in (DIRECTIONS, ORIENTATIONS, ORIENTATIONS))
    )
    statistics = torch.randn(1, STATISTICS_CHANNELS, SIDE // 2, SIDE // 2)
    return TrainingClip(
        inputs, masks[:vessels], first, flow, weight, statistics, field, torch.randn(1, 4, SIDE // 2, SIDE // 2)
    )


@pytest.fixture(scope="module")
def clips() -> list[TrainingClip]:
    """Ragged in vessels, frames, pairs, and where the pairs lie."""
    return [made_clip(0, 3, 9, 4, 2), made_clip(1, 1, 12, 5, 2), made_clip(2, 2, 7, 2, 1)]


@pytest.fixture
def model() -> SAM2Flow:
    torch.manual_seed(0)
    tiny = preset("tiny")
    # With the motion memory that larger presets have.
    net = SAM2Flow(dataclasses.replace(tiny, update=dataclasses.replace(tiny.update, motion_memory_frames=6)))
    with torch.no_grad():
        for p in net.parameters():
            if p.requires_grad and p.abs().sum() == 0:
                p.normal_(0, 0.02)
    return net


def flow_task(batch: ClipBatch, context: torch.Tensor, learn_features: bool) -> FlowTask:
    earlier = torch.stack([batch.pairs[:, 0] - 2, batch.pairs[:, 0] - 1], 1)
    prompted = torch.tensor([[True, False]]).expand(len(batch.owner), -1)
    return FlowTask(batch, batch.masks, context, earlier, prompted, learn_features)


def gradients(model: SAM2Flow, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    names = [n for n, p in model.named_parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, [p for p in model.parameters() if p.requires_grad], allow_unused=True)
    return {n: g for n, g in zip(names, grads, strict=True) if g is not None}


def assert_equal(together: dict[str, torch.Tensor], alone: list[dict[str, torch.Tensor]]) -> None:
    mean = {n: sum(g.get(n, torch.zeros_like(v)) for g in alone) / len(alone) for n, v in together.items()}
    largest = max(float(g.abs().max()) for g in mean.values())
    assert largest > 1e-3
    for name, grad in together.items():
        assert (grad - mean[name]).abs().max() <= 1e-5 * max(largest, 1.0), name


@pytest.mark.parametrize("learn_features", [False, True])
def test_flow_gradients_of_a_batch_are_the_mean_of_single_ones(model, clips, learn_features):
    """Clips differ in vessels, frames, pairs and in where these lie; earlier pairs are remembered."""
    part, context = FlowPart(model, TRAINING["tiny"]), torch.randn(3, 64, SIDE // 4, SIDE // 4)
    task = flow_task(gather_clips(clips), context, learn_features)
    together = gradients(model, part.loss(task)[0])
    alone = []
    for i, clip in enumerate(clips):
        one = flow_task(gather_clips([clip]), context[i : i + 1], learn_features)
        alone.append(gradients(model, part.loss(one)[0]))
    assert {"flow.motion_memory.query.weight", "flow.motion_memory.encoder.layers.0.weight"} <= together.keys()
    assert ("flow.feature_encoder.stem.weight" in together) == learn_features
    assert_equal(together, alone)


@pytest.mark.parametrize("name", ["field", "masks", "memory"])
def test_gradients_of_other_parts_are_the_mean_of_single_ones(model, clips, name):
    """The task is drawn for the batch, and cut into one for each clip."""
    config = dataclasses.replace(TRAINING["tiny"], wander_px=0.0, first_masks=1.0, given_memory=0.0, memory_frames=3)
    clips = [dataclasses.replace(c, inputs=c.inputs[:7]) for c in clips]  # frames to follow are the same for all
    part = {"field": FieldPart(model), "masks": MaskPart(model, config), "memory": MemoryPart(model, config)}[name]

    def loss(some: list[TrainingClip]) -> torch.Tensor:
        batch = gather_clips(some)
        first = batch.inputs[torch.arange(len(some)), batch.pairs[:, 0]]
        lesson = Lesson(batch, STAGE, np.random.default_rng(0), torch.Generator().manual_seed(0), model.encode(first))
        return part.loss(part.prepare(lesson))[0]

    if name == "masks":  # corrections are drawn: none, or a clip's would differ from the batch's
        import sam2flow_core.training.mask_part as module

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_CORRECTIONS", 0)
            together, alone = gradients(model, loss(clips)), [gradients(model, loss([c])) for c in clips]
    else:
        together, alone = gradients(model, loss(clips)), [gradients(model, loss([c])) for c in clips]
    assert_equal(together, alone)


def test_a_batch_answers_as_the_predictor_does(model, clips):
    """Correlations, cost volume, memory and updates of the batch are those of frame-by-frame use."""
    clip, net = clips[0], model.flow.eval()
    with torch.no_grad():
        maps = net.feature_encoder(clip.inputs)
        features = {t: maps[t : t + 1] for t in range(len(maps))}
        owner = torch.zeros(3, dtype=torch.long)
        layout, context = net.lay_out(clip.masks, owner, maps.shape[-2:]), torch.randn(1, 64, SIDE // 4, SIDE // 4)
        banks: list[list[MemoryEntry]] = [[], [], []]
        answers = []
        for t in (2, 3, 4, 5):
            wanted = pairs_around(t, range(len(maps)), net.config.match.lags, 25, causal=False)
            volumes = {(row, k): net.correlation(features, row, k, layout) for row, k in wanted}
            cost_volume = net.cost_volume(volumes, t, layout, causal=False)
            answer = net(features[t], features[t + 1], cost_volume, context, layout, banks, t)
            written = net.motion_memory.write(answer.hidden, answer.flows[-1], layout.cells, 3)
            for bank, (tokens, places) in zip(banks, written, strict=True):
                bank.append(MemoryEntry(t, t == 2, 1.0, tokens, places))
            answers.append(answer)
        task = flow_task(gather_clips([clip]), context, False)
        series = maps.permute(0, 2, 3, 1).contiguous()[None]
        pairs = torch.tensor([[2, 3, 4, 5]])
        cost_volume = net.cost_volumes(series.permute(0, 2, 3, 1, 4), pairs, torch.tensor([len(maps)]), layout)
        together = FlowPart(model, TRAINING["tiny"])._answer(task, series, cost_volume, layout, pairs)
    for name in ("fine", "scale", "speed", "hidden"):
        alone = torch.cat([getattr(a, name) for a in answers[2:]])
        assert torch.allclose(getattr(together, name), alone, atol=1e-4), name


def test_a_vessel_without_a_cell_teaches_nothing_and_harms_nothing(model, clips):
    empty = dataclasses.replace(clips[1], masks=torch.zeros_like(clips[1].masks), weight=clips[1].weight * 0)
    part, context = FlowPart(model, TRAINING["tiny"]), torch.zeros(2, 64, SIDE // 4, SIDE // 4)
    loss, _ = part.loss(flow_task(gather_clips([clips[0], empty]), context, False))
    assert torch.isfinite(loss) and all(torch.isfinite(g).all() for g in gradients(model, loss).values())
    nothing, _ = part.loss(flow_task(gather_clips([empty]), context[:1], False))
    assert not nothing.requires_grad


def test_all_parts_learn_in_one_step_and_bf16_changes_little(model, clips):
    losses = {}
    for bf16 in (False, True):
        config = dataclasses.replace(TRAINING["tiny"], bf16=bf16, wander_px=1.0)
        step = TrainingStep(model, config)
        loss, figures = step(gather_clips(clips), STAGE, np.random.default_rng(5))
        model.flow.cost_volume_net.low_precision = None
        assert {"epe", "iou_1", "iou_3", "iou_memory", "inside"} <= figures.keys()
        losses[bf16] = float(loss.detach())
    assert losses[True] == pytest.approx(losses[False], rel=0.02)
