from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.stack import Calibration
from sam2flow_core.velocity import VesselMeasurement
from sam2flow_core.velocity.linescan import measure_linescan

LINES = np.arange(800)


def scan(velocity: NDArray[np.float64], columns: int = 200) -> NDArray[np.float32]:
    """A drawn line scan whose pattern has moved by ``velocity`` px from each line to the next."""
    rng = np.random.default_rng(0)
    place = np.r_[0.0, np.cumsum(velocity)[:-1]]
    pattern = ndimage.gaussian_filter1d(rng.standard_normal(int(np.ptp(place)) + columns + 40), 4)
    at = np.arange(columns) - place[:, None] + place.max() + 10
    image = np.interp(at, np.arange(len(pattern)), pattern / pattern.std())
    return (128 + 30 * image + 9 * rng.standard_normal(image.shape)).astype(np.float32)


def measured(velocity: NDArray[np.float64]) -> VesselMeasurement:
    return measure_linescan(scan(np.broadcast_to(np.asarray(velocity, float), LINES.shape)), Calibration())


@pytest.mark.parametrize(
    "velocity",
    [
        3 * (1 + 0.6 * np.sin(2 * np.pi * LINES / 160)),  # a pulse, read a third too fast
        np.where(LINES < 500, 3, -3),  # blood turns round: four times too fast, and good
        np.where(LINES < 400, 1, 6),
    ],
)
def test_changes_over_time_are_read_as_they_are(velocity):
    found = measured(velocity)
    assert found.grade == "good"
    assert found.statistics.mean == pytest.approx(velocity.mean(), abs=0.05 * np.abs(velocity).mean())
    error = np.abs(found.per_frame.velocity - velocity)[:-1]
    assert np.median(error) < 0.15 * np.abs(velocity).mean()


def test_time_without_streaks_has_no_velocity():
    found = measured(np.where(LINES < 400, 4, 0))
    assert found.grade == "fair" and "no streaks are seen" in " ".join(found.reasons)
    assert np.isnan(found.per_frame.velocity[450:780]).all()
    assert found.statistics.valid_share == pytest.approx(0.53, abs=0.05)
    assert found.statistics.mean == pytest.approx(4, rel=0.03)


def test_rows_that_never_change_are_no_change_that_was_missed():
    """Cells in a train: transit times and rows are each right about another multiple of their distance."""
    train = 128 + 30 * np.sin(2 * np.pi * (np.arange(200) - 5 * LINES[:, None]) / 12)
    noisy = (train + np.random.default_rng(0).normal(0, 5, train.shape)).astype(np.float32)
    assert measure_linescan(noisy, Calibration()).grade in ("poor", "unusable")
