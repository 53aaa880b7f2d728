"""The dock: what to do next, pages for marking and for results, and the Run bar, which stays where it is."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from qtpy import QT5
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QGroupBox,
    QLabel,
    QMessageBox,
    QScrollArea,
    QShortcut,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sam2flow_napari.layers.prompt_layer import Key
from sam2flow_napari.translation import choose_language, tr, tr_later
from sam2flow_napari.widgets.building_blocks import FocusFrame, ask, in_order
from sam2flow_napari.widgets.recording_section import RecordingSection
from sam2flow_napari.widgets.results_section import ResultsSection
from sam2flow_napari.widgets.run_section import RunSection
from sam2flow_napari.widgets.vessels_section import VesselsSection
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.loop import Engine

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_MOUSE = (
    (tr_later("Click"), tr_later("this vessel")),
    (tr_later("Shift or Alt + click"), tr_later("not this vessel")),
    (tr_later("Drag, wheel"), tr_later("move and zoom the image")),
    (tr_later("3, then drag or Delete"), tr_later("select points to move or delete; 2 to click again")),
    ("Alt+1, Alt+2", tr_later("the pages Mark and Results; Tab goes through the dock")),
    ("Alt+R, Alt+X", tr_later("run, cancel; other buttons say their keys when the mouse rests on them")),
)
OLD_QT = tr_later("PyQt5 works with this napari; a later one will want PyQt6: pip install 'sam2flow[pyqt6]'")
_NAPARI_SAYS = "PyQt5 backend"
_WIDTH = 440
"""px that the dock asks for: in less, buttons would lose letters in some language; in a screen of 1280 px, that leaves
room for the picture whatever the style's margins are."""


def help_text(keys: tuple[Key, ...]) -> str:
    """Return the help as rich text."""
    rows = [*((tr(a), tr(b)) for a, b in _MOUSE), *((key.shown, key.does) for key in keys)]
    cells = "".join(f"<tr><td><b>{escape(a)}</b>&nbsp;&nbsp;</td><td>{escape(b)}</td></tr>" for a, b in rows)
    where = tr("In the dock, and over the image with the layer <i>prompts</i> (<i>boxes</i>, <i>brush</i>) selected:")
    # Each key on one line, or the box is higher than a small screen.
    return f"<p>{where}</p><table style='white-space: nowrap'>{cells}</table>"


def show_help(parent: QWidget, keys: tuple[Key, ...]) -> QMessageBox:
    """Show the pop-up without blocking the window."""
    box = QMessageBox(parent)
    box.setWindowTitle(tr("SAM2Flow: keys"))
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(help_text(keys))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box


def say_that_qt_is_old(viewer: napari.Viewer) -> None:
    """Say in the status bar what napari says over the scale bar at every start, and take that away.

    PyQt5 is what this program installs unless it is told otherwise, so its user has nothing to mend.
    """
    if not QT5:
        return
    taken = False
    for widget in QApplication.allWidgets():
        if type(widget).__name__ == "NapariQtNotification" and _says_it(widget):
            with suppress(RuntimeError):  # it was on its way out
                widget.close()
                taken = True
    if taken:
        viewer.status = tr(OLD_QT)


def _says_it(notification: object) -> bool:
    labels = notification.findChildren(QLabel)  # type: ignore[attr-defined]
    return any(_NAPARI_SAYS in label.text() or _NAPARI_SAYS in label.toolTip() for label in labels)


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
        choose_language()
        self.bench = Workbench(napari_viewer, engine)
        self._docked = self._shut = False
        self.recording = RecordingSection(self.bench)
        self.vessels = VesselsSection(self.bench)
        self.run = RunSection(self.bench)
        self.results = ResultsSection(self.bench)
        self.pages = QTabWidget()
        self._lay_out()
        self._bind_keys()
        self.bench.help_wanted.connect(self._show_help)
        self.bench.closed.connect(self._on_closed)
        self.bench.switch_wanted.connect(self._ask_to_switch)
        self.bench.runs.started.connect(self._show_results)
        # The window may go without closing its docks one by one.
        self.destroyed.connect(self.bench.leave)
        QTimer.singleShot(0, partial(say_that_qt_is_old, napari_viewer))
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.bench.leave)

    def sizeHint(self) -> QSize:
        """Ask for no more width than the picture can spare."""
        hint = super().sizeHint()
        return QSize(min(hint.width(), _WIDTH), hint.height())

    def minimumSizeHint(self) -> QSize:
        """Ask for so much that nothing is cut off."""
        hint = super().minimumSizeHint()
        return QSize(max(hint.width(), _WIDTH), hint.height())

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

    # -- how it looks --------------------------------------------------------
    def _lay_out(self) -> None:
        marking = QWidget()
        column = QVBoxLayout(marking)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(4)
        self.recording.add(self.vessels.picture)
        column.addWidget(_framed(tr("Recording"), self.recording))
        column.addWidget(_framed(tr("Vessels"), self.vessels), 1)
        column.addWidget(_framed(tr("Settings of a run"), self.run.settings))
        self.pages.addTab(Page(marking), tr("Mark"))
        self.pages.addTab(Page(self.results), tr("Results"))
        for page in range(self.pages.count()):
            self.pages.setTabToolTip(page, f"Alt+{page + 1}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        layout.addWidget(self.vessels.guide)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.run)
        for before, after in pairwise(in_order(self)):
            QWidget.setTabOrder(before, after)
        FocusFrame(self, lambda: get_theme(self.bench.viewer.theme).text.as_hex())

    def _bind_keys(self) -> None:
        """Let the keys of the layers count while the dock has the focus, too; boxes one types in come first."""
        for key in self.bench.keys:
            shortcut = QShortcut(QKeySequence(key.shown), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(key.action)
        for page in range(self.pages.count()):
            turn = QShortcut(QKeySequence(f"Alt+{page + 1}"), self)
            turn.activated.connect(partial(self.pages.setCurrentIndex, page))

    # -- what happens --------------------------------------------------------
    def _show_results(self, _folder: object) -> None:
        """Turn to the results when a run starts, at the user's own click; nothing moves later."""
        self.pages.setCurrentIndex(1)

    def _ask_to_switch(self, image: Image) -> None:
        recording = self.bench.session.recording
        here = recording.stack.name if recording else tr("This recording")
        ask(
            self,
            tr("{here} is being measured. Stop that and open {name}?").format(here=here, name=image.name),
            tr("What the run has finished is kept."),
            (tr("Stop and open"), tr("Go on measuring")),
            lambda stop: self.bench.switch(image, stop),
        )

    def _show_help(self) -> None:
        show_help(self, self.bench.keys)


def _framed(title: str, section: QWidget) -> QGroupBox:
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    layout.setContentsMargins(2, 6, 2, 2)
    layout.addWidget(section)
    return box


class Page(QScrollArea):
    """A page that scrolls downwards in windows too low for it, never by itself, and never cuts off its controls.

    Parameters
    ----------
    content : QWidget
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of what is on the page: Qt's own would cut it off at the right."""
        content, bar = self.widget(), self.verticalScrollBar()
        assert content is not None and bar is not None
        width = content.minimumSizeHint().width() + bar.sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Ask anew when what is on the page has become wider."""
        if watched is self.widget() and event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))
