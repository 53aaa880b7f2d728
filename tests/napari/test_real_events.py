"""The dock under the hand: real keys, real clicks, and what must not move meanwhile."""

import gc
import os

import numpy as np
import pandas as pd
import pytest
import tifffile
from clicks import click
from conftest import FRAMES, PATIENCE, write_recording
from fake_engine import answer
from napari.components import ViewerModel
from napari.layers import Image
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QMessageBox, QPushButton

from sam2flow_core.engine.preview import Reading
from sam2flow_core.prompts import Prompt
from sam2flow_napari.layers.factory import palette, vessel_colour
from sam2flow_napari.layers.overlay_lines import flow_arrows
from sam2flow_napari.widgets import building_blocks
from sam2flow_napari.widgets.dock import SAM2FlowDock
from sam2flow_napari.widgets.export_dialog import ExportDialog
from sam2flow_napari.widgets.plots import at_every_frame, broken_line, passages


@pytest.fixture
def dock(qtbot, engine, recording_path):
    """A dock on the screen, with a recording open."""
    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.resize(440, 740)
    dock.show()
    qtbot.waitExposed(dock)
    dock.bench.open(recording_path)
    yield dock
    engine.gate.set()
    engine.preview_gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def mark(dock, count=2):
    for number in range(count):
        dock.bench.session.begin_vessel()
        click(dock.bench.session, 0, 12.0 + 20 * number, 40.0)


def measure(dock, qtbot):
    qtbot.mouseClick(dock.run.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)


def press(dock, qtbot, key, modifier=Qt.KeyboardModifier.NoModifier):
    """Type a key where a list of vessels has the focus."""
    table = dock.vessels.table if dock.vessels.table.isVisible() else dock.results.table
    dock.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus, timeout=PATIENCE)
    qtbot.keyClick(table, key, modifier)


# -- keys ------------------------------------------------------------------
def test_keys_typed_into_the_vessel_list_are_shortcuts(dock, qtbot):
    mark(dock)
    names = [vessel.name for vessel in dock.bench.session.state.vessels]
    press(dock, qtbot, Qt.Key.Key_T)
    assert dock.bench.session.sign == 0
    press(dock, qtbot, Qt.Key.Key_M)
    assert dock.bench.tools.painting
    press(dock, qtbot, Qt.Key.Key_Escape)
    assert not dock.bench.tools.painting
    press(dock, qtbot, Qt.Key.Key_B)
    assert dock.bench.scene.boxes.drawing
    press(dock, qtbot, Qt.Key.Key_B)
    press(dock, qtbot, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(dock.bench.session.state.prompts) == 1
    for letter in "aqxyw":
        press(dock, qtbot, getattr(Qt.Key, f"Key_{letter.upper()}"))
    assert [vessel.name for vessel in dock.bench.session.state.vessels] == names


def test_letters_typed_into_a_box_of_words_stay_letters(dock, qtbot):
    dock.activateWindow()
    box = dock.run.model.native
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "bnmt")
    assert box.text() == "bnmt"
    assert dock.bench.session.state.vessels == () and dock.bench.session.sign == 1


def test_a_name_is_edited_by_a_double_click(dock, qtbot):
    mark(dock, 1)
    qtbot.waitUntil(lambda: dock.bench.previews.standing(1) == "found", timeout=PATIENCE)
    dock.activateWindow()
    table = dock.vessels.table
    place = table.visualRect(dock.vessels.model.index(0, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: table.viewport().findChild(QLineEdit) is not None, timeout=PATIENCE)
    editor = table.viewport().findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "venule bnt")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dock.bench.session.state.vessel(1).name == "venule bnt", timeout=PATIENCE)


