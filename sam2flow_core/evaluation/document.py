"""Tables as people read them: on the terminal, in Markdown, in ``docs/benchmark.md``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sam2flow_core.files import write_text

_TITLE = "# Benchmark"
_NOTE = "Written by `sam2flow evaluate` and `sam2flow bench`; edits by hand are lost."
_ORDER = ("Accuracy", "Ablations", "Speed")


@dataclass(frozen=True)
class NamedTable:
    """A table with its heading and a sentence on how to read it."""

    title: str
    note: str
    table: pd.DataFrame


def as_text(tables: list[NamedTable]) -> str:
    """Return the tables as they are printed on a terminal."""
    parts = []
    for named in tables:
        rows = named.table.to_string(index=False, na_rep="–", float_format=lambda v: f"{v:.2f}")
        parts.append(f"{named.title}\n{rows}")
    return "\n\n".join(parts)


def as_markdown(tables: list[NamedTable]) -> str:
    """Return the tables below each other, each with its heading of the third level."""
    parts = []
    for named in tables:
        note = f"{named.note}\n\n" if named.note else ""
        parts.append(f"### {named.title}\n\n{note}{markdown_table(named.table, {'CPU s / pair': 3, 's / pair': 3})}")
    return "\n\n".join(parts)


def markdown_table(table: pd.DataFrame, digits: Mapping[str, int] | int = 2) -> str:
    """Return a table in Markdown; numbers rounded, what is missing a dash.

    Parameters
    ----------
    table : DataFrame
        Its index is not shown.
    digits : mapping of str to int, or int
        Decimals of each column (2 where it is not named), or of all of them.
    """
    lines = [_row([str(c) for c in table.columns]), "|" + "---|" * len(table.columns)]
    for values in table.itertuples(index=False):
        cells = []
        for column, value in zip(table.columns, values, strict=True):
            places = digits if isinstance(digits, int) else digits.get(str(column), 2)
            cells.append(_cell(value, places))
        lines.append(_row(cells))
    return "\n".join(lines)


def write_section(path: Path, name: str, body: str) -> None:
    """Put a section into the document, in place of the one of that name; the others stay as they are.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    name : str
        One of `_ORDER`.
    body : str
        Markdown without headings of the second level.
    """
    sections = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    sections[name] = body.strip()
    ordered = sorted(sections, key=lambda n: _ORDER.index(n) if n in _ORDER else len(_ORDER))
    parts = [f"{_TITLE}\n\n{_NOTE}", *(f"## {n}\n\n{sections[n]}" for n in ordered)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n\n".join(parts) + "\n")


def replace_section(path: Path, name: str, body: str) -> None:
    """Put a section into a document that people write, in place of the one of that name or at its end.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    name : str
        Heading of the second level.
    body : str
        Markdown without headings of the second level.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, after = f"\n{text}".partition(f"\n## {name}\n")
    rest = after[after.index("\n## ") :] if found and "\n## " in after else ""
    whole = f"{before.strip()}\n\n## {name}\n\n{body.strip()}\n{rest and chr(10)}{rest.strip()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, whole.strip() + "\n")


def _cell(value: object, places: int) -> str:
    if isinstance(value, float):
        return f"{value:.{places}f}" if math.isfinite(value) else "–"
    return "–" if value is None else str(value).replace("|", "\\|")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _sections(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            current = found.setdefault(line[3:].strip(), [])
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}
