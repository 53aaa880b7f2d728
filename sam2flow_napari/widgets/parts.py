"""Small pieces that several sections share."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QAbstractTableModel, QModelIndex
from qtpy.QtWidgets import QHeaderView, QLabel, QPushButton, QSizePolicy, QTableView, QWidget

_ROW_PX = 22
_FEWEST_ROWS, _MOST_ROWS = 3, 8
"""Rows that a table has room for; it scrolls beyond."""


def button(text: str, tooltip: str, clicked: Callable[[], object]) -> QPushButton:
    """Return a push button that explains itself."""
    widget = QPushButton(text)
    widget.setToolTip(tooltip)
    # Narrower than its hint where it must be: the dock has to fit beside the image on a small screen.
    widget.setMinimumWidth(30)
    widget.clicked.connect(_without_argument(clicked))
    return widget


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

    def fit() -> None:
        shown = min(max(model.rowCount(), _FEWEST_ROWS), _MOST_ROWS)
        table.setFixedHeight(columns.sizeHint().height() + _ROW_PX * shown + 4)

    model.modelReset.connect(fit)
    fit()

    def follow(current: QModelIndex, _previous: QModelIndex) -> None:
        if 0 <= current.row() < model.rowCount():
            on_row(current.row())

    selection.currentRowChanged.connect(follow)
    return table


def hint(text: str = "") -> QLabel:
    """Return a line that says what to do next; it wraps and never widens the dock."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    font = label.font()
    font.setItalic(True)
    label.setFont(font)
    return label


def say(label: QLabel, text: str) -> None:
    """Show a line, or give its room away where there is nothing to say."""
    label.setText(text)
    show_or_hide(label, bool(text))


def show_or_hide(widget: QWidget, visible: bool) -> None:
    """Set visibility only where it changes, which spares a new layout."""
    if widget.isHidden() == visible:
        widget.setVisible(visible)
