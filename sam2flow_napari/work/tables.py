"""The files of a finished run, read for display."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sam2flow_core.errors import OutputError

if TYPE_CHECKING:
    from sam2flow_core.engine import RunRequest
    from sam2flow_core.results import Results, VesselLine

SUMMARY, PER_FRAME, REPORT = "summary.csv", "per_frame.csv", "report.html"


@dataclass(frozen=True)
class RunTables:
    """What a run left behind.

    Attributes
    ----------
    folder : Path
    request : RunRequest
        What it was asked to measure.
    summary : DataFrame
        One row per vessel.
    per_frame : DataFrame
        One row per vessel and frame.
    results : Results
        Opened for reading.
    lines : tuple of VesselLine
        Centrelines and space-time diagrams.
    """

    folder: Path
    request: RunRequest
    summary: pd.DataFrame
    per_frame: pd.DataFrame
    results: Results
    lines: tuple[VesselLine, ...]


def read_tables(folder: Path) -> RunTables:
    """Read the tables and open ``results.zarr`` of a run.

    Raises
    ------
    OutputError
        If a file is missing or damaged.
    """
    from sam2flow_core.engine import request_again
    from sam2flow_core.engine.folder import PROVENANCE
    from sam2flow_core.results import open_results

    try:
        summary = pd.read_csv(folder / SUMMARY)
        per_frame = pd.read_csv(folder / PER_FRAME)
    except (OSError, ValueError) as error:
        raise OutputError(f"{folder}: the tables of that run cannot be read ({error}); run again") from None
    results = open_results(folder)
    request = request_again(folder / PROVENANCE, folder)
    return RunTables(folder, request, summary, per_frame, results, results.lines())
