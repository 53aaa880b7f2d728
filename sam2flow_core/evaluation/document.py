"""``docs/benchmark.md``: sections that commands write, each by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sam2flow_core.files import write_text

TITLE = "# Benchmark"
NOTE = "Written by `sam2flow evaluate` and `sam2flow bench`; edits by hand are lost."
ORDER = ("Accuracy", "Ablations", "Speed")


def write_section(path: Path, name: str, body: str) -> None:
    """Put a section into the document, in place of the one of that name; the others stay as they are.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    name : str
        One of `ORDER`.
    body : str
        Markdown without headings of the second level.
    """
    sections = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    sections[name] = body.strip()
    ordered = sorted(sections, key=lambda n: ORDER.index(n) if n in ORDER else len(ORDER))
    parts = [f"{TITLE}\n\n{NOTE}", *(f"## {n}\n\n{sections[n]}" for n in ordered)]
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
