"""``sam2flow linescan``."""

from __future__ import annotations

import re
from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


class _Columns(click.ParamType[tuple[int, int]]):
    """``A:B``: the columns from A to B, B not included."""

    name = "A:B"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[int, int]:
        """Return the two numbers, or say what is wrong."""
        found = re.fullmatch(r"(\d+):(\d+)", str(value))
        if not found or int(found[1]) >= int(found[2]):
            self.fail(f"'{value}' is no range of columns; write it as 20:180 (180 not included)", param, context)
        return int(found[1]), int(found[2])


@click.command()
@click.argument("file", type=_PATH)
@click.option("--out", type=_PATH, required=True, help="Folder for the results; made if it is not there.")
@click.option("--pixel-size-um", type=float, help="um per column, instead of what the file says.")
@click.option("--line-rate-hz", type=float, help="Lines per second; no file says it.")
@click.option("--columns", type=_Columns(), help="The columns that lie on the vessel, such as 20:180; all by default.")
def linescan(
    file: Path,
    out: Path,
    pixel_size_um: float | None,
    line_rate_hz: float | None,
    columns: tuple[int, int] | None,
) -> None:
    """Read velocity over time from the line scan FILE (TIFF, PNG or JPEG; rows are time): tables and a report."""
    from sam2flow_core.engine.linescan import run_linescan
    from sam2flow_core.reports.words import vessel_verdict

    measured, notices = run_linescan(file, out, pixel_size_um, line_rate_hz, columns)
    for notice in notices:
        click.echo(f"note: {notice}", err=True)
    click.echo(f"{measured.name}: {vessel_verdict(measured)}")
    click.echo(f"written to {out}: summary.csv, per_frame.csv, report.html, provenance.json")
