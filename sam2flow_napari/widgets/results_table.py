"""The summary of a run as a table model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor

from sam2flow_napari.layers import vessel_colour
from sam2flow_napari.session import Session
from sam2flow_napari.widgets.words import flags_in_words, velocity_in_words

COLUMNS = ("Vessel", "um/s [95 %]", "Grade", "Notes")


class ResultsTable(QAbstractTableModel):
    """One row per vessel: velocity with its interval, grade, flags in words."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._rows: Sequence[Mapping[Any, Any]] = ()

    def show_summary(self, summary: pd.DataFrame | None) -> None:
        """Show ``summary.csv``; None shows nothing."""
        self.beginResetModel()
        self._rows = () if summary is None else summary.to_dict("records")
        self.endResetModel()

    def vessel_id(self, row: int) -> int:
        """Return the vessel of a row."""
        return int(self._rows[row]["vessel_id"])

    def row_of(self, vessel_id: int) -> int:
        """Return the row of a vessel, or -1."""
        return next((i for i in range(len(self._rows)) if self.vessel_id(i) == vessel_id), -1)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of vessels."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell; its tooltip is the whole row of the summary."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return QColor(vessel_colour(int(row["vessel_id"])))
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(f"{name}: {value}" for name, value in row.items() if not pd.isna(value))
        return None

    def _text(self, row: Mapping[Any, Any], column: int) -> str:
        if column == 0:
            vessel = self._session.state.vessel(int(row["vessel_id"]))
            return vessel.name if vessel else f"Vessel {row['vessel_id']}"
        if column == 1:
            return velocity_in_words(row)
        if column == 2:
            grade = row.get("grade")
            return "" if grade is None or pd.isna(grade) else str(grade)
        return flags_in_words(row.get("flags"))

    def notes(self, row: int) -> str:
        """Return one line on a row: name, grade and flags in words."""
        name, _, grade, notes = (self._text(self._rows[row], column) for column in range(len(COLUMNS)))
        return f"{name}: grade {grade or 'none'}; {notes or 'nothing to note'}"

    def as_text(self) -> str:
        """Return the table as tab-separated text for the clipboard."""
        lines = ["\t".join(COLUMNS)]
        lines += ["\t".join(self._text(row, c) for c in range(len(COLUMNS))) for row in self._rows]
        return "\n".join(lines)
