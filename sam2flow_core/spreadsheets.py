"""CSV tables as spreadsheet programs write and read them: the one place of the package that does either.

Excel writes the tables of some countries with semicolons, decimal commas and UTF-16, and leaves empty rows and columns
behind. What can be meant in one way is read; what could be meant in two is refused, not guessed. What is written is
safe to open: a text that a spreadsheet would take for a formula gets an apostrophe before it, which is taken off again
on reading.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sam2flow_core.errors import OutputError, Sam2FlowError
from sam2flow_core.files import write_text
from sam2flow_core.messages import Message
from sam2flow_core.untrusted import one_line, read_regular

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_LARGEST_BYTES = 64_000_000
_MARKS = ((b"\xff\xfe\x00\x00", ""), (b"\x00\x00\xfe\xff", ""), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+", re.ASCII)  # 1,234: a thousand and some, or 1.234
# What spreadsheets take for the start of a formula, in half and full width, and what lets one start after it.
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_QUOTED = re.compile(r'[,;\t"\r\n]')
_TRUTHS = {"True": True, "False": False}
_TEXT_COLUMNS = ("video_id", "name", "group", "grade", "flags", "outcome", "failure")


# -- tables of others --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sheet:
    """A table that a person made.

    Attributes
    ----------
    path : Path
    lines : tuple of int
        In which line of the file each row ends, for messages.
    rows : tuple of dict of str to str
        Cells by column, without the blanks around them; numbers have a decimal point.
    error : type
        Of the errors.
    """

    path: Path
    lines: tuple[int, ...]
    rows: tuple[Mapping[str, str], ...]
    error: type[Sam2FlowError]

    def number(self, row: int, column: str) -> float | None:
        """Return a number; None for an empty cell.

        Raises
        ------
        Sam2FlowError
            If the cell holds anything else.
        """
        text = self.rows[row].get(column, "")
        if not text:
            return None
        value = float(text) if _PLAIN.fullmatch(text) else math.nan
        if not math.isfinite(value):
            found = Message("'{text}' in column {column}", text=one_line(text), column=column)
            raise self.error(
                "{path}, line {line}: a value is missing or not a number: {found}",
                path=self.path,
                line=self.lines[row],
                found=found,
            )
        return value


def read_sheet(
    path: Path, required: Sequence[str], optional: Sequence[str], numeric: Sequence[str], error: type[Sam2FlowError]
) -> Sheet:
    """Read a table that a person made, with a spreadsheet program of any country.

    Parameters
    ----------
    path : Path
    required, optional : sequence of str
        Names of the columns; capitals and blanks in the file's own do not matter.
    numeric : sequence of str
        The columns of numbers.
    error : type
        Of the errors.

    Raises
    ------
    Sam2FlowError
        If the file is no table of these columns, or can be understood in two ways.
    """
    names = (*required, *optional)
    text = _decoded(path, names, error)
    separator, text, skipped = _separator(text, required)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        records = [(reader.line_num + skipped, [cell.strip() for cell in record]) for record in reader]
    except csv.Error as fault:
        raise error(
            "{path}: not a CSV table ({fault}); expected the columns {names}",
            path=path,
            fault=fault,
            names=", ".join(names),
        ) from None
    records = [(line, cells) for line, cells in records if any(cells)]
    if not records:
        raise error("{path}: the file is empty; expected the columns {names}", path=path, names=", ".join(names))
    columns = _columns(path, records[0][1], required, optional, separator, error)
    rows = [_row(path, line, cells, columns, names, error) for line, cells in records[1:]]
    _settle_decimals(path, rows, numeric, separator, error)
    return Sheet(path, tuple(line for line, _ in records[1:]), tuple(rows), error)


def _decoded(path: Path, names: Sequence[str], error: type[Sam2FlowError]) -> str:
    try:
        data = read_regular(path, _LARGEST_BYTES)
    except FileNotFoundError:
        raise error("{path}: no such file", path=path) from None
    except PermissionError:
        raise error("{path}: no permission to read this file", path=path) from None
    except (OSError, ValueError) as fault:
        raise error(
            "{path}: cannot be read ({fault}); expected the columns {names}",
            path=path,
            fault=fault,
            names=", ".join(names),
        ) from None
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise error("{path}: not a CSV table in UTF-8; save it as 'CSV UTF-8'", path=path) from None
    if "\0" in text:
        raise error("{path}: not a CSV table; expected the columns {names}", path=path, names=", ".join(names))
    return text


def _separator(text: str, required: Sequence[str]) -> tuple[str, str, int]:
    """Return what stands between the cells, the table, and how many lines before it were skipped."""
    lines = text.splitlines(keepends=True)
    if lines and (said := re.fullmatch(r'"?sep=(.)"?[,;]*', lines[0].strip(" \r\n"))) and said[1] in _SEPARATORS:
        return said[1], "".join(lines[1:]), 1  # Excel's own first line
    first = next((line for line in lines if line.strip(" \r\n,;\t")), "")
    # Only with one of them does the first line hold the columns that there must be.
    fitting = [s for s in _SEPARATORS if set(required) <= {_name(cell) for cell in first.split(s)}]
    return (fitting or [max(_SEPARATORS, key=first.count)])[0], text, 0


def _name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().strip('"').strip().casefold())


def _columns(
    path: Path,
    header: list[str],
    required: Sequence[str],
    optional: Sequence[str],
    separator: str,
    error: type[Sam2FlowError],
) -> list[str]:
    names = [_name(cell) for cell in header]
    known = Message("the columns are {names}", names=", ".join((*required, *optional)))
    for name, count in Counter(names).items():
        if name and name not in (*required, *optional):
            raise error("{path}: unknown column '{name}'; {known}", path=path, name=one_line(name), known=known)
        if name and count > 1:
            raise error("{path}: column '{name}' stands twice; {known}", path=path, name=name, known=known)
    for name in required:
        if name not in names:
            raise error("{path}: column '{name}' is missing; {known}", path=path, name=name, known=known)
    return names


def _row(
    path: Path, line: int, cells: list[str], columns: list[str], names: Sequence[str], error: type[Sam2FlowError]
) -> dict[str, str]:
    if any(cells[len(columns) :]):
        raise error(
            "{path}, line {line}: more values than there are columns ({names})",
            path=path,
            line=line,
            names=", ".join(names),
        )
    named = list(zip(columns, cells, strict=False))
    if any(cell for name, cell in named if not name):
        raise error(
            "{path}, line {line}: a value in a column without a name; the columns are {names}",
            path=path,
            line=line,
            names=", ".join(names),
        )
    return {name: unguarded(cell) for name, cell in named if name}


def _settle_decimals(
    path: Path, rows: list[dict[str, str]], numeric: Sequence[str], separator: str, error: type[Sam2FlowError]
) -> None:
    """Give all numbers a decimal point; refuse where a comma or a point may stand for thousands."""
    cells = [row[column] for row in rows for column in numeric if row.get(column)]
    marks = {mark: [cell for cell in cells if mark in cell] for mark in ",."}
    if marks[","] and marks["."]:
        one, other = one_line(marks[","][0]), one_line(marks["."][0])
        raise error(
            "{path}: '{one}' has a comma and '{other}' a point; write all numbers with a decimal point",
            path=path,
            one=one,
            other=other,
        )
    mark = "," if marks[","] else "."
    # With commas between the cells a point is what it is in that country: decimal.
    settled = (mark == "." and separator == ",") or any(not _GROUPED.fullmatch(cell) for cell in marks[mark])
    if marks[mark] and not settled:
        cell = one_line(marks[mark][0])
        plain = re.sub("[.,]", "", cell)
        raise error(
            "{path}: '{cell}' may mean {decimal} or {plain}; write it as 12.5 or 12500",
            path=path,
            cell=cell,
            decimal=cell.replace(",", "."),
            plain=plain,
        )
    for row in rows if mark == "," else ():
        row.update({column: row[column].replace(",", ".") for column in numeric if column in row})


# -- our own tables ----------------------------------------------------------------------------------------------------
def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula; `unguarded` gives it back.

    Numbers stay as they are, those with a minus sign too.

    Examples
    --------
    >>> unguarded(guarded("=SUM(A1)"))
    '=SUM(A1)'
    """
    return f"'{text}" if _FORMULA.match(text) and not _PLAIN.fullmatch(text) else text


