"""A lumen of known width under a blur is found to a few percent, whatever the mask, the noise and the magnification."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.config.velocity import ActivitySettings
from sam2flow_core.velocity.activity import Activity
from sam2flow_core.velocity.wall_fit import fit_width

SETTINGS = ActivitySettings()
FINE = 0.25


def cross_sections(
    width: float,
    blur: float,
    *,
    mask: float,
    filling: str = "chord",
    camera: float = 0.0,
    rows: float = 0.0,
    chord: float = 1.0,
    seed: int = 0,
) -> Activity:
    """Profiles of a vessel whose cells are a texture of Gaussian correlation, by what optics and camera make of them.

    `camera` and `rows` are variances of noise over that of the pattern, `chord` the contrast of the still lumen.
    """
    generator = np.random.default_rng(seed)
    x = np.arange(-2.5 * width - 25, 2.5 * width + 25, FINE)
    u = 2 * x / width
    still = np.sqrt(np.clip(1 - u**2, 0, None))
    lumen = (np.abs(u) <= 1) * (still if filling == "chord" else 1.0)
    cells = ndimage.gaussian_filter1d(generator.normal(size=(1500, len(x))), min(5.0, width) / 2.355 / FINE, axis=1)
    seen = ndimage.gaussian_filter1d(cells / cells.std() * lumen, blur / FINE, axis=1)
    across = np.linspace(-1, 1, SETTINGS.places_across) * (SETTINGS.reach_widths * mask + SETTINGS.reach_px)
    moving = np.interp(across, x, (seen**2).mean(axis=0))[:, None] * np.ones(40)
    # A variance that is estimated from 128 frames scatters by an eighth of itself.
    scatter = generator.normal(size=moving.shape) / 8
    shared = moving + camera * scatter + rows * (1 + generator.normal(size=(len(across), 1)) / 8)
    brightness = chord * np.interp(across, x, ndimage.gaussian_filter1d(still, blur / FINE))[:, None] * np.ones(40)
    brightness = brightness + 0.02 * generator.normal(size=moving.shape) + 0.01 * across[:, None]
    return Activity(across, moving + camera * (1 + scatter) + rows, shared, brightness)


@pytest.mark.parametrize("filling", ["box", "chord"])
@pytest.mark.parametrize(
    ("width", "blur"), [(4, 0.5), (4, 1.0), (8, 0.5), (8, 2.0), (16, 1.0), (16, 3.0), (30, 2.0), (60, 0.5), (60, 3.0)]
)
@pytest.mark.parametrize("wrong", [0.8, 1.25])
def test_a_known_width_is_found_from_a_wrong_mask(width, blur, filling, wrong):
    found = fit_width(cross_sections(width, blur, mask=wrong * width, filling=filling), wrong * width, SETTINGS)
    assert found.px == pytest.approx(width, rel=0.06)


@pytest.mark.parametrize("filling", ["box", "chord"])
@pytest.mark.parametrize(("camera", "rows"), [(1.0, 0.0), (4.0, 0.0), (0.0, 1.0)])
def test_noise_leaves_the_width(filling, camera, rows):
    noisy = cross_sections(14, 1.2, mask=11.5, filling=filling, camera=camera, rows=rows)
    assert fit_width(noisy, 11.5, SETTINGS).px == pytest.approx(14, rel=0.07)


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_magnification_leaves_the_width(factor):
    plain, large = (cross_sections(16 * f, 1.2 * f, mask=14 * f) for f in (1.0, factor))
    expected = fit_width(plain, 14, SETTINGS).px
    assert fit_width(large, 14 * factor, SETTINGS).px / factor == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("contrast", [-3.0, -0.3, 0.3])
def test_what_the_lumen_looks_like_leaves_the_width(contrast):
    vessel = cross_sections(16, 1.2, mask=14, chord=contrast)
    assert fit_width(vessel, 14, SETTINGS).px == pytest.approx(16, rel=0.06)


def test_a_width_that_the_blur_hides_is_unsure():
    sharp = fit_width(cross_sections(16, 0.8, mask=16), 16, SETTINGS).error
    hidden = fit_width(cross_sections(4, 3.0, mask=4, chord=0.0), 4, SETTINGS).error
    assert sharp < 0.05 < 0.1 < hidden


def test_pictures_that_say_nothing_leave_the_mask_and_its_error():
    across = np.linspace(-20, 20, SETTINGS.places_across)
    noise = np.random.default_rng(0).normal(size=(4, len(across), 30))
    nothing = Activity(across, 1 + noise[0] / 8, noise[1] / 8, 100 + noise[2])
    found = fit_width(nothing, 12, SETTINGS)
    assert found.px == pytest.approx(12, rel=0.15)
    assert found.error > 0.1


def test_no_mask_has_no_width():
    across = np.linspace(-20, 20, SETTINGS.places_across)
    blank = np.full((len(across), 30), np.nan)
    found = fit_width(Activity(across, blank, blank, blank), float("nan"), SETTINGS)
    assert np.isnan(found.px) and not found.error < 1
