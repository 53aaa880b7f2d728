"""The dock's widgets: they show the session, drive it, and explain themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clicks import click
from conftest import FRAMES, PATIENCE, write_recording
from fake_engine import answer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QAbstractItemModel, Qt
from qtpy.QtWidgets import QAbstractButton, QFileDialog, QLineEdit, QPushButton, QTableView, QWidget

from sam2flow_core.config.flags import FLAG_MEANINGS
from sam2flow_core.engine.events import Stage
from sam2flow_core.engine.preview import Reading
from sam2flow_core.errors import OutputError
from sam2flow_core.prompts import Prompt
from sam2flow_napari.widgets.dock import SAM2FlowDock, help_text
from sam2flow_napari.widgets.results_table import flags_in_short, flags_in_words
from sam2flow_napari.widgets.run_section import duration
from sam2flow_napari.worker.jobs import RunProgress


@pytest.fixture
def make_dock(qtbot, engine):
    from napari.components import ViewerModel

    made = []

    def make(viewer=None):
        dock = SAM2FlowDock(viewer or ViewerModel(), engine)
        qtbot.addWidget(dock)
        made.append(dock)
        return dock

    yield make
    engine.gate.set()
    for dock in made:
        dock.shut()
    qtbot.waitUntil(lambda: not any(d.bench.busy for d in made), timeout=PATIENCE)


@pytest.fixture
def dock(make_dock, recording_path):
    dock = make_dock()
    dock.bench.open(recording_path)
    return dock


def cell(model: QAbstractItemModel, row, column, role=Qt.ItemDataRole.DisplayRole):
    return model.data(model.index(row, column), role)


def run_to_end(dock, qtbot):
    click(dock.bench.session, 0, 15.0, 40.0)
    dock.bench.session.activate_next()
    click(dock.bench.session, 0, 45.0, 40.0)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)


def test_every_control_has_a_tooltip(dock):
    titles = {"Recording", "Vessels", "Settings of a run"}
    buttons = [b for b in dock.findChildren(QAbstractButton) if b.text() and b.text() not in titles]
    assert len(buttons) >= 12
    assert [b.text() for b in buttons if not b.toolTip()] == []
    assert all(table.toolTip() for table in dock.findChildren(QTableView))
    boxes = [dock.recording.pixel_size, dock.recording.frame_rate, dock.run.first, dock.run.last, dock.run.device]
    assert all(box.native.toolTip() for box in boxes)


def test_empty_dock_says_what_to_do_next(make_dock):
    dock = make_dock()
    texts = [w.text() for w in dock.findChildren(QWidget) if hasattr(w, "text") and not isinstance(w, QLineEdit)]
    assert any("Open a recording" in t for t in texts)
    assert not dock.vessels.isEnabled()
    assert not dock.run.isEnabled()


def test_advice_follows_the_work(dock, qtbot):
    session = dock.bench.session
    assert "Click on a vessel" in dock.vessels.guide.text()
    assert not dock.run.start.isEnabled()
    click(session, 0, 5.0, 5.0)
    assert "Looking for Vessel 1" in dock.vessels.guide.text()
    assert dock.run.start.isEnabled()
    qtbot.waitUntil(lambda: "mend" in dock.vessels.guide.text(), timeout=PATIENCE)
    session.activate_next()
    assert "Vessel 2" in dock.vessels.guide.text()


def test_calibration_is_shown_with_its_source_and_can_be_mended(dock):
    section = dock.recording
    assert section.pixel_size.value == pytest.approx(0.5)
    assert "ImageJ" in section._pixel_source.text()
    section.pixel_size.value = 0.8
    assert dock.bench.session.recording.spacing.pixel_size_um == pytest.approx(0.8)
    assert "you" in section._pixel_source.text()
    section.pixel_size.value = 0
    assert dock.bench.session.recording.spacing.pixel_size_um == pytest.approx(0.5)


def test_absurd_calibration_is_refused(dock):
    notification_manager.records.clear()
    dock.recording.pixel_size.value = 9000
    assert dock.bench.session.recording.spacing.pixel_size_um == pytest.approx(0.5)
    assert dock.recording.pixel_size.value == pytest.approx(0.5)
    assert len(notification_manager.records) == 1


def test_an_uncalibrated_recording_says_so(make_dock, tmp_path):
    dock = make_dock()
    dock.bench.open(write_recording(tmp_path / "raw.tif", calibrated=False))
    assert dock.recording._pixel_source.text() == "not in file"
    assert dock.recording.pixel_size.native.text() == "unknown"
    assert "no pixel size" in dock.recording._problems.text() and "no frame rate" in dock.recording._problems.text()
    dock.recording.pixel_size.value = 0.5
    assert "no pixel size" not in dock.recording._problems.text(), "it is given now"
    assert "no frame rate" in dock.recording._problems.text()


def test_vessel_table_shows_and_edits_the_session(dock):
    session, model = dock.bench.session, dock.vessels.model
    click(session, 0, 5.0, 5.0)
    click(session, 0, 9.0, 9.0, label=0)
    session.activate_next()
    assert model.rowCount() == 2
    assert cell(model, 0, 1) == "Vessel 1"
    assert cell(model, 0, 2) == "1 +  1 −"
    assert model.setData(model.index(0, 1), "venule")
    assert session.state.vessel(1).name == "venule"
    assert model.setData(model.index(0, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert not session.state.vessel(1).visible
    dock.vessels.table.selectRow(0)
    assert session.active == 1
    session.activate(2)
    assert dock.vessels.table.currentIndex().row() == 1


def test_vessel_model_passes_qt_s_own_checks(dock, qtmodeltester):
    qtmodeltester.check(dock.vessels.model)
    click(dock.bench.session, 0, 5.0, 5.0)
    qtmodeltester.check(dock.vessels.model)
    dock.bench.session.undo()


def test_buttons_of_the_vessel_section(dock):
    session = dock.bench.session
    buttons = {b.text(): b for b in dock.vessels.findChildren(QAbstractButton)}
    buttons["Add"].click()
    assert session.state.vessel_ids == (1,)
    click(session, 0, 5.0, 5.0)
    dock.vessels.undo.click()
    assert session.state.prompts == ()
    dock.vessels.redo.click()
    assert len(session.state.prompts) == 1
    dock.vessels.sign.click()
    assert session.sign == 0
    buttons["Delete"].click()
    assert session.state.vessels == ()


def test_the_paint_button_says_what_comes_next(dock, qtbot):
    click(dock.bench.session, 0, 5.0, 5.0)
    dock.vessels.paint.click()
    assert dock.vessels.paint.text() == "Use the mask" and "1 erases" in dock.vessels.guide.text()
    brush = dock.bench.scene.brush.layer
    brush.paint((0, 5, 5), brush.selected_label)
    dock.vessels.paint.click()
    assert dock.vessels.paint.text() == "Paint"
    qtbot.waitUntil(lambda: "mend" in dock.vessels.guide.text(), timeout=PATIENCE)
    dock.vessels.paint.click()
    assert dock.vessels.clear.text() == "Give up"
    dock.vessels.clear.click()
    assert (dock.vessels.paint.text(), dock.vessels.clear.text()) == ("Paint", "Clear")
    assert cell(dock.vessels.model, 0, 2) == "0 +  0 −, 1 mask"
    assert len(dock.bench.session.state.regions) == 1


def test_a_click_beside_every_vessel_is_told_in_the_dock(dock, engine, qtbot, monkeypatch):
    nothing = replace(answer(1, (Prompt(1, 0, 30.0, 40.0, 1),), last=True), offset=(40, 60))
    monkeypatch.setattr(engine, "mask", lambda job: Reading(nothing, job.prompts, 0, 1))
    click(dock.bench.session, 0, 10.0, 10.0)
    qtbot.waitUntil(lambda: "lies beside a click" in dock.vessels.guide.text(), timeout=PATIENCE)
    dock.bench.session.undo()
    assert "Click on a vessel" in dock.vessels.guide.text()


def test_clicks_after_a_run_are_shown_and_told(dock, qtbot):
    run_to_end(dock, qtbot)
    frames, session = dock.bench.scene.frames, dock.bench.session
    before = frames.labels(8).copy()
    assert "can be believed" in dock.results._hint.text()
    session.add_vessel()
    click(session, 8, 30.0, 70.0)
    qtbot.waitUntil(lambda: (frames.labels(8) == 3).any(), timeout=PATIENCE)
    assert (frames.labels(8)[before == 1] == 1).all()
    assert "Vessel 3" in dock.results._hint.text()
    session.set_clicks(tuple(p for p in session.state.clicks if p.vessel_id != 1))
    assert not (frames.labels(8) == 1).any() and not frames.flow(8)[:, before == 1].any()
    session.undo()
    session.undo()
    np.testing.assert_array_equal(frames.labels(8), before)
    assert frames.flow(8)[:, before == 1].any() and "can be believed" in dock.results._hint.text()


def test_without_a_calibration_the_table_is_in_px(make_dock, tmp_path, qtbot):
    dock = make_dock()
    dock.bench.open(write_recording(tmp_path / "raw.tif", calibrated=False))
    run_to_end(dock, qtbot)
    model = dock.results.model
    assert model.headerData(1, Qt.Orientation.Horizontal) == "px/frame"
    assert float(cell(model, 0, 1)) == pytest.approx(3, abs=0.3)


def test_each_range_has_its_own_mean_without_a_calibration_too(make_dock, tmp_path, qtbot):
    dock = make_dock()
    dock.bench.open(write_recording(tmp_path / "raw.tif", calibrated=False))
    run_to_end(dock, qtbot)
    tables = dock.bench.runs.tables
    one = tables.summary[tables.summary["vessel_id"] == 1]
    summary = pd.concat([one.assign(first_frame=0, last_frame=9), one.assign(first_frame=20, last_frame=29)])
    per_frame = tables.per_frame.assign(velocity_px_frame=np.where(tables.per_frame["frame"] < 15, 1.0, 4.0))
    model = dock.results.model
    model.show_tables(replace(tables, summary=summary, per_frame=per_frame))
    assert [cell(model, row, 1) for row in range(2)] == ["1.00", "4.00"]
    assert [line.split("\t")[2] for line in model.as_text().splitlines()[1:]] == ["1", "4"]


def test_run_settings_reach_the_request(dock, engine, qtbot):
    dock.run.first.value = 4
    dock.run.last.value = 20
    dock.run.device.value = "cpu"
    dock.recording.stabilise.value = False
    dock.run.resolution.value = 2.0
    run_to_end(dock, qtbot)
    request = engine.requests[0]
    assert (request.start, request.stop, request.device, request.stabilise) == (4, 21, "cpu", False)
    assert request.working_resolution == 2
    dock.run.resolution.value = 0.0
    assert dock.bench.session.run_choices.working_resolution is None


def test_cancel_says_at_once_that_it_was_heard(dock, engine, qtbot):
    click(dock.bench.session, 0, 15.0, 40.0)
    engine.gate.clear()
    dock.run.start.click()
    qtbot.waitUntil(lambda: bool(engine.requests), timeout=PATIENCE)
    dock.run.cancel.click()
    assert "Stopping after the present frame" in dock.run._hint.text() and not dock.run.cancel.isEnabled()
    dock.bench.runs.progressed.emit(RunProgress(dock.bench.runs._job_id, Stage("what was on its way")))
    assert "Stopping" in dock.run._hint.text()
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.runs.running, timeout=PATIENCE)
    assert not dock.bench.stopping and "Stopping" not in dock.run._hint.text()


def test_file_dialogs_begin_beside_the_recording(dock, monkeypatch, recording_path):
    begun = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *given: (begun.append(given[2:]), ("", ""))[1])
    next(b for b in dock.findChildren(QPushButton) if b.text() == "Open…").click()
    assert begun[0][0] == str(recording_path.parent) and "*.tif" in begun[0][1]
    dock.bench.open_sample()
    assert dock.bench.nearby == ""  # beside the program's own files nobody looks for a recording


def test_progress_and_cancel(dock, engine, qtbot):
    engine.seconds_a_frame = 0.02
    click(dock.bench.session, 0, 15.0, 40.0)
    assert not dock.run.cancel.isEnabled()
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.run.progress.value() >= 3, timeout=PATIENCE)
    assert dock.run.progress.maximum() == FRAMES
    assert "left" in dock.run._hint.text()
    assert not dock.run.start.isEnabled()
    dock.run.cancel.click()
    qtbot.waitUntil(lambda: not dock.bench.runs.running, timeout=PATIENCE)
    assert dock.run.start.isEnabled()


def test_results_table_plot_and_selection(dock, qtbot):
    run_to_end(dock, qtbot)
    model = dock.results.model
    assert [cell(model, 0, c) for c in range(4)] == [
        "Vessel 1", "150 [125, 175]", "poor", "cut off, branch",
    ]  # fmt: skip
    assert set(dock.results.plot._curves) == {1, 2}
    dock.bench.session.activate(1)
    assert dock.results.table.currentIndex().row() == 0
    assert dock.results._notes.text() == "Vessel 1: poor; two vessels in one mask?"
    tip = dock.results.model.data(dock.results.model.index(0, 0), Qt.ItemDataRole.ToolTipRole)
    assert FLAG_MEANINGS["EDGE"] in tip
    dock.results.table.selectRow(1)
    assert dock.bench.session.active == 2


def test_a_row_of_a_segment_or_range_stays_selected_and_is_spoken_of(dock, qtbot):
    run_to_end(dock, qtbot)
    tables, results = dock.bench.runs.tables, dock.results
    rows = pd.concat([tables.summary, tables.summary[:1].assign(vessel_id=1.2, grade="fair", flags="TOO_SHORT")])
    results.model.show_tables(replace(tables, summary=rows))
    dock.bench.session.activate(2)
    results.table.selectRow(2)
    assert dock.bench.session.active == 1
    assert results.table.currentIndex().row() == 2
    assert results._notes.text().startswith("Vessel 1, 1.2: fair")
    dock.bench.session.activate(2)
    assert results.table.currentIndex().row() == 1


def test_rows_so_far_are_shown_as_provisional_until_the_run_is_done(dock, engine, qtbot):
    engine.partial_at = (15,)
    model, hint = dock.results.model, dock.results._hint
    click(dock.bench.session, 0, 15.0, 40.0)
    dock.run.start.click()
    qtbot.waitUntil(lambda: model.rowCount() == 1, timeout=PATIENCE)
    assert dock.bench.runs.running and dock.bench.runs.tables is None
    assert hint.text() == "Provisional, from frames 0 to 15 so far."
    assert cell(model, 0, 1) == "150 [125, 175]" and "not finished" in cell(model, 0, 3)
    assert cell(model, 0, 0, Qt.ItemDataRole.FontRole).italic()
    engine.gate.set()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert "Provisional" not in hint.text() and "not finished" not in cell(model, 0, 3)
    assert cell(model, 0, 0, Qt.ItemDataRole.FontRole) is None


@pytest.mark.parametrize("error", [None, OutputError("the disk is full; free some space")])
def test_a_run_that_is_cut_short_leaves_its_rows_which_the_next_run_clears(dock, engine, qtbot, error):
    engine.partial_at = (15,)
    click(dock.bench.session, 0, 15.0, 40.0)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.results.model.rowCount() == 1, timeout=PATIENCE)
    engine.later_error = error
    if error is None:
        dock.run.cancel.click()
    engine.gate.set()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert not dock.bench.runs.running and dock.results.model.rowCount() == 1
    assert dock.results._hint.text().endswith("; the run was cut short.")
    engine.later_error = None
    engine.gate.clear()
    dock.run.start.click()
    assert dock.results.model.rowCount() == 0
    engine.gate.set()


def test_results_model_passes_qt_s_own_checks(dock, qtbot, qtmodeltester):
    run_to_end(dock, qtbot)
    qtmodeltester.check(dock.results.model)


def test_plot_cursor_is_the_slider_and_a_click_goes_to_the_frame(dock, qtbot):
    from types import SimpleNamespace

    from qtpy.QtCore import QPointF

    run_to_end(dock, qtbot)
    plot = dock.results.plot
    dock.bench.viewer.dims.set_current_step(0, 17)
    assert plot._cursor.value() == 17
    at = plot.getPlotItem().vb.mapViewToScene(QPointF(23.2, 150))
    plot._on_click(SimpleNamespace(scenePos=lambda: at))
    assert dock.bench.viewer.dims.current_step[0] == 23


def test_space_time_diagram_is_the_selected_vessel_s(dock, qtbot):
    run_to_end(dock, qtbot)
    dock.bench.session.activate(2)
    image, lines = dock.results.space_time._image, dock.bench.runs.tables.lines
    assert image.image.shape == lines[1].diagram.shape == (FRAMES, 20)
    assert "um" in dock.results.space_time.getAxis("left").labelText
    area = image.mapRectToParent(image.boundingRect())
    assert (area.left(), area.width(), area.height()) == pytest.approx((-0.5, FRAMES, 20 * 0.5))
    dock.bench.runs.forget()
    assert image.image is None


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("b.svg", b"<?xml")])
def test_the_plot_on_show_is_saved_as_a_picture(dock, qtbot, tmp_path, name, begins):
    run_to_end(dock, qtbot)
    dock.results.plots.setCurrentIndex(1)
    dock.results.save_figure(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_figure_that_cannot_be_saved_says_why(dock, qtbot, tmp_path):
    run_to_end(dock, qtbot)
    notification_manager.records.clear()
    dock.results.save_figure(tmp_path / "a.docx")
    dock.results.save_figure(tmp_path / "none" / "a.png")
    told = [n.message for n in notification_manager.records]
    assert ".png or .svg" in told[0] and "folder" in told[1] and list(tmp_path.glob("*.docx")) == []


def test_help_lists_every_key(dock):
    text = help_text(dock.bench.keys)
    assert all(key.does in text for key in dock.bench.keys)
    assert "Ctrl+Shift+Z" in text


def test_closing_the_dock_leaves_no_listener(dock, qtbot):
    click(dock.bench.session, 0, 5.0, 5.0)
    viewer, session = dock.bench.viewer, dock.bench.session
    dock.close()
    viewer.dims.set_current_step(0, 3)
    viewer.theme = "light"
    for name in ("state_changed", "active_changed", "recording_changed"):
        left = [s for s in getattr(session, name)._slots if "widgets" in repr(s)]
        assert left == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min 0 s"), (75, "1 min 15 s"), (3700, "1 h 1 min"), (-1, "0 s")]
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def test_every_flag_of_the_tables_has_words():
    from sam2flow_core.velocity import FLAGS

    for flag in FLAGS:
        assert 0 < len(flags_in_short(flag)) < 20
        assert flags_in_words(flag) not in ("", flag.lower().replace("_", " "))
    assert flags_in_words("EDGE;BRANCH") == f"{FLAG_MEANINGS['EDGE']}; {FLAG_MEANINGS['BRANCH']}"
    assert flags_in_words(float("nan")) == ""
