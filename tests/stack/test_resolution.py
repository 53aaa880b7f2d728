"""The working resolution follows from the pixel size, else from the pattern of what moves; in doubt it is 1."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from sam2flow_core.errors import StackError
from sam2flow_core.stack import Measured, choose_resolution, open_stack

UNKNOWN = Measured()


def blood(cell: float, relief: bool, frames: int = 24, side: int = 120) -> np.ndarray:
    """Discs ``cell`` px wide that drift in a band across a still texture, with noise; (frames, side, side)."""
    rng = np.random.default_rng(7)
    still = 100 + 4 * gaussian_filter(rng.standard_normal((side, side)), 3) * 6
    y, x = np.mgrid[:side, :side]
    count = int(0.9 * side * side / 2 / cell**2)
    at = rng.uniform((side / 4, 0), (3 * side / 4, side), (count, 2))
    film = []
    for t in range(frames):
        image = still.copy()
        for row, column in at:
            dx = (x - column - 1.9 * cell * t + side / 2) % side - side / 2
            inside = 1 / (1 + np.exp(np.minimum(((y - row) ** 2 + dx**2) / (cell / 2) ** 2 * 5 - 5, 50)))
            image += inside * (14 * dx / cell * 2 if relief else -9)
        film.append(image + rng.normal(0, 1.5, image.shape))
    return np.stack(film).astype(np.float32)


@pytest.mark.parametrize(
    ("um", "factor"), [(0.2, 3), (0.25, 2), (0.3, 2), (0.5, 1), (0.6, 1), (0.8, 1), (0.1, 6), (0.06, 8)]
)
def test_cells_of_a_known_pixel_size_are_made_8_to_16_px_wide_where_they_can_be(um, factor):
    stack = open_stack(np.random.default_rng(0).random((2, 64, 64)))
    for source in ("user", "ome", "imagej", "tiff"):
        found = choose_resolution(stack, Measured(um, source, True))
        assert (found.factor, found.basis) == (factor, "pixel size")
        assert f"{um:g} um/px" in found.reason


@pytest.mark.parametrize("relief", [False, True])
def test_of_an_unknown_pixel_size_the_pattern_decides_and_a_zoom_is_made_up_for(relief):
    film = blood(11, relief)
    assert choose_resolution(open_stack(film), UNKNOWN).factor == 1
    for times in (2, 3):
        large = zoom(film, (1, times, times), order=1, grid_mode=True, mode="nearest")
        for pixel in (UNKNOWN, Measured(352.8, "tiff", False)):  # the second is 72 dpi, which no microscope has
            found = choose_resolution(open_stack(large), pixel)
            assert found.basis == "pattern" and found.factor > 1
            assert 7 < 11 * times / found.factor < 18, found


@pytest.mark.parametrize("what", ["two frames", "noise", "still", "small"])
def test_in_doubt_the_frames_stay_as_they_are(what):
    rng = np.random.default_rng(1)
    film = {
        "two frames": blood(30, True, 2),
        "noise": rng.normal(100, 5, (24, 120, 120)),
        "still": np.broadcast_to(gaussian_filter(rng.normal(100, 5, (120, 120)), 8), (24, 120, 120)),
        "small": blood(24, True, 24, 60),
    }[what]
    assert choose_resolution(open_stack(np.ascontiguousarray(film, np.float32)), UNKNOWN).factor == 1


def test_what_the_user_says_is_taken_or_refused_with_what_can_be_had():
    stack = open_stack(np.random.default_rng(0).random((2, 64, 64)))
    for wanted in (0.5, 1, 2, 8):
        found = choose_resolution(stack, Measured(0.2, "ome", True), wanted)
        assert (found.factor, found.basis) == (wanted, "user")
    for wrong in (0, -1, 0.25, 1.5, 9, float("nan"), float("inf")):
        with pytest.raises(StackError, match=r"auto, 0\.5, or a whole number from 1 to 8"):
            choose_resolution(stack, UNKNOWN, wrong)
