"""Small pieces that several sections share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari.utils.notifications import show_warning
from qtpy.QtCore import QAbstractTableModel, QEvent, QModelIndex, Qt, QUrl
from qtpy.QtGui import QDesktopServices, QKeySequence
from qtpy.QtWidgets import (
    QApplication,
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

_ROW_PX = 22
_FEWEST_ROWS = 4
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


class Hint(QLabel):
    """A label that says what to do next, with room for so many lines, be they needed or not.

    Parameters
    ----------
    lines : int
    """

    def __init__(self, lines: int = 2) -> None:
        super().__init__()
        self._lines = lines
        self.setWordWrap(True)
        top_left = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
        self.setAlignment(top_left)  # type: ignore[arg-type]
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        font = self.font()
        font.setItalic(True)
        self.setFont(font)
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:
        """Keep the room where the viewer's theme brings another font."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.fontMetrics().lineSpacing() * self._lines + 8)


def tell(label: QLabel, text: str) -> None:
    """Show a text, with all of it as tooltip where there is no room for it."""
    if label.text() != text:
        label.setText(text)
        label.setToolTip(text)


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


def open_page(page: Path) -> None:
    """Open a page in the web browser; where none answers, say where the page is and copy its path."""
    clipboard = QApplication.clipboard()
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(page))) and clipboard is not None:
        clipboard.setText(str(page))
        show_warning(f"No web browser answered. The page is {page} (copied to the clipboard).")
