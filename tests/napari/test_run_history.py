"""Runs are kept: shown again, gone on with, compared, deleted; ranges and the time that a run will take."""

import numpy as np
import pytest
from clicks import click
from conftest import PATIENCE
from qtpy.QtWidgets import QMessageBox

from sam2flow_core.project import kept_runs, read_project
from sam2flow_napari.run_speed import RunSpeeds
from sam2flow_napari.widgets import run_history
from sam2flow_napari.widgets.dock import SAM2FlowDock
from sam2flow_napari.widgets.run_history import CompareDialog
from sam2flow_napari.widgets.run_section import ranges_from_words


@pytest.fixture
def dock(qtbot, engine, recording_path):
    from napari.components import ViewerModel

    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(recording_path)
    click(dock.bench.session, 0, 20.0, 30.0)
    click(dock.bench.session, 0, 24.0, 50.0)
    yield dock
    engine.gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def run_to_its_end(dock, qtbot):
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)


def cut_short(dock, engine, qtbot):
    engine.partial_at = (15,)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.results.model.rowCount() > 0, timeout=PATIENCE)
    engine.partial_at = ()
    dock.run.cancel.click()
    engine.gate.set()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)


def test_an_earlier_run_is_shown_again_with_its_own_marks(dock, engine, qtbot):
    run_to_its_end(dock, qtbot)
    click(dock.bench.session, 0, 40.0, 60.0)
    dock.bench.session.begin_vessel()
    click(dock.bench.session, 0, 50.0, 60.0)
    run_to_its_end(dock, qtbot)
    history, model = dock.results.history, dock.results.model
    assert [words.split(",")[0] for words in map(history.choice.itemText, range(2))] == ["run-001", "run-002"]
    assert history.choice.currentIndex() == 1 and model.rowCount() == 2
    history.choice.setCurrentIndex(0)
    history.choice.activated.emit(0)
    qtbot.waitUntil(lambda: model.rowCount() == 1, timeout=PATIENCE)
    assert dock.bench.runs.shown.name == "run-001" and history.choice.currentIndex() == 0
    assert dock.bench.runs.outdated(dock.bench.session.state) == {1, 2}


def test_a_run_that_was_cut_short_goes_on_with_the_marks_it_began_with(dock, engine, qtbot):
    cut_short(dock, engine, qtbot)
    began_with = engine.requests[-1].prompts
    history = dock.results.history
    assert "cut short" in history.choice.currentText() and history.go_on.text() == "Resume"
    click(dock.bench.session, 3, 44.0, 60.0)
    history.go_on.click()
    qtbot.waitUntil(
        lambda: "goes on" not in history.choice.currentText() and not dock.bench.runs.running, timeout=PATIENCE
    )
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert engine.requests[-1].resume and engine.requests[-1].prompts == began_with
    assert engine.requests[-1].out == engine.requests[0].out
    assert not dock.results.model.provisional and not history.go_on.isEnabled()
    assert dock.bench.runs.outdated(dock.bench.session.state) == {1}


def test_what_a_crash_left_is_there_in_the_morning(dock, engine, qtbot, recording_path):
    cut_short(dock, engine, qtbot)
    dock.bench.viewer.layers.remove(dock.bench.scene.image)
    assert dock.results.model.rowCount() == 0
    dock.bench.open(recording_path)
    qtbot.waitUntil(lambda: dock.results.model.rowCount() == 1, timeout=PATIENCE)
    assert dock.results.model.provisional and dock.results.history.go_on.isEnabled()


def test_tables_of_an_earlier_run_are_there_before_the_model(dock, engine, qtbot, recording_path):
    run_to_its_end(dock, qtbot)
    dock.bench.viewer.layers.remove(dock.bench.scene.image)
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)
    engine.warm_gate.clear()
    dock.bench.open(recording_path)
    qtbot.waitUntil(lambda: dock.results.model.rowCount() == 1, timeout=PATIENCE)
    assert dock.bench.busy and dock.bench.previews.awaited, "the model is still being loaded"
    engine.warm_gate.set()
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)


def test_more_detail_refines_the_run_on_show(dock, engine, qtbot):
    dock.run.detail.value = "quick"
    run_to_its_end(dock, qtbot)
    history = dock.results.history
    # The fake engine's provenance says nothing of the detail, so that it counts as every frame.
    dock.bench.runs.tables = type(dock.bench.runs.tables)(
        **{**vars(dock.bench.runs.tables), "request": engine.requests[-1]}
    )
    assert not dock.bench.runs.can_refine
    dock.run.detail.value = "standard"
    assert history.go_on.text() == "Refine" and history.go_on.isEnabled()
    history.go_on.click()
    qtbot.waitUntil(lambda: len(engine.requests) == 2, timeout=PATIENCE)
    asked = engine.requests[-1]
    assert (asked.detail, asked.resume, asked.expected) == ("standard", True, ())
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)