def unguarded(text: str) -> str:
    """Take off the apostrophe of `guarded`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def quoted(text: str) -> str:
    """A cell: guarded, and in quotation marks where it holds what stands between cells in any country."""
    text = guarded(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a table as CSV: a gap is an empty cell, whole numbers have no point."""
    columns = [_cells(table[name], float_format) for name in table.columns]
    lines = [",".join(quoted(str(name)) for name in table.columns)]
    lines += [",".join(row) for row in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def write_csv(path: Path | str, table: pd.DataFrame, float_format: str | None = None) -> None:
    """Write a table, whole or not at all; raises `OutputError` if it cannot be written."""
    write_text(path, csv_text(table, float_format))


def read_csv(path: Path | str, numbers: bool = True) -> pd.DataFrame:
    """Read a table that `write_csv` wrote: texts, numbers, True and False as they were, gaps as NaN.

    Parameters
    ----------
    path : Path or str
    numbers : bool
        Turn columns of numbers into numbers, and those of True and False into these; False leaves all as text, to
        the last digit.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    try:
        # A blank line is a row too: that of a gap in a table of one column.
        table = pd.read_csv(Path(path), dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8")
    except (OSError, ValueError, MemoryError) as error:
        raise OutputError(
            "{path}: this table cannot be read ({error})", path=path, error=one_line(str(error))
        ) from None
    for name in table.columns:
        texts = table[name].map(unguarded, na_action="ignore")
        table[name] = texts.where(texts != "")
        if numbers and name not in _TEXT_COLUMNS:
            if set() < set(texts) - {""} <= set(_TRUTHS):
                table[name] = texts.map(_TRUTHS)
                continue
            with suppress(ValueError, TypeError, OverflowError):  # a column of text stays one
                table[name] = pd.to_numeric(table[name])
    return table


def _cells(column: pd.Series[Any], float_format: str | None) -> list[str]:
    if column.dtype == np.float64:  # most of a table; in one go they take a fifth of the time
        write = str if float_format is None else float_format.__mod__
        return ["" if value != value else write(value) for value in column.tolist()]
    return [_cell(value, float_format) for value in column.to_numpy()]


def _cell(value: Any, float_format: str | None) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, float | np.floating):
        return float_format % value if float_format else str(value)
    return quoted(str(value))
