"""The middle line of a vessel, bent by its points: the mask follows, every step can be undone, a run measures it."""

import numpy as np
import pytest
from clicks import click
from conftest import HEIGHT, PATIENCE, WIDTH
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt
from test_boxes_and_brush import drag, key

from sam2flow_core.prompts import MaskPrompt


@pytest.fixture
def marked(bench, qtbot):
    """A workbench with a vessel in rows 26 to 33, columns 40 to 59, of frame 3."""
    bench.viewer.dims.set_current_step(0, 3)
    click(bench.session, 3, 30.0, 50.0)
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    return bench


def bend(bench, knot, to):
    """Drag a point of the line to ``(y, x)``."""
    layer = bench.scene.course.layer
    layer.selected_data = {0}
    layer.scale_factor = 0.1  # as in a window that shows the vessel large
    drag(layer, tuple(layer.data[0][knot][1:]), to, 3)


def painted(bench):
    (region,) = bench.session.state.regions
    assert isinstance(region, MaskPrompt) and region.frame == 3
    return region.mask


def test_the_mask_follows_a_point_and_keeps_its_width(marked):
    key(marked, "C")
    course = marked.scene.course
    line = course.layer.data[0]
    assert course.working and np.allclose(line[:, 1], 29.5, atol=1) and len(line) == 3
    bend(marked, 1, (19.5, 49.5))
    mask = painted(marked)
    assert not marked.session.state.clicks, "the mask stands for the click"
    rows = np.flatnonzero(mask[:, 50])
    assert rows.mean() == pytest.approx(19.5, abs=0.6) and len(rows) == pytest.approx(8, abs=1)
    assert mask[29, 40] and mask[29, 59], "the ends stay"


def test_every_step_is_undone_and_the_line_goes_with_it(marked):
    before = marked.session.state
    key(marked, "C")
    straight = marked.scene.course.layer.data[0].copy()
    bend(marked, 1, (19.5, 49.5))
    first = painted(marked)
    bend(marked, 2, (24.0, 75.0))
    assert painted(marked)[24, 74] and not first[24, 74]
    key(marked, "Ctrl+Z")
    assert np.array_equal(painted(marked), first) and marked.scene.course.layer.data[0][1][1] == 19.5
    key(marked, "Ctrl+Z")
    assert marked.session.state == before and marked.scene.course.working
    assert np.allclose(marked.scene.course.layer.data[0], straight)
    key(marked, "Ctrl+Shift+Z")
    assert np.array_equal(painted(marked), first) and marked.scene.course.layer.data[0][1][1] == 19.5


def test_one_point_more_and_one_less_leave_the_width(marked):
    key(marked, "C")
    layer = marked.scene.course.layer
    layer.mode = "vertex_insert"
    bend(marked, 1, (29.5, 55.0))
    assert len(layer.data[0]) == 4
    layer.mode = "direct"
    bend(marked, 1, (20.0, 45.0))
    length = np.hypot(*np.diff(layer.data[0], axis=0)[:, 1:].T).sum()
    assert painted(marked).sum() == pytest.approx(8 * length, rel=0.2)
    layer.mode = "vertex_remove"
    bend(marked, 1, (20.0, 45.0))
    assert len(layer.data[0]) == 3 and painted(marked).any()


@pytest.mark.parametrize("leave", ["C", "Escape", "N", "B"])
def test_back_to_clicks_the_line_goes_and_what_was_bent_stays(marked, leave):
    key(marked, "C")
    bend(marked, 1, (19.5, 49.5))
    mask = painted(marked)
    key(marked, leave)
    if leave == "N":
        marked.scene.make_clickable()
        marked.scene.prompts.layer.add((3, 50.0, 20.0))
    assert not marked.scene.course.working and marked.scene.course.layer not in marked.viewer.layers
    assert np.array_equal(painted(marked), mask)


def test_a_line_that_was_deleted_comes_back_when_it_is_wanted(marked):
    key(marked, "C")
    marked.viewer.layers.remove(marked.scene.course.layer)
    assert not marked.tools.bending
    marked.tools.bend()
    assert marked.scene.course.layer in marked.viewer.layers and len(marked.scene.course.layer.data) == 1


def test_without_a_mask_it_is_told_what_to_do_and_nothing_changes(bench):
    notification_manager.records.clear()
    bench.tools.bend()
    assert "click on the vessel first" in notification_manager.records[-1].message
    assert not bench.tools.bending and not bench.session.state.prompts


def test_a_line_that_is_dragged_out_of_the_image_leaves_the_vessel(marked):
    key(marked, "C")
    before = marked.session.state
    for knot in range(3):
        marked.scene.course.layer.selected_data = {0}
        bend(marked, knot, (HEIGHT + 200.0 + knot, WIDTH + 200.0 + 3 * knot))
    assert all(region.mask.any() for region in marked.session.state.regions)
    while marked.session.can_undo and marked.session.state != before:
        marked.session.undo()
    assert marked.session.state == before


def test_after_a_run_the_measured_line_is_bent_and_the_vessel_is_to_be_measured_anew(marked, qtbot):
    marked.runs.start()
    qtbot.waitUntil(lambda: marked.runs.tables is not None, timeout=PATIENCE)
    marked.viewer.dims.set_current_step(0, 3)
    marked.tools.bend()
    (line,) = marked.runs.tables.lines
    assert np.allclose(marked.scene.course.layer.data[0][[0, -1], 1:], line.at(3)[[0, -1]])
    bend(marked, 1, (19.5, 49.5))
    assert marked.runs.outdated(marked.session.state) == {1}
    marked.runs.start()
    qtbot.waitUntil(lambda: not marked.runs.running and marked.runs.tables is not None, timeout=PATIENCE)
    assert marked.runs.tables.request.prompts == marked.session.state.prompts
    assert not marked.runs.outdated(marked.session.state)


@pytest.mark.window
def test_with_the_mouse_in_a_real_window(window, recording_path, qtbot):
    viewer, dock = window
    dock.bench.open(recording_path)
    qtbot.wait(100)
    click(dock.bench.session, 0, HEIGHT / 2, WIDTH / 2)
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    native = viewer.window._qt_viewer.canvas.native
    qtbot.keyClick(native, Qt.Key.Key_C)
    assert dock.bench.tools.bending and "Drag the points of the line" in dock.vessels.guide.text()
    layer = dock.bench.scene.course.layer
    _, y, x = layer.data_to_world(layer.data[0][1])
    (_, cy, cx), zoom = viewer.camera.center, viewer.camera.zoom / native.devicePixelRatioF()
    place = native.rect().center() + QPoint(round((x - cx) * zoom), round((y - cy) * zoom))
    qtbot.mouseMove(native, place)
    qtbot.wait(50)
    qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=place)
    for step in range(1, 6):
        qtbot.mouseMove(native, place + QPoint(0, -12 * step))
        qtbot.wait(20)
    qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=place + QPoint(0, -60))
    (region,) = dock.bench.session.state.regions
    rows = np.flatnonzero(region.mask[:, WIDTH // 2])
    assert rows.mean() < HEIGHT / 2 - 3
    qtbot.keyClick(native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert dock.bench.session.state.clicks and not dock.bench.session.state.regions
    qtbot.keyClick(native, Qt.Key.Key_Escape)
    assert not dock.bench.tools.bending
