import numpy as np
import pytest
import torch
from lumens import lumen_points

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.model.vessel_field import DIRECTIONS, FIELD_STRIDE, ORIENTATIONS
from sam2flow_core.synthetic import render_clip, sample_scene
from sam2flow_core.training.field_truth import field_loss, true_field


@pytest.fixture(scope="module")
def scene():
    return sample_scene(np.random.default_rng([9, 4]), (96, 96), SceneSettings(plan=("branch", "single")))


def test_directions_are_those_of_the_flow(scene):
    """The strongest direction at a place is the direction of the true flow there."""
    clip = render_clip(scene, [0, 1], motion=False)
    truth = true_field(lumen_points(scene))
    single = clip.masks.sum(0) == 1
    apart = []
    for vessel, mask in zip(clip.flow[0], clip.masks, strict=True):
        for y, x in np.argwhere((mask & single).numpy())[::40]:
            dx, dy = vessel[:, y, x].tolist()
            runs = truth.runs[:, y // FIELD_STRIDE, x // FIELD_STRIDE].numpy()
            if runs.sum() < 0.9:  # the cell's middle lies outside
                continue
            turn = np.exp(2j * np.pi * np.arange(DIRECTIONS) / DIRECTIONS)
            apart.append(abs(np.angle((runs * turn).sum() / np.exp(1j * np.arctan2(dy, dx)))))
    assert len(apart) > 10
    assert np.median(apart) < 0.1


def test_turning_points_turns_the_field(scene):
    """Inside, ends, and the share of directions: a quarter turn takes direction k to k - 4, a mirror to 8 - k."""
    points = lumen_points(scene)
    plain, turned, mirrored = (true_field(p) for p in (points, points.turned(1, False), points.turned(0, True)))
    assert torch.equal(turned.inside, torch.rot90(plain.inside, 1, (-2, -1)))
    assert torch.allclose(turned.ends, torch.rot90(plain.ends, 1, (-2, -1)), atol=1e-5)
    assert torch.allclose(turned.runs, torch.rot90(plain.runs.roll(-4, 0), 1, (-2, -1)), atol=1e-5)
    back = [(8 - k) % DIRECTIONS for k in range(DIRECTIONS)]
    assert torch.allclose(mirrored.runs, plain.runs[back].flip(-1), atol=1e-5)


def test_offset_grows_from_wall_to_wall(scene):
    truth = true_field(lumen_points(scene))
    sure = torch.maximum(truth.runs[:ORIENTATIONS], truth.runs[ORIENTATIONS:]) > 0.6
    assert truth.offset[sure].min() < -0.7 and truth.offset[sure].max() > 0.7
    assert truth.log_radius[sure].exp().min() > 1.0


def test_branches_end_where_they_meet(scene):
    truth = true_field(lumen_points(scene))
    assert truth.ends.max() > 0.9
    assert (truth.ends > 0.5).float().mean() < 0.05


def test_the_truth_has_the_least_loss(scene):
    truth = true_field(lumen_points(scene))
    batch = type(truth)(*(x[None] for x in truth))
    logits = [torch.logit(x.clamp(0.001, 0.999)) for x in batch[:3]]
    right = field_loss(type(truth)(*logits, batch.offset, batch.log_radius), batch)[0]
    wrong = field_loss(type(truth)(*(-x for x in logits), batch.offset + 0.5, batch.log_radius + 1), batch)[0]
    assert right < 0.7 < wrong
