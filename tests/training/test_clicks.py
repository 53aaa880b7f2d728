"""Simulated users: first clicks, boxes and masks, corrections, rough masks; all vessels of a batch at once."""

import dataclasses

import numpy as np
import pytest
import torch

from sam2flow_core.config.training import TRAINING
from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, PADDING, POSITIVE
from sam2flow_core.training.clicks import (
    corrective_clicks,
    draw_first_prompts,
    draw_point,
    first_boxes,
    first_clicks,
    roughen,
)
from sam2flow_core.training.initial_weights import initial_model

SIZE = (96, 96)


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def masks() -> torch.Tensor:
    """A wide vessel, a thin one, and one that has left the frame."""
    m = torch.zeros(3, *SIZE)
    m[0, 40:52], m[1, :, 30] = 1, 1
    return m


@pytest.fixture
def outside(masks) -> torch.Tensor:
    return (masks.amax(0) == 0)[None]


@pytest.mark.parametrize("seed", range(5))
def test_first_clicks_lie_in_their_vessels_and_beside_all(masks, outside, seed):
    points, labels = first_clicks(masks, outside, draws(seed))
    assert labels[:, 0].tolist() == [POSITIVE, POSITIVE, PADDING, POSITIVE]
    for region, (x, y) in zip((masks[0], masks[1], outside[0]), points[[0, 1, 3], 0].long().tolist(), strict=True):
        assert region[y, x] == 1


def test_clicks_keep_clear_of_walls():
    """A user aims at the middle: walls are hit less often than their share of the px."""
    wide = torch.zeros(400, *SIZE)
    wide[:, 40:60] = 1
    points, _ = first_clicks(wide, torch.zeros(1, *SIZE) == 1, draws())
    y = points[:400, 0, 1]
    assert ((y >= 40) & (y < 60)).all()
    assert ((y < 42) | (y >= 58)).float().mean() < 0.15


@pytest.mark.parametrize("seed", range(10))
def test_corrections_lie_in_the_error(seed):
    truth, guess = torch.zeros(4, 20, 20), torch.zeros(4, 20, 20)
    truth[0, 5:10], guess[0, 12:15] = 1, 1  # both kinds of error
    truth[1, 5:10] = guess[1, 5:10] = 1  # none
    guess[2, 4:6] = 1  # there is no vessel
    points, labels = corrective_clicks(truth, guess, draws(seed))
    x, y = points[0, 0].long().tolist()
    assert (truth if labels[0, 0] == POSITIVE else guess)[0, y, x] == 1
    x, y = points[1, 0].long().tolist()
    assert labels[1, 0] == POSITIVE and truth[1, y, x] == 1
    x, y = points[2, 0].long().tolist()
    assert labels[2, 0] == NEGATIVE and guess[2, y, x] == 1
    assert labels[3, 0] == PADDING


def test_nothing_to_click():
    assert draw_point(np.zeros((4, 4), bool), np.random.default_rng(0)) is None


def test_roughened_masks_stay_near_the_truth_and_differ():
    mask = torch.zeros(40, 64, 64)
    mask[:, 20:40] = 1
    rough = roughen(mask, draws())
    agree = (rough * mask).sum((1, 2)) / torch.maximum(rough, mask).sum((1, 2))
    assert (agree > 0.6).all() and (agree == 1).any() and (agree < 1).any()


def test_roughness_never_loses_a_thin_vessel():
    thin = torch.zeros(40, 64, 64)
    thin[:, 20:22] = 1
    assert (roughen(thin, draws()).sum((1, 2)) > 0.3 * 128).all()


def test_boxes_lie_around_their_vessels(masks, outside):
    points, labels = first_boxes(masks, outside, draws())
    assert labels.tolist() == [[BOX_FIRST, BOX_SECOND], [BOX_FIRST, BOX_SECOND], [PADDING] * 2, [BOX_FIRST, BOX_SECOND]]
    for box, exact in ((points[0], [[0, 40], [95, 51]]), (points[1], [[30, 0], [30, 95]])):
        assert (box - torch.tensor(exact)).abs().max() <= 10
    assert (points[3, 1] > points[3, 0]).all()


@pytest.mark.parametrize(("boxes", "given"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_first_prompts_are_of_the_kind_that_is_asked_for(masks, outside, boxes, given):
    model = initial_model("tiny", "tiny", None)
    config = dataclasses.replace(TRAINING["tiny"], first_boxes=boxes, first_masks=given)
    first = draw_first_prompts(model, masks[:2], outside, config, np.random.default_rng(4), draws())
    assert first.ambiguous == (not boxes and not given)
    assert (first.given is not None) == (first.prompts.masks is not None) == bool(given)
    expected = {BOX_FIRST, BOX_SECOND} if boxes else {PADDING} if given else {POSITIVE}
    assert set(first.prompts.labels.flatten().tolist()) == expected
    if given:
        assert torch.equal(first.prompts.masks[:2, 0] > 0, torch.nn.functional.avg_pool2d(masks[:2], 4) > 0.5)
