"""Margins, and what was written over the picture, are found; a picture without them stays whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw

from sam2flow_core.stack import open_stack

SAMPLE = Path(__file__).parents[2] / "resources" / "sample.tif"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def video() -> np.ndarray:
    return tifffile.imread(SAMPLE)[:24]


def stamped(video: np.ndarray, place: tuple[int, int] = (150, 236), value: int = 255) -> np.ndarray:
    """A clock that runs, as video recorders burn it in."""
    out = []
    for t, frame in enumerate(video):
        image = Image.fromarray(frame)
        ImageDraw.Draw(image).text(place, f"12:04:{t // 10:02d}.{t % 10}{(7 * t) % 10}", fill=value)
        out.append(np.array(image))
    return np.stack(out)


@pytest.mark.parametrize("kind", ["as recorded", "negative", "16 bit", "float", "noisy", "no noise", "saturated"])
def test_a_picture_without_margins_stays_whole(video: np.ndarray, kind: str) -> None:
    noise = np.random.default_rng(0).normal(0, 12, video.shape)
    changed = {
        "as recorded": video,
        "negative": 255 - video,
        "16 bit": video.astype(np.uint16) * 250,
        "float": (video - 124.0) * 1e-4,
        "noisy": (video + noise).clip(0, 255).astype(np.uint8),
        "no noise": np.where(video > 140, 160, np.where(video < 100, 90, 120)).astype(np.uint8),
        "saturated": np.minimum(video.astype(int) * 3 // 2, 255).astype(np.uint8),
    }[kind]
    picture = open_stack(changed).picture
    assert picture.box == (0, 0, *changed.shape[1:])
    assert picture.covered is None and picture.problems == ()


@pytest.mark.parametrize("name", ["ncflowspeed/ncflowspeed_240f.tif", "red_cell_pair/rbc_pair.tif"])
def test_real_recordings_without_margins_stay_whole(name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip("real recordings are not here")
    with open_stack(SHARED / name) as stack:
        assert stack.picture.covered is None and stack.picture.box == (0, 0, *stack.shape[1:])


@pytest.mark.parametrize("level", [0, 128, 255])
def test_margins_of_one_level(video: np.ndarray, level: int) -> None:
    framed = np.full((24, 320, 400), level, np.uint8)
    framed[:, 32:288, 72:328] = video
    picture = open_stack(framed).picture
    assert picture.box == (32, 72, 288, 328) and picture.covered is None
    assert "32 px above, 32 px below, 72 px left, 72 px right" in picture.problems[0]
    np.testing.assert_array_equal(picture.cut(framed[3]), video[3])


def test_dark_margins_with_noise_of_their_own(video: np.ndarray) -> None:
    framed = np.random.default_rng(0).normal(4, 1, (24, 320, 256)).clip(0, 255).astype(np.uint8)
    framed[:, 32:288] = video
    assert open_stack(framed).picture.box == (32, 0, 288, 256)


def test_margins_with_a_clock_in_them(video: np.ndarray) -> None:
    framed = np.zeros((24, 300, 256), np.uint8)
    framed[:, 44:] = video
    assert open_stack(stamped(framed, (20, 12))).picture.box == (44, 0, 300, 256)


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("place", [(150, 236), (4, 4), (100, 120)])
def test_a_clock_is_found_and_covered(video: np.ndarray, value: int, place: tuple[int, int]) -> None:
    written = stamped(video, place, value)
    picture = open_stack(written).picture
    assert picture.covered is not None and picture.covered.mean() < 0.03
    assert picture.covered[(written != video).any(axis=0)].mean() > 0.97
    assert "something covers rows" in picture.problems[0]
    cut = np.stack([picture.cut(frame) for frame in written])
    assert cut[:, picture.covered].std(axis=0).min() > 0.3  # noise, as everywhere
    assert cut[:, picture.covered].max() <= video.max() and (cut[:, picture.covered] == value).mean() < 0.01
    np.testing.assert_array_equal(cut[:, ~picture.covered], written[:, ~picture.covered])


def test_a_scale_bar_a_saturated_corner_a_round_field(video: np.ndarray) -> None:
    y, x = np.mgrid[:256, :256]
    areas = {
        255: (y >= 240) & (y < 244) & (x >= 180) & (x < 240),
        254: (y < 40) & (x < 40),
        0: np.hypot(y - 128, x - 128) > 135,
    }
    for level, area in areas.items():
        spoilt = video.copy()
        spoilt[:, area] = level
        picture = open_stack(spoilt).picture
        assert picture.covered is not None and picture.covered[area].mean() > 0.95
        assert picture.covered[~area].mean() < 0.05
