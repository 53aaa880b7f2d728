"""The Results section: table, plot, switches of the overlays, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from pyqtgraph.exporters import ImageExporter, SVGExporter
from qtpy.QtCore import QBuffer, QRectF, Qt, QTimer
from qtpy.QtGui import QImage, QPainter, QPixmap
from qtpy.QtSvg import QSvgGenerator
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sam2flow_core.errors import OutputError
from sam2flow_core.files import whole_file, write_bytes
from sam2flow_napari.layers.factory import speed_colours
from sam2flow_napari.layers.lazy_layers import wheel_picture
from sam2flow_napari.layers.overlays import TRACERS, WHEEL
from sam2flow_napari.translation import shown_name, tr
from sam2flow_napari.widgets.building_blocks import Hint, button, open_page, row_table, tell, tell_after_a_dialog
from sam2flow_napari.widgets.export_dialog import ExportDialog
from sam2flow_napari.widgets.plots import SpaceTimePlot, VelocityPlot
from sam2flow_napari.widgets.results_table import ResultsTable
from sam2flow_napari.widgets.run_history import RunHistory
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.jobs import RunProgress
from sam2flow_napari.worker.run_tables import REPORT, RunTables

_WIDTH_PX = 1600
_LEGEND_PX = 44
_BAR_PX = (110, 14)
_DRAW_MS = 250


def save_plot(plot: pg.PlotWidget, path: Path) -> None:
    """Save a plot as PNG or SVG, whole or not at all; a name without an ending becomes a PNG.

    Raises
    ------
    OutputError
        If the ending is another, or the file cannot be written.
    """
    path = path if path.suffix else path.with_suffix(".png")
    write = {".png": _write_png, ".svg": _write_svg}.get(path.suffix.lower())
    if write is None:
        raise OutputError(
            tr("{path}: figures are saved as .png or .svg; choose one of these endings").format(path=path)
        )
    with whole_file(path) as part:
        write(plot, part)


def _write_png(plot: pg.PlotWidget, path: Path) -> None:
    exporter = ImageExporter(plot.getPlotItem())
    exporter.parameters()["width"] = _WIDTH_PX
    exporter.export(str(path))


def _write_svg(plot: pg.PlotWidget, path: Path) -> None:
    """Write a plot as SVG with Qt's own writer where it clips curves to their axes; Qt 5 has none that does.

    pyqtgraph's writer, which clips by itself, ends with an error at the closed paths of Qt 6.10 and later.
    """
    maker: Any = QSvgGenerator
    if not hasattr(maker, "SvgVersion"):
        SVGExporter(plot.getPlotItem()).export(str(path))
        return
    source = plot.getPlotItem().sceneBoundingRect()
    room = QRectF(0, 0, source.width(), source.height())
    generator, written = maker(maker.SvgVersion.Svg11), QBuffer()
    generator.setOutputDevice(written)  # to a file it would write what a full disk takes, and say nothing
    generator.setSize(source.size().toSize())
    generator.setViewBox(room)
    painter = QPainter(generator)
    painter.fillRect(room, plot.backgroundBrush())
    plot.scene().render(painter, room, source)
    painter.end()
    write_bytes(path, bytes(written.data()))


class OverlaySwitches(QWidget):
    """Check boxes for flow directions and tracers; they and the layers' eyes agree.

    The legend is here and not in the image, where it would cover tissue; it has its room always, so that nothing moves.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self.directions = QCheckBox(tr("Flow directions"))
        self.directions.setToolTip(tr("Colour the vessels by the direction of their flow."))
        self.tracers = QCheckBox(tr("Tracers"))
        self.tracers.setToolTip(tr("Dots that drift with the measured flow: press play below the image."))
        for box, name in ((self.directions, WHEEL), (self.tracers, TRACERS)):
            box.toggled.connect(lambda shown, name=name: self._switch(name, shown))
        self._picture, self._words = QLabel(), QLabel()
        self._wheel, self._bar = _pixmap(wheel_picture(_LEGEND_PX)), _pixmap(_bar_picture())
        self._lay_out()
        bench.overlays_changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self._picture.setFixedSize(_BAR_PX[0], _LEGEND_PX)
        # Never wider than the dock has room for, whatever the words are.
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        legend = QHBoxLayout()
        legend.addWidget(self._picture)
        legend.addWidget(self._words, 1, Qt.AlignmentFlag.AlignVCenter)
        boxes = QVBoxLayout()
        boxes.setSpacing(0)
        boxes.addWidget(self.directions)
        boxes.addWidget(self.tracers)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(boxes)
        row.addLayout(legend, 1)

    def refresh(self) -> None:
        """Show what the layers are."""
        scene, recording = self._bench.scene, self._bench.session.recording
        for box, name in ((self.directions, WHEEL), (self.tracers, TRACERS)):
            box.blockSignals(True)
            box.setChecked(scene is not None and scene.overlays.is_shown(name))
            box.blockSignals(False)
        if scene is None or recording is None:
            self._picture.clear()
            self._words.setText("")
            return
        unit, limit = tr(recording.spacing.speed_unit), scene.overlays.speed_limit
        most = f"{limit:.{0 if limit > 10 else 1}f} {unit}"
        directions = self.directions.isChecked()
        self._picture.setPixmap(self._wheel if directions else self._bar)
        self._words.setText(
            tr("Flow towards this side,\nfull colour: {most}").format(most=most)
            if directions
            else tr("Speed, 0 to\n{most}").format(most=most)
        )

    def _switch(self, name: str, shown: bool) -> None:
        if self._bench.scene is not None:
            self._bench.scene.overlays.show(name, shown)


