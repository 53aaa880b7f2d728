"""The files of a finished run, read for display."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sam2flow_core.config.flags import PARTIAL
from sam2flow_core.errors import OutputError
from sam2flow_core.messages import Message
from sam2flow_core.spreadsheets import read_csv

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

    @property
    def provisional(self) -> bool:
        """Whether its rows are of a run that is not finished."""
        return any(PARTIAL in str(flags).split() for flags in self.summary["flags"])


def read_tables(folder: Path) -> RunTables:
    """Read the tables and open ``results.zarr`` of a run.

    Raises
    ------
    OutputError
        If a file is missing or damaged.
    """
    from sam2flow_core.engine import request_again
    from sam2flow_core.results import PROVENANCE, open_results

    summary, per_frame = read_csv(folder / SUMMARY), read_csv(folder / PER_FRAME)
    _check_columns(folder, summary, ("vessel_id", "v_mean_um_s", "grade", "flags"))
    _check_columns(folder, per_frame, ("vessel_id", "frame", "velocity_um_s", "velocity_px_frame"))
    results = open_results(folder)
    # To compare with what is marked now; nothing is loaded or fetched for it.
    request = request_again(folder / PROVENANCE, folder, download=True)
    return RunTables(folder, request, summary, per_frame, results, results.lines())


def read_line(folder: Path) -> tuple[str, pd.DataFrame]:
    """Read what a drawn line has measured: in words, and frame by frame.

    Raises
    ------
    OutputError
        If a file is missing or damaged.
    """
    summary, per_frame = read_csv(folder / SUMMARY), read_csv(folder / PER_FRAME)
    _check_columns(folder, per_frame, ("frame", "velocity_um_s", "velocity_px_frame"))
    row = summary.iloc[0]
    calibrated = bool(pd.notna(row["v_mean_um_s"]))
    mean = row["v_mean_um_s"] if calibrated else per_frame["velocity_px_frame"].mean()
    ends = (row["v_ci_low_um_s"], row["v_ci_high_um_s"])
    interval = f" [{ends[0]:.0f}, {ends[1]:.0f}]" if calibrated and pd.notna(ends[0]) else ""
    speed = Message("no velocity") if pd.isna(mean) else f"{mean:.3g}{interval} {'um/s' if calibrated else 'px/frame'}"
    return Message("{speed}, {grade}", speed=speed, grade=Message(str(row["grade"]))), per_frame


def _check_columns(folder: Path, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Raise `OutputError` unless the window finds what it shows."""
    for name in columns:
        if name not in table.columns:
            raise OutputError(
                "{folder}: the tables of that run lack the column {name}; run again", folder=folder, name=name
            )
        text = name in ("grade", "flags")
        if not text and len(table) and not pd.api.types.is_numeric_dtype(table[name]):
            raise OutputError(
                "{folder}: the tables of that run hold no numbers as {name}; run again", folder=folder, name=name
            )
    if table["vessel_id"].isna().any():
        raise OutputError("{folder}: the tables of that run have rows without a vessel; run again", folder=folder)
