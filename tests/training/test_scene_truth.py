"""Truth of framed scenes beside the exact truth of the generator."""

import dataclasses

import numpy as np
import pytest
import torch
from lumens import lumen_points

from sam2flow_core.config.synthetic import BankConfig, SceneSettings
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.synthetic import render_clip, sample_scene
from sam2flow_core.synthetic.record import RecordPlan
from sam2flow_core.synthetic.streamline_records import draw_streamline_record
from sam2flow_core.training.bank import draw_record
from sam2flow_core.training.field_truth import true_field
from sam2flow_core.training.framing import Framing, draw_framing
from sam2flow_core.training.scene_truth import StreamMaps, clip_points, true_fields, true_motion

SETTINGS = SceneSettings(plan=("branch", "single"), diameter_px=(6.0, 24.0), speed_bins_px=((2.0, 12.0),))
SIDE = 96
FRAMES = np.arange(4)
STAGE = StageConfig(1.0, ((64, 1.0),), 2, False, 0.0, ("flow",), frames=5, scattered_pairs=3)
BANK = BankConfig(side=128, run=8, moments=4, moment=2, first=2, workers=0)
CONFIG = dataclasses.replace(TRAINING["tiny"], bank=BANK)


@pytest.fixture(scope="module")
def scene():
    return sample_scene(np.random.default_rng(8), (SIDE, SIDE), SETTINGS)


@pytest.fixture(scope="module")
def record():
    return draw_streamline_record(np.random.default_rng(8), SIDE, SETTINGS, RecordPlan(FRAMES, 4, 1))


def looked_at(record, turns=0, mirror=False, zoom=1.0, backwards=False, side=SIDE):
    """The scene turned by quarters, mirrored, zoomed about its middle."""
    angle = turns * np.pi / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    matrix = turn @ np.diag([-1.0 if mirror else 1.0, 1.0])
    corner = np.full(2, (record.side - 1) / 2) - matrix @ np.full(2, (side - 1) / 2)
    vessels, rows = np.arange(len(record.travel)), np.arange(4)
    rows = rows[::-1] if backwards else rows
    return Framing(record, side, rows, rows, rows, matrix, corner, vessels, len(vessels), 0, 3, backwards, True)


def truth_of(framing):
    device = torch.device("cpu")
    maps = StreamMaps([framing], device)
    return true_motion([framing], maps, clip_points([framing], device)), true_fields([framing], maps)


def test_masks_flow_and_field_are_those_of_the_generator(scene, record):
    motion, field = truth_of(looked_at(record))
    clip = render_clip(scene, FRAMES, motion=False)
    seen = clip.masks[clip.masks.flatten(1).any(1)]
    overlap = (motion.masks.bool() & seen).sum() / (motion.masks.bool() | seen).sum()
    assert motion.masks.shape == seen.shape and overlap > 0.97
    stays = motion.masks.bool() & seen & (motion.weight == 1)
    apart = (motion.flow - clip.flow[:3][:, clip.masks.flatten(1).any(1)]).norm(dim=2)[stays]
    assert clip.flow.norm(dim=2).max() > 4
    assert apart.mean() < 0.02 and apart.quantile(0.99) < 0.3, (apart.mean(), apart.quantile(0.99), apart.max())
    true = true_field(lumen_points(scene))
    assert (field.inside[0] - true.inside).abs().mean() < 0.01
    assert (field.runs[0] - true.runs).abs().mean() < 0.005
    sure = torch.maximum(true.runs[:8], true.runs[8:]) > 0.6
    assert sure.sum() > 50
    assert (field.offset[0] - true.offset)[sure].abs().max() < 0.15
    assert (field.log_radius[0] - true.log_radius)[sure].abs().max() < 0.1
    assert (field.ends[0] - true.ends).abs().max() < 1e-4


@pytest.mark.parametrize(("turns", "mirror"), [(1, False), (2, True), (3, True)])
def test_a_turned_scene_has_turned_truth(record, turns, mirror):
    plain, _ = truth_of(looked_at(record))
    turned, other = truth_of(looked_at(record, turns, mirror))
    matrix = looked_at(record, turns, mirror).inverse
    line = np.arange(SIDE)
    places = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) - (SIDE - 1) / 2
    x, y = np.rint(places @ matrix.T + (SIDE - 1) / 2).astype(int).T
    mask = turned.masks[:, y, x].view(-1, SIDE, SIDE)
    assert (mask - plain.masks).abs().mean() < 0.002
    flow = turned.flow[..., y, x].view_as(plain.flow)
    expected = torch.einsum("ij,pvjyx->pviyx", torch.from_numpy(matrix).float(), plain.flow)
    same = (mask * plain.masks).bool()
    assert (flow - expected).norm(dim=2)[:, same].max() < 0.05
    points = lumen_points(sample_scene(np.random.default_rng(8), (SIDE, SIDE), SETTINGS))
    exact = true_field(points.turned(turns, mirror))
    assert (other.runs[0] - exact.runs).abs().mean() < 0.006


def test_zoomed_twice_moves_twice_as_far(record):
    plain, near = truth_of(looked_at(record))[0], truth_of(looked_at(record, zoom=2.0))[0]
    quarter = slice(SIDE // 4, 3 * SIDE // 4)
    shrunk = torch.nn.functional.avg_pool2d(near.flow.flatten(0, 1), 2).view(*near.flow.shape[:3], SIDE // 2, -1)
    inner = torch.nn.functional.avg_pool2d(near.masks[None], 2)[0] == 1
    apart = (shrunk / 2 - plain.flow[..., quarter, quarter]).norm(dim=2)[:, inner]
    assert inner.sum() > 100 and apart.mean() < 0.1


def test_backwards_the_matter_returns(record):
    """From where it went in the last pair it comes back in the first pair of the reversed clip."""
    plain, back = truth_of(looked_at(record))[0], truth_of(looked_at(record, backwards=True))[0]
    vessel, y, x = torch.nonzero((plain.masks > 0) & (plain.weight[2] == 1), as_tuple=True)
    move = plain.flow[2, vessel, :, y, x]
    to_x, to_y = (x + move[:, 0]).round().long(), (y + move[:, 1]).round().long()
    there = back.masks[vessel, to_y, to_x] > 0
    returned = back.flow[0, vessel, :, to_y, to_x][there]
    assert there.float().mean() > 0.9
    assert (returned + move[there]).norm(dim=1).median() < 0.3


def test_a_batch_is_its_clips_one_by_one():
    rng = np.random.default_rng(3)
    framings = [draw_framing(rng, draw_record(BANK, np.random.default_rng(k)), 64, CONFIG, STAGE) for k in range(3)]
    device = torch.device("cpu")
    maps = StreamMaps(framings, device)
    motion = true_motion(framings, maps, clip_points(framings, device))
    fields = true_fields(framings, maps)
    start = 0
    for k, framing in enumerate(framings):
        alone, field = truth_of(framing)
        mine = slice(start, start := start + framing.learned)
        assert torch.equal(alone.masks, motion.masks[mine])
        # Steps along a streamline are as many as the fastest clip of the batch needs.
        assert torch.allclose(alone.flow, motion.flow[:, mine], atol=0.2)
        assert all(torch.allclose(x[0], y[k], atol=1e-5) for x, y in zip(field, fields, strict=True))
