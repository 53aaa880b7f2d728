"""The script that trains the strip decoder by itself."""

import dataclasses
import importlib.util
import sys
from pathlib import Path

import torch

from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.training import TRAINING, StripLessons
from sam2flow_core.inference import load_model

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_strips.py"


def test_the_decoder_learns_and_all_else_stays(tmp_path):
    spec = importlib.util.spec_from_file_location("train_strips", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script  # dataclasses look themselves up there
    spec.loader.exec_module(script)
    tiny = TRAINING["tiny"]
    stage = dataclasses.replace(
        next(s for s in tiny.stages if s.name == "strips"), sizes=((96, 1.0),), scattered_pairs=2
    )
    bank = BankConfig(side=128, run=8, moments=4, moment=2, first=2, workers=0)
    recipe = dataclasses.replace(tiny, stages=(stage,), bank=bank, strips=StripLessons(per_clip=4))
    out = tmp_path / "better.safetensors"
    steps = list(script.train(script.Run(out, minutes=0.02, recipe=recipe)))
    assert steps and all(0 <= iou <= 1 for _, _, iou in steps)
    before, after = (load_model(name)[0].state_dict() for name in ("tiny", str(out)))
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"strip_decoder"}
