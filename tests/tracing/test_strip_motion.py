"""Where in a strip things move as at the click: textures that are pushed by known steps."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sam2flow_core.config.tracing import StripMotionSettings
from sam2flow_core.model.strip_decoder import ACROSS, MOTION_CHANNELS
from sam2flow_core.tracing.strip_motion import strip_motion
from sam2flow_core.tracing.vessel_strip import LATERAL

LENGTH, CELL = 120, 0.7
LINE = np.stack([np.zeros(LENGTH), CELL * np.arange(LENGTH)], 1)
RADIUS = np.full(LENGTH, 2.0)
SETTINGS = StripMotionSettings()
CLICK = np.array([60], np.intp)


def pushed(steps, seed):
    """Pairs (S, W, 2 P) of a texture whose second frames are ``steps`` cells further along."""
    rng = np.random.default_rng(seed)
    wide = gaussian_filter(rng.standard_normal((LENGTH + 200, ACROSS, len(steps))), (2.0, 2.0, 0))
    along = np.arange(LENGTH) + 100.0
    first = wide[100 : 100 + LENGTH]
    second = np.empty_like(first)
    for k, step in enumerate(steps):
        for w in range(ACROSS):
            second[:, w, k] = np.interp(along - step / CELL, np.arange(len(wide)), wide[:, w, k])
    pairs = np.concatenate([first, second], 2)
    return (pairs / pairs.std()).astype(np.float32)


def laid(inner, outer, half=1.0):
    """Blood at some steps within ``half`` radii of the centreline, and at others beyond."""
    within = (np.abs(LATERAL) <= half)[None, :, None]
    return np.where(within, pushed(inner, 0), pushed(outer, 1)).astype(np.float32)


def told(pairs, clicks=CLICK):
    return strip_motion(pairs, LINE, RADIUS, LATERAL, clicks, SETTINGS)


@pytest.mark.parametrize("step", [1.5, -3.0, 6.0])
def test_what_moves_as_at_the_click_is_told_from_what_runs_the_other_way(step):
    found = told(laid([step] * 12, [-step] * 12))[:, 20:-20]
    inside, beyond = np.abs(LATERAL) < 0.8, np.abs(LATERAL) > 1.25
    assert found[0][:, inside].mean() > 0.85 and found[0][:, beyond].mean() < 0.4
    assert found[3][:, beyond].mean() > 0.85 and found[3][:, inside].mean() < 0.4
    assert found[4].min() > 0.5 and found[5].mean() == pytest.approx(np.log(abs(step) / 2 + 0.05), abs=0.05)


def test_the_speed_of_each_pair_is_its_own():
    """A heartbeat doubles the speed; one speed for all pairs would find half of them."""
    steps = [2.0, 4.0] * 6
    assert told(laid(steps, [0.0] * 12))[0][20:-20, np.abs(LATERAL) < 0.8].mean() > 0.85


def test_tissue_that_stands_still_does_not_move_along():
    found = told(laid([4.0] * 12, [0.0] * 12))[:, 20:-20]
    beyond = np.abs(LATERAL) > 1.25
    assert found[2][:, beyond].mean() > 0.85 > 0.3 > found[0][:, beyond].mean()


def test_nothing_is_told_where_nobody_clicked_or_nothing_was_seen():
    pairs = pushed([2.0] * 4, 0)
    for found in (told(pairs, CLICK[:0]), told(pairs[:, :, :0])):
        assert found.shape == (MOTION_CHANNELS, LENGTH, ACROSS) and not found.any()


def test_a_picture_without_anything_is_no_number_too_many():
    assert np.isfinite(told(np.zeros((LENGTH, ACROSS, 8), np.float32))).all()
