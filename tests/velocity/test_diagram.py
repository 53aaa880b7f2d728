from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from sam2flow_core.velocity import measure_vessel, summary_table

from .vessels import Calibrated, make_scene


def train(seed: int, count: int = 128) -> np.ndarray:
    """Return the brightness of `count` cells at uneven distances along 2048 px."""
    gaps = np.random.default_rng(seed).gamma(9, 1, count) + 6
    places = np.cumsum(gaps * 2048 / gaps.sum())
    distance = np.abs(np.arange(2048)[:, None] - places)
    return 3 * np.exp(-(np.minimum(distance, 2048 - distance) ** 2) / 8).sum(axis=1)


@pytest.mark.parametrize("velocity", [2.0, 5.0])
def test_flux_of_single_cells(velocity):
    scene = make_scene(np.full(400, velocity), pattern=train(3), radius=4, shape=(40, 160), noise=5)
    measured = measure_vessel(scene.track, scene.images, Calibrated())
    assert summary_table([measured]).flux_cells_s[0] == pytest.approx(velocity * 100 * 128 / 2048, rel=0.08)
    assert measured.cells.spacing == pytest.approx(2048 / 128, rel=0.08)


@pytest.mark.parametrize("seed", [0, 1])
def test_flux_of_relief_shaded_cells_that_follow_each_other_closely(seed):
    """One flank is bright, one dark: beside a near neighbour half of a peak's height is not half of the cell's."""
    gaps = 9 + np.random.default_rng(seed).exponential(7, 120)
    distance = np.arange(2048)[:, None] - np.cumsum(gaps * 2048 / gaps.sum())
    distance = (distance + 1024) % 2048 - 1024
    thickness = np.sqrt(np.clip(1 - (distance / 4) ** 2, 0, 1)).sum(axis=1)
    pattern = 9 * np.gradient(gaussian_filter1d(thickness, 1, mode="wrap"))
    scene = make_scene(np.full(400, 3.0), pattern=pattern, radius=4, shape=(40, 160), noise=5)
    measured = measure_vessel(scene.track, scene.images, Calibrated())
    assert measured.cells.flux_per_frame == pytest.approx(3.0 * 120 / 2048, rel=0.05)


def test_no_flux_where_cells_cannot_be_told_apart(parabola_scene):
    measured = measure_vessel(parabola_scene.track, parabola_scene.images, Calibrated())
    assert np.isnan(summary_table([measured]).flux_cells_s[0])
    drowned = make_scene(np.full(400, 3.0), pattern=train(3), radius=4, shape=(40, 160), noise=120)
    assert np.isnan(measure_vessel(drowned.track, drowned.images, Calibrated()).cells.flux_per_frame)


def test_no_flux_where_cells_pass_in_clumps():
    """Two and three that touch look like one: the peaks are clear, their number is not that of the cells."""
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 4, 60)
    gaps = rng.gamma(9, 1, len(sizes)) + 12
    places = np.cumsum(gaps * 2048 / gaps.sum())
    cells = np.concatenate([place + 4.0 * np.arange(n) for place, n in zip(places, sizes, strict=True)])
    distance = np.abs(np.arange(2048)[:, None] - cells % 2048)
    pattern = 3 * np.exp(-(np.minimum(distance, 2048 - distance) ** 2) / 8).sum(axis=1)
    scene = make_scene(np.full(400, 3.0), pattern=pattern, radius=4, shape=(40, 160), noise=5)
    assert np.isnan(measure_vessel(scene.track, scene.images, Calibrated()).cells.flux_per_frame)
