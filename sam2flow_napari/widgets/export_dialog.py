"""The dialog of Export: what, which frames of a film, where; with progress and Cancel."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sam2flow_core.errors import Sam2FlowError
from sam2flow_napari.translation import told, tr
from sam2flow_napari.widgets.building_blocks import Hint, button, tell, tell_after_a_dialog, turn_into
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.run_tables import RunTables

if TYPE_CHECKING:
    from collections.abc import Generator

    from sam2flow_core.engine.export import ExportProgress, ExportRequest

_FINE = 1000
"""Steps of the progress bar."""


class ExportDialog(QDialog):
    """Choose, see the progress, cancel; the window stays free meanwhile.

    Parameters
    ----------
    bench : Workbench
        With a recording open.
    tables : RunTables
        Of the run that is taken home.
    parent : QWidget
    """

    def __init__(self, bench: Workbench, tables: RunTables, parent: QWidget) -> None:
        from sam2flow_core.engine.export import FILM, KINDS

        super().__init__(parent)
        assert bench.session.recording is not None
        self._bench, self._tables = bench, tables
        self._recording = bench.session.recording
        self._worker: Any = None
        self._stop = Event()
        self._begun: list[str] = []
        self.setWindowTitle(tr("SAM2Flow: export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.kinds = {kind: QCheckBox(tr(kind[:1].upper() + kind[1:])) for kind in KINDS}
        for kind, box in self.kinds.items():
            box.setChecked(kind != FILM)
            box.setToolTip(tr("Whether {kind} is written.").format(kind=tr(kind[:1].upper() + kind[1:])))
            box.toggled.connect(lambda _ticked: self._enable())
        header = tables.results.header
        self.first, self.last, self.every = QSpinBox(), QSpinBox(), QSpinBox()
        for spin in (self.first, self.last):
            spin.setRange(header.start, header.stop - 1)
        self.last.setValue(header.stop - 1)
        self.every.setRange(1, 1000)
        self.rate = QDoubleSpinBox()
        self.rate.setRange(1, 120)
        self.rate.setValue(20)
        self.ending = QComboBox()
        self.ending.addItems([".mp4", ".gif"])
        self.overlays = QCheckBox(tr("With masks, speed and numbers"))
        self.overlays.setChecked(True)
        self.progress = QProgressBar()
        self.progress.setRange(0, _FINE)
        self.words = Hint()
        self.start = button(tr("Export…"), tr("Choose a folder and write the files there."), self._choose)
        self.stop = button(tr("Close"), tr("Stop; files that are whole stay."), self.reject)
        self._lay_out()

    def _lay_out(self) -> None:
        from sam2flow_core.engine.export import FILM

        of_film = QGroupBox(tr("Of the film"))
        film = QFormLayout(of_film)
        film.addRow(tr("First frame"), self.first)
        film.addRow(tr("Last frame"), self.last)
        film.addRow(tr("Take one frame of"), self.every)
        film.addRow(tr("Frames shown a second"), self.rate)
        film.addRow(tr("File type"), self.ending)
        film.addRow(self.overlays)
        self.kinds[FILM].toggled.connect(of_film.setEnabled)
        of_film.setEnabled(self.kinds[FILM].isChecked())
        row = QHBoxLayout()
        row.addWidget(self.start)
        row.addWidget(self.stop)
        column = QVBoxLayout(self)
        for box in self.kinds.values():
            column.addWidget(box)
        column.addWidget(of_film)
        column.addWidget(self.progress)
        column.addWidget(self.words)
        column.addLayout(row)
        self.setMinimumWidth(340)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Export to a folder"), self._bench.nearby)
        if folder:
            self.export_to(Path(folder))

    def export_to(self, folder: Path) -> None:
        """Write what is chosen into a folder, away from this thread."""
        self._stop, self._begun = Event(), []
        self.words.setText("")
        self._worker = create_worker(_guarded, self._request(folder), self._stop, _start_thread=False)
        self._enable()
        self._worker.yielded.connect(self._on_step)
        self._worker.finished.connect(self._on_finished)
        self._worker.start()

    def _request(self, folder: Path) -> ExportRequest:
        from sam2flow_core.engine.export import ExportRequest
        from sam2flow_core.engine.flow_film import FilmChoices

        film = FilmChoices(
            self.first.value(),
            self.last.value() + 1,
            self.every.value(),
            self.rate.value(),
            self.overlays.isChecked(),
        )
        kinds = tuple(kind for kind, box in self.kinds.items() if box.isChecked())
        name = self._recording.stack.name
        return ExportRequest(
            self._tables.folder, self._recording.path, folder, name, kinds, film, self.ending.currentText()
        )

    def reject(self) -> None:
        """Stop an export that goes on, or close."""
        if self._worker is not None:
            self._stop.set()
            self.stop.setEnabled(False)
            self.words.setText(tr("Stopping…"))
        else:
            super().reject()

    def _on_step(self, step: ExportProgress | Exception | Path) -> None:
        if isinstance(step, Sam2FlowError):
            tell(self.words, told(step))  # here: the window behind this dialog is out of reach
        elif isinstance(step, Exception):
            self._bench.report(step)
        elif isinstance(step, Path):
            self.progress.setValue(_FINE)
            self._worker = None
            self.accept()
            tell_after_a_dialog(tr("Exported to {step}").format(step=step))
        elif not self._stop.is_set():
            self._begun.append(step.kind)
            tell(self.words, tr("Writing {what}").format(what=told(step.what)))
            self.progress.setValue(round(_FINE * step.share))

    def _on_finished(self) -> None:
        if self._worker is not None:
            self._worker = None
            self.progress.setValue(0)
            if self._stop.is_set():
                # What is whole need not be written again: Export goes on with the rest, into the same folder.
                for kind in set(self._begun[:-1]) - set(self._begun[-1:]):
                    self.kinds[kind].setChecked(False)
                self.words.setText(tr("Cancelled; files that are whole stay, and are no longer ticked."))
            self._enable()

    def _enable(self) -> None:
        goes_on = self._worker is not None
        self.start.setEnabled(not goes_on and any(box.isChecked() for box in self.kinds.values()))
        self.stop.setEnabled(True)
        turn_into(self.stop, tr("Cancel") if goes_on else tr("Close"))


def _guarded(request: ExportRequest, stop: Event) -> Generator[ExportProgress | Exception | Path, None, None]:
    """Export until it is told to stop, and hand errors over: superqt would swallow a `RuntimeError`.

    superqt's own `quit` leaves a generator where it is, with half a film on the disk until somebody collects it.
    """
    from sam2flow_core.engine.export import export

    try:
        with closing(export(request)) as steps:
            for step in steps:
                yield step
                if stop.is_set():
                    return
    except Exception as error:
        yield error
    else:
        yield request.folder
