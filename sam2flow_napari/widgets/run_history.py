"""The runs of the recording that is open: show one, go on with it, compare some, delete one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sam2flow_core.errors import OutputError
from sam2flow_core.project import SUFFIX, KeptRun, kept_runs, next_comparison_file
from sam2flow_core.spreadsheets import read_csv
from sam2flow_napari.translation import tr
from sam2flow_napari.widgets.building_blocks import ask, button, open_page, relabel, tell_after_a_dialog
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.jobs import RunProgress
from sam2flow_napari.worker.run_tables import SUMMARY


class RunHistory(QWidget):
    """One line: which run is on show, and what can be done with it.

    Attributes
    ----------
    choice : QComboBox
    go_on, compare, delete : QPushButton
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._kept: tuple[KeptRun, ...] = ()
        self.choice = QComboBox()
        self.choice.setToolTip(
            tr("The runs of this recording, none of which is ever overwritten. Choose one to see it.")
        )
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(8)
        self.choice.activated.connect(self._on_chosen)
        self.go_on = button(
            tr("Resume"),
            tr(
                "Go on with a run that was cut short, with the marks it began with; or, where a finer detail is "
                "chosen now, answer more pairs of frames of the run on show."
            ),
            self._go_on,
            "Alt+U",
        )
        self.compare = button(
            tr("Compare"), tr("Put runs beside each other, vessel by vessel, on one page."), self._compare, "Alt+M"
        )
        self.delete = button(
            tr("Delete"), tr("Delete this run with all that it measured; asks first."), self._ask_to_delete, "Alt+T"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.choice, 1)
        for each in (self.go_on, self.compare, self.delete):
            row.addWidget(each)
        bench.runs.kept_changed.connect(self.refresh)
        for job in (bench.runs, bench.batch, bench.finder, bench.propagation):
            job.running_changed.connect(self.refresh)
        bench.runs.progressed.connect(self._on_progress)
        bench.session.recording_changed.connect(self.refresh)
        bench.session.run_choices_changed.connect(self._on_chosen_run)
        self.refresh()

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._bench.session.recording_changed.disconnect(self.refresh)
        self._bench.session.run_choices_changed.disconnect(self._on_chosen_run)

    @property
    def chosen(self) -> KeptRun | None:
        """The run that the buttons speak of."""
        place = self.choice.currentIndex()
        return self._kept[place] if 0 <= place < len(self._kept) else None

    def refresh(self, _changed: object = None) -> None:
        """Look which runs there are; the one on show is chosen."""
        runs = self._bench.runs
        before, self._kept = self.chosen, runs.kept
        shown = runs.shown or (before.folder if before else None)
        self.choice.clear()
        self.choice.addItems([_in_words(run, runs.running and run.folder == runs.shown) for run in self._kept])
        folders = [run.folder for run in self._kept]
        self.choice.setCurrentIndex(folders.index(shown) if shown in folders else len(folders) - 1)
        self._enable()

    def _enable(self) -> None:
        runs, chosen = self._bench.runs, self.chosen
        refines = chosen is not None and chosen.finished and chosen.folder == runs.shown and runs.can_refine
        free = chosen is not None and not self._bench.occupied
        self.choice.setEnabled(free)
        relabel(self.go_on, tr("Refine") if refines else tr("Resume"))
        self.go_on.setEnabled(free and chosen is not None and (chosen.unfinished or refines))
        self.compare.setEnabled(free and any(run.finished for run in self._kept))
        self.delete.setEnabled(free)

    def _on_progress(self, progress: RunProgress) -> None:
        """Show the run that begins: its folder is there only now."""
        from sam2flow_core.engine.events import Started

        if isinstance(progress.event, Started):
            self.refresh()

    def _on_chosen_run(self) -> None:
        self._enable()

    def _on_chosen(self, _place: int) -> None:
        chosen = self.chosen
        if chosen is not None and chosen.readable and chosen.folder != self._bench.runs.shown:
            self._bench.runs.load(chosen.folder)
        self._enable()

    def _go_on(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return
        if chosen.unfinished:
            self._bench.runs.go_on(chosen.folder)
        else:
            self._bench.runs.refine()

    def _ask_to_delete(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return
        ask(
            self,
            tr("Delete {name} with its masks, flow and tables?").format(name=chosen.folder.name),
            tr("This cannot be undone. Your clicks stay."),
            (tr("Delete"), tr("Keep")),
            lambda sure: self._bench.runs.delete(chosen.folder) if sure else None,
            destructive=True,
        )

    def _compare(self) -> None:
        folder = self._bench.session.folder
        if folder is not None:
            CompareDialog(self._bench, tuple(run for run in self._kept if run.finished), self).open()


class CompareDialog(QDialog):
    """Tick runs, of this recording and of others; a page puts their vessels beside each other.

    Parameters
    ----------
    bench : Workbench
        With a recording open.
    kept : tuple of KeptRun
        Finished runs of this recording.
    parent : QWidget
    """

    def __init__(self, bench: Workbench, kept: tuple[KeptRun, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self._worker: Any = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("SAM2Flow: compare runs"))
        self.list = QListWidget()
        for run in kept:
            self._add(run.folder, _in_words(run, False))
        words = QLabel(tr("Vessels of the same number are compared; the first run that is ticked is the baseline."))
        words.setWordWrap(True)
        self.start = button(tr("Compare"), tr("Write the page into the project and open it."), self.compare)
        other = button(tr("Another recording…"), tr("Add the newest run of another recording's project."), self._choose)
        row = QHBoxLayout()
        row.addWidget(other)
        row.addWidget(self.start)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addWidget(self.list)
        column.addLayout(row)

    def _add(self, folder: Path, words: str) -> None:
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, str(folder))
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked)
        self.list.addItem(item)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, tr("Folder of another recording's project (*{suffix})").format(suffix=SUFFIX), self._bench.nearby
        )
        if folder:
            self.add_project(Path(folder))

    def add_project(self, folder: Path) -> None:
        """Add the newest finished run of a project; one line says where there is none."""
        newest = next((run for run in reversed(kept_runs(folder)) if run.finished), None)
        if newest is None:
            self._bench.report(
                OutputError(
                    tr("{folder}: holds no finished run; choose a folder that ends in {suffix}").format(
                        folder=folder, suffix=SUFFIX
                    )
                )
            )
        else:
            self._add(newest.folder, f"{folder.name.removesuffix(SUFFIX)}: {_in_words(newest, False)}")

    def compare(self) -> None:
        """Write the page of the ticked runs, away from this thread, and open it."""
        items = [item for row in range(self.list.count()) if (item := self.list.item(row)) is not None]
        ticked = [Path(i.data(Qt.ItemDataRole.UserRole)) for i in items if i.checkState() == Qt.CheckState.Checked]
        folder = self._bench.session.folder
        if folder is None or len(ticked) < 2:
            self._bench.report(OutputError(tr("tick two runs or more to compare them")))
            return
        self.start.setEnabled(False)
        self._worker = create_worker(_write, ticked, next_comparison_file(folder), _start_thread=False)
        self._worker.returned.connect(self._on_written)
        self._worker.start()

    def _on_written(self, answer: Path | Exception) -> None:
        self.start.setEnabled(True)
        if isinstance(answer, Exception):
            self._bench.report(answer)
            return
        open_page(answer)
        self.accept()
        tell_after_a_dialog(tr("The comparison is {answer}").format(answer=answer))


def _write(folders: list[Path], path: Path) -> Path | Exception:
    """Write the page, and hand errors over: superqt would swallow a `RuntimeError`."""
    from sam2flow_core.reports import write_comparison

    try:
        tables = [read_csv(folder / SUMMARY) for folder in folders]
        named = [
            # Runs of one recording have its name in their tables; here they are what is told apart.
            table.assign(video_id=f"{folder.parent.name.removesuffix(SUFFIX)} {folder.name}")
            for table, folder in zip(tables, folders, strict=True)
        ]
        write_comparison(path, named)
    except Exception as error:
        return error
    return path


def _in_words(run: KeptRun, goes_on: bool) -> str:
    written = datetime.fromtimestamp(run.written)
    when = written.strftime("%H:%M" if written.date() == datetime.now().date() else "%d %b %H:%M")
    how = tr("goes on") if goes_on else tr("cut short") if run.unfinished else "" if run.readable else tr("no tables")
    return f"{run.folder.name}, {how if goes_on else f'{how} {when}'.strip()}"  # short: the list is narrow
