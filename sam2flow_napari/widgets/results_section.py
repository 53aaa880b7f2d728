"""The Results section: table, plot, export."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from sam2flow_core.errors import OutputError
from sam2flow_napari.widgets.building_blocks import Hint, button, open_page, row_table, tell
from sam2flow_napari.widgets.export_dialog import ExportDialog
from sam2flow_napari.widgets.figure import save_plot
from sam2flow_napari.widgets.overlay_switches import OverlaySwitches
from sam2flow_napari.widgets.results_table import ResultsTable
from sam2flow_napari.widgets.run_history import RunHistory
from sam2flow_napari.widgets.space_time_plot import SpaceTimePlot
from sam2flow_napari.widgets.velocity_plot import VelocityPlot
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.jobs import RunProgress
from sam2flow_napari.worker.run_tables import REPORT, RunTables

_DRAW_MS = 250


class ResultsSection(QWidget):
    """Table of vessels, velocity against time, and the ways out."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._hint = Hint(1)
        self._notes = Hint()
        self._span = ""
        self.model = ResultsTable(bench.session)
        self.table = row_table(
            self.model,
            "One row per vessel. Select a row to select the vessel; rest on it for all values.",
            stretch=3,
            on_row=self._on_row,
        )
        self.plot = VelocityPlot(bench.viewer, bench.session)
        self.space_time = SpaceTimePlot(bench.viewer, bench.session)
        self.plots = QTabWidget()
        self.plots.addTab(self.plot, "Velocity")
        self.plots.addTab(self.space_time, "Space-time")
        self._draw = QTimer(self)
        self._draw.setSingleShot(True)
        self._draw.setInterval(_DRAW_MS)
        self._draw.timeout.connect(self.plot.draw_live)
        self._exits = QWidget()
        self._exits.setLayout(self._build_exits())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        self.switches = OverlaySwitches(bench)
        self.history = RunHistory(bench)
        for widget, share in (
            (self.history, 0),
            (self._hint, 0),
            (self.table, 1),
            (self._notes, 0),
            (self.switches, 0),
            (self.plots, 2),
            (self._exits, 0),
        ):
            layout.addWidget(widget, share)
        bench.runs.tables_changed.connect(self._on_tables)
        bench.runs.progressed.connect(self._on_progress)
        bench.line.measured.connect(self.plot.show_line)
        bench.runs.running_changed.connect(self._on_running)
        bench.session.active_changed.connect(self._on_active)
        bench.session.state_changed.connect(self._on_state)
        self._on_tables(bench.runs.tables)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._draw.stop()
        self.history.disconnect_session()
        self.plot.disconnect_session()
        self.space_time.disconnect_session()
        self._bench.session.active_changed.disconnect(self._on_active)
        self._bench.session.state_changed.disconnect(self._on_state)

    def _build_exits(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(button("Export…", "Take home tables, workbook, report, figures, masks, a film.", self._export))
        row.addWidget(button("Figure…", "Save the plot on show as a picture (PNG or SVG).", self._figure))
        larger = "Show the plots in a window of their own; closing it brings them back."
        self.larger = button("Larger", larger, self._detach)
        row.addWidget(self.larger)
        row.addWidget(button("Report", "Open the report in the web browser.", self._report))
        row.addWidget(button("Copy", "Copy the table to the clipboard.", self._copy))
        return row

    # -- what happens ------------------------------------------------------
    def _on_tables(self, tables: RunTables | None) -> None:
        self._show_rows(tables)
        self.plot.clear_curves()
        self.space_time.show_run(tables)
        if tables is not None:
            self.plot.show_tables(tables.per_frame)
        self._show()

    def _show_rows(self, tables: RunTables | None) -> None:
        """Fill the table; of a run that goes on, the rows so far."""
        self.model.show_tables(tables)
        self._span = "" if tables is None else _frames_in_words(tables)
        self._on_active(self._bench.session.active)

    def _on_state(self, _state: object) -> None:
        self._show()

    def _show(self) -> None:
        """Say what is to be said; everything keeps its place, whether there are results or not."""
        has_tables = self._bench.runs.tables is not None
        tell(self._hint, self._advice(has_tables))
        self._exits.setEnabled(has_tables)
        self.switches.setEnabled(has_tables or self._bench.runs.running)

    def _advice(self, has_tables: bool) -> str:
        bench = self._bench
        outdated = bench.runs.outdated(bench.session.state)
        if outdated and has_tables:
            names = (vessel.name for v in sorted(outdated) if (vessel := bench.session.state.vessel(v)))
            return f"Marked anew since this run: {', '.join(names) or 'a deleted vessel'}. Run again to measure."
        if self.model.provisional:
            # Short: one line is all the room there is.
            return f"Provisional, from {self._span}" + (
                " so far." if bench.runs.running else "; the run was cut short."
            )
        if bench.runs.running:
            return "The first velocities come here in a while."
        return self.model.verdict() if has_tables else "Velocities come here after a run."

    def _on_running(self, running: bool) -> None:
        if running:
            self._show_rows(None)
            self.plot.clear_curves()
        self._show()

    def _on_progress(self, progress: RunProgress) -> None:
        if progress.tables is not None:
            self._show_rows(progress.tables)
            self._show()
        recording = self._bench.session.recording
        if progress.speeds and recording is not None:
            self.plot.add_live(progress, recording.spacing.speed_factor, recording.spacing.speed_unit)
            if not self._draw.isActive():
                self._draw.start()

    def _on_active(self, vessel_id: int) -> None:
        row = self.table.currentIndex().row()
        if not 0 <= row < self.model.rowCount() or self.model.vessel_id(row) != vessel_id:
            row = self.model.row_of(vessel_id)  # else it stays on the segment or range that was selected
        tell(self._notes, self.model.notes(row) if row >= 0 else "")
        if row >= 0 and self.table.currentIndex().row() != row:
            self.table.setCurrentIndex(self.model.index(row, 0))

    def _on_row(self, row: int) -> None:
        self._bench.session.activate(self.model.vessel_id(row))
        tell(self._notes, self.model.notes(row))

    # -- ways out ------------------------------------------------------------
    def _export(self) -> None:
        tables = self._bench.runs.tables
        if tables is not None and self._bench.session.recording is not None:
            ExportDialog(self._bench, tables, self).open()

    def _figure(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the plot", "", "Pictures (*.png *.svg)")
        if path:
            self.save_figure(Path(path))

    def save_figure(self, path: Path) -> None:
        """Save the plot on show; the name's ending says how."""
        plot = self.plot if self.plots.currentWidget() is self.plot else self.space_time
        try:
            save_plot(plot, path)
        except OutputError as error:
            self._bench.report(error)
        else:
            show_info(f"Figure saved as {path}")

    def _detach(self) -> None:
        """Put the plots into a window of their own until it is closed."""
        layout, room = self.layout(), QWidget()
        assert isinstance(layout, QVBoxLayout)
        room.setSizePolicy(self.plots.sizePolicy())
        room.setMinimumHeight(self.plots.height())  # what lies below stays where it is
        place = layout.indexOf(self.plots)
        layout.insertWidget(place, room, 2)
        dialog = QDialog(self)
        dialog.setWindowTitle("SAM2Flow: plots")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        QVBoxLayout(dialog).addWidget(self.plots)
        dialog.resize(1000, 640)

        def bring_back(_result: int) -> None:
            layout.insertWidget(place, self.plots, 2)
            layout.removeWidget(room)
            room.deleteLater()
            self.larger.setEnabled(True)

        dialog.finished.connect(bring_back)
        self.larger.setEnabled(False)
        dialog.show()

    def _report(self) -> None:
        if self._bench.runs.tables is not None:
            open_page(self._bench.runs.tables.folder / REPORT)

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.model.as_text())
            show_info("Table copied.")


def _frames_in_words(tables: RunTables) -> str:
    """Say which frames the rows of a table are of."""
    frames = tables.per_frame["frame"]
    return f"frames {int(frames.min())} to {int(frames.max())}" if len(frames) else "no frame"
