"""The summary of a run as a table model, in words that a clinician reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QFont

from sam2flow_core.config.flags import FLAG_MEANINGS, FLAG_NAMES, GRADES
from sam2flow_core.project import Vessel, default_name
from sam2flow_core.spreadsheets import quoted
from sam2flow_napari.layers import vessel_colour
from sam2flow_napari.session import Session
from sam2flow_napari.translation import shown_name, told, tr, tr_later
from sam2flow_napari.widgets.building_blocks import swatch
from sam2flow_napari.worker.run_tables import RunTables

_ROWS = (
    ("v_mean_um_s", tr_later("Velocity"), "um/s"),
    ("v_ci_low_um_s", tr_later("95 % interval from"), "um/s"),
    ("v_ci_high_um_s", tr_later("to"), "um/s"),
    ("v_min_um_s", tr_later("Slowest"), "um/s"),
    ("v_max_um_s", tr_later("Fastest"), "um/s"),
    ("kymo_v_um_s", tr_later("By the space-time diagram"), "um/s"),
    ("diameter_mean_um", tr_later("Diameter"), "um"),
    ("length_um", tr_later("Length"), "um"),
    ("flow_pl_s", tr_later("Volume flow"), "pl/s"),
    ("flux_cells_s", tr_later("Cells"), tr_later("per s")),
    ("pulse_hz", tr_later("Pulse"), "Hz"),
    ("stasis_s", tr_later("At rest"), "s"),
    ("valid_pct", tr_later("Frames with a velocity"), "%"),
)
COLUMNS = (tr_later("Vessel"), "um/s [95 %]", tr_later("Grade"), tr_later("Notes"))
_UNCALIBRATED = tr_later("px/frame")


def flags_in_words(flags: Any) -> str:
    """Return the flags of a table cell in words."""
    return "; ".join(_words(flags, FLAG_MEANINGS))


def flags_in_short(flags: Any) -> str:
    """Return the flags of a table cell in a word or two each."""
    return ", ".join(_words(flags, FLAG_NAMES))


def _words(flags: Any, meanings: Mapping[str, str]) -> list[str]:
    if not isinstance(flags, str):
        return []
    names = flags.replace(";", " ").replace(",", " ").replace("|", " ").split()
    return [tr(meanings.get(name, name.lower().replace("_", " "))) for name in names]


def row_in_words(row: Mapping[Any, Any]) -> str:
    """Return a row of the summary as lines of words, with units and three digits; what is blank is left out."""
    lines = [
        f"{tr(title)}: {float(row[name]):.3g} {tr(unit)}"
        for name, title, unit in _ROWS
        if isinstance(row.get(name), int | float) and not pd.isna(row[name])
    ]
    if notes := flags_in_words(row.get("flags")):
        lines.append(tr("Notes: {notes}").format(notes=notes))
    return "\n".join(lines)


def verdict_in_words(grades: Sequence[Any]) -> str:
    """Return in one line how many vessels can be believed, as the report says it."""
    if not grades:
        return tr("No vessel was measured.")
    count = Counter(str(grade) for grade in grades)
    parts = ", ".join(f"{count[grade]} {tr(grade)}" for grade in GRADES if count[grade])
    return tr("{good} of {count} vessels can be believed as they stand ({parts}).").format(
        good=count[GRADES[0]], count=len(grades), parts=parts
    )


def velocity_in_words(row: Mapping[str, Any]) -> str:
    """Return ``mean [low, high]`` in um/s, or a dash where the table is blank."""
    mean, low, high = (row.get(name) for name in ("v_mean_um_s", "v_ci_low_um_s", "v_ci_high_um_s"))
    if mean is None or pd.isna(mean):
        return "–"
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return f"{mean:.0f}"
    return f"{mean:.0f} [{low:.0f}, {high:.0f}]"


class ResultsTable(QAbstractTableModel):
    """One row per vessel: velocity with its interval, grade, flags in words."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._rows: Sequence[Mapping[Any, Any]] = ()
        self._px_frame: dict[tuple[float, float], float] = {}
        self._provisional = False
        self._reasons: dict[int, tuple[str, ...]] = {}

    def show_tables(self, tables: RunTables | None) -> None:
        """Show a run; None shows nothing."""
        self.beginResetModel()
        self._rows = () if tables is None else tables.summary.to_dict("records")
        self._provisional = tables is not None and tables.provisional
        self._px_frame = {} if tables is None else _without_scale(tables)
        self._reasons = {} if tables is None else {line.vessel_id: line.reasons for line in tables.lines}
        self.endResetModel()

    @property
    def provisional(self) -> bool:
        """Whether the rows are of a run that is not finished; they are in italics then."""
        return self._provisional

    @property
    def _titles(self) -> tuple[str, ...]:
        return (COLUMNS[0], _UNCALIBRATED, *COLUMNS[2:]) if self._px_frame else COLUMNS

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
            return tr(self._titles[section])
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell; its tooltip is the row of the summary in words."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return swatch(vessel_colour(int(row["vessel_id"])))
        if role == Qt.ItemDataRole.FontRole and self._provisional:
            font = QFont()
            font.setItalic(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join((self.notes(index.row()), row_in_words(row)))
        return None

    def _text(self, row: Mapping[Any, Any], column: int) -> str:
        if column == 0:
            number = int(row["vessel_id"])
            vessel = self._session.state.vessel(number)
            named = shown_name(vessel or Vessel(number, default_name(number)))
            named = f"{named}, {row['vessel_id']:g}" if row["vessel_id"] % 1 else named
            several = sum(other["vessel_id"] == row["vessel_id"] for other in self._rows) > 1
            return (
                tr("{named}, frames {first} to {last}").format(
                    named=named, first=int(row["first_frame"]), last=int(row["last_frame"])
                )
                if several
                else named
            )
        if column == 1:
            if self._px_frame:
                mean = self._px_frame.get(_key(row), float("nan"))
                return "–" if pd.isna(mean) else f"{mean:.2f}"
            return velocity_in_words(row)
        if column == 2:
            grade = row.get("grade")
            return "" if grade is None or pd.isna(grade) else tr(str(grade))
        return flags_in_short(row.get("flags"))

    def notes(self, row: int) -> str:
        """Return one line on a row: name, grade and what speaks for or against it."""
        name, _, grade, _ = (self._text(self._rows[row], column) for column in range(len(COLUMNS)))
        reasons = () if self._rows[row]["vessel_id"] % 1 else self._reasons.get(self.vessel_id(row), ())
        said = "; ".join(told(reason) for reason in reasons) or flags_in_words(self._rows[row].get("flags"))
        return f"{name}: {grade or tr('no grade')}" + (f"; {said.rstrip('.')}." if said else ".").replace("?.", "?")

    def verdict(self) -> str:
        """Return one line on all vessels: how many can be believed."""
        cut = {row.get("parent_id") for row in self._rows}
        return verdict_in_words([row.get("grade") for row in self._rows if row["vessel_id"] not in cut])

    def as_text(self) -> str:
        """Return the table as tab-separated text for the clipboard."""
        unit = tr(_UNCALIBRATED) if self._px_frame else "um/s"
        titles = (
            tr("Number"),
            tr("Vessel"),
            tr("Velocity ({unit})").format(unit=unit),
            tr("95 % low ({unit})").format(unit=unit),
            tr("95 % high ({unit})").format(unit=unit),
            tr("Grade"),
            tr("Notes"),
        )
        # A name that a spreadsheet would take for a formula, or that holds a tab, is made safe as in the CSV files.
        lines = ["\t".join(titles), *("\t".join(quoted(cell) for cell in self._cells(row)) for row in self._rows)]
        return "\n".join(lines)

    def _cells(self, row: Mapping[Any, Any]) -> tuple[str, ...]:
        """Return a row for a spreadsheet: one value a cell."""
        vessel = float(row["vessel_id"])
        velocity = self._px_frame.get(_key(row)) if self._px_frame else row.get("v_mean_um_s")
        ends = (None, None) if self._px_frame else (row.get("v_ci_low_um_s"), row.get("v_ci_high_um_s"))
        numbers = ("" if value is None or pd.isna(value) else f"{value:.4g}" for value in (velocity, *ends))
        return (f"{vessel:g}", self._text(row, 0), *numbers, self._text(row, 2), self._text(row, 3))


def _key(row: Mapping[Any, Any]) -> tuple[float, float]:
    """What tells a row from others: its vessel, and the first frame of its range."""
    return float(row["vessel_id"]), float(row.get("first_frame", 0))


def _without_scale(tables: RunTables) -> dict[tuple[float, float], float]:
    """Return the mean velocity of each row in px/frame where the run had no um/s, else nothing."""
    if tables.per_frame["velocity_um_s"].notna().any():
        return {}
    means = {}
    for row in tables.summary.to_dict("records"):
        of_vessel = tables.per_frame[tables.per_frame["vessel_id"] == row["vessel_id"]]
        within = of_vessel["frame"].between(row.get("first_frame", -np.inf), row.get("last_frame", np.inf))
        means[_key(row)] = float(of_vessel.loc[within, "velocity_px_frame"].mean())
    return means
