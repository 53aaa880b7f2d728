"""The tables of a run as an Excel workbook: one sheet a table, units in the headers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sam2flow_core.files import whole_file

_UNITS = {
    "_um_s": "um/s",
    "_px_frame": "px/frame",
    "_um": "um",
    "_px": "px",
    "_pl_s": "pl/s",
    "_cells_s": "cells/s",
    "_hz": "Hz",
    "_pct": "%",
    "_s": "s",
}
"""What a column's ending means; longer endings first."""
_WIDEST = 40


def write_workbook(path: Path, tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> None:
    """Write tables, and a sheet of facts about the run, as ``.xlsx``, whole or not at all.

    Parameters
    ----------
    path : Path
    tables : dict of str to DataFrame
        By the name of the sheet; a gap becomes an empty cell.
    facts : dict
        What the sheet "about" says, a line each.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=False)
    book.remove(book.active)
    for name, table in tables.items():
        sheet = book.create_sheet(name)
        for column, title in enumerate(table.columns, start=1):
            _put(sheet, 1, column, header_with_unit(str(title)))
        for row, values in enumerate(table.itertuples(index=False), start=2):
            for column, value in enumerate(values, start=1):
                _put(sheet, row, column, value)
        _dress(sheet)
    about = book.create_sheet("about")
    for row, (name, value) in enumerate(facts.items(), start=1):
        _put(about, row, 1, name)
        _put(about, row, 2, value)
    _dress(about, heading=False)
    with whole_file(path) as part:
        book.save(part)


def header_with_unit(column: str) -> str:
    """Return a column's name with its unit in brackets.

    Examples
    --------
    >>> header_with_unit("v_mean_um_s")
    'v_mean (um/s)'
    >>> header_with_unit("grade")
    'grade'
    """
    for ending, unit in _UNITS.items():
        if column.endswith(ending):
            return f"{column[: -len(ending)]} ({unit})"
    return column


def _put(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        # As text, whatever it begins with: a name that looks like a formula is a name.
        cell.value = value
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in tuple("=+-@")
    else:
        cell.value = value.item() if hasattr(value, "item") else value


def _dress(sheet: Any, heading: bool = True) -> None:
    """Make columns as wide as their words, and keep the headings in sight."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    if heading:
        sheet.freeze_panes = "A2"
        for cell in sheet[1]:
            cell.font = Font(bold=True)
    for number, cells in enumerate(sheet.iter_cols(max_row=min(sheet.max_row, 50)), start=1):
        longest = max(len(_shown(cell.value)) for cell in cells)
        sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 2, 8), _WIDEST)


def _shown(value: Any) -> str:
    """Return a cell's content about as wide as it is shown."""
    return f"{value:.6g}" if isinstance(value, float) else str(value or "")
