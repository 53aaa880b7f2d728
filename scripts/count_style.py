"""How this repository is cut: files, functions, names, docstrings and tests, as one row of a Markdown table.

    python scripts/count_style.py [ROOT] [--names]

Lines are those of the file; the body of a function is counted without its signature, decorators and docstring. Public
is what neither has an underscore before its name nor stands in something that has.
"""

from __future__ import annotations

import argparse
import ast
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCES = ("sam2flow_core", "sam2flow_napari")
TESTS = "tests"
COLUMNS = (
    "files",
    "lines a file, median / p90 / max",
    "functions a file",
    "body lines, median / p90 / max",
    "file names used twice",
    "public functions with docstring",
    "with References",
    "with Examples",
    "test lines a source line",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A file that was counted.

    Attributes
    ----------
    path : Path
    lines : int
    bodies : tuple of int
        Lines of the body of each function.
    docstrings : tuple of str
        Of each public function and method; empty where it has none.
    """

    path: Path
    lines: int
    bodies: tuple[int, ...]
    docstrings: tuple[str, ...]


def read_source(path: Path) -> Source:
    """Count one file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, str(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    public = tuple(ast.get_docstring(node) or "" for node in _public(tree.body))
    return Source(path, len(text.splitlines()), tuple(map(_body_lines, functions)), public)


def _body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _public(body: Sequence[ast.stmt]) -> Iterator[Function]:
    """Give the functions of a module and the methods of its classes that others may call."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)
            else:
                yield node


def names_used_twice(sources: Sequence[Source]) -> dict[str, int]:
    """Return the file names that stand in several folders, and how often; ``__init__.py`` is everybody's."""
    counts = Counter(source.path.name for source in sources)
    return {name: n for name, n in sorted(counts.items()) if n > 1 and name != "__init__.py"}


def table_row(sources: Sequence[Source], test_lines: int) -> tuple[str, ...]:
    """Return the figures in the order of `COLUMNS`."""
    lines = [source.lines for source in sources]
    bodies = [body for source in sources for body in source.bodies]
    docstrings = [text for source in sources for text in source.docstrings]
    sections = [sum(f"{name}\n---" in text for text in docstrings) for name in ("References", "Examples")]
    return (
        str(len(sources)),
        _spread(lines),
        f"{len(bodies) / len(sources):.1f}",
        _spread(bodies),
        str(len(names_used_twice(sources))),
        f"{sum(map(bool, docstrings))} of {len(docstrings)} ({sum(map(bool, docstrings)) / len(docstrings):.0%})",
        *map(str, sections),
        f"{test_lines / sum(lines):.2f}",
    )


def _spread(values: Sequence[int]) -> str:
    """Median, 90th percentile (nearest rank) and maximum."""
    ordered = sorted(values)
    return f"{round(statistics.median(ordered))} / {ordered[math.ceil(0.9 * len(ordered)) - 1]} / {ordered[-1]}"


def _python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent, help="of the repository")
    parser.add_argument("--names", action="store_true", help="also list the file names that are used twice")
    given = parser.parse_args()
    sources = [read_source(path) for folder in SOURCES for path in _python_files(given.root / folder)]
    if not sources:
        parser.error(f"{given.root}: holds neither of {', '.join(SOURCES)}")
    test_lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in _python_files(given.root / TESTS))
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    print("| " + " | ".join(table_row(sources, test_lines)) + " |")
    if given.names:
        print("\n".join(f"{name}: {count}" for name, count in names_used_twice(sources).items()))


if __name__ == "__main__":
    main()
