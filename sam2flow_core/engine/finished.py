"""Whether what a finished run left can still be read: files get lost, cut short and saved over in later years."""

from __future__ import annotations

from pathlib import Path

from sam2flow_core.errors import OutputError
from sam2flow_core.results import PER_FRAME, REPORT, SUMMARY, open_results
from sam2flow_core.spreadsheets import read_csv
from sam2flow_core.velocity.tables import PER_FRAME_COLUMNS, SUMMARY_COLUMNS

_TABLES = {SUMMARY: SUMMARY_COLUMNS, PER_FRAME: PER_FRAME_COLUMNS}


def check_finished(out: Path) -> None:
    """Raise `OutputError` unless the results, the tables and the report of a finished run are there and whole.

    What a table says is not judged: people add columns and sort rows. Its own columns have to be there, and a row of
    every vessel.
    """
    results = open_results(out)
    results.check_complete()
    vessels = set(results.vessel_ids)
    for name, columns in _TABLES.items():
        path = out / name
        try:
            table = read_csv(path)
        except OutputError:
            raise _damaged(path) from None
        # Segments of vessel 1 are 1.1, 1.2 and name it as their parent.
        if not set(columns) <= set(table.columns) or not vessels <= _whole_numbers(table["vessel_id"].tolist()):
            raise _damaged(path)
    report = out / REPORT
    if not report.is_file() or not _ends_with(report, b"</html>"):
        raise _damaged(report)


def _whole_numbers(values: list[object]) -> set[int]:
    return {int(v) for v in values if isinstance(v, int | float) and 1 <= v < 2**31}


def _ends_with(path: Path, end: bytes) -> bool:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 64, 0))
        return file.read().rstrip().endswith(end)


def _damaged(path: Path) -> OutputError:
    return OutputError(
        "{path}: is missing or damaged, and the run has ended; `sam2flow report {folder}` makes tables and report anew",
        path=path,
        folder=path.parent,
    )
