"""There and back again: the forward-backward error of pairs spread over a recording."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.config.model import preset
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.round_trip import answer_back, round_trip_error
from sam2flow_core.model.cost_volume import span
from sam2flow_core.model.flow_net import FlowNet
from sam2flow_core.stack import FramePlan

TUBE = np.zeros((30, 80), bool)
TUBE[10:20] = True


def uniform(dx: float, dy: float = 0.0) -> np.ndarray:
    return np.where(TUBE, np.array([dx, dy], np.float32)[:, None, None], 0).astype(np.float32)


def test_who_goes_back_the_way_they_came_is_home():
    assert round_trip_error(uniform(7.3), uniform(-7.3), TUBE) == pytest.approx(0, abs=1e-4)


def test_a_way_back_that_is_shorter_or_aside_leaves_that_distance():
    assert round_trip_error(uniform(7.0), uniform(-4.0), TUBE) == pytest.approx(3, abs=1e-4)
    assert round_trip_error(uniform(7.0), uniform(-7.0, 2.0), TUBE) == pytest.approx(2, abs=1e-4)
    assert round_trip_error(uniform(7.0), uniform(7.0), TUBE) == pytest.approx(14, abs=1e-4)


def test_the_way_back_is_read_where_the_way_there_ends():
    speeds = np.linspace(2, 6, 80, dtype=np.float32)
    there = np.where(TUBE, speeds, 0)[None] * np.array([1, 0], np.float32)[:, None, None]
    target = np.arange(80) + speeds
    back = -np.interp(np.arange(80), target, speeds).astype(np.float32)
    field = np.where(TUBE, back, 0)[None] * np.array([1, 0], np.float32)[:, None, None]
    assert round_trip_error(there, field, TUBE) < 0.02


def test_nothing_is_said_where_the_flow_leaves_the_mask():
    assert np.isnan(round_trip_error(uniform(90.0), uniform(-90.0), TUBE))
    assert np.isnan(round_trip_error(uniform(1.0), uniform(-1.0), np.zeros_like(TUBE)))


@pytest.mark.parametrize("frames", [2, 3, 14, 64, 65, 66, 400])
@pytest.mark.parametrize("every", [1, 3])
def test_every_recording_has_checked_pairs_spread_evenly(frames, every):
    plan = FramePlan(((5, 5 + frames),), every)
    checked = [t for t in plan.answered.tolist() if plan.checked(t, 64)]
    assert len(checked) == max(1, round(len(plan.answered) / 64))
    assert (np.diff(checked) == 64 * every).all()


def test_checking_says_how_far_and_changes_no_answer(predictor, video, vessel):
    def answers(every: int):
        settings = replace(predictor.settings, check_every=every)
        mine = SAM2FlowPredictor(predictor.model, torch.device("cpu"), {}, settings)
        state = mine.init_state(video, stabilise=False)
        mine.add_new_mask(state, 0, 1, vessel)
        return [step.vessels[0] for step in mine.stream(state)]

    often, seldom = answers(1), answers(64)
    assert all(np.array_equal(a.flow, b.flow) for a, b in zip(often[:-1], seldom[:-1], strict=True))
    assert np.isfinite([v.round_trip for v in often[:-1]]).all() and np.isnan(often[-1].round_trip)
    assert [t for t, v in enumerate(seldom) if np.isfinite(v.round_trip)] == [6]
    assert max(v.round_trip for v in often[3:-4]) < 1.0  # flow of 3 px, by a network that has learned nothing


def test_the_way_back_sees_the_frames_in_the_other_order():
    torch.manual_seed(0)
    net = FlowNet(preset("tiny")).eval()
    mask = torch.zeros(1, 64, 96)
    mask[0, 24:40] = 1
    layout = net.lay_out(mask, torch.zeros(1, dtype=torch.long), (32, 48))
    recorded = {f: torch.randn(1, net.config.match.feature_dim, 32, 48) for f in range(40)}
    contrast = {f: torch.rand(layout.cells.count) for f in recorded}
    context = torch.randn(1, net.config.mask.d_model, 16, 24)
    with torch.inference_mode():
        found = answer_back(net, layout, recorded.__getitem__, contrast.__getitem__, range(40), 20, context)
        turned = {-f: x for f, x in recorded.items()}
        lags, window = net.config.match.lags, max(net.config.match.windows)
        volumes = {
            (row, k): net.correlation(turned, row, k, layout)
            for row, lag in enumerate(lags)
            for k in span(-21, window, lag, causal=False)
            if k in turned and k + lag in turned
        }
        weights = {-f: x for f, x in contrast.items()}
        cost_volume = net.cost_volume(volumes, -21, layout, causal=False, contrast=weights)
        wanted = net(turned[-21], turned[-20], cost_volume, context, layout, [[]], -21)
    assert torch.equal(found.fine, wanted.fine) and found.fine.abs().max() > 0
