"""The width that is fitted stays the same under noise and at any magnification, and doubt is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.velocity import measure_vessel
from sam2flow_core.velocity.activity import CrossSampler
from sam2flow_core.velocity.centreline import majority_mask, trace_centreline
from sam2flow_core.velocity.wall_fit import FittedWidth, fit_width

from .conftest import pulsating
from .vessels import Calibrated, make_scene, make_track

SETTINGS = VelocitySettings()


def fitted(video: np.ndarray, mask: np.ndarray, width: float) -> FittedWidth:
    track = make_track(mask, np.zeros((len(video) - 1, 2, *mask.shape), np.float32))
    line = trace_centreline(majority_mask(mask.astype(float)), SETTINGS.geometry)
    sampler = CrossSampler(track, line, width, [], SETTINGS.activity)
    for step, frame in enumerate(video):
        sampler.add(step, frame)
    return fit_width(sampler.activity(), width, SETTINGS.activity)


def zoomed(image: np.ndarray, factor: float) -> np.ndarray:
    return ndimage.zoom(image, factor, order=1, grid_mode=True, mode="nearest")


@pytest.fixture(scope="module", params=[5.0, 9.0])
def vessel(request):
    """A dark round vessel: what moves and the mean picture both show its walls."""
    scene = make_scene(pulsating(3.0, 160), radius=request.param, shape=(110, 150), angle=0.35, noise=1.0, seed=8)
    mask = scene.track.mask[0]
    depth = np.minimum((ndimage.distance_transform_edt(mask) - 0.5) / request.param, 1)
    chord = np.where(mask, np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1)), 0)
    return (scene.video - 40 * ndimage.gaussian_filter(chord, 0.7)).astype(np.float32), mask, 2 * request.param


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("strength", [4.0, 8.0])
def test_noise_leaves_the_width(vessel, rows, strength):
    video, mask, width = vessel
    shape = (*video.shape[:2], 1) if rows else video.shape
    noisy = video + strength * np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert fitted(noisy, mask, width).px == pytest.approx(fitted(video, mask, width).px, rel=0.05)


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_magnification_leaves_the_width(vessel, factor):
    video, mask, width = vessel
    large = np.stack([zoomed(frame, factor) for frame in video])
    found = fitted(large, zoomed(mask.astype(float), factor) > 0.5, factor * width).px / factor
    expected = fitted(video, mask, width).px
    # A picture of half the size is blurred by half of its pixels at either wall.
    assert found == pytest.approx(expected, rel=0.05) if factor > 1 else found == pytest.approx(expected, abs=1.1)


@pytest.mark.parametrize("guess", [0.75, 1.3])
def test_a_mask_of_the_wrong_width_leaves_that_of_the_pictures(vessel, guess):
    video, mask, width = vessel
    assert fitted(video, mask, guess * width).px == pytest.approx(width, rel=0.07)


def test_a_mask_of_the_wrong_width_is_drawn_to_the_pattern(plug_scene):
    right = measure_vessel(plug_scene.track, plug_scene.images, Calibrated())
    rows = np.abs(np.arange(48) - 23.5) <= 5.5
    thin = replace(plug_scene.track, mask=plug_scene.track.mask & rows[:, None])
    found = measure_vessel(thin, plug_scene.images, Calibrated())
    assert found.grade == right.grade  # nothing is wrong with its velocity
    truth, drawn = np.nanmean(right.diameter_px), np.nanmean(found.diameter_px)
    assert 11 / 16 + 0.1 < drawn / truth < 1.05
    assert found.diameter_error > right.diameter_error


def test_a_width_that_noise_hides_is_doubted():
    scene = make_scene(pulsating(3.0, 120), noise=80)
    assert "WIDTH_DOUBT" in measure_vessel(scene.track, scene.images, Calibrated()).flags


def test_settings_in_px_grow_with_the_cells_and_nothing_else_does():
    large = SETTINGS.at_scale(3.0)
    assert large.kymograph.max_velocity == 3 * SETTINGS.kymograph.max_velocity
    assert large.flags.floor_px_frame == pytest.approx(3 * SETTINGS.flags.floor_px_frame)
    assert (large.stretches.evened_px, SETTINGS.at_scale(0.5).stretches.evened_px) == (15, 2)
    assert SETTINGS.at_scale(1.0) == SETTINGS
    for part in ("geometry", "kymograph", "series", "activity", "presence", "stretches", "flags", "grade"):
        for name, value in vars(getattr(SETTINGS, part)).items():
            named = name.endswith(("_px", "_px_frame")) or name == "max_velocity"
            assert (getattr(getattr(large, part), name) != value) == named, (part, name)
