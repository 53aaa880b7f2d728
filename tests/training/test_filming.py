"""Filming many scenes at once, as on an accelerator, beside one after the other."""

import dataclasses

import numpy as np
import pytest
import torch

from sam2flow_core.config.synthetic import AlterationConfig, BankConfig
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.training.bank import draw_record
from sam2flow_core.training.clips import summarise
from sam2flow_core.training.filming import FilmStudio, gather_matter
from sam2flow_core.training.framing import draw_framing
from sam2flow_core.training.scene_truth import clip_points

BANK = BankConfig(side=128, run=10, moments=4, moment=3, workers=0)
STAGE = StageConfig(1.0, ((64, 1.0),), 2, False, 0.0, ("flow",), frames=5, scattered_pairs=3, unsteady=0.4)
SPOILT = AlterationConfig(uneven=0.5, overlay=1.0, margin=1.0, defocus=0.5, bloodless=0.0, standing=1.0, drifts=1.0)


def framings(count, stage=STAGE, how=AlterationConfig()):  # noqa: B008
    config = dataclasses.replace(TRAINING["tiny"], bank=BANK, alterations=how)
    rng = np.random.default_rng(4)
    found = []
    for k in range(count):
        bank = dataclasses.replace(BANK, generators=((("streamlines", "discs")[k % 2], 1.0),))
        found.append(draw_framing(rng, draw_record(bank, np.random.default_rng(k)), 64, config, stage))
    return found, config


@pytest.mark.parametrize("how", [AlterationConfig(), SPOILT])
def test_both_generators_are_filmed_at_once(how):
    several, config = framings(5, how=how)
    clips = FilmStudio(config, torch.device("cpu")).film(several, np.random.default_rng(0), STAGE)
    assert len(clips) == 5
    for clip, framing in zip(clips, several, strict=True):
        assert clip.inputs.shape == (5, 3, 64, 64) and torch.isfinite(clip.inputs).all()
        assert clip.masks.shape == (framing.learned, 64, 64) and 1 <= framing.learned <= config.most_vessels
        assert clip.flow.shape == (2, framing.learned, 2, 64, 64)
        assert clip.statistics.shape == (1, 20, 32, 32) and torch.isfinite(clip.statistics).all()
        assert (clip.flow.abs().sum(2)[(clip.masks == 0).expand(2, -1, -1, -1)] == 0).all()
        assert (clip.field.inside <= 1).all() and clip.field.inside.any() == (clip.field.runs > 0).any()


def test_cells_of_a_batch_are_those_of_each_alone():
    several, _ = framings(3)
    points = clip_points(several, torch.device("cpu"))
    matter, depth = gather_matter(several, points)
    for k, framing in enumerate(several):
        alone, deep = gather_matter([framing], points[k : k + 1])
        assert torch.allclose(matter[k], alone[0], atol=1e-5) and torch.allclose(depth[k], deep[0], atol=1e-5)
        assert alone.abs().max() > 0.2, "there are cells"


def test_clips_are_summarised_together_as_one_by_one():
    torch.manual_seed(0)
    frames, first, second = torch.randn(3, 4, 32, 32), torch.randn(3, 5, 32, 32), torch.randn(3, 5, 32, 32)
    inputs, statistics, moving = summarise(frames, first, second)
    for k in range(3):
        one, told, moved = summarise(frames[k : k + 1], first[k : k + 1], second[k : k + 1])
        assert torch.allclose(inputs[k], one[0], atol=1e-4) and torch.allclose(statistics[k], told[0], atol=1e-4)
        assert torch.allclose(moving[k], moved[0], atol=1e-4) and moving[k].std() > 0.1


def test_some_recordings_have_no_blood():
    stage = dataclasses.replace(STAGE, parts=("field",), pairs=0)
    several, config = framings(2, stage, AlterationConfig(bloodless=1.0))
    clips = FilmStudio(config, torch.device("cpu")).film(several, np.random.default_rng(0), stage)
    assert all(not len(c.masks) and not c.field.inside.any() and not c.field.runs.any() for c in clips)
    assert all(torch.isfinite(c.inputs).all() for c in clips)
