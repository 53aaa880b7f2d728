"""Two vessels under one name, and lines that leave their vessel, are told from heartbeat, taper and crossing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.velocity import GRADES, measure_vessel

from .conftest import pulsating
from .vessels import Calibrated, Scene, make_scene

MIDDLE = 80
"""Column at which the parts of a picture meet."""


def side_by_side(first: Scene, second: Scene, velocity: float, noise: float = 0.0) -> Scene:
    """Two vessels end to end; the flow is what a network that pools along the line makes of them."""
    video = first.video.copy()
    video[:, :, MIDDLE:] = second.video[:, :, MIDDLE:]
    video += noise * np.random.default_rng(3).normal(size=video.shape).astype(np.float32)
    flow = np.zeros_like(first.track.flow)
    flow[:, 0] = velocity * first.track.mask[:-1]
    return Scene(video, replace(first.track, flow=flow), first.centre)


def measured(scene: Scene):
    return measure_vessel(scene.track, scene.images, Calibrated())


@pytest.mark.parametrize(("slow", "fast"), [(2.0, 4.0), (1.0, 1.5), (5.0, 7.5), (4.0, -4.0), (-1.0, 3.0)])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_two_vessels_under_one_name_are_told_with_place_and_speeds(slow, fast, share):
    one, other = (make_scene(pulsating(v, 160, share), seed=k) for k, v in enumerate((slow, fast)))
    found = measured(side_by_side(one, other, 0.5 * (abs(slow) + abs(fast)), noise=2.0))
    assert "SPEED_STEP" in found.flags
    assert GRADES.index(found.grade) >= 2
    words = next(reason for reason in found.reasons if "under one name" in reason)
    place, before, after = (float(x) for x in _numbers(words))
    assert place == pytest.approx(0.5 * MIDDLE, abs=8)  # um, at 0.5 um per px
    expected = sorted([50 * slow, 50 * fast])
    assert sorted([before, after]) == pytest.approx(expected, rel=0.2)


def _numbers(words: str) -> tuple[str, str, str]:
    place = words.split(" of ")[0].removeprefix("at ")
    before, after = words.split(": ")[1].split(" after")[0].split(" before, ")
    return place, before, after.removesuffix(" µm/s")


@pytest.mark.parametrize("mean", [0.7, 3.0, 9.0])
@pytest.mark.parametrize("noise", [1.0, 12.0])
def test_a_heartbeat_is_no_step(mean, noise):
    found = measured(make_scene(pulsating(mean, 200, 0.6), noise=noise))
    assert "SPEED_STEP" not in found.flags and "PATH_GAP" not in found.flags


@pytest.mark.parametrize("ends", [(2.0, 3.6), (4.0, 2.5), (1.0, 1.6)])
def test_a_taper_is_no_step(ends):
    shape, length = (48, 160), 160
    columns, rows = np.arange(length), np.arange(48)[:, None]
    speed = np.linspace(*ends, length)
    transit = np.r_[0.0, np.cumsum(1 / speed)][:length] * speed.mean()
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(48, 4096)), 3.0, mode="wrap")
    beat = np.cumsum(pulsating(1.0, 160)) * speed.mean()
    inside = np.broadcast_to(np.abs(rows - 23.5) <= 8, shape)
    base = make_scene(pulsating(1.0, 160))
    video = np.full((161, *shape), 100, np.float32) + np.random.default_rng(1).normal(size=(161, *shape)).astype("f4")
    for t in range(161):
        at = (transit - (beat[t - 1] if t else 0.0)) % 4096
        where = np.broadcast_arrays(rows.astype(float), at)
        moving = ndimage.map_coordinates(texture, where, order=1, mode="grid-wrap")
        video[t] += np.where(inside, 300 * moving, 0)
    flow = np.zeros((160, 2, *shape), np.float32)
    flow[:, 0] = pulsating(1.0, 160)[:, None, None] * speed[columns] * inside
    scene = Scene(video, replace(base.track, flow=flow), base.centre)
    found = measured(scene)
    assert found.statistics.kymograph_mean == pytest.approx(speed.mean(), rel=0.15)
    assert "SPEED_STEP" not in found.flags


def test_a_line_through_tissue_is_told():
    scene = make_scene(pulsating(3.0, 160))
    video = scene.video.copy()
    still = video[:, :6].mean() + np.random.default_rng(5).normal(size=(161, 48, 40))
    video[:, :, 60:100] = still
    found = measured(Scene(video, scene.track, scene.centre))
    assert "PATH_GAP" in found.flags
    assert GRADES.index(found.grade) >= 2
    assert any("no blood is seen" in reason and "from 3" in reason for reason in found.reasons)


def test_an_end_of_the_line_without_blood_is_left_out():
    scene = make_scene(pulsating(3.0, 160))
    video = scene.video.copy()
    video[:, :, 120:] = video[:, :6].mean() + np.random.default_rng(5).normal(size=(161, 48, 40))
    found = measured(Scene(video, scene.track, scene.centre))
    assert found.segments == () and "PATH_GAP" in found.flags
    assert 105 < found.line.length < 125  # of 160 px, of which 120 hold blood
    assert found.grade == "good"
    assert any("no blood is seen" in reason and "80 µm" in reason for reason in found.reasons)


@pytest.mark.parametrize("noise", [1.0, 20.0])
def test_a_vessel_that_crosses_is_neither_gap_nor_step(noise):
    scene = make_scene(pulsating(3.0, 160), noise=noise)
    across = make_scene(pulsating(2.0, 160), shape=(160, 48), angle=np.pi / 2, seed=4, noise=noise)
    video = scene.video.copy()
    video[:, :, 72:88] = across.video[:, 56:104, 16:32]
    found = measured(Scene(video, scene.track, scene.centre))
    assert "PATH_GAP" not in found.flags and "SPEED_STEP" not in found.flags


def test_the_flow_is_asked_where_the_diagram_says_nothing(plug_scene):
    flow = plug_scene.track.flow.copy()
    flow[..., MIDDLE:] *= 2
    noise = np.random.default_rng(6).normal(100, 10, plug_scene.video.shape).astype(np.float32)
    track = replace(plug_scene.track, flow=flow)
    assert "SPEED_STEP" in measure_vessel(track, lambda t: noise[t], Calibrated()).flags
    assert "SPEED_STEP" not in measure_vessel(track, plug_scene.images, Calibrated()).flags