def _bar_picture() -> NDArray[np.uint8]:
    """Return the colours of speed from the left to the right, shape (height, width, 4)."""
    width, height = _BAR_PX
    colours = np.rint(255 * speed_colours().map(np.linspace(0.01, 1, width))).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(colours, (height, width, 4)))


def _pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    height, width = picture.shape[:2]
    image = QImage(picture.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image)


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
            tr("One row per vessel. Select a row to select the vessel; rest on it for all values."),
            stretch=3,
            on_row=self._on_row,
        )
        self.plot = VelocityPlot(bench.viewer, bench.session)
        self.space_time = SpaceTimePlot(bench.viewer, bench.session)
        self.plots = QTabWidget()
        self.plots.addTab(self.plot, tr("Velocity"))
        self.plots.addTab(self.space_time, tr("Space-time"))
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
        row.addWidget(
            button(
                tr("Export…"), tr("Take home tables, workbook, report, figures, masks, a film."), self._export, "Alt+E"
            )
        )
        row.addWidget(
            button(tr("Figure…"), tr("Save the plot on show as a picture (PNG or SVG)."), self._figure, "Alt+G")
        )
        larger = tr("Show the plots in a window of their own; closing it brings them back.")
        self.larger = button(tr("Larger"), larger, self._detach, "Alt+N")
        row.addWidget(self.larger)
        row.addWidget(button(tr("Report"), tr("Open the report in the web browser."), self._report, "Alt+O"))
        row.addWidget(button(tr("Copy"), tr("Copy the table to the clipboard."), self._copy, "Alt+Y"))
        return row

    # -- what happens ------------------------------------------------------
    def _on_tables(self, tables: RunTables | None) -> None:
        self._show_rows(tables)
        self.plot.clear_curves()
        self.space_time.show_run(tables)
        if tables is not None:
            self.plot.show_tables(tables.per_frame)
        self.switches.refresh()  # the legend may be of the recording before
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
            names = (shown_name(vessel) for v in sorted(outdated) if (vessel := bench.session.state.vessel(v)))
            return tr("Marked anew since this run: {names}. Run again to measure.").format(
                names=", ".join(names) or tr("a deleted vessel")
            )
        if self.model.provisional:
            # Short: one line is all the room there is.
            return tr("Provisional, from {span}").format(span=self._span) + (
                tr(" so far.") if bench.runs.running else tr("; the run was cut short.")
            )
        if bench.runs.running:
            return tr("The first velocities come here in a while.")
        return self.model.verdict() if has_tables else tr("Velocities come here after a run.")

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
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Save the plot"), self._bench.nearby, tr("Pictures (*.png *.svg)")
        )
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
            tell_after_a_dialog(tr("Figure saved as {path}").format(path=path))

    def _detach(self) -> None:
        """Put the plots into a window of their own until it is closed."""
        layout, room = self.layout(), QWidget()
        assert isinstance(layout, QVBoxLayout)
        room.setSizePolicy(self.plots.sizePolicy())
        room.setMinimumHeight(self.plots.height())  # what lies below stays where it is
        place = layout.indexOf(self.plots)
        layout.insertWidget(place, room, 2)
        dialog = QDialog(self)
        dialog.setWindowTitle(tr("SAM2Flow: plots"))
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
            show_info(tr("Table copied."))


def _frames_in_words(tables: RunTables) -> str:
    """Say which frames the rows of a table are of."""
    frames = tables.per_frame["frame"]
    return (
        tr("frames {first} to {last}").format(first=int(frames.min()), last=int(frames.max()))
        if len(frames)
        else tr("no frame")
    )
