"""Towards the walls of a wide vessel blood is slower than in its middle; in a narrow one it is not."""

import numpy as np
import pytest

from sam2flow_core.config.inference import WallSettings
from sam2flow_core.inference.flow_stream import slower_at_walls

SETTINGS = WallSettings()


def _across(width: int, factor: float = 1.0) -> np.ndarray:
    mask = np.zeros((width + 8, 120), bool)
    mask[4 : 4 + width] = True
    laid = np.ones(mask.shape)
    laid[mask] = slower_at_walls(mask, factor, SETTINGS)
    return laid[4 : 4 + width, 60]


def test_cells_in_single_file_all_have_one_speed() -> None:
    assert _across(8) == pytest.approx(1.0)


def test_a_wide_vessel_is_slower_at_both_walls_and_not_in_its_middle() -> None:
    profile = _across(48)
    assert profile[24] == pytest.approx(1.0, abs=0.01)
    assert profile == pytest.approx(profile[::-1], abs=0.05)
    assert profile[0] < 0.65 and (np.diff(profile[:24]) >= -1e-6).all()


def test_width_is_judged_at_the_resolution_of_the_network() -> None:
    assert _across(48, 2.0)[::2].mean() == pytest.approx(_across(24).mean(), abs=0.02)


def test_the_sides_of_the_picture_are_no_walls() -> None:
    mask = np.zeros((48, 120), bool)
    mask[8:40] = True  # goes on to the left and to the right
    laid = np.ones(mask.shape)
    laid[mask] = slower_at_walls(mask, 1.0, SETTINGS)
    assert laid[24, 0] == pytest.approx(laid[24, 60], abs=0.05)


def test_masks_without_a_middle_are_left_as_they_are() -> None:
    assert slower_at_walls(np.ones((20, 20), bool), 1.0, SETTINGS) == pytest.approx(1.0)
    assert not slower_at_walls(np.zeros((20, 20), bool), 1.0, SETTINGS).size