def test_n_is_a_new_vessel_also_after_another_was_mended(dock, qtbot):
    mark(dock, 3)
    dock.bench.session.activate(1)
    click(dock.bench.session, 0, 12.0, 50.0)
    press(dock, qtbot, Qt.Key.Key_N)
    assert dock.bench.session.active == 4
    press(dock, qtbot, Qt.Key.Key_N)
    assert dock.bench.session.state.vessel_ids == (1, 2, 3, 4)  # a second empty one would help nobody
    press(dock, qtbot, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert dock.bench.session.active == 1


def test_vessels_are_put_in_another_order(dock, qtbot):
    mark(dock, 3)
    down = next(b for b in dock.vessels.findChildren(QPushButton) if b.text() == "▼")
    dock.bench.session.activate(1)
    qtbot.mouseClick(down, Qt.MouseButton.LeftButton)
    assert dock.bench.session.state.vessel_ids == (2, 1, 3)
    assert dock.vessels.table.currentIndex().row() == 1
    qtbot.mouseClick(dock.vessels.undo, Qt.MouseButton.LeftButton)
    assert dock.bench.session.state.vessel_ids == (1, 2, 3)


# -- nothing moves ------------------------------------------------------------------
def places(dock):
    """Where each control is on the screen, pages that are not on show included."""
    controls = [b for b in dock.findChildren(QPushButton) if b.isVisibleTo(dock) and b.text()]
    controls += [dock.vessels.table, dock.run.progress, dock.run.start]
    return {id(c): (c.mapTo(dock, QPoint(0, 0)), c.size()) for c in controls}


def test_nothing_moves_while_vessels_are_marked(dock, qtbot, engine):
    qtbot.wait(20)
    before = places(dock)
    engine.preview_gate.clear()
    mark(dock, 12)
    qtbot.wait(20)
    assert places(dock) == before
    engine.preview_gate.set()
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    dock.bench.session.calibrate(type(dock.bench.session.recording.edit)(250.0, 1.0))
    dock.vessels.guide.setText("a hint of many words that goes on and on " * 5)
    qtbot.wait(20)
    assert places(dock) == before


def test_run_stays_where_it_is_through_a_run(dock, qtbot, engine):
    mark(dock)
    there = dock.run.start.mapTo(dock, QPoint(0, 0))
    engine.gate.clear()
    qtbot.mouseClick(dock.run.start, Qt.MouseButton.LeftButton)
    assert dock.pages.currentIndex() == 1  # at the user's own click
    qtbot.wait(20)
    before = places(dock)
    engine.gate.set()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    dock.bench.session.activate(2)
    qtbot.mouseClick(dock.results.switches.directions, Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    assert dock.bench.scene.overlays.is_shown("flow directions")
    assert places(dock) == before
    assert dock.run.start.mapTo(dock, QPoint(0, 0)) == there


def test_table_run_and_plot_are_in_sight_together(dock, qtbot):
    """In the room that napari leaves a dock in a window of 1280 x 800."""
    dock.resize(dock.minimumSizeHint().width(), 725)
    mark(dock)
    measure(dock, qtbot)
    qtbot.wait(50)
    for widget in (dock.results.table, dock.results.plot, dock.run.start, dock.run.progress, dock.vessels.guide):
        assert widget.isVisible()
        above = widget
        while above is not dock:  # inside all that holds it, pages that scroll among them
            above = above.parentWidget()
            corners = (widget.rect().topLeft(), widget.rect().bottomRight())
            assert all(above.rect().contains(widget.mapTo(above, corner)) for corner in corners), type(above)


def test_a_second_click_does_not_reach_what_has_taken_the_place_of_a_button(dock, qtbot):
    """Found vessels are accepted by a double click, and the button for boxes comes to lie under the pointer."""

    def twice(widget):
        place = widget.mapTo(dock, widget.rect().center())
        for _ in range(2):
            under = dock.childAt(place)
            qtbot.mouseClick(under, Qt.MouseButton.LeftButton, pos=under.mapFrom(dock, place))

    vessels, bench = dock.vessels, dock.bench
    for leave in (vessels.dismiss, vessels.accept):
        qtbot.mouseClick(vessels.find_all, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: vessels.accept.isVisible() and vessels.accept.isEnabled(), timeout=PATIENCE)
        qtbot.wait(QApplication.doubleClickInterval() + 100)
        twice(leave)
        assert not vessels.accept.isVisible() and not bench.scene.boxes.drawing
    assert len(bench.session.state.vessels) == 3
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    qtbot.wait(QApplication.doubleClickInterval() + 100)
    twice(vessels.paint)
    assert bench.tools.painting and not bench.session.state.regions
    qtbot.wait(QApplication.doubleClickInterval() + 100)
    bench.session.add_box(0, (10.0, 10.0, 30.0, 30.0))
    twice(vessels.clear)
    assert not bench.tools.painting and bench.session.state.regions, "to give up is not to clear"


# -- what a click is told ------------------------------------------------------------------
def test_a_second_click_on_a_vessel_says_which_it_is(dock, qtbot):
    mark(dock, 1)
    qtbot.waitUntil(lambda: dock.bench.previews.standing(1) == "found", timeout=PATIENCE)
    dock.bench.session.begin_vessel()
    click(dock.bench.session, 0, 13.0, 41.0)
    qtbot.waitUntil(lambda: "this is Vessel 1, which is marked already" in dock.vessels.guide.text(), timeout=PATIENCE)
    assert [dock.bench.previews.standing(v) for v in (1, 2)] == ["found", "check"]
    assert dock.vessels.guide.isVisible()
    dock.bench.session.delete_vessel(1)
    qtbot.waitUntil(lambda: dock.bench.previews.standing(2) == "found", timeout=PATIENCE)


def test_a_vessel_without_a_mask_is_told_from_one_with(dock, qtbot, engine, monkeypatch):
    found = answer(1, (Prompt(1, 0, 30.0, 40.0, 1),), last=True)
    nothing = type(found)(1, found.offset, np.zeros_like(found.mask), None, None)
    monkeypatch.setattr(engine, "mask", lambda job: Reading(nothing, job.prompts, 0, 1))
    click(dock.bench.session, 0, 30.0, 40.0)
    column = dock.vessels.model.index(0, 3)
    assert dock.vessels.model.data(column) == "looking…"
    qtbot.waitUntil(lambda: dock.vessels.model.data(column) == "none", timeout=PATIENCE)
    assert "No vessel was found" in dock.vessels.model.data(column, Qt.ItemDataRole.ToolTipRole)


# -- frames of a run ------------------------------------------------------------------
def test_a_range_from_behind_is_neither_swapped_nor_run(dock, qtbot):
    mark(dock)
    for box, value in ((dock.run.last, "12"), (dock.run.first, "30")):
        box.native.setFocus()
        box.native.selectAll()
        qtbot.keyClicks(box.native, value)
        qtbot.keyClick(box.native, Qt.Key.Key_Return)
    assert (dock.run.first.value, dock.run.last.value) == (30, 12)
    assert "first comes after the last" in dock.run._hint.text() and not dock.run.start.isEnabled()
    dock.run.first.value = 0
    assert dock.run.start.isEnabled() and dock.bench.session.run_choices.stop == 13


def test_a_range_may_lie_away_from_the_clicked_frame(dock):
    mark(dock)
    dock.run.first.value = 20
    assert dock.run._hint.text().startswith("Ready") and dock.run.start.isEnabled()


# -- another recording ------------------------------------------------------------------
def answer_question(dock, qtbot, text):
    """Press a button of the question that is asked."""
    boxes = dock.findChildren(QMessageBox)
    assert len(boxes) == 1
    qtbot.mouseClick(next(b for b in boxes[0].buttons() if b.text() == text), Qt.MouseButton.LeftButton)
    qtbot.wait(20)


@pytest.mark.parametrize("button", ["Go on measuring", "Stop and open"])
def test_a_second_recording_asks_before_it_ends_a_run(dock, qtbot, engine, tmp_path, button):
    mark(dock)
    engine.partial_at = (15,)  # there are rows and curves of the run already
    dock.bench.runs.start()
    qtbot.waitUntil(lambda: dock.results.model.rowCount() == 2, timeout=PATIENCE)
    other = write_recording(tmp_path / "other.tif", height=200, width=300, seed=1, calibrated=False)
    dock.bench.open(other)
    qtbot.waitUntil(lambda: bool(dock.findChildren(QMessageBox)), timeout=PATIENCE)
    assert dock.bench.runs.running and dock.bench.session.recording.stack.name == "cells"
    assert dock.bench.viewer.layers.extent.units is not None, "napari warns of layers in different units"
    assert "cells is being measured" in dock.findChildren(QMessageBox)[0].text()
    answer_question(dock, qtbot, button)
    stopped = button == "Stop and open"
    assert dock.bench.runs.running != stopped
    assert dock.bench.session.recording.stack.name == ("other" if stopped else "cells")
    images = [x.name for x in dock.bench.viewer.layers if isinstance(x, Image) and x.name in ("cells", "other")]
    assert images == ["other" if stopped else "cells"]
    assert dock.bench.viewer.layers.selection.active is dock.bench.scene.prompts.layer, "clicks are clicks still"
    assert dock.results.model.rowCount() == (0 if stopped else 2), "numbers of one recording are not shown with another"
    assert bool(dock.results.plot._curves) != stopped
    assert ("um/s" in dock.results.plot.getAxis("left").labelText) != stopped
    assert any("um/s" in label.text() for label in dock.results.switches.findChildren(QLabel)) != stopped
    assert [str(unit) for unit in dock.bench.scene.image.units[1:]] == 2 * ["pixel" if stopped else "micrometer"]
    engine.partial_at = ()
    engine.gate.set()


def test_the_camera_goes_to_the_new_recording(dock, qtbot, tmp_path):
    viewer = dock.bench.viewer
    viewer.camera.zoom, viewer.camera.center = 40.0, (0.0, 900.0, 900.0)
    dock.bench.open(write_recording(tmp_path / "other.tif", height=200, width=300))
    qtbot.wait(20)
    middle = dock.bench.scene.image.data_to_world((0, 99.5, 149.5))[1:]
    np.testing.assert_allclose(viewer.camera.center[1:], middle, atol=2)
    assert viewer.camera.zoom < 40


# -- layers ------------------------------------------------------------------
def test_before_the_first_click_no_layer_is_hidden_or_black(dock, qtbot):
    layers = dock.bench.viewer.layers
    assert [x.name for x in layers] == ["cells", "vessels", "vessel numbers", "prompts"]
    assert all(layer.visible for layer in layers)


def test_a_layer_of_clicks_that_comes_back_lies_where_the_recording_lies(dock, qtbot):
    mark(dock, 1)
    image, viewer = dock.bench.scene.image, dock.bench.viewer
    image.scale, image.translate = (0.01, 1.5, 1.5), (0, 40, 10)
    deleted = dock.bench.scene.prompts.layer
    viewer.layers.remove(deleted)
    qtbot.waitUntil(lambda: dock.bench.scene.prompts.layer is not deleted, timeout=PATIENCE)
    again = dock.bench.scene.prompts.layer
    assert len(again.data) == 1
    np.testing.assert_allclose(again.data_to_world((0, 12, 40)), image.data_to_world((0, 12, 40)))


def test_clicks_and_overlays_go_where_the_recording_goes(dock, qtbot):
    image, viewer = dock.bench.scene.image, dock.bench.viewer
    image.scale = (1.0, 3.0, 3.0)
    image.translate = (0.0, 50.0, -20.0)
    layer = dock.bench.scene.prompts.layer
    layer.add(layer.world_to_data(image.data_to_world((0, 12.0, 40.0))))
    (prompt,) = dock.bench.session.state.prompts
    assert (prompt.y, prompt.x) == pytest.approx((12.0, 40.0))
    measure(dock, qtbot)
    for each in viewer.layers:
        if each is not image:
            count = each.ndim
            np.testing.assert_allclose(each.scale[-2:], (3.0, 3.0), err_msg=each.name)
            np.testing.assert_allclose(each.translate[-2:], (50.0, -20.0), err_msg=each.name)
            assert count in (2, 3)


def test_all_layers_have_the_same_units_whatever_is_calibrated(dock, qtbot):
    mark(dock, 1)
    qtbot.waitUntil(lambda: dock.bench.previews.standing(1) == "found", timeout=PATIENCE)
    qtbot.mouseClick(dock.run.propagate, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(x.name == "masks-001" for x in dock.bench.viewer.layers), timeout=PATIENCE)
    dock.bench.stills.show("mean")
    qtbot.waitUntil(lambda: dock.bench.stills.layer is not None, timeout=PATIENCE)
    measure(dock, qtbot)
    dock.bench.tools.draw_box()
    dock.bench.tools.paint()
    edit = type(dock.bench.session.recording.edit)
    for calibration in (edit(0.3, 50.0), edit(), edit(2.0, None)):
        dock.bench.session.calibrate(calibration)
        assert dock.bench.viewer.layers.extent.units is not None


def test_one_key_hides_and_shows_all_that_lies_over_the_recording(dock, qtbot):
    mark(dock, 1)
    measure(dock, qtbot)
    layers = dock.bench.viewer.layers
    before = [layer.visible for layer in layers]
    press(dock, qtbot, Qt.Key.Key_O)
    assert [layer.name for layer in layers if layer.visible] == ["cells"]
    press(dock, qtbot, Qt.Key.Key_O)
    assert [layer.visible for layer in layers] == before


def test_a_still_picture_to_click_on(dock, qtbot, recording_path):
    press(dock, qtbot, Qt.Key.Key_G)
    assert dock.vessels.picture.currentText() == "Show mean"
    qtbot.waitUntil(lambda: dock.bench.stills.layer is not None, timeout=PATIENCE)
    layer = dock.bench.stills.layer
    video = tifffile.imread(recording_path).astype(float)
    np.testing.assert_allclose(layer.data, video[:-1].mean(axis=0), atol=1e-3)
    press(dock, qtbot, Qt.Key.Key_G)
    press(dock, qtbot, Qt.Key.Key_G)
    assert dock.vessels.picture.currentText() == "Show activity" and layer.visible
    assert layer.data.mean() == pytest.approx(np.abs(np.diff(video, axis=0)).mean(), rel=0.05)
    assert dock.bench.viewer.layers.index(layer) == 1
    dock.bench.scene.prompts.layer.add((0, 12.0, 40.0))
    assert len(dock.bench.session.state.prompts) == 1
    press(dock, qtbot, Qt.Key.Key_G)
    assert dock.vessels.picture.currentText() == "Show film" and not layer.visible


def test_an_image_of_another_reader_that_is_there_before_the_dock_is_told_too(qtbot, engine):
    viewer = ViewerModel()
    viewer.add_layer(Image(np.zeros((9, 40, 50), np.uint8), name="foreign"))
    dock = SAM2FlowDock(viewer, engine)
    qtbot.addWidget(dock)
    assert "foreign came through another reader" in dock.recording._problems.text()
    said = []
    dock.bench.opening.connect(said.append)
    dock.bench.use_layer()
    assert said[:1] == ["foreign"], "before it is written as a recording, which takes its time"
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def test_an_image_of_another_reader_is_told_and_taken(dock, qtbot, tmp_path):
    rng = np.random.default_rng(3)
    film = rng.integers(0, 255, (9, 40, 50)).astype(np.uint8)
    layer = Image(film, name="foreign", scale=(0.02, 0.5, 0.5), units=("s", "um", "um"))
    dock.bench.viewer.add_layer(layer)
    assert "foreign came through another reader" in dock.recording._problems.text()
    button = next(b for b in dock.recording.findChildren(QPushButton) if b.text() == "Layer")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    recording = dock.bench.session.recording
    assert recording.shape == film.shape
    np.testing.assert_array_equal(recording.stack.frame(4), film[4])
    assert recording.calibration.pixel_size_um.value == pytest.approx(0.5)
    assert recording.calibration.frame_rate_hz.value == pytest.approx(50)
    assert layer not in dock.bench.viewer.layers


def test_a_layer_without_units_has_no_pixel_size(dock, qtbot):
    """As of a Zarr folder that napari reads; the file that is written of it said one um."""
    dock.bench.viewer.add_layer(Image(np.random.default_rng(3).integers(0, 255, (9, 40, 50)).astype(np.uint8)))
    dock.bench.use_layer()
    calibration = dock.bench.session.recording.calibration
    assert calibration.pixel_size_um.value is None and calibration.frame_rate_hz.value is None
    assert calibration.pixel_size_um.usable is None


def test_layers_that_begin_alike_are_two_recordings(dock):
    """Both were one file, and the second film was measured as the first."""
    film = np.random.default_rng(3).integers(0, 255, (9, 40, 50)).astype(np.uint8)
    film[0] = 0
    for shown in (film, np.concatenate([film[:1], film[1:] // 2])):
        dock.bench.viewer.add_layer(Image(shown, name="film"))
        dock.bench.use_layer()
        np.testing.assert_array_equal(dock.bench.session.recording.stack.frame(4), shown[4])


def test_copies_of_layers_in_which_nothing_was_marked_go_after_a_day(dock):
    paths = []
    for value in range(3):
        film = np.random.default_rng(value).integers(0, 255, (9, 40, 50)).astype(np.uint8)
        dock.bench.viewer.add_layer(Image(film, name="film"))
        dock.bench.use_layer()
        paths.append(dock.bench.session.recording.path)
        if value == 0:
            click(dock.bench.session, 0, 12.0, 40.0)
    for path in paths[:2]:
        os.utime(path, (0, 0))
    dock.bench.viewer.add_layer(Image(film // 2, name="film"))
    dock.bench.use_layer()
    assert [path.exists() for path in paths] == [True, False, True]


def test_a_file_that_another_reader_has_opened_is_used_as_it_is(dock, qtbot, tmp_path):
    from napari.layers._source import layer_source

    path = write_recording(tmp_path / "other.tif")
    with layer_source(path=str(path), reader_plugin="napari"):
        dock.bench.viewer.add_layer(Image(tifffile.imread(path), name="other"))
    dock.bench.use_layer()
    assert dock.bench.session.recording.path == path


def test_a_layer_that_is_no_film_is_refused_in_words(dock):
    notification_manager.records.clear()
    dock.bench.viewer.add_layer(Image(np.zeros((20, 30)), name="photo"))
    dock.bench.use_layer()
    assert "photo: a film in shades of grey is wanted" in notification_manager.records[-1].message


# -- what the window says ------------------------------------------------------------------
def test_a_strange_calibration_is_called_doubtful(dock, qtbot):
    box = dock.recording.pixel_size.native
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "250")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert dock.recording._pixel_source.text() == "typed by you, doubtful: check it"


def test_the_window_says_what_the_report_says(dock, qtbot):
    mark(dock)
    measure(dock, qtbot)
    assert dock.results._hint.text() == "1 of 2 vessels can be believed as they stand (1 good, 1 poor)."
    dock.bench.session.activate(1)
    assert "two vessels in one mask?" in dock.results._notes.text()
    tip = dock.results.model.data(dock.results.model.index(0, 0), Qt.ItemDataRole.ToolTipRole)
    assert "Velocity: 150 um/s" in tip and "v_mean" not in tip


def test_the_plot_of_a_finished_run_is_not_called_speed_so_far(dock, qtbot):
    mark(dock)
    measure(dock, qtbot)
    qtbot.wait(400)  # longer than the plot of a run that goes on waits to be drawn
    assert dock.results.plot.getAxis("left").labelText == "velocity (um/s)"


def test_a_copied_table_has_one_value_a_cell(dock, qtbot):
    mark(dock)
    measure(dock, qtbot)
    copy = next(b for b in dock.results.findChildren(QPushButton) if b.text() == "Copy")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    head, first, _ = (line.split("\t") for line in QApplication.clipboard().text().splitlines())
    assert head[:5] == ["Number", "Vessel", "Velocity (um/s)", "95 % low (um/s)", "95 % high (um/s)"]
    assert first[:6] == ["1", "Vessel 1", "150", "125", "175", "poor"]


def open_export(dock, qtbot):
    button = next(b for b in dock.results.findChildren(QPushButton) if b.text() == "Export…")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.findChild(ExportDialog) is not None, timeout=PATIENCE)
    return dock.findChild(ExportDialog)


def choose_kinds(dialog, qtbot, *kinds):
    for kind, box in dialog.kinds.items():
        if box.isChecked() != (kind in kinds):
            qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert {kind for kind, box in dialog.kinds.items() if box.isChecked()} == set(kinds)


def test_everything_is_exported_from_the_dialog(dock, qtbot, tmp_path, monkeypatch):
    mark(dock)
    measure(dock, qtbot)
    dialog = open_export(dock, qtbot)
    choose_kinds(dialog, qtbot, *dialog.kinds)
    dialog.last.setValue(9)
    folder = tmp_path / "taken"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    notification_manager.records.clear()
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    told = lambda: [n.message for n in notification_manager.records]  # noqa: E731
    qtbot.waitUntil(lambda: any(text.startswith("Exported to") for text in told()), timeout=PATIENCE)
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 13 and {"cells.xlsx", "cells_film.mp4", "cells_masks.tif", "cells_summary.csv"} <= set(names)
    for name in ("summary.csv", "per_frame.csv"):
        assert (folder / f"cells_{name}").read_bytes() == (dock.bench.session.results / name).read_bytes()


def test_what_was_exported_is_told_when_the_dialog_is_gone(dock, qtbot, tmp_path, monkeypatch):
    """napari never takes away a message that comes while a dialog is the active window."""
    mark(dock)
    measure(dock, qtbot)
    dialog = open_export(dock, qtbot)
    choose_kinds(dialog, qtbot, "tables (CSV)")
    shown, told = [], lambda text: shown.append((text, any(d.isVisible() for d in dock.findChildren(ExportDialog))))
    monkeypatch.setattr(building_blocks, "show_info", told)
    (tmp_path / "taken").mkdir()
    dialog.export_to(tmp_path / "taken")
    qtbot.waitUntil(lambda: bool(shown), timeout=PATIENCE)
    assert shown == [(f"Exported to {tmp_path / 'taken'}", False)]


def test_an_export_says_what_is_in_its_way_and_replaces_nothing(dock, qtbot, tmp_path):
    mark(dock)
    measure(dock, qtbot)
    (tmp_path / "cells_summary.csv").write_text("mine")
    dialog = open_export(dock, qtbot)
    assert dialog.stop.text() == "Close"
    dialog.export_to(tmp_path)
    qtbot.waitUntil(dialog.start.isEnabled, timeout=PATIENCE)
    assert "exists already" in dialog.words.text()  # a notification would lie behind the dialog
    assert (tmp_path / "cells_summary.csv").read_text() == "mine"
    qtbot.mouseClick(dialog.stop, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_a_film_is_cancelled_and_leaves_nothing_of_it(dock, qtbot, tmp_path):
    mark(dock)
    measure(dock, qtbot)
    dialog = open_export(dock, qtbot)
    choose_kinds(dialog, qtbot)
    assert not dialog.start.isEnabled()
    choose_kinds(dialog, qtbot, "tables (CSV)", "film")
    folder = tmp_path / "taken"
    folder.mkdir()
    gc.disable()  # half a film is not to wait for the garbage collector
    try:
        dialog.export_to(folder)
        qtbot.waitUntil(lambda: "film, frame" in dialog.words.text(), timeout=PATIENCE)
        qtbot.mouseClick(dialog.stop, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(dialog.start.isEnabled, timeout=PATIENCE)
    finally:
        gc.enable()
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", ".csv"]
    assert "Cancelled" in dialog.words.text()
    # Export again writes the rest, into the same folder.
    assert {kind for kind, box in dialog.kinds.items() if box.isChecked()} == {"film"}


def test_a_report_without_a_browser_says_where_it_is(dock, qtbot, monkeypatch):
    mark(dock)
    measure(dock, qtbot)
    monkeypatch.setattr("sam2flow_napari.widgets.building_blocks.QDesktopServices.openUrl", lambda _: False)
    notification_manager.records.clear()
    report = next(b for b in dock.results.findChildren(QPushButton) if b.text() == "Report")
    qtbot.mouseClick(report, Qt.MouseButton.LeftButton)
    assert "No web browser" in notification_manager.records[-1].message
    assert QApplication.clipboard().text().endswith("report.html")


def test_the_diagram_shows_the_slopes_that_were_measured(dock, qtbot):
    mark(dock)
    measure(dock, qtbot)
    dock.bench.session.activate(1)
    t, place = dock.results.space_time._slopes.getData()
    steps = np.diff(place) / np.diff(t)
    scale = dock.bench.session.recording.spacing.scale[1]
    assert np.nanmedian(steps) == pytest.approx(3 * scale, rel=0.2)
    assert np.nanmin(place) >= 0 and np.nanmax(place) <= 20 * scale


def test_no_way_of_a_cell_and_no_curve_leads_from_one_range_to_the_next():
    frames = [*range(0, 9), *range(40, 49)]
    asked = np.array([t % 4 == 0 for t in frames])
    rows = pd.DataFrame(
        {"frame": frames, "n_px": np.where(asked, 5, np.nan), "velocity_px_frame": np.where(asked, 2, np.nan)}
    )
    times, velocities = at_every_frame(rows)
    assert np.isfinite(velocities).sum() == 18
    t, place = passages(times, velocities, 30)
    drawn = np.isfinite(place[:-1]) & np.isfinite(place[1:])
    assert drawn.any() and (np.diff(t)[drawn] <= 1).all()
    t, _ = broken_line(np.array(frames, float)[asked], np.ones(asked.sum()))
    np.testing.assert_array_equal(t, [0, 4, 8, np.nan, 40, 44, 48])


def test_passages_leave_gaps_where_there_is_no_velocity():
    velocity = np.full(50, -2.0)
    velocity[20:25] = np.nan
    t, place = passages(np.arange(50.0), velocity, 30)
    assert np.isnan(place[np.isin(t, np.arange(20, 25))]).all()
    assert np.nanmedian(np.diff(place)) == pytest.approx(-2)
    assert len(passages(np.arange(5.0), np.full(5, np.nan), 30)[0]) == 0


# -- colours ------------------------------------------------------------------
def test_colours_do_not_repeat_for_twenty_vessels():
    colours = np.array([[int(vessel_colour(v)[i : i + 2], 16) for i in (1, 3, 5)] for v in range(1, 22)], float)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1) + 1e3 * np.eye(len(colours))
    assert len(palette()) == 21 and apart.min() > 30


def test_each_vessel_has_its_number_in_the_image(dock, qtbot):
    mark(dock)
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    numbers = next(x for x in dock.bench.viewer.layers if x.name == "vessel numbers")
    qtbot.waitUntil(lambda: list(numbers.features["number"]) == [1, 2], timeout=PATIENCE)
    labels = dock.bench.scene.frames.labels(0)
    assert [labels[int(y), int(x)] for y, x in numbers.data] == [1, 2]
    dock.bench.session.show_vessel(1, False)
    qtbot.waitUntil(lambda: list(numbers.features["number"]) == [2], timeout=PATIENCE)


def test_slow_arrows_still_point():
    labels = np.ones((60, 60), np.uint8)
    flow = np.zeros((2, 60, 60), np.float16)
    flow[0, :, :30], flow[1, :, 30:] = 0.01, 8.0
    arrows = flow_arrows(labels, flow, 8.0)
    lengths = np.hypot(*arrows[:, 1].T)
    assert lengths.min() > 3 and lengths.max() == pytest.approx(12, abs=0.1)
    slow = arrows[lengths < 6]
    np.testing.assert_allclose(slow[:, 1, 0], 0, atol=1e-6)


def test_nothing_covers_the_tissue(dock, qtbot):
    mark(dock)
    measure(dock, qtbot)
    speed = next(x for x in dock.bench.viewer.layers if x.name.startswith("speed"))
    assert not speed.colorbar.visible
    assert "Speed, 0 to" in dock.results.switches._words.text()
    qtbot.mouseClick(dock.results.switches.directions, Qt.MouseButton.LeftButton)
    assert "Flow towards" in dock.results.switches._words.text()
    lines = next(x for x in dock.bench.viewer.layers if x.name == "centrelines")
    arrows = next(x for x in dock.bench.viewer.layers if x.name == "flow arrows")
    qtbot.waitUntil(lambda: len(lines.data) > 0 and len(arrows.data) > 0, timeout=PATIENCE)
    assert not np.allclose(lines.edge_color[0], arrows.edge_color[0])


def test_napari_s_word_on_an_old_qt_is_said_once_where_it_covers_nothing(make_napari_viewer, engine, qtbot):
    from napari._qt.dialogs.qt_notification import NapariQtNotification

    from sam2flow_napari.widgets.dock import OLD_QT, QT5

    if not QT5:
        pytest.skip("of PyQt5 only")
    viewer = make_napari_viewer()
    message = NapariQtNotification(
        "napari support for the PyQt5 backend is deprecated", "warning", parent=viewer.window._qt_window
    )
    other = NapariQtNotification("something else", "warning", parent=viewer.window._qt_window)
    for each in (message, other):
        each.show()
    dock = SAM2FlowDock(viewer, engine)
    qtbot.addWidget(dock)
    qtbot.waitUntil(lambda: viewer.status == OLD_QT, timeout=PATIENCE)
    assert message.isHidden() and not other.isHidden()
    other.close()
    dock.shut()


@pytest.mark.window
def test_keys_and_clicks_over_the_image_of_a_real_window(window, recording_path, qtbot):
    viewer, dock = window
    dock.bench.open(recording_path)
    qtbot.wait(100)
    native = viewer.window._qt_viewer.canvas.native
    middle = native.rect().center()
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(lambda: len(dock.bench.session.state.prompts) == 1, timeout=PATIENCE)
    qtbot.waitUntil(lambda: dock.bench.previews.standing(1) == "found", timeout=PATIENCE)
    native.setFocus()
    qtbot.keyClick(native, Qt.Key.Key_N)
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=middle + QPoint(3, 3))
    qtbot.waitUntil(lambda: "marked already" in dock.vessels.guide.text(), timeout=PATIENCE)
    assert dock.vessels.guide.isVisible()
    qtbot.keyClick(native, Qt.Key.Key_O)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["cells"]
    press(dock, qtbot, Qt.Key.Key_O)
    qtbot.waitUntil(lambda: dock.bench.scene.prompts.layer.visible, timeout=PATIENCE)
    assert viewer.layers.extent.units is not None
    assert dock.bench.session.recording.shape[0] == FRAMES