def test_deleting_asks_and_leaves_other_files_and_runs(dock, engine, qtbot, monkeypatch):
    run_to_its_end(dock, qtbot)
    first = dock.bench.runs.shown
    (first / "my notes.txt").write_text("keep")
    run_to_its_end(dock, qtbot)
    second, history = dock.bench.runs.shown, dock.results.history

    def answer(word):
        history.delete.click()
        box = history.findChildren(QMessageBox)[-1]
        next(b for b in box.buttons() if b.text().replace("&", "") == word).click()

    answer("Keep")
    assert second.is_dir()
    answer("Delete")
    assert not second.exists()
    assert [run.folder for run in kept_runs(first.parent)] == [first]
    # The list names the run that is left, so that its table and overlays are those on show.
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert dock.bench.runs.shown == first == history.chosen.folder and dock.results.model.rowCount() > 0
    answer("Delete")
    assert dock.results.model.rowCount() == 0 and not dock.bench.scene.frames.answered(3)
    assert [path.name for path in first.iterdir()] == ["my notes.txt"]
    folder = dock.bench.session.folder
    dock.shut()
    assert read_project(folder).results == ""


def test_runs_are_compared_on_a_page(dock, engine, qtbot, monkeypatch):
    pages = []
    monkeypatch.setattr(run_history, "open_page", pages.append)
    monkeypatch.setattr(
        "sam2flow_core.reports.write_comparison",
        lambda path, tables: path.write_text(" ".join(t["video_id"].iloc[0] for t in tables)),
    )
    run_to_its_end(dock, qtbot)
    run_to_its_end(dock, qtbot)
    dock.results.history.compare.click()
    dialog = dock.results.history.findChild(CompareDialog)
    dialog.add_project(dock.bench.session.folder)
    assert dialog.list.count() == 3
    dialog.compare()
    qtbot.waitUntil(lambda: bool(pages), timeout=PATIENCE)
    assert pages[0].name == "comparison-001.html"
    assert pages[0].read_text() == "cells.tif run-001 cells.tif run-002 cells.tif run-002"


def test_further_ranges_reach_the_run_and_come_back(dock, engine, recording_path):
    dock.run.last.value = 9
    dock.run.further.value = "30-35, 12 - 20"
    dock.run.further.native.editingFinished.emit()
    assert dock.bench.runs._request().ranges == ((0, 10), (12, 21), (30, 36))
    assert dock.run.start.isEnabled()
    dock.bench.viewer.layers.remove(dock.bench.scene.image)
    dock.bench.open(recording_path)
    assert (dock.run.last.value, dock.run.further.value) == (9, "30-35, 12-20")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("5-12", "overlap"),
        ("30-99", "ends with frame 39"),
        ("35-30", "after the last"),
        ("x", "no range"),
        ("33-33", "two"),
    ],
)
def test_a_range_that_cannot_be_is_said_and_not_run(dock, words, said):
    dock.run.last.value = 9
    dock.run.further.value = words
    dock.run.further.native.editingFinished.emit()
    assert said in dock.run._hint.text() and not dock.run.start.isEnabled()


def test_ranges_are_read_as_people_write_them():
    assert ranges_from_words("0–9; 12:14,, 20 to 21 ") == ((0, 10), (12, 15), (20, 22))
    assert ranges_from_words("") == ()


def test_the_time_that_a_run_takes_is_told_before_it(dock, engine, qtbot):
    assert dock.run._hint.text() == "Ready: 20 pairs of frames."
    run_to_its_end(dock, qtbot)
    pairs, seconds = dock.bench.runs.expected()
    assert pairs == 20 and seconds is not None
    assert "about" in dock.run._hint.text() and "a second" in dock.run._hint.text()


def test_speeds_are_remembered_by_model_device_and_size(tmp_path):
    now = iter(np.arange(0, 1000, 0.5))
    speeds = RunSpeeds(tmp_path / "speed.json", lambda: next(now))
    assert speeds.expected("tiny", "cpu", 100.0, 1) is None
    speeds.begin()
    for _ in range(11):
        speeds.count(True)
    speeds.end("tiny", "cpu", 100.0, 2)
    assert speeds.expected("tiny", "cpu", 100.0, 1) == pytest.approx(0.05)
    assert RunSpeeds(tmp_path / "speed.json").expected("tiny", "cpu", 400.0, 1) == pytest.approx(0.2)
    assert speeds.expected("tiny", "cuda", 100.0, 1) is None
    (tmp_path / "speed.json").write_text("no JSON")
    assert speeds.expected("tiny", "cpu", 100.0, 1) is None
