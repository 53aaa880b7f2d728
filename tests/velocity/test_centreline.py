from __future__ import annotations

import numpy as np
import pytest

from sam2flow_core.config.velocity import GeometrySettings
from sam2flow_core.velocity.centreline import majority_mask, trace_centreline
from sam2flow_core.velocity.diameter import diameter_along, footprint

from .vessels import make_scene


def shapes(mask):
    seen = footprint(mask)
    line = trace_centreline(majority_mask(seen.share), GeometrySettings())
    return line, diameter_along(seen, line, 15.0)


@pytest.mark.parametrize("radius", [2.5, 4.3, 8.0, 14.7])
@pytest.mark.parametrize("angle", [0.0, 0.35, 1.0])
def test_diameter_is_finer_than_the_pixels(radius, angle):
    mask = make_scene(np.ones(3), shape=(150, 150), radius=radius, angle=angle, length=100).track.mask
    line, diameter = shapes(mask)
    # Upright, a mask of whole pixels is itself up to a pixel too wide.
    assert np.nanmedian(diameter) == pytest.approx(2 * radius, abs=1.01 if angle == 0 else 0.4)
    assert line.length == pytest.approx(100, abs=4)


def test_centreline_follows_a_bend():
    scene = make_scene(np.ones(3), shape=(120, 170), bend=0.012, radius=6)
    line, _ = shapes(scene.track.mask)
    radius = 1 / 0.012
    centre = np.array([(120 - 1) / 2 + radius, (170 - 1) / 2])
    distance = np.hypot(*(line.points - centre).T)
    assert np.abs(distance - radius)[10:-10].max() < 0.7
    assert np.hypot(*line.tangents.T) == pytest.approx(1.0)
    assert np.diff(line.arc) == pytest.approx(1.0, abs=0.02)


def test_taper():
    rows, columns = np.indices((60, 200))
    half = 5 + columns / 40
    mask = np.repeat((np.abs(rows - 30) <= half)[None], 3, axis=0)
    _, diameter = shapes(mask)
    slope = np.polyfit(np.arange(20, 180), diameter[20:180], 1)[0]
    assert abs(slope) == pytest.approx(2 / 40, rel=0.1)


def test_loop_is_followed_half_way_round():
    rows, columns = np.indices((100, 100))
    ring = np.abs(np.hypot(rows - 50, columns - 50) - 35) < 5
    line, _ = shapes(np.repeat(ring[None], 3, axis=0))
    assert line.length > np.pi * 35 * 0.7


def test_frames_without_the_vessel_do_not_vote():
    mask = np.zeros((10, 30, 60), bool)
    mask[:4, 10:20, 5:55] = True
    assert majority_mask(footprint(mask).share).sum() == 500


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_specks_have_no_centreline(pixels):
    lumen = np.zeros((20, 20), bool)
    lumen[5, 5 : 5 + pixels] = True
    assert trace_centreline(lumen, GeometrySettings()) is None


def test_pixels_that_meet_crosswise_are_joined_by_a_tree_and_the_longest_way_is_found():
    """A cross of two lines: the way through it is one line's, and no triangle of its middle makes it longer."""
    from sam2flow_core.velocity.centreline import _longest_path, _pixel_graph

    cross = np.zeros((21, 31), bool)
    cross[10], cross[:, 15] = True, True
    edges = _pixel_graph(cross)
    assert (edges != edges.T).nnz == 0
    assert edges.nnz == 2 * (cross.sum() - 1), "a tree"
    path, branch = _longest_path(cross)
    assert sorted(map(tuple, path.astype(int))) == [(10, x) for x in range(31)]
    assert branch == 9
    alone = np.zeros((3, 3), bool)
    alone[1, 1] = True
    assert _longest_path(alone)[0].tolist() == [[1.0, 1.0]]
