"""Several recordings measured from the window: whose marks, which settings, failures, the table and the page."""

import pytest
from clicks import click
from conftest import PATIENCE, write_recording
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QPushButton

from sam2flow_napari.widgets import batch_dialog
from sam2flow_napari.widgets.batch_dialog import BatchDialog
from sam2flow_napari.widgets.dock import SAM2FlowDock


@pytest.fixture
def dock(qtbot, engine, recording_path):
    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(recording_path)
    click(dock.bench.session, 0, 20.0, 30.0)
    yield dock
    engine.gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


@pytest.fixture
def dialog(dock):
    next(b for b in dock.findChildren(QPushButton) if b.text() == "Batch…").click()
    return dock.findChild(BatchDialog)


def cells(table):
    return [[table.item(r, c).text() for c in range(table.columnCount())] for r in range(table.rowCount())]


def test_recordings_before_and_after_are_measured_and_compared(dock, dialog, engine, qtbot, tmp_path, monkeypatch):
    pages = []
    monkeypatch.setattr(batch_dialog, "open_page", pages.append)
    dock.run.detail.value = "quick"
    (tmp_path / "later").mkdir()
    other = write_recording(tmp_path / "later" / "cells.tif", seed=1)
    for path in (other, other):
        dialog.add_recording(path)
    assert [row[:2] for row in cells(dialog.list)] == [["cells.tif", "1"], ["cells.tif", "1, of the open one"]]
    dialog.list.item(0, 2).setText("before")
    dialog.list.item(1, 2).setText(" after ")
    dialog.measure(tmp_path / "out")
    assert dialog.stop.isEnabled() and not dialog.start.isEnabled() and not dock.run.start.isEnabled()
    qtbot.waitUntil(lambda: not dock.bench.batch.running, timeout=PATIENCE)
    (job,) = engine.batches
    assert [r.out.name for r in job.requests] == ["cells", "cells-2"]
    assert [len(r.prompts) for r in job.requests] == [1, 1] and {r.detail for r in job.requests} == {"quick"}
    assert job.groups == (("cells", "before"), ("cells-2", "after"))
    assert [row[3] for row in cells(dialog.list)] == ["done", "done"]
    assert [row[0] for row in cells(dialog.results)] == ["cells", "cells-2"]
    assert cells(dialog.results)[0][2:4] == ["150 [125, 175]", "poor"]
    dialog.page.click()
    assert [page.name for page in pages] == ["comparison.html"]


def test_what_cannot_be_measured_is_told_in_its_row_and_the_others_go_on(dock, dialog, engine, qtbot, tmp_path):
    other = write_recording(tmp_path / "small.tif", height=16, width=24, seed=2)
    dialog.add_recording(other)
    dialog.add_recording(tmp_path / "gone.tif")
    dialog.measure(tmp_path / "out")
    qtbot.waitUntil(lambda: not dock.bench.batch.running, timeout=PATIENCE)
    states = [row[3] for row in cells(dialog.list)]
    assert states[0] == "done" and "outside" in states[1] and "gone.tif" in states[2]
    assert len(engine.batches[0].requests) == 1
    dialog.borrow.setChecked(False)
    assert cells(dialog.list)[1][1] == "none marked"


def test_the_list_shows_what_was_marked_while_it_stood_beside_the_window(dock, dialog, engine, qtbot, tmp_path):
    dialog.add_recording(write_recording(tmp_path / "after.tif", seed=3))
    dialog.measure(tmp_path / "out")
    qtbot.waitUntil(lambda: not dock.bench.batch.running, timeout=PATIENCE)
    dock.bench.session.begin_vessel()
    click(dock.bench.session, 0, 45.0, 40.0)
    with qtbot.waitActive(dialog, timeout=PATIENCE):
        dialog.activateWindow()
    QApplication.sendEvent(dialog, QEvent(QEvent.Type.ActivationChange))  # some screens have no window manager
    assert [row[1] for row in cells(dialog.list)] == ["2", "2, of the open one"]
    assert [row[3] for row in cells(dialog.list)] == ["done", "done"], "and how each ended stays"
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    engine.gate.clear()
    dock.bench.runs.start()
    assert not dialog.start.isEnabled()
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.runs.running, timeout=PATIENCE)
    assert dialog.start.isEnabled()


def test_a_batch_is_stopped_and_the_window_stays_free(dock, dialog, engine, qtbot, tmp_path):
    engine.gate.clear()
    dialog.add_recording(write_recording(tmp_path / "other.tif", seed=3))
    dialog.measure(tmp_path / "out")
    click(dock.bench.session, 0, 40.0, 60.0)
    assert not dock.run.start.isEnabled() and dock.run.cancel.isEnabled()
    qtbot.waitUntil(lambda: bool(engine.batches), timeout=PATIENCE)
    dialog.stop.click()
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.batch.running, timeout=PATIENCE)
    assert engine.closed == 1 and dock.run.start.isEnabled()
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)


def test_closing_the_dock_ends_the_batch(dock, dialog, engine, qtbot, tmp_path):
    engine.gate.clear()
    dialog.measure(tmp_path / "out")
    qtbot.waitUntil(lambda: bool(engine.batches), timeout=PATIENCE)
    dock.shut()
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)
    assert engine.closed == 1


def test_closed_while_it_measures_the_dialog_comes_back_with_its_list(dock, dialog, engine, qtbot, tmp_path):
    engine.gate.clear()
    dialog.add_recording(write_recording(tmp_path / "other.tif", seed=3))
    dialog.measure(tmp_path / "out")
    qtbot.waitUntil(lambda: bool(engine.batches), timeout=PATIENCE)
    batch = next(b for b in dock.findChildren(QPushButton) if b.text() == "Batch…")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=PATIENCE)
    batch.click()
    assert dock.findChildren(BatchDialog) == [dialog] and dialog.isVisible() and dialog.list.rowCount() == 2
    dialog.close()
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.batch.running, timeout=PATIENCE)
    batch.click()
    assert [row[3] for row in cells(dialog.list)] == ["done", "done"] and dialog.results.rowCount() > 0
    dialog.close()
    qtbot.waitUntil(lambda: not dock.findChildren(BatchDialog), timeout=PATIENCE)
