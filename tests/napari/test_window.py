"""A few real windows on a virtual screen."""

import time
from itertools import islice

import numpy as np
import pytest
from clicks import click
from conftest import PATIENCE, write_recording
from fake_engine import FakeEngine
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtWidgets import QLabel

from sam2flow_napari.layers.overlays import NUMBERS
from sam2flow_napari.widgets.building_blocks import Hint
from sam2flow_napari.widgets.dock import SAM2FlowDock

pytestmark = pytest.mark.window


def mark_two(dock):
    click(dock.bench.session, 0, 15.0, 40.0)
    dock.bench.session.activate_next()
    click(dock.bench.session, 0, 45.0, 40.0)


def test_from_a_file_to_pixels_on_screen(window, recording_path, qtbot):
    viewer, dock = window
    viewer.open(str(recording_path), plugin="sam2flow")
    mark_two(dock)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    viewer.dims.set_current_step(0, 5)
    qtbot.wait(200)
    picture = viewer.screenshot(flash=False).astype(int)
    colourful = (picture[..., :3].max(axis=-1) - picture[..., :3].min(axis=-1)) > 60
    assert colourful.sum() > 200
    dock.bench.tools.switch_overlays()
    qtbot.wait(50)
    after = viewer.screenshot(flash=False).astype(int)
    still = (after[..., :3].max(axis=-1) - after[..., :3].min(axis=-1)) > 60
    assert still.sum() < colourful.sum() / 2


def test_a_frame_without_prompts_has_no_dot_in_its_corner(window, recording_path, qtbot):
    """napari draws a point without size at (0, 0) where a layer has none: black, and seen on a light ground."""
    viewer, dock = window
    viewer.theme = "light"
    dock.bench.open(recording_path)
    mark_two(dock)
    viewer.dims.set_current_step(0, 5)
    layer = dock.bench.scene.prompts.layer
    assert len(layer.data) == 2
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    qtbot.wait(300)
    dock.bench.scene.overlays.show(NUMBERS, False)
    pictures = []
    for shown in (True, False):
        layer.visible = shown
        qtbot.wait(50)
        pictures.append(viewer.screenshot(flash=False))
    np.testing.assert_array_equal(*pictures)


def test_a_click_of_the_mouse_on_the_canvas_is_a_prompt(window, recording_path, qtbot):
    viewer, dock = window
    dock.bench.open(recording_path)
    qtbot.wait(100)
    native = viewer.window._qt_viewer.canvas.native
    middle = native.rect().center()
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(lambda: len(dock.bench.session.state.prompts) == 1, timeout=PATIENCE)
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, middle + QPoint(20, 10))
    qtbot.waitUntil(lambda: len(dock.bench.session.state.prompts) == 2, timeout=PATIENCE)
    first, second = dock.bench.session.state.prompts
    assert (first.label, second.label) == (1, 0)
    assert first.y == pytest.approx(31.5, abs=2)
    assert first.x == pytest.approx(47.5, abs=2)
    native.setFocus()
    qtbot.keyClick(native, Qt.Key.Key_N)
    assert dock.bench.session.active == 2
    qtbot.keyClick(native, Qt.Key.Key_T)
    assert dock.bench.session.sign == 0
    qtbot.keyClick(native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert dock.bench.session.state.prompts == (first,)


def test_the_dock_fits_a_small_screen(window, recording_path, qtbot):
    viewer, dock = window
    viewer.window.resize(1280, 800)
    dock.bench.open(recording_path)
    mark_two(dock)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    qtbot.wait(150)
    assert dock.width() <= 460
    assert viewer.window._qt_window.width() <= 1280
    for number in range(dock.pages.count()):
        page = dock.pages.widget(number)
        assert page.widget().minimumSizeHint().width() <= page.viewport().width()


def test_a_notice_pushes_nothing_out_of_sight(window, qtbot):
    """Qt has a page with a label of several lines scroll before its table shrinks."""
    viewer, dock = window
    viewer.window.resize(1280, 800)
    viewer.add_image(np.zeros((9, 40, 50), np.uint8), name="foreign")
    assert dock.recording._problems.text()
    qtbot.wait(150)
    page, last = dock.pages.widget(0), dock.run.propagate
    assert not page.widget().hasHeightForWidth()
    assert page.rect().contains(last.mapTo(page, last.rect().bottomRight()))


def test_what_finds_no_room_in_a_hint_ends_in_an_ellipsis(window, qtbot):
    """A last word that breaks into a line which is not there would be gone, and what is left would read as all."""
    _, dock = window
    hint = Hint(1)
    dock.layout().addWidget(hint)
    words = "Provisional, from frames 0 to 15; the run was cut short."
    for width in range(340, 460):
        hint.setFixedWidth(width)
        hint.setText(words)
        shown = QLabel.text(hint)
        assert QLabel.heightForWidth(hint, width) < 1.9 * hint.fontMetrics().lineSpacing(), (width, shown)
        assert shown == words or shown.endswith("…")
    assert shown == words


def test_closing_the_window_during_a_run_saves_and_stops(make_napari_viewer, qtbot, engine, recording_path):
    viewer = make_napari_viewer(show=True)
    dock = SAM2FlowDock(viewer, engine)
    viewer.window.add_dock_widget(dock, name="SAM2Flow")
    dock.bench.open(recording_path)
    mark_two(dock)
    engine.seconds_a_frame = 0.05
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.scene.frames.answered(1), timeout=PATIENCE)
    bench = dock.bench
    folder = bench.session.folder
    viewer.window.remove_dock_widget(dock)
    dock.close()
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert engine.closed == 1
    assert (folder / "prompts.csv").read_text().count("\n") == 3


