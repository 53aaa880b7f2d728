"""Brightness along and around a vessel, read while the frames pass by."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.velocity.sampling import Interpolation, Surroundings


def test_the_tissue_around_is_followed_and_looked_at_once_a_frame():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (4, 20, 30)).astype(np.uint8)
    vessel = np.zeros((12, 14), bool)
    vessel[4:8] = True
    offsets = np.array([[3, 5], [3, 5], [-2, 20], [40, 40]])  # the last two lie partly and wholly outside
    around = Surroundings(SimpleNamespace(offsets=offsets), vessel)
    for step in range(3):
        rows, columns = (place + shift for place, shift in zip(np.nonzero(~vessel), offsets[step], strict=True))
        inside = (rows >= 0) & (rows < 20) & (columns >= 0) & (columns < 30)
        assert around.at(step, images[step]) == images[step][rows[inside], columns[inside]].mean()
    assert np.isnan(around.at(3, images[3]))
    assert around.at(0, np.zeros((20, 30), np.uint8)) == around.at(0, images[0]) > 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_brightness_between_pixels_is_scipys_wherever_places_lie_or_move_to(dtype):
    """On pixels, on the last row and column, beyond every edge, and of a frame that lies nowhere."""
    rng = np.random.default_rng(0)
    image = (200 * rng.random((7, 9))).astype(dtype)
    edges = np.array([[0, 0, 6, 6, 2.25, -0.01, 6.01, 3, 3, np.nan], [0, 8, 8, 3.5, 8, 4, 4, -1e-9, 8.001, 2]])
    places = np.concatenate([rng.uniform(-2, 10, (2, 200)), edges], axis=1)
    interpolation = Interpolation(places.shape[1], image.shape)
    for shift in (0.0, 0.3):
        interpolation.move(slice(0, 100), places[:, :100] + shift)
        interpolation.move(slice(100, None), places[:, 100:])
        moved = places + np.where(np.arange(places.shape[1]) < 100, shift, 0)
        expected = ndimage.map_coordinates(image, moved, np.float32, order=1, mode="constant", cval=np.nan)
        expected[np.isnan(moved).any(axis=0)] = np.nan
        np.testing.assert_allclose(interpolation.of(image), expected, rtol=1e-6)
