"""A vessel as a whole: its cells' directions turned alike, what they see averaged, its speed followed through time."""

import math
from dataclasses import replace

import pytest
import torch

from sam2flow_core.config.model import PRESETS
from sam2flow_core.model.cost_volume import speed_bins, trace_streamlines
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.sparse_cells import coverage_of, find_cells
from sam2flow_core.model.whole_vessel import SpeedPath, WholeVessels, find_whole_vessels
from sam2flow_core.training.initial_weights import with_whole_vessels

MATCH = PRESETS["tiny"].match
BINS = speed_bins(MATCH.max_displacement)


def _whole(mask: torch.Tensor) -> tuple[WholeVessels, torch.Tensor, torch.Tensor]:
    cells = find_cells(mask, torch.zeros(len(mask), dtype=torch.long), MATCH.stride)
    streamlines = trace_streamlines(
        cells, coverage_of(mask, MATCH.stride), (mask.shape[1] // 2, mask.shape[2] // 2), MATCH
    )
    return find_whole_vessels(cells, streamlines.tangent), streamlines.tangent, cells.position


def _ring(side: int, radius: float, half_width: float) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    far = torch.hypot(x - side / 2 + 0.5, y - side / 2 + 0.5)
    open_below = y < side * 0.8
    return (((far - radius).abs() < half_width) & open_below)[None]


def test_directions_run_one_way_round_a_bend() -> None:
    whole, tangent, position = _whole(_ring(160, 50.0, 8.0))
    assert whole.count == 1
    out = position - 79.5
    round_ = torch.stack([-out[:, 1], out[:, 0]], 1) / out.norm(dim=1, keepdim=True)
    turning = (tangent * round_).sum(1) * whole.sign
    assert turning.abs().mean() > 0.9
    assert turning.mean().abs() > 0.9


def test_pieces_that_do_not_touch_and_vessels_that_cross_are_kept_apart() -> None:
    masks = torch.zeros(2, 96, 96, dtype=torch.bool)
    masks[0, 40:52, :30] = masks[0, 40:52, 60:] = True
    masks[1, :, 44:54] = True
    whole, _, position = _whole(masks)
    assert whole.count == 3
    # The first piece that is found of each vessel comes first: left, then the vertical one, then right.
    seen = torch.arange(len(position), dtype=torch.float32)[:, None].expand(-1, 3)
    mean = whole.average(seen, torch.ones_like(seen))
    assert mean.shape == (3, 3)
    assert all(len(set(whole.piece[whole.piece == k].tolist())) == 1 for k in range(3))


def test_a_cell_that_runs_against_its_vessel_is_read_backwards_and_given_it_backwards() -> None:
    whole = WholeVessels(torch.tensor([0, 0]), torch.tensor([1.0, -1.0]), torch.ones(2) * 1e6, torch.tensor([0]))
    forward = torch.tensor([0.0, 0.0, 1.0])
    seen = torch.stack([forward, forward.flip(0)])
    mean = whole.average(seen, torch.ones_like(seen))
    assert mean[0] == pytest.approx(forward, abs=1e-4)
    assert whole.to_cells(mean) == pytest.approx(seen, abs=1e-4)


def _peaks(speeds: list[float], lag: int, height: float) -> torch.Tensor:
    """What a vessel of these speeds shows at a lag: (1, B, T), a peak over a floor of chance hits."""
    draws = torch.Generator().manual_seed(1)
    seen = 0.03 * torch.randn(len(BINS), len(speeds), generator=draws)
    width = 0.1 * BINS.abs()[:, None] + 0.3
    seen += height * torch.exp(-0.5 * ((BINS[:, None] - torch.tensor(speeds)) / width) ** 2)
    seen[(BINS * lag).abs() > MATCH.max_displacement] = 0
    return seen[None]


def test_a_frame_that_misleads_is_outvoted_by_its_neighbours() -> None:
    speeds = [20.0 + 3 * math.sin(t / 4) for t in range(25)]
    seen = torch.stack([_peaks(speeds, lag, 0.15) for lag in MATCH.lags], -1)
    alias = int((BINS + 9.0).abs().argmin())
    seen[0, alias, 11:14, 0] = 0.2
    path = SpeedPath(len(MATCH.lags))
    with torch.no_grad():
        best = BINS[path(seen, 12).argmax(1)]
        alone = BINS[path(torch.where(torch.arange(25)[:, None] == 12, seen, 0.0), 12).argmax(1)]
    assert float(best) == pytest.approx(speeds[12], rel=0.1)
    assert float(alone) == pytest.approx(-9.0, abs=0.6)  # the frame by itself does mislead


def test_the_path_turns_round_with_the_vessel() -> None:
    seen = torch.stack([_peaks([6.0] * 25, lag, 0.3) for lag in MATCH.lags], -1)
    path = SpeedPath(len(MATCH.lags))
    with torch.no_grad():
        there, back = path(seen, 12), path(seen.flip(1), 12)
    assert back.flip(1) == pytest.approx(there, abs=1e-3)


def test_a_network_that_knows_no_whole_vessels_says_the_same_until_the_path_is_listened_to() -> None:
    tiny = PRESETS["tiny"]
    before = SAM2Flow(replace(tiny, match=replace(MATCH, whole_vessel=False))).eval()
    after = with_whole_vessels(before).eval()
    with torch.no_grad():
        after.flow.cost_volume_net.prior[-len(MATCH.lags) - 1] = 0.0
        answers = [_first_speed(model) for model in (before, after)]
    assert answers[1] == pytest.approx(answers[0], abs=1e-4)
    assert _first_speed(with_whole_vessels(before).eval()) != pytest.approx(answers[0], abs=1e-4)


def _first_speed(model: SAM2Flow) -> torch.Tensor:
    torch.manual_seed(2)
    images = torch.randn(6, 3, 64, 64)
    masks = torch.zeros(1, 64, 64, dtype=torch.bool)
    masks[:, 24:40] = True
    net = model.flow
    with torch.no_grad():
        features = dict(enumerate(net.describe(images).split(1)))
        layout = net.lay_out(masks, torch.zeros(1, dtype=torch.long), (32, 32))
        pairs = [(row, k) for row, lag in enumerate(MATCH.lags) for k in range(6 - lag)]
        volumes = {(row, k): net.correlation(features, row, k, layout) for row, k in pairs}
        context = torch.zeros(1, model.config.mask.d_model, 16, 16)
        return net.first_flow(net.cost_volume(volumes, 2, layout, causal=False), context, layout).speed
