import math

import pytest
import torch

from sam2flow_core.config.model import preset
from sam2flow_core.model.cost_volume import (
    Pool,
    along,
    correlate,
    pool_along,
    slow_bins,
    span,
    speed_bins,
    trace_streamlines,
)
from sam2flow_core.model.features import PatchEncoder
from sam2flow_core.model.sparse_cells import direction_field, find_cells

MATCH = preset("tiny").match


def strip(angle: float, side: int = 128, half_width: float = 5.0) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(side) - side / 2, torch.arange(side) - side / 2, indexing="ij")
    across = -math.sin(angle) * x + math.cos(angle) * y
    return (across.abs() < half_width).float()[None]


def streamlines_of(mask: torch.Tensor):
    cells = find_cells(mask, torch.zeros(len(mask), dtype=torch.long), MATCH.stride)
    coverage = torch.nn.functional.avg_pool2d(mask[:, None], MATCH.stride)[:, 0]
    return cells, trace_streamlines(cells, coverage, (mask.shape[1] // 2, mask.shape[2] // 2), MATCH)


def textured(shift_x: float, shift_y: float) -> torch.Tensor:
    """Noise that moves, band-limited so that it can be shifted by parts of a px (Fourier shift)."""
    torch.manual_seed(3)
    spectrum = torch.fft.fft2(torch.randn(128, 128))
    f = torch.fft.fftfreq(128)
    low = torch.exp(-((f[:, None] ** 2 + f[None] ** 2) / (2 * 0.08**2)))
    turn = torch.exp(-2j * math.pi * (f[:, None] * shift_y + f[None] * shift_x))
    image = torch.fft.ifft2(spectrum * low * turn).real
    image = image / image.std()
    return torch.stack([image, torch.zeros_like(image), torch.zeros_like(image)])[None]


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120, 170])
@pytest.mark.parametrize("half_width", [0.6, 5.0, 14.0])
def test_direction_of_a_straight_vessel(degrees, half_width):
    mask = strip(math.radians(degrees), half_width=half_width)
    coverage = torch.nn.functional.avg_pool2d(mask[:, None], 4)[:, 0]
    field = direction_field(coverage)[0, :, 14:18, 14:18].flatten(1)[:, coverage[0, 14:18, 14:18].flatten() > 0]
    got = torch.rad2deg(0.5 * torch.atan2(field[1], field[0]))
    off = (got - degrees + 90) % 180 - 90
    assert off.abs().median() < (6 if half_width < 1 else 4)


def test_paths_follow_a_ring():
    y, x = torch.meshgrid(torch.arange(128) - 64.0, torch.arange(128) - 64.0, indexing="ij")
    radius = torch.sqrt(x**2 + y**2)
    mask = ((radius > 35) & (radius < 45)).float()[None]
    cells, streamlines = streamlines_of(mask)
    points = along(streamlines.path, torch.full((cells.count, 1), 24.0), MATCH.stride)[:, 0]
    start = (cells.position - 64).norm(dim=1)
    end = (points - 64).norm(dim=1)
    assert (end - start).abs().median() < 2.0


@pytest.mark.parametrize("speed", [-14.0, -3.0, -0.5, 0.0, 0.25, 1.0, 6.0, 20.0])
def test_cost_volume_peaks_at_the_true_speed(speed):
    """Matching works before anything is learned."""
    encoder = PatchEncoder(MATCH)
    cells, streamlines = streamlines_of(strip(0.0))
    with torch.no_grad():
        first, second = encoder(textured(0, 0)), encoder(textured(speed, 0))
        volume = correlate(first, second, streamlines, 0)[:, :, None]
        pooled = pool_along(volume, streamlines)[1][..., 0]
    inner = (cells.position[:, 0] > 45) & (cells.position[:, 0] < 83)
    sign = torch.sign(streamlines.tangent[inner, 0])
    got = streamlines.bins[pooled[inner].argmax(1)] * sign
    step = 0.25 if abs(speed) <= 2 else 1.0
    assert abs(float(got.median()) - speed) <= step
    assert ((got - speed).abs() <= 2.0).float().mean() > 0.9


@pytest.mark.parametrize("speed", [-0.25, 0.25, 0.5])
def test_long_lags_see_slow_flow_sharply(speed):
    encoder = PatchEncoder(MATCH)
    cells, streamlines = streamlines_of(strip(0.0))
    row = len(MATCH.lags) - 1
    with torch.no_grad():
        first, later = encoder(textured(0, 0)), encoder(textured(speed * MATCH.lags[row], 0))
        volume = correlate(first, later, streamlines, row)
    inner = (cells.position[:, 0] > 45) & (cells.position[:, 0] < 83)
    bins = streamlines.bins[slow_bins(streamlines, volume.shape[1])]
    got = bins[volume[inner].argmax(1)] * torch.sign(streamlines.tangent[inner, 0])
    assert (got == speed).float().mean() > 0.9
    assert float(bins.max()) * MATCH.lags[row] <= MATCH.max_displacement  # a fast cell would be out of reach by then


def test_pairs_lie_evenly_around_the_motion_or_before_it():
    assert list(span(10, 1, 1, causal=False)) == [10]
    assert list(span(10, 5, 3, causal=False)) == [7, 8, 9, 10, 11]  # middles 8.5 to 12.5, as of 10 to 11
    for lag in (1, 3, 9):
        assert max(span(10, 25, lag, causal=True)) + lag == 11


def test_pooling_turns_cells_that_run_the_other_way():
    _, streamlines = streamlines_of(strip(0.0))
    sign = torch.sign(streamlines.tangent[:, :1])
    volume = torch.exp(-((streamlines.bins[None] * sign - 5) ** 2))[:, :, None]
    for pooled in pool_along(volume, streamlines):
        best = streamlines.bins[pooled[..., 0].argmax(1)] * sign[:, 0]
        assert torch.all(best == 5)


def test_cells_met_the_other_way_round_are_pooled_with_their_speeds_reversed():
    follow = torch.tensor([[1, 2], [0, 3], [3, 0]])  # 3: none there
    against = torch.tensor([[False, True], [True, False], [True, True]])
    volume = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0))
    pooled = Pool.of(follow, against).read(volume)
    torch.testing.assert_close(pooled[0], (volume[1] + volume[2].flip(0)) / 2)
    torch.testing.assert_close(pooled[1], volume[0].flip(0))
    torch.testing.assert_close(pooled[2], volume[0].flip(0))


def test_where_no_cell_runs_the_other_way_nothing_is_turned():
    volume = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0))
    pooled = Pool.of(torch.tensor([[0, 1], [1, 2]]), torch.zeros(2, 2, dtype=torch.bool)).read(volume)
    torch.testing.assert_close(pooled, torch.stack([volume.mean(0), volume[1]]))


def test_speed_bins_are_symmetric_and_reach():
    bins = speed_bins(48.0)
    assert torch.equal(bins, -bins.flip(0))
    assert bins.max() == 48 and (bins[1:] > bins[:-1]).all()
