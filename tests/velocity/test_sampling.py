"""Brightness along and around a vessel, read while the frames pass by."""

from types import SimpleNamespace

import numpy as np

from sam2flow_core.velocity.sampling import Surroundings


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
