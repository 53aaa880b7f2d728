"""The dock is closed and opened again, with the mouse, in real windows: nothing is lost, doubled or left behind."""

import subprocess
import sys

import pytest
from clicks import click
from conftest import PATIENCE, write_recording
from fake_engine import FakeEngine
from qtpy.QtCore import Qt

from sam2flow_napari.widgets.dock import SAM2FlowDock

pytestmark = pytest.mark.window


class Engines(list):
    """Engines as the docks of a test ask for them."""

    def make(self):
        self.append(FakeEngine(0.005))
        return self[-1]

    @property
    def alive(self):
        return [engine for engine in self if not hasattr(engine, "let_go")]


@pytest.fixture
def engines(monkeypatch):
    """The engines of docks that napari opens, which are given none."""
    made = Engines()
    monkeypatch.setattr("sam2flow_napari.worker.loop.EngineProcess", made.make)
    return made


def open_dock(viewer, qtbot):
    """Open the dock as the Plugins menu does."""
    wrapper, dock = viewer.window.add_plugin_dock_widget("sam2flow", "SAM2Flow")
    qtbot.wait(20)
    return wrapper, dock


def close_dock(wrapper, qtbot):
    qtbot.mouseClick(wrapper.title.close_button, Qt.MouseButton.LeftButton)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def wait_for_nobody(engines, qtbot):
    qtbot.waitUntil(lambda: not engines.alive, timeout=PATIENCE)


@pytest.mark.parametrize("cycles", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_closed_and_opened_again_and_again_also_during_a_run(
    make_napari_viewer, recording_path, engines, qtbot, cycles
):
    viewer = make_napari_viewer(show=True)
    gone, clicks = [], []
    for cycle in range(cycles):
        wrapper, dock = open_dock(viewer, qtbot)
        if cycle == 0:
            dock.bench.open(recording_path)
        assert names(viewer).count("prompts") == names(viewer).count("vessels") == 1
        assert len(names(viewer)) == len(set(names(viewer)))
        clicks.append((15.0 + cycle, 30.0 + cycle))
        click(dock.bench.session, 0, *clicks[-1])
        assert [(p.y, p.x) for p in dock.bench.session.state.prompts] == clicks
        if cycle % 2:
            dock.bench.runs.start()
            bench = dock.bench
            qtbot.waitUntil(lambda bench=bench: bench.scene.frames.answered(1), timeout=PATIENCE)
        dock.bench.destroyed.connect(lambda: gone.append(1))
        close_dock(wrapper, qtbot)
        assert names(viewer) == ["cells"]
        del wrapper, dock
    wait_for_nobody(engines, qtbot)
    qtbot.waitUntil(lambda: len(gone) == cycles, timeout=PATIENCE)
    assert len(engines) == cycles


def test_the_old_dock_does_nothing_more_in_the_viewer(make_napari_viewer, recording_path, engines, qtbot):
    viewer = make_napari_viewer()
    wrapper, old = open_dock(viewer, qtbot)
    bench = old.bench
    bench.open(recording_path)
    close_dock(wrapper, qtbot)
    assert bench.scene is None and bench.session.recording is None
    wrapper, new = open_dock(viewer, qtbot)
    assert new is not old
    viewer.layers.clear()
    new.bench.open(recording_path)
    assert bench.scene is None and names(viewer).count("prompts") == 1
    close_dock(wrapper, qtbot)
    wait_for_nobody(engines, qtbot)


def test_hiding_the_dock_keeps_it_at_work(make_napari_viewer, recording_path, engines, qtbot):
    viewer = make_napari_viewer()
    wrapper, dock = open_dock(viewer, qtbot)
    dock.bench.open(recording_path)
    qtbot.mouseClick(wrapper.title.hide_button, Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    assert dock.bench.scene is not None and engines.alive
    wrapper.setVisible(True)
    wrapper.setFloating(True)
    qtbot.wait(50)
    wrapper.setFloating(False)
    assert dock.bench.scene is not None and "prompts" in names(viewer)
    close_dock(wrapper, qtbot)
    wait_for_nobody(engines, qtbot)


def test_a_second_dock_takes_over_from_the_first(make_napari_viewer, recording_path, engines, qtbot):
    viewer = make_napari_viewer()
    first, second = SAM2FlowDock(viewer), None
    viewer.window.add_dock_widget(first, name="one")
    first.bench.open(recording_path)
    click(first.bench.session, 0, 20.0, 30.0)
    second = SAM2FlowDock(viewer)
    viewer.window.add_dock_widget(second, name="two")
    assert not first.isEnabled() and first.bench.scene is None
    assert names(viewer).count("prompts") == 1
    assert len(second.bench.session.state.prompts) == 1
    qtbot.waitUntil(lambda: len(engines.alive) == 1, timeout=PATIENCE)
    second.shut()
    wait_for_nobody(engines, qtbot)


def test_two_viewers_close_one_by_one(make_napari_viewer, tmp_path, engines, qtbot):
    viewers = [make_napari_viewer() for _ in range(2)]
    docks = [open_dock(viewer, qtbot) for viewer in viewers]
    for number, (_, dock) in enumerate(docks):
        dock.bench.open(write_recording(tmp_path / f"cells{number}.tif"))
        click(dock.bench.session, 0, 20.0, 30.0)
        dock.bench.runs.start()
    close_dock(docks[0][0], qtbot)
    assert names(viewers[0]) == ["cells0"] and "prompts" in names(viewers[1])
    bench = docks[1][1].bench
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=PATIENCE)
    wrapper, again = open_dock(viewers[0], qtbot)
    assert len(again.bench.session.state.prompts) == 1
    for each in (docks[1][0], wrapper):
        close_dock(each, qtbot)
    wait_for_nobody(engines, qtbot)


def test_an_engine_that_does_not_end_is_ended(monkeypatch, qtbot):
    from sam2flow_napari.worker import engine_process

    monkeypatch.setattr(engine_process, "GRACE_S", 0.1)
    engine = engine_process.EngineProcess()
    engine._start()
    process = engine._process
    engine.hurry()
    qtbot.waitUntil(lambda: process.poll() is not None, timeout=PATIENCE)
    engine.close()


WINDOW = """
import sys
import napari
from qtpy.QtCore import QTimer
from sam2flow_core.prompts import Prompt
viewer = napari.Viewer()
dock = viewer.window.add_plugin_dock_widget("sam2flow", "SAM2Flow")[1]
viewer.window.resize(1280, 800)
dock.bench.open(sys.argv[1])
dock.bench.session.set_clicks((Prompt(1, 0, 20.0, 30.0, 1),))
dock.bench.scene.overlays.show("flow arrows", True)
QTimer.singleShot(1000, viewer.window._qt_window.close)
napari.run()
"""


def test_a_window_that_is_closed_ends_without_a_word(recording_path):
    """Layers were taken from a canvas that was gone: a hundred lines of errors in the terminal at every end."""
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, str(recording_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr and "Private attribute" not in done.stderr
    assert (recording_path.parent / "cells.tif.sam2flow" / "project.json").is_file()
