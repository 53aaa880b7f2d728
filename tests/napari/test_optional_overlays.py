"""The flow colour wheel and the tracers: off at first, true to the flow when on."""

import numpy as np
import pytest
from clicks import click
from conftest import FRAMES, PATIENCE
from fake_engine import SPEED

from sam2flow_napari.layers.frame_vectors import shown_vectors
from sam2flow_napari.layers.lazy_layers import wheel_colours, wheel_picture, wheel_values
from sam2flow_napari.layers.overlay_lines import Tracers
from sam2flow_napari.layers.overlays import TRACERS, WHEEL
from sam2flow_napari.widgets.dock import SAM2FlowDock

SHAPE = (60, 90)


def test_the_hue_is_the_direction_and_the_strength_the_speed():
    dx, dy = np.array([1.0, 0.0, -1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, -1.0, 0.0])
    right, down, left, up, none = wheel_values(dx, dy, 1.0)
    assert none == 0 and len({right, down, left, up}) == 4
    np.testing.assert_allclose(wheel_colours()[right - 1], (1, 0, 0))
    np.testing.assert_allclose(wheel_colours()[left - 1], (0, 1, 1))
    slow, fast, faster = (wheel_colours()[wheel_values(np.array(v), np.array(0.0), 1.0) - 1] for v in (0.1, 1.0, 9.0))
    assert min(slow) > min(fast) == min(faster) == 0
    assert wheel_values(dx, dy, 1.0).max() < 256 and len(wheel_colours()) < 256


def test_the_legend_is_made_of_the_same_colours():
    picture = wheel_picture(41)
    assert picture[0, 0, 3] == 0 and picture[20, 38, 3] == 255
    np.testing.assert_array_equal(picture[20, 39, :3], (255, 0, 0))


def uniform(dx, dy, rows=slice(10, 50)):
    """Flow and labels of a broad vessel along x, the same in all frames."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[rows] = 1
    flow = np.zeros((2, *SHAPE), np.float16)
    flow[0][labels > 0], flow[1][labels > 0] = dx, dy
    return Tracers(lambda t: flow, lambda t: labels)


def test_tracers_drift_with_the_flow_and_stay_in_the_vessels():
    tracers = uniform(2.0, 0.5)
    before = tracers.streaks(5)
    after = tracers.streaks(6)
    assert len(before) > 40
    np.testing.assert_allclose(before[:, 1], np.broadcast_to((0.5, 2.0), (len(before), 2)), atol=1e-3)
    moved = after[:, 0] - before[:, 0]
    drifted = np.abs(moved - (0.5, 2.0)).max(axis=1) < 1e-3
    assert 0.7 < drifted.mean() < 1, "most drift; those that left or grew old start anew"
    for t in range(7, 60):
        streaks = tracers.streaks(t)
        assert len(streaks) == len(before)
        assert (streaks[:, 0, 0] > 9).all() and (streaks[:, 0, 0] < 50.5).all() and (streaks[:, 0, 1] < 90).all()


def test_the_same_frame_twice_is_the_same_and_after_a_leap_they_start_anew():
    tracers = uniform(2.0, 0.0)
    first = tracers.streaks(5)
    np.testing.assert_array_equal(first, tracers.streaks(5))
    tracers.streaks(40)
    np.testing.assert_array_equal(first, tracers.streaks(5))


def test_slow_tracers_can_be_seen_and_without_flow_there_are_none():
    assert np.hypot(*uniform(0.01, 0.0).streaks(0)[:, 1].T).min() == pytest.approx(1.5, rel=1e-2)
    assert len(uniform(0.0, 0.0).streaks(0)) == 0
    assert len(uniform(1.0, 0.0, rows=slice(0, 0)).streaks(0)) == 0


def test_the_switches_in_the_dock_and_the_eyes_of_the_layers_agree(qtbot, engine, recording_path):
    from napari.components import ViewerModel

    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    bench, switches = dock.bench, dock.results.switches
    bench.open(recording_path)
    click(bench.session, 0, 30.0, 40.0)
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=PATIENCE)
    assert WHEEL not in bench.viewer.layers and TRACERS not in bench.viewer.layers
    assert "Speed" in switches._words.text()
    switches.directions.click()
    switches.tracers.click()
    wheel, tracers = bench.viewer.layers[WHEEL], bench.viewer.layers[TRACERS]
    assert wheel.visible and tracers.visible
    assert "Flow towards" in switches._words.text() and "um/s" in switches._words.text()
    bench.viewer.dims.set_current_step(0, 8)
    qtbot.waitUntil(lambda: len(shown_vectors(tracers)) > 0, timeout=PATIENCE)
    np.testing.assert_allclose(shown_vectors(tracers)[:, 1, 1], SPEED, rtol=1e-2)
    shown = wheel.data[8]
    assert (shown > 0).sum() == (bench.scene.frames.labels(8) > 0).sum()
    red, green, blue = wheel_colours()[shown.max() - 1]
    assert red == 1 > green == blue
    assert wheel.data[FRAMES - 1].max() == 0
    wheel.visible = False
    assert not switches.directions.isChecked() and "Speed" in switches._words.text()
    bench.viewer.layers.remove(tracers)
    switches.refresh()
    assert not switches.tracers.isChecked()
    switches.tracers.click()
    assert TRACERS in [x.name for x in bench.viewer.layers]
    dock.shut()
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
