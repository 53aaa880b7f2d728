"""Memory by matching learns from tissue that moves: the truth moves with it, and what is lost counts as lost."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sam2flow_core.config.training import MotionLessons
from sam2flow_core.model.matched_memory import MatchedMemory, RememberedFrame, look_up
from sam2flow_core.training.matching_part import MovedClips, _Following, move, spoil, way_between

SIDE, FRAMES = 160, 5
WANDERING = MotionLessons(still=0.0, bends=1.0, drifting_focus=0.0, faults=0.0, vanishing=0.0, noise=0.0)


def moved(lessons: MotionLessons = WANDERING, seed: int = 0) -> MovedClips:
    """Two clips of still texture with three vessels that differ from it."""
    torch.manual_seed(seed)
    texture = F.avg_pool2d(torch.randn(2, 1, SIDE, SIDE), 7, 1, 3) * 5
    masks = torch.zeros(3, SIDE, SIDE)
    masks[0, 70:78], masks[1, :, 60:90], masks[2, 90:100] = 1, 1, 1
    texture[0, 0] += masks[0] + masks[1]
    texture[1, 0] -= masks[2]
    inputs = torch.cat([texture, texture, 0 * texture], 1)[:, None].repeat(1, FRAMES, 1, 1, 1)
    owner = torch.tensor([0, 0, 1])
    return move(inputs, masks, owner, list(range(FRAMES)), lessons, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(3))
def test_masks_and_pictures_move_with_the_tissue(seed):
    """What is read along the true way from one frame to another is what is seen there."""
    clips = moved(seed=seed)
    way, inside = (
        F.interpolate(x, clips.masks.shape[-2:]) for x in way_between(clips.fields[:, 4], clips.fields[:, 1])
    )
    carried = look_up(clips.masks[1][:, None], way[clips.owner])[0][:, 0]
    sure = inside[clips.owner][:, 0] > 0.5
    both = ((carried > 0.5) & (clips.masks[4] > 0.5) & sure).sum()
    assert both > 0.85 * (((carried > 0.5) | (clips.masks[4] > 0.5)) & sure).sum()
    frame = look_up(clips.inputs[:, 1, :1], way)[0]
    there = (inside > 0.5).expand_as(frame)
    left = (frame - clips.inputs[:, 4, :1])[there].std()
    assert left < 0.6 * (clips.inputs[:, 1, :1] - clips.inputs[:, 4, :1])[there].std()


def test_tissue_that_stands_still_is_left_as_it_was():
    clips = moved(MotionLessons(still=1.0))
    assert not clips.fields.any() and bool((clips.masks == clips.masks[:1]).all())
    assert clips.inputs.shape[-1] == SIDE - 2 * WANDERING.margin


def test_the_first_frame_is_never_spoilt_and_lost_frames_are_not_seen():
    lessons = MotionLessons(still=1.0, drifting_focus=0.0, faults=1.0, vanishing=1.0, noise=0.0)
    lost = 0
    for seed in range(4):
        before = moved(lessons, seed)
        kept = before.inputs.clone()
        clips = spoil(before, lessons, np.random.default_rng(seed))
        assert torch.equal(clips.inputs[:, 0], kept[:, 0]) and clips.present[0].all()
        changed = (clips.inputs != kept).flatten(2).any(2)
        for frame in range(1, FRAMES):
            for vessel, image in enumerate(clips.owner.tolist()):
                gone = not bool(clips.present[frame, vessel]) or not bool(clips.known[frame, vessel])
                assert bool(changed[image, frame]) or not gone
                lost += gone
    assert lost > 5


def test_a_vessel_is_answered_alike_alone_and_among_others():
    torch.manual_seed(0)
    clips, memory = moved(), MatchedMemory((8, 8, 8, 8)).eval()
    torch.nn.init.normal_(memory.head.weight)
    with torch.no_grad():
        now, then = memory.view(clips.inputs[:, 2]), memory.view(clips.inputs[:, 0])
        masks, ones = F.avg_pool2d(clips.masks[0][:, None], 2)[:, 0], torch.ones(3)
        together = memory(now, clips.owner, [RememberedFrame(then, masks, ones, 2 * ones)], [memory.match(now, then)])
        here, before = now.of(torch.tensor([1])), then.of(torch.tensor([1]))
        recalled = RememberedFrame(before, masks[2:], ones[:1], 2 * ones[:1])
        alone = memory(here, torch.tensor([0]), [recalled], [memory.match(here, before)])
    for a, b in zip(together, alone, strict=True):
        assert torch.allclose(a[2], b[0], atol=1e-4)


def test_the_loss_falls_and_every_weight_learns():
    torch.manual_seed(0)
    clips, memory = moved(), MatchedMemory((8, 8, 8, 8))
    optimiser = torch.optim.AdamW(memory.parameters(), 3e-3)
    losses = []
    for _ in range(8):
        loss, figures = _Following(memory, clips, WANDERING, np.random.default_rng(0)).run(clips.masks[0])
        optimiser.zero_grad()
        loss.backward()
        if not losses:
            silent = [name for name, p in memory.named_parameters() if p.grad is None]
            assert silent == []
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.9 * losses[0], losses
    assert 0 <= float(figures["iou_memory"]) <= 1
