"""The dialog of Batch: which recordings, with whose marks, into which folder; then their velocities and the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sam2flow_core.errors import DataError, Sam2FlowError
from sam2flow_core.project import PROJECT_FILE, SessionState, default_name, read_project
from sam2flow_core.spreadsheets import read_csv
from sam2flow_napari.session.recording import project_folder
from sam2flow_napari.translation import told, tr, tr_later
from sam2flow_napari.widgets.building_blocks import button, open_page, recordings_filter
from sam2flow_napari.widgets.results_table import flags_in_short, velocity_in_words
from sam2flow_napari.widgets.run_section import DETAIL_WORDS
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.run_tables import SUMMARY

if TYPE_CHECKING:
    from sam2flow_core.engine.batch import BatchStep
    from sam2flow_core.engine.events import RunRequest

_COLUMNS = (tr_later("Recording"), tr_later("Vessels"), tr_later("Group"), tr_later("State"))
_RESULTS = (tr_later("Recording"), tr_later("Vessel"), "um/s [95 %]", tr_later("Grade"), tr_later("Notes"))
_GROUP, _STATE = 2, 3


@dataclass(frozen=True)
class _Row:
    """A recording of the list, and the vessels that are marked in its project."""

    path: Path
    marked: int
    fault: str = ""


class BatchDialog(QDialog):
    """A list of recordings; all get the settings of the dock. The window stays free meanwhile.

    Parameters
    ----------
    bench : Workbench
    parent : QWidget
    """

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self._rows: list[_Row] = []
        self._asked: list[int] = []
        self._out: Path | None = None
        self.setWindowTitle(tr("SAM2Flow: batch"))
        self.list = _table(_COLUMNS, tr("Double-click a group to type it: before and after, say."), stretch=_STATE)
        self.results = _table(_RESULTS, tr("Velocities of all recordings."), stretch=4)
        self.pages = QTabWidget()
        self.pages.addTab(self.list, tr("Recordings"))
        self.pages.addTab(self.results, tr("Velocities"))
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.borrow = QCheckBox(tr("Recordings that are not marked get the clicks of the one that is open"))
        self.borrow.setToolTip(tr("For one field of view before and after: the same vessels under the same numbers."))
        self.borrow.setChecked(True)
        self.borrow.toggled.connect(self._refresh)
        self.add = button(tr("Add…"), tr("Add recordings to the list."), self._choose)
        self.remove = button(tr("Remove"), tr("Take the selected recording from the list."), self._remove)
        self.start = button(
            tr("Measure all…"), tr("Choose a folder and measure all recordings into it."), self._choose_out
        )
        self.stop = button(
            tr("Cancel"), tr("Stop after the present frame; what is finished is kept."), bench.batch.cancel
        )
        self.page = button(tr("Comparison"), tr("Open the page that compares the recordings."), self._open_page)
        self._lay_out()
        bench.batch.progressed.connect(self._on_step)
        bench.batch.finished.connect(self._on_finished)
        for job in (bench.batch, bench.runs, bench.finder, bench.propagation):
            job.running_changed.connect(self._enable)
        bench.batch.stopping_began.connect(self._enable)
        bench.closed.connect(self._on_closed)
        if bench.session.recording is not None:
            bench.session.save_now()
            self.add_recording(bench.session.recording.path)
        self._refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for each in (self.add, self.remove, self.start, self.stop, self.page):
            row.addWidget(each)
        column = QVBoxLayout(self)
        column.addWidget(self.words)
        column.addWidget(self.pages, 1)
        column.addWidget(self.borrow)
        column.addLayout(row)
        self.resize(720, 420)

    def _on_closed(self) -> None:
        self.close()

    # -- the list ------------------------------------------------------------
    def _choose(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, tr("Add recordings"), self._bench.nearby, recordings_filter())
        for path in paths:
            self.add_recording(Path(path))

    def add_recording(self, path: Path) -> None:
        """Add a recording; one that is in the list already is not added again."""
        if any(row.path == path for row in self._rows):
            return
        row, place = _read(path), len(self._rows)
        self._rows.append(row)
        self.list.insertRow(place)
        for column in range(len(_COLUMNS)):
            item = QTableWidgetItem("") if column == _GROUP else _fixed("")
            self.list.setItem(place, column, item)
        self._tell(place, _STATE, row.fault)
        self._refresh()

    def changeEvent(self, event: QEvent | None) -> None:
        """Look anew what is marked when somebody comes back from the window, where vessels are marked."""
        super().changeEvent(event)
        came_back = event is not None and event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if came_back and not self._bench.batch.running:
            if self._bench.session.recording is not None:
                self._bench.session.save_now()
            self._rows = [_read(row.path) for row in self._rows]
            self._refresh()

    def _remove(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._rows):
            del self._rows[row]
            self.list.removeRow(row)
            self._refresh()

    @property
    def _lent(self) -> SessionState:
        """Marks for recordings without any."""
        return self._bench.session.state if self.borrow.isChecked() else SessionState()

    def _refresh(self, _changed: object = None) -> None:
        choices, lent = self._bench.session.run_choices, self._lent
        self.words.setText(
            tr("All are measured with the settings of the dock: model {model}, detail {detail}, ").format(
                model=choices.model, detail=tr(DETAIL_WORDS.get(choices.detail, choices.detail))
            )
            + (
                tr("frames {start} to {stop}. ").format(start=choices.start, stop=choices.stop - 1)
                if choices.stop
                else tr("all frames. ")
            )
            + tr("Vessels of the same number are compared; the first recording is the baseline.")
        )
        for place, row in enumerate(self._rows):
            borrowed = len([v for v in lent.vessel_ids if lent.is_shown(v)])
            vessels = (
                str(row.marked)
                if row.marked
                else tr("{borrowed}, of the open one").format(borrowed=borrowed)
                if borrowed
                else tr("none marked")
            )
            self._tell(place, 0, row.path.name)
            self._tell(place, 1, vessels)
            item = self.list.item(place, 0)
            if item is not None:
                item.setToolTip(str(row.path))
        self._enable()

    def _tell(self, row: int, column: int, words: str) -> None:
        item = self.list.item(row, column)
        if item is not None:
            item.setText(words)
            item.setToolTip(words)

    def _enable(self, _running: object = None) -> None:
        running = self._bench.batch.running
        # Closed while it measures, it is only out of sight: `show_batch` brings it back with its list.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, not running)
        for each in (self.add, self.remove, self.borrow):
            each.setEnabled(not running)
        self.start.setEnabled(bool(self._rows) and not self._bench.occupied)
        self.stop.setEnabled(running and not self._bench.stopping)
        self.page.setEnabled(self._comparison is not None)

    # -- measuring -----------------------------------------------------------
    def _choose_out(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder for the results of the batch"), self._bench.nearby)
        if folder:
            self.measure(Path(folder))

    def measure(self, out: Path) -> None:
        """Measure all recordings of the list into a folder; those that cannot be are told in their row."""
        if self._bench.occupied:
            self._bench.report(DataError(tr("something else goes on: wait for its end, or cancel it")))
            return
        self._bench.session.save_now()
        requests, groups = [], []
        self._out, self._asked = out, []
        for place, (row, video_id) in enumerate(zip(self._rows, _names(self._rows), strict=True)):
            try:
                requests.append(self._request(row, out, video_id))
            except (Sam2FlowError, OSError) as error:
                self._tell(place, _STATE, told(error) if isinstance(error, Sam2FlowError) else str(error))
                continue
            self._asked.append(place)
            self._tell(place, _STATE, tr("waits"))
            group = self.list.item(place, _GROUP)
            if group is not None and group.text().strip():
                groups.append((video_id, group.text().strip()))
        self._bench.batch.start(tuple(requests), out, tuple(groups))

    def _request(self, row: _Row, out: Path, video_id: str) -> RunRequest:
        from sam2flow_core.engine.requests import request_in_batch

        choices = self._bench.session.run_choices
        return request_in_batch(row.path, project_folder(row.path), out, choices, self._lent, video_id)

    def _on_step(self, step: BatchStep) -> None:
        if not 0 <= step.number < len(self._asked):
            return
        place = self._asked[step.number]
        if step.outcome is not None:
            self._tell(place, _STATE, told(step.outcome.failure) if step.outcome.failure else tr("done"))
        elif step.frames_total:
            self._tell(
                place,
                _STATE,
                tr("frame {frames_done} of {frames_total}").format(
                    frames_done=step.frames_done, frames_total=step.frames_total
                ),
            )
        else:
            self._tell(place, _STATE, tr("reading…"))

    def _on_finished(self, out: Path) -> None:
        if out != self._out:
            return
        self._enable()
        self.results.setRowCount(0)
        if not (out / SUMMARY).is_file():
            return
        try:
            rows = read_csv(out / SUMMARY).to_dict("records")
        except Sam2FlowError as error:
            self._bench.report(error)
            return
        for number, row in enumerate(rows):
            grade, named = row.get("grade"), row.get("name")
            given = isinstance(named, str) and named != default_name(int(row["vessel_id"]))
            cells = (
                str(row.get("video_id", "")),
                f"{row['vessel_id']:g}" + (f"  {named}" if given else ""),
                velocity_in_words({str(key): value for key, value in row.items()}),
                tr(grade) if isinstance(grade, str) else "",
                flags_in_short(row.get("flags")),
            )
            self.results.insertRow(number)
            for column, words in enumerate(cells):
                item = _fixed(words)
                item.setToolTip(words)
                self.results.setItem(number, column, item)
        self.pages.setCurrentWidget(self.results)

    @property
    def _comparison(self) -> Path | None:
        """The page of the batch, where there is one."""
        from sam2flow_core.engine.requests import COMPARISON

        page = self._out / COMPARISON if self._out is not None else None
        return page if page is not None and page.is_file() else None

    def _open_page(self) -> None:
        if self._comparison is not None:
            open_page(self._comparison)


def show_batch(bench: Workbench, parent: QWidget) -> None:
    """Show the dialog; the one that was closed while its batch goes on, or before that came to its end, comes back."""
    dialog = parent.findChild(BatchDialog) or BatchDialog(bench, parent)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


def _marks(path: Path) -> SessionState:
    """Return what is marked in the project of a recording."""
    folder = project_folder(path)
    state = read_project(folder).state if (folder / PROJECT_FILE).is_file() else SessionState()
    return replace(state, vessels=tuple(v for v in state.vessels if state.is_shown(v.vessel_id)))


def _read(path: Path) -> _Row:
    """Return the row of a recording, with what is wrong with its project."""
    try:
        return _Row(path, len(_marks(path).vessel_ids))
    except Sam2FlowError as error:
        return _Row(path, 0, told(error))


def _names(rows: list[_Row]) -> list[str]:
    """Return a name for each recording, by which its folder is called; no two are alike."""
    names: list[str] = []
    for row in rows:
        stem = row.path.name.split(".")[0] or row.path.name
        candidates = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        taken = {name.casefold() for name in names}
        names.append(next(name for name in candidates if name.casefold() not in taken))
    return names


def _fixed(words: str) -> QTableWidgetItem:
    """Return a cell that is not edited."""
    item = QTableWidgetItem(words)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)  # type: ignore[arg-type]
    return item


def _table(titles: tuple[str, ...], tooltip: str, stretch: int) -> QTableWidget:
    table = QTableWidget(0, len(titles))
    table.setHorizontalHeaderLabels([tr(title) for title in titles])
    table.setToolTip(tooltip)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    rows, columns = table.verticalHeader(), table.horizontalHeader()
    assert rows is not None and columns is not None
    rows.hide()
    columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    columns.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
    return table