def test_through_the_proxy_that_plugins_are_given(make_napari_viewer_proxy, recording_path, engine, qtbot):
    viewer = make_napari_viewer_proxy()
    dock = SAM2FlowDock(viewer, engine)
    dock.bench.open(recording_path)
    mark_two(dock)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert len([x for x in viewer.layers if x.visible]) >= 5
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


class Heartbeat:
    """Measures how long the GUI thread was away, in wall time and in its own computing time."""

    def __init__(self):
        self.wall, self.cpu = [], []
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._beat)
        self._last = (time.perf_counter(), time.thread_time())
        self._timer.start()

    def _beat(self):
        now = (time.perf_counter(), time.thread_time())
        self.wall.append(1000 * (now[0] - self._last[0]))
        self.cpu.append(1000 * (now[1] - self._last[1]))
        self._last = now

    def stop(self):
        self._timer.stop()
        p99, most = np.percentile(self.wall, 99), max(self.wall)
        return f"wall p99 {p99:.0f} max {most:.0f} ms, computing max {max(self.cpu):.0f} ms"


@pytest.mark.slow
def test_the_window_never_freezes_on_a_long_stack(window, tmp_path, qtbot):
    _, dock = window
    dock.bench.open(write_recording(tmp_path / "long.tif", frames=10000, height=128, width=128))
    engine = dock.bench._worker._engine
    assert isinstance(engine, FakeEngine)
    engine.seconds_a_frame = 0.01
    mark_two(dock)
    qtbot.wait(1000)
    heart = Heartbeat()
    rows = iter(range(20, 40))
    clicks = QTimer()  # from the event loop, as clicks come, and faster than any hand: thirty a second
    clicks.setInterval(33)
    clicks.timeout.connect(lambda: [click(dock.bench.session, 0, float(y), 60.0) for y in islice(rows, 1)])
    clicks.start()
    qtbot.waitUntil(lambda: len(dock.bench.session.state.prompts) == 22, timeout=PATIENCE)
    clicks.stop()
    qtbot.wait(100)
    print("\nprompting:", heart.stop())
    prompting = heart
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.scene.frames.answered(20), timeout=PATIENCE)
    heart = Heartbeat()
    qtbot.waitUntil(lambda: dock.bench.scene.frames.answered(400), timeout=PATIENCE)
    print("running:", heart.stop())
    dock.bench.runs.cancel()
    qtbot.waitUntil(lambda: not dock.bench.runs.running, timeout=PATIENCE)
    # Computing time, because a busy test machine takes the thread away for as long as it likes.
    for beats in (prompting.cpu, heart.cpu):
        assert np.percentile(beats, 99) < 50
        assert max(beats) < 80
