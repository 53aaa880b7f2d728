import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from sam2flow_core.config.model import PRESETS, preset
from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.weights import load_model, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.training.batch import gather_clips
from sam2flow_core.training.clips import ClipStream, _turn, _turn_vectors
from sam2flow_core.training.filming import SyntheticScenes
from sam2flow_core.training.initial_weights import initial_model
from sam2flow_core.training.losses import mask_loss
from sam2flow_core.training.profiling import count_launches
from sam2flow_core.training.step import TrainingStep
from sam2flow_core.training.trainer import TrainingRequest, one_cycle, profile_run, train

SMALL = ((96, 1.0),)
BANK = BankConfig(side=128, run=8, moments=4, moment=2, first=2, workers=0)
FEW = dataclasses.replace(TRAINING["tiny"], bank=BANK)
EVERYTHING = StageConfig(
    1.0, SMALL, 2, True, 0.5, ("field", "strips", "masks", "memory", "flow"), frames=5, scattered_pairs=2,
    remembered_pairs=1,
)  # fmt: skip


def test_gradients_reach_every_part():
    """Memory encoders and attention, mask heads, adapters, features: nothing is left untaught."""
    torch.manual_seed(0)
    step = TrainingStep(SAM2Flow(preset("tiny")), TRAINING["tiny"])
    for p in step.parameters():  # heads that begin at zero would hide what lies behind them
        if p.requires_grad and p.abs().sum() == 0:
            torch.nn.init.normal_(p, 0, 0.02)
    # A field that sees no vessel has none to follow.
    torch.nn.init.constant_(step.model.vessel_field.head.bias[2:18], 1.0)
    # An unsure network takes the vessels for gone and writes no pointer; here they are there.
    torch.nn.init.constant_(step.model.mask_decoder.pred_obj_score_head.layers[-1].bias, 5.0)
    # Never asked here: boxes, an object that has gone, and memory by matching, which has a part of its own.
    allowed = (
        "matched_memory",
        "point_embeddings.2",
        "point_embeddings.3",
        "no_obj_ptr",
        "no_obj_embed",
        "time",
        "maskmem_tpos_enc",
    )
    silent = {n for n, p in step.named_parameters() if p.requires_grad and not any(a in n for a in allowed)}
    clips = ClipStream(SyntheticScenes(FEW), FEW, EVERYTHING, seed=3).batches(1)
    # Of the masks that a single click may mean only the best one is taught each time.
    for seed, (clip,) in zip(range(12), clips, strict=False):
        step.zero_grad()
        loss, _ = step(gather_clips([clip]), EVERYTHING, np.random.default_rng(seed))
        loss.backward()
        silent -= {n for n, p in step.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        if not silent:
            break
    assert not silent


def test_every_preset_says_how_it_is_trained():
    assert TRAINING.keys() == PRESETS.keys()


def test_a_turned_clip_keeps_its_flow_true():
    """A point and where it goes, turned, is the turned point and where that goes."""
    flow = torch.zeros(2, 8, 8)
    flow[:, 2, 1] = torch.tensor([3.0, 1.0])  # (x, y) = (1, 2) goes to (4, 3)
    start, end = torch.zeros(8, 8), torch.zeros(8, 8)
    start[2, 1] = end[3, 4] = 1
    for turns in range(4):
        for mirror in (False, True):
            s, e = (_turn(x, turns, mirror).nonzero()[0] for x in (start, end))
            vector = _turn_vectors(_turn(flow, turns, mirror), turns, mirror)[:, s[0], s[1]]
            assert vector.tolist() == [float(e[1] - s[1]), float(e[0] - s[0])]


def test_learning_rate_rises_and_falls():
    assert one_cycle(0.0, 0.05) < one_cycle(0.05, 0.05) == 1.0
    assert one_cycle(1.0, 0.05) == pytest.approx(0.01)


def test_mask_loss_is_least_for_the_truth():
    from sam2flow_core.model.mask_decoder import DecodedMasks

    truth = torch.zeros(1, 32, 32)
    truth[0, 8:16] = 1
    fine = torch.zeros(1, 8, 8, 8)

    def loss(logits):
        small = torch.nn.functional.avg_pool2d(logits[:, None], 4).expand(1, 4, 8, 8)
        return mask_loss(
            DecodedMasks(small, torch.ones(1, 4), torch.ones(1) * 9, torch.zeros(1, 4, 4), fine),
            truth,
            torch.tensor([0]),
            1,
            False,
        )

    assert loss(truth * 16 - 8) < loss(-truth * 16 + 8)


def small_run(tmp_path, monkeypatch, name, steps, resume=None, start=None):
    config = dataclasses.replace(
        TRAINING["tiny"],
        stages=(StageConfig(1.0, SMALL, 1, False, 0.0, ("flow",), 4, 2),),
        bank=BANK,
        clips_per_step=2,
        warm_up=0.0,
    )
    monkeypatch.setitem(TRAINING, "tiny", config)
    monkeypatch.setattr("sam2flow_core.training.trainer.one_cycle", lambda share, warm_up: 1.0)
    out = tmp_path / f"{name}.safetensors"
    list(train(TrainingRequest(out, start=start, steps=steps, resume=resume, device="cpu")))
    return torch.load(str(out) + ".resume", weights_only=True)


def test_stages_follow_each_other_and_one_can_be_trained_alone(tmp_path, monkeypatch):
    """A bank that goes with the run outlives its stages, and every part of the recipe's last one learns."""
    stages = tuple(
        StageConfig(0.5, SMALL, 1, False, 0.0, parts, 4, 2, name=parts[0]) for parts in (("field",), ("flow", "masks"))
    )
    config = dataclasses.replace(TRAINING["tiny"], stages=stages, bank=dataclasses.replace(BANK, workers=1))
    out = tmp_path / "staged.safetensors"
    figures = [set(p.figures) for p in train(TrainingRequest(out, recipe=config, steps=4, device="cpu"))]
    assert "inside" in figures[0] and "epe" not in figures[1] and {"inside", "epe", "iou_1"} <= figures[3]
    alone = [set(p.figures) for p in train(TrainingRequest(out, recipe=config, stage="flow", steps=1, device="cpu"))]
    assert "inside" not in alone[0] and {"epe", "iou_1"} <= alone[0]
    with pytest.raises(ModelError, match="no stage 'end'; there are field, flow"):
        list(train(TrainingRequest(out, recipe=config, stage="end", steps=1, device="cpu")))


def test_the_best_of_what_was_measured_is_kept(tmp_path):
    """Weights are measured as they are averaged, and the best stay beside the last."""
    measured = iter((0.5, 0.2, 0.4))
    development = dataclasses.replace(TRAINING["tiny"].development, minutes=0.0)
    stage = StageConfig(1.0, SMALL, 0, False, 0.0, ("field",), 2, 2)
    config = dataclasses.replace(TRAINING["tiny"], stages=(stage,), bank=BANK, development=development)
    out = tmp_path / "w.safetensors"
    list(
        train(
            TrainingRequest(
                out, recipe=config, steps=3, device="cpu", develop=lambda model: {"shortfall": next(measured)}
            )
        )
    )
    assert load_model(str(tmp_path / "w.best.safetensors"))[1]["notes"]["steps"] == 2


def test_clips_one_at_a_time_teach_what_they_teach_together(tmp_path):
    """Where memory is short a step's clips follow each other; the gradients (Adam's first mean) are the same."""
    stage = StageConfig(1.0, SMALL, 0, False, 0.0, ("field",), 2, 2)
    config = dataclasses.replace(TRAINING["tiny"], stages=(stage,), bank=BANK, clips_per_step=2)
    learned, figures = [], []
    for count in (None, 1):
        out = tmp_path / f"{count}.safetensors"
        recipe = dataclasses.replace(config, clips_at_once_on_cpu=count)
        figures += [p.figures for p in train(TrainingRequest(out, start="tiny", recipe=recipe, steps=1, device="cpu"))]
        learned.append(torch.load(str(out) + ".resume", weights_only=True)["optimiser"]["state"])
    assert learned[0].keys() == learned[1].keys() and len(learned[0]) > 10
    for number, state in learned[0].items():
        assert torch.allclose(state["exp_avg"], learned[1][number]["exp_avg"], rtol=1e-3, atol=1e-7)
    assert figures[0] == pytest.approx(figures[1], rel=1e-4)


def test_a_gradient_that_is_not_finite_changes_nothing(tmp_path, monkeypatch):
    stage = StageConfig(1.0, SMALL, 0, False, 0.0, ("field",), 2, 2)
    config = dataclasses.replace(TRAINING["tiny"], stages=(stage,), bank=BANK)
    monkeypatch.setattr(
        "sam2flow_core.training.step.FieldPart.loss",
        lambda self, batch: (self.model.map_vessels(batch.statistics).inside.sum() * float("nan"), {}),
    )
    out = tmp_path / "w.safetensors"
    list(train(TrainingRequest(out, start="tiny", recipe=config, steps=2, device="cpu")))
    before, after = initial_model("tiny", "tiny", None, (stage,)).state_dict(), load_model(str(out))[0].state_dict()
    assert before.keys() == after.keys(), "no decoder where no stage teaches one"
    assert all(torch.equal(before[name].half().float(), after[name]) for name in before)


def test_the_profile_counts_what_a_step_asks_of_the_device():
    """Every stage has its line; operations that compute are counted, and what a processor would wait for."""
    stage = StageConfig(1.0, SMALL, 1, False, 0.0, ("flow",), 4, 2, name="flow")
    config = dataclasses.replace(TRAINING["tiny"], stages=(stage,), bank=BANK)
    text = profile_run(TrainingRequest(Path(), start="tiny", recipe=config, device="cpu"))
    line = next(row for row in text.splitlines() if row.startswith("flow  ")).split()
    assert 100 < float(line[-2]) < 5000 and 0 < float(line[-1]) < 60
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        x = torch.arange(6.0).view(2, 3).t()
        (x + 1).sum().item()
        torch.nonzero(x)
    launches = count_launches(seen.events(), 2)
    assert launches.kernels * 2 >= 3, "add, sum, nonzero"
    assert launches.waits == 1 and launches.kinds == {"number read": 0.5, "nonzero": 0.5}


@pytest.mark.parametrize("start", [None, "tiny", "remembers motion"])
def test_resuming_is_exact(tmp_path, monkeypatch, start):
    """Also without saying again what the run began with: the weights in the box have no decoder."""
    if start == "remembers motion":
        tiny, start = preset("tiny"), str(tmp_path / "start.safetensors")
        update = dataclasses.replace(tiny.update, motion_memory_frames=6)
        save_weights(Path(start), SAM2Flow(dataclasses.replace(tiny, update=update)), {})
    whole = small_run(tmp_path, monkeypatch, "whole", 4, start=start)
    small_run(tmp_path, monkeypatch, "half", 2, start=start)
    resumed = small_run(tmp_path, monkeypatch, "rest", 4, tmp_path / "half.safetensors.resume")
    assert resumed["done"] == whole["done"] == 4
    for name, value in whole["step"].items():
        assert torch.equal(value, resumed["step"][name]), name


@pytest.mark.slow
def test_one_clip_can_be_learned_by_heart():
    """Endpoint error under 0.1 px on a single clip: nothing in the network stands in the way."""
    torch.manual_seed(0)
    config, stage = FEW, StageConfig(1.0, SMALL, 1, True, 0.0, ("flow",), 6, 3)
    clip = next(ClipStream(SyntheticScenes(config), config, stage, seed=11).batches(1))[0]
    step = TrainingStep(SAM2Flow(preset("tiny")), config)
    optimiser = torch.optim.AdamW(step.parameters(), lr=1e-3)
    best = 99.0
    for number in range(1500):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * (1 - number / 1500) + 1e-6
        loss, figures = step(gather_clips([clip]), stage, np.random.default_rng(0))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(step.parameters(), 1.0)
        optimiser.step()
        best = min(best, figures["epe"])
        if best < 0.1:
            return
    assert best < 0.1


def test_the_vessel_field_learns():
    torch.manual_seed(0)
    stage = StageConfig(1.0, SMALL, 0, False, 0.0, ("field",), 2, scattered_pairs=4, unsteady=0.4)
    clip = next(ClipStream(SyntheticScenes(FEW), FEW, stage, seed=5).batches(1))[0]
    step = TrainingStep(SAM2Flow(preset("tiny")), TRAINING["tiny"])
    optimiser = torch.optim.AdamW(step.model.vessel_field.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        loss, figures = step(gather_clips([clip]), stage, np.random.default_rng(0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]
    assert {"inside", "ends", "runs", "offset", "radius"} <= figures.keys()


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_a_device_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ModelError, match="device 'cuda' is not available"):
        next(iter(train(TrainingRequest(tmp_path / "w.safetensors", device="cuda"))))
