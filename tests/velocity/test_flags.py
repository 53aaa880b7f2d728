"""Every flag: one case that raises it, one that must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sam2flow_core.velocity import FLAGS, measure_vessel

from .vessels import Calibrated, make_scene


@pytest.fixture(scope="module")
def clean(plug_scene):
    return measure_vessel(plug_scene.track, plug_scene.images, Calibrated())


def flags_of(scene, calibration=None, video=None, **changes):
    """Measure a scene with some fields of its track or its video replaced."""
    frames = scene.video if video is None else video
    return measure_vessel(replace(scene.track, **changes), lambda t: frames[t], calibration or Calibrated()).flags


@pytest.mark.parametrize("flag", FLAGS)
def test_clean_vessel_raises_nothing(clean, flag):
    assert flag not in clean.flags
    assert all(flag not in flags for flags in clean.per_frame.flags)


def cells(spacing: float) -> np.ndarray:
    """Return the brightness along a vessel of evenly spaced cells."""
    return np.exp(-(((np.arange(2048) % spacing) - spacing / 2) ** 2) / 8) * 3


def test_aliased():
    spacing = 2048 / 128
    fast = make_scene(np.full(160, 11.0), pattern=cells(spacing))
    slow = make_scene(np.full(160, 3.0), pattern=cells(spacing))
    assert "ALIASED" in flags_of(fast)
    assert "ALIASED" not in flags_of(slow)


def test_near_floor():
    assert "NEAR_FLOOR" in flags_of(make_scene(np.full(120, 0.15)))
    assert "NEAR_FLOOR" not in flags_of(make_scene(np.full(120, 0.8)))


def test_low_contrast():
    assert "LOW_CONTRAST" in flags_of(make_scene(np.full(120, 3.0), noise=80))
    assert "LOW_CONTRAST" not in flags_of(make_scene(np.full(120, 3.0), noise=8))


def test_out_of_focus(plug_scene):
    from scipy.ndimage import gaussian_filter

    blurred = plug_scene.video.copy()
    blurred[60:120] = gaussian_filter(blurred[60:120], (0, 6, 6))
    measured = measure_vessel(plug_scene.track, lambda t: blurred[t], Calibrated())
    assert "OUT_OF_FOCUS" in measured.flags
    assert "OUT_OF_FOCUS" in measured.per_frame.flags[90]
    assert "OUT_OF_FOCUS" not in measured.per_frame.flags[30]


def test_motion(plug_scene):
    shifts = np.zeros((241, 2))
    shifts[50:110:2, 0] = 8
    moved = measure_vessel(replace(plug_scene.track, shifts=shifts), plug_scene.images, Calibrated())
    assert "MOTION" in moved.flags
    assert np.isnan(moved.per_frame.velocity[60])
    assert np.isfinite(moved.per_frame.velocity[20])
    drift = np.zeros((241, 2))
    drift[:, 0] = np.linspace(0, 30, 241)
    assert "MOTION" not in flags_of(plug_scene, shifts=drift, offsets=np.rint(drift).astype(int))


def test_saturated(plug_scene):
    clipped = np.minimum(plug_scene.video, np.percentile(plug_scene.video[:, plug_scene.track.mask[0]], 90))
    assert "SATURATED" in flags_of(plug_scene, video=clipped)


def test_dropped_frame_repeated(plug_scene):
    repeated = plug_scene.video.copy()
    repeated[100] = repeated[99]
    measured = measure_vessel(plug_scene.track, lambda t: repeated[t], Calibrated())
    assert "DROPPED_FRAME" in measured.flags
    assert "DROPPED_FRAME" in measured.per_frame.flags[99]
    assert np.isnan(measured.per_frame.velocity[99])


def test_dropped_frame_missing():
    velocity = np.full(160, 4.0)
    velocity[80] = 8.0
    measured = measure_vessel((scene := make_scene(velocity)).track, scene.images, Calibrated())
    assert "DROPPED_FRAME" in measured.per_frame.flags[80]
    assert measured.statistics.mean == pytest.approx(4.0, abs=0.01)


def test_too_short():
    assert "TOO_SHORT" in flags_of(make_scene(np.full(120, 2.0), length=20))
    assert "TOO_SHORT" in flags_of(make_scene(np.full(10, 2.0)))
    assert "TOO_SHORT" not in flags_of(make_scene(np.full(120, 2.0), length=60))


def test_mask_lost(plug_scene):
    mask = plug_scene.track.mask.copy()
    mask[100:140] = False
    lost = measure_vessel(replace(plug_scene.track, mask=mask), plug_scene.images, Calibrated())
    assert "MASK_LOST" in lost.flags
    assert np.isnan(lost.per_frame.velocity[120])
    assert lost.statistics.valid_share == pytest.approx(200 / 240)


def test_branch(plug_scene):
    mask = plug_scene.track.mask.copy()
    mask[:, :24, 70:82] = True
    assert "BRANCH" in flags_of(plug_scene, mask=mask)
    other = replace(plug_scene.track, vessel_id=2, mask=np.roll(plug_scene.track.mask, 6, axis=1))
    beside = replace(plug_scene.track, vessel_id=2, mask=np.roll(plug_scene.track.mask, 18, axis=1))
    for rival, raised in ((other, True), (beside, False)):
        found = measure_vessel(plug_scene.track, plug_scene.images, Calibrated(), others=[rival])
        assert ("BRANCH" in found.flags) is raised


def test_a_vessel_marked_twice(plug_scene):
    """Under two ids, or as a part of another one; a vessel that only crosses it is another."""
    mask, part = plug_scene.track.mask, plug_scene.track.mask.copy()
    half = part.shape[2] // 2
    part[:, :, half:] = False
    across = np.zeros_like(mask)
    across[:, :, half - 6 : half + 6] = True

    def flags(of, rival):
        other = replace(plug_scene.track, vessel_id=2, mask=rival)
        mine = replace(plug_scene.track, mask=of)
        return measure_vessel(mine, plug_scene.images, Calibrated(), others=[other]).flags

    assert "SAME_VESSEL" in flags(mask, mask) and "SAME_VESSEL" in flags(part, mask)
    assert "SAME_VESSEL" not in flags(mask, part) and "SAME_VESSEL" not in flags(mask, across)


def test_edge(plug_scene):
    along = replace(plug_scene.track, offsets=np.full((241, 2), (-20, 0)))
    low = np.pad(plug_scene.video[:, 20:], ((0, 0), (0, 20), (0, 0)), mode="reflect")
    assert "EDGE" in measure_vessel(along, lambda t: low[t], Calibrated()).flags


def test_method_disagree(plug_scene):
    assert "METHOD_DISAGREE" in flags_of(plug_scene, flow=plug_scene.track.flow * 0.6)
    assert "METHOD_DISAGREE" not in flags_of(plug_scene, flow=plug_scene.track.flow * 0.93)


@pytest.mark.parametrize("calibration", [Calibrated(None, 100.0), Calibrated(0.5, None), Calibrated(None, None)])
def test_uncalibrated(plug_scene, calibration):
    assert "UNCALIBRATED" in flags_of(plug_scene, calibration)
