"""The scripts that train the vessel field, and the strip decoder, by themselves."""

import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from sam2flow_core.config.synthetic import BankConfig, RecordingScenes
from sam2flow_core.config.training import TRAINING, StripLessons
from sam2flow_core.inference import load_model
from sam2flow_core.model.vessel_field import VesselFieldNet

SCRIPTS = Path(__file__).parents[2] / "scripts"


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def small_recipe(name):
    """The stage of that name on a few small clips."""
    tiny = TRAINING["tiny"]
    stage = next(s for s in tiny.stages if s.name == name)
    stage = dataclasses.replace(stage, sizes=((96, 1.0),), scattered_pairs=2)
    bank = BankConfig(side=128, run=8, moments=4, moment=2, first=2, workers=0)
    return dataclasses.replace(tiny, stages=(stage,), bank=bank, strips=StripLessons(per_clip=4))


def small_recordings(name):
    return dataclasses.replace(small_recipe(name), recordings=RecordingScenes(sides=(96,), frames=(24, 25)))


def changed_parts(out):
    before, after = (load_model(name)[0].state_dict() for name in ("tiny", str(out)))
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def test_the_decoder_learns_and_all_else_stays(tmp_path):
    training, out = script("train_strips"), tmp_path / "better.safetensors"
    steps = list(training.train(training.Run(out, minutes=0.02, recipe=small_recipe("strips"))))
    assert steps and all(0 <= iou <= 1 for _, _, iou in steps)
    assert changed_parts(out) == {"strip_decoder"}


def test_the_field_learns_and_all_else_stays(tmp_path):
    training, out = script("train_field"), tmp_path / "better.safetensors"
    steps = list(training.train(training.Run(out, minutes=0.02, recipe=small_recipe("field"))))
    assert len(steps) >= 2 and all(figures["loss"] > 0 for _, figures in steps)
    assert changed_parts(out) == {"vessel_field"}


@pytest.mark.parametrize(("name", "part"), [("field", "vessel_field"), ("strips", "strip_decoder")])
def test_whole_recordings_are_filmed_once_and_learned_from_beside_clips(tmp_path, name, part):
    training, out = script(f"train_{name}"), tmp_path / "better.safetensors"
    run = training.Run(out, minutes=0.02, recordings=2, scenes=tmp_path, recipe=small_recordings(name))
    assert list(training.train(run))
    assert changed_parts(out) == {part}
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "recordings").iterdir()}
    assert 1 <= len(kept) <= 2
    list(training.train(run))
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())


@pytest.mark.parametrize("times", [2, 3])
def test_a_widened_net_answers_as_before_and_its_copies_learn_to_differ(times):
    training = script("train_field")
    torch.manual_seed(0)
    net = VesselFieldNet((8, 16, 24))
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    wide = training.widened(net, times, torch.Generator().manual_seed(1))
    statistics = torch.randn(1, 20, 16, 16)
    for before, after in zip(net(statistics), wide(statistics), strict=True):
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
    wide(statistics).runs.square().sum().backward()
    gradient = wide.stem.weight.grad
    assert not torch.allclose(gradient[0], gradient[1], rtol=1e-2)


def test_a_widened_network_is_written_and_read(tmp_path):
    training, out = script("train_field"), tmp_path / "wide.safetensors"
    list(training.train(training.Run(out, widen=2, minutes=0.02, recipe=small_recipe("field"))))
    tiny, wide = load_model("tiny")[0].config.mask, load_model(str(out))[0].config.mask
    assert wide.field_widths == tuple(2 * width for width in tiny.field_widths)
