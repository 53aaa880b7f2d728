"""The dock: Recording, Vessels, Run, Results, as the work goes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from superqt import QCollapsible

from sam2flow_napari.widgets.help import show_help
from sam2flow_napari.widgets.recording_section import RecordingSection
from sam2flow_napari.widgets.results_section import ResultsSection
from sam2flow_napari.widgets.run_section import RunSection
from sam2flow_napari.widgets.vessels_section import VesselsSection
from sam2flow_napari.work.engine import Engine
from sam2flow_napari.workbench import Workbench

if TYPE_CHECKING:
    import napari


_ANY_HEIGHT = 16777215
"""Qt's own largest height of a widget."""


class SAM2FlowDock(QWidget):
    """Everything of SAM2Flow in one viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that it belongs to; another viewer gets a dock and a session of its own.
    engine : Engine, optional
        What does the work; the core's engine in a process of its own if not given.
    """

    def __init__(self, napari_viewer: napari.Viewer, engine: Engine | None = None) -> None:
        super().__init__()
        self.bench = Workbench(napari_viewer, engine)
        self._docked = self._shut = False
        self.recording = RecordingSection(self.bench)
        self.vessels = VesselsSection(self.bench)
        self.run = RunSection(self.bench)
        self.results = ResultsSection(self.bench)
        self._lay_out()
        self.bench.help_wanted.connect(self._show_help)
        self.bench.closed.connect(self._on_closed)
        self.bench.runs.tables_changed.connect(self._on_tables)
        # The window may go without closing its docks one by one.
        self.destroyed.connect(self.bench.close)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.bench.close)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Save, stop the run and let go of the viewer."""
        self.shut()
        super().closeEvent(event)

    def event(self, event: QEvent | None) -> bool:
        """Notice that napari takes the dock away for good."""
        kind = event.type() if event is not None else None
        if kind == QEvent.Type.DeferredDelete:
            self.shut()
        elif kind == QEvent.Type.ParentChange:
            self._on_parent()
        return bool(super().event(event))

    def _on_parent(self) -> None:
        """Let go at once when napari takes the dock out of its window, which is all that its close button does.

        Left to the garbage collector, the old dock would be torn down at any time later, be it while napari adds a
        layer for the dock that was opened in its place, and that takes the program down.
        """
        if self.parent() is not None:
            self._docked = True
        elif self._docked:
            self.shut()
            self.deleteLater()

    def shut(self) -> None:
        """Let go of session and viewer; may be called twice."""
        if self._shut:
            return
        self._shut = True
        for section in (self.recording, self.vessels, self.run, self.results):
            section.disconnect_session()
        self.bench.close()

    def _on_closed(self) -> None:
        """Rest, as another dock has taken over the recording."""
        self.setEnabled(False)
        self.shut()

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(2)
        sections: tuple[tuple[str, QWidget], ...] = (
            ("1  Recording", self.recording),
            ("2  Vessels", self.vessels),
            ("3  Run", self.run),
            ("4  Results", self.results),
        )
        for title, section in sections:
            fold = QCollapsible(title)
            fold.setDuration(0)
            fold.setContent(section)
            inside = fold.layout()
            assert inside is not None
            inside.setContentsMargins(9, 4, 9, 4)
            # As high as its content, whose lines of words may wrap.
            fold.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            fold.toggled.connect(partial(_make_room, section))
            fold.expand(animate=False)
            column.addWidget(fold)
        column.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setMinimumWidth(360)

    def _on_tables(self, tables: object) -> None:
        if tables is not None:
            # After the section has grown to its new height.
            QTimer.singleShot(50, self._scroll_to_results)

    def _scroll_to_results(self) -> None:
        self._scroll.ensureWidgetVisible(self.results, 0, 0)

    def _show_help(self) -> None:
        show_help(self, self.bench.keys)


def _make_room(section: QWidget, expanded: bool) -> None:
    """Let an open section grow with its content; a collapsible keeps the height it was opened with."""
    if expanded:
        section.setMaximumHeight(_ANY_HEIGHT)
