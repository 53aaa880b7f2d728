"""Small pieces that several sections share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QRect, Qt, QTimer, QUrl
from qtpy.QtGui import (
    QColor,
    QDesktopServices,
    QFocusEvent,
    QIcon,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QHeaderView,
    QLabel,
    QLayout,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTableView,
    QTabWidget,
    QWidget,
)

from sam2flow_core.stack.video import VIDEO_SUFFIXES
from sam2flow_napari.translation import tr

_BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_MOVED = (QEvent.Type.FocusIn, QEvent.Type.Resize, QEvent.Type.Move)
_ROW_PX = 22
_AROUND_WORDS = 8
"""px of its width that a label leaves free when it breaks a line; less, and a last word is gone without an ellipsis."""
_AGAIN_MS, _TIMES = 50, 40
"""How often it is looked whether a dialog has handed the keyboard back: for two seconds."""
_FEWEST_ROWS = 3
"""Rows that a table has room for in the smallest window; it scrolls beyond."""


def button(text: str, tooltip: str, clicked: Callable[[], object], keys: str = "") -> QPushButton:
    """Return a push button that explains itself, and may be pressed by keys such as ``Alt+R`` while it is in sight."""
    widget = QPushButton(text)
    widget.setToolTip(f"{tooltip} ({keys})" if keys else tooltip)
    if keys:
        widget.setShortcut(QKeySequence(keys))
    # Narrower than its hint where it must be: the dock has to fit beside the image on a small screen.
    widget.setMinimumWidth(30)
    widget.clicked.connect(_without_argument(clicked))
    return widget


def relabel(widget: QPushButton, text: str) -> None:
    """Give a button another text; Qt would forget its keys."""
    if widget.text() != text:
        keys = widget.shortcut()
        widget.setText(text)
        widget.setShortcut(keys)


def turn_into(widget: QPushButton, text: str) -> None:
    """Give a button another meaning: a second click on the one before is not meant for it."""
    if widget.text() != text:
        relabel(widget, text)
        rest(widget)


def rest(widget: QWidget) -> None:
    """Let a control that has just become another one under the pointer take no click until a double click is over.

    Whoever clicks twice on what stood there does not mean what stands there now. Keys are taken as ever.
    """
    timer = QTimer(widget)
    timer.setSingleShot(True)
    timer.setInterval(QApplication.doubleClickInterval())
    timer.timeout.connect(partial(widget.setAttribute, Qt.WidgetAttribute.WA_TransparentForMouseEvents, False))
    timer.timeout.connect(timer.deleteLater)
    widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    # From when the window is free again: what the first click does may take longer than a double click.
    QTimer.singleShot(0, timer.start)


def ask(
    parent: QWidget,
    question: str,
    detail: str,
    choices: tuple[str, str],
    answered: Callable[[bool], None],
    destructive: bool = False,
) -> None:
    """Ask without blocking the window; whatever is not the first of the two choices is the second.

    Parameters
    ----------
    parent : QWidget
    question, detail : str
    choices : tuple of str
        What is asked for, and leaving things as they are.
    answered : callable
        Called with whether the first was chosen.
    destructive : bool
        Whether the first cannot be undone.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("SAM2Flow")
    box.setText(question)
    box.setInformativeText(detail)
    roles = QMessageBox.ButtonRole
    do = box.addButton(choices[0], roles.DestructiveRole if destructive else roles.AcceptRole)
    keep = box.addButton(choices[1], roles.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.finished.connect(lambda _: answered(box.clickedButton() is do))
    box.open()


def _without_argument(clicked: Callable[[], object]) -> Callable[[bool], None]:
    def call(_checked: bool) -> None:
        clicked()

    return call


def row_table(model: QAbstractTableModel, tooltip: str, stretch: int, on_row: Callable[[int], None]) -> QTableView:
    """Return a table of which one row can be selected.

    Parameters
    ----------
    model : QAbstractTableModel
    tooltip : str
    stretch : int
        The column that takes the width that is left.
    on_row : callable
        Called with the selected row.
    """
    table = QTableView()
    table.setModel(model)
    table.setToolTip(tooltip)
    table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
    rows, columns, selection = table.verticalHeader(), table.horizontalHeader(), table.selectionModel()
    assert rows is not None and columns is not None and selection is not None
    rows.hide()
    rows.setDefaultSectionSize(_ROW_PX)
    columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    columns.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
    # Never higher for more rows: what lies below must not move while somebody aims at it.
    table.setMinimumHeight(columns.sizeHint().height() + _ROW_PX * _FEWEST_ROWS + 4)
    # A key typed here is a shortcut; only F2 and a double click edit.
    triggers = QTableView.EditTrigger.DoubleClicked | QTableView.EditTrigger.EditKeyPressed
    table.setEditTriggers(triggers)  # type: ignore[arg-type]

    def follow(current: QModelIndex, _previous: QModelIndex) -> None:
        if 0 <= current.row() < model.rowCount():
            on_row(current.row())

    selection.currentRowChanged.connect(follow)
    return table


def swatch(colour: str) -> QIcon:
    """Return a square of a colour that stays what it is in a row that is selected."""
    square = QPixmap(16, 16)
    square.fill(QColor(colour))
    icon = QIcon(square)
    icon.addPixmap(square, QIcon.Mode.Selected)
    return icon


class Hint(QLabel):
    """A label that says what to do next, with room for so many lines, be they needed or not.

    What finds no room ends in an ellipsis; the tooltip has all of it.

    Parameters
    ----------
    lines : int
    """

    def __init__(self, lines: int = 2) -> None:
        super().__init__()
        self._lines = lines
        self._words = ""
        self.setWordWrap(True)
        top_left = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
        self.setAlignment(top_left)  # type: ignore[arg-type]
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        font = self.font()
        font.setItalic(True)
        self.setFont(font)
        self._fit()

    def hasHeightForWidth(self) -> bool:
        """Return that its height is fixed; Qt's labels of several lines have their page scroll before it shrinks."""
        return False

    def text(self) -> str:
        """Return all of the text, be there room for it or not."""
        return self._words

    def setText(self, words: str | None) -> None:
        """Show a text."""
        self._words = words or ""
        super().setText(self._fitting())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show as much as there is room for now."""
        super().resizeEvent(event)
        super().setText(self._fitting())

    def changeEvent(self, event: QEvent | None) -> None:
        """Keep the room where the viewer's theme brings another font."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.fontMetrics().lineSpacing() * self._lines + 8)
        super().setText(self._fitting())

    def _fitting(self) -> str:
        """As many words as there is room for."""
        words = self._words.split(" ")
        count = next((n for n in range(len(words), 0, -1) if self._fits(" ".join(words[:n]), n < len(words))), 1)
        return self._words if count == len(words) else " ".join(words[:count]).rstrip(".,;:") + "…"

    def _fits(self, words: str, cut: bool) -> bool:
        metrics, inside = self.fontMetrics(), self.contentsRect()
        wrap = int(Qt.TextFlag.TextWordWrap)
        taken = metrics.boundingRect(
            QRect(0, 0, inside.width() - _AROUND_WORDS, 10_000), wrap, words + ("…" if cut else "")
        )
        return inside.width() < 20 or taken.height() <= metrics.lineSpacing() * self._lines + 2


def tell(label: QLabel, text: str) -> None:
    """Show a text, with all of it as tooltip where there is no room for it."""
    if label.text() != text:
        label.setText(text)
        label.setToolTip(text)


def tell_after_a_dialog(text: str, times: int = _TIMES) -> None:
    """Show a message once the dialog that it is about is gone and the program's window has the keyboard again.

    napari takes a message away by itself only if its window is the active one when the message comes; others lie over
    the scale bar until somebody closes them.
    """
    active = QApplication.activeWindow()
    if times and (active is None or isinstance(active, QDialog)):
        QTimer.singleShot(_AGAIN_MS, partial(tell_after_a_dialog, text, times - 1))
    else:
        show_info(text)


def in_order(item: QWidget | QLayout | None) -> list[QWidget]:
    """Return what Tab reaches in a widget or layout, in the order in which a reader's eye meets it."""
    if isinstance(item, QTabWidget):
        pages = (item.widget(number) for number in range(item.count()))
        bar: list[QWidget] = [item.tabBar()]  # type: ignore[list-item]
        return bar + [widget for page in pages for widget in in_order(page)]
    if isinstance(item, QStackedWidget):
        return [widget for number in range(item.count()) for widget in in_order(item.widget(number))]
    if isinstance(item, QScrollArea):
        return in_order(item.widget())
    layout = item.layout() if isinstance(item, QWidget) else item
    if layout is not None:
        parts = (layout.itemAt(number) for number in range(layout.count()))
        inside = (part.widget() or part.layout() for part in parts if part is not None)
        return [widget for each in inside for widget in in_order(each)]
    by_tab = (Qt.FocusPolicy.TabFocus, Qt.FocusPolicy.StrongFocus, Qt.FocusPolicy.WheelFocus)
    return [item] if isinstance(item, QWidget) and item.focusPolicy() in by_tab else []


class FocusFrame(QWidget):
    """A frame about what has the focus, once keys have led there: napari's themes show nothing on buttons and boxes.

    It lies over its widget and takes no room, so that nothing moves.

    Parameters
    ----------
    owner : QWidget
        With all that Tab reaches.
    colour : callable
        Gives the colour of the frame.
    """

    def __init__(self, owner: QWidget, colour: Callable[[], str]) -> None:
        super().__init__(owner)
        self._colour = colour
        self._about: QWidget | None = None
        self._gave_way = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        for widget in in_order(owner):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Go where the focus goes."""
        if isinstance(event, QFocusEvent) and isinstance(watched, QWidget):
            led = event.gotFocus() and event.reason() in _BY_KEYS and not self._gave_way
            # A button that is pressed and can be pressed no more hands the focus on as Tab does.
            self._gave_way = event.lostFocus() and not watched.isEnabled() and not self.isVisible()
            self._about = watched if led else None
            self.setVisible(led)
        if event is not None and watched is self._about and event.type() in _MOVED:
            self._fit()
        return False

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._colour()), 2))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 3, 3)

    def _fit(self) -> None:
        if self._about is not None and (parent := self._about.parentWidget()) is not None:
            self.setParent(parent)  # it scrolls along
            self.setGeometry(self._about.geometry().adjusted(-2, -2, 2, 2))
            self.show()
            self.raise_()


def recordings_filter() -> str:
    """Return what a file dialog shows: recordings that can be opened; all files where that is asked for."""
    endings = (".tif", ".tiff", ".btf", ".tf8", *VIDEO_SUFFIXES)
    return tr("Recordings ({endings});;All files (*)").format(endings=" ".join(f"*{ending}" for ending in endings))


def open_page(page: Path) -> None:
    """Open a page in the web browser; where none answers, say where the page is and copy its path."""
    clipboard = QApplication.clipboard()
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(page))) and clipboard is not None:
        clipboard.setText(str(page))
        show_warning(tr("No web browser answered. The page is {page} (copied to the clipboard).").format(page=page))
