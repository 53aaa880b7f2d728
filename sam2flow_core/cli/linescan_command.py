"""``sam2flow linescan``."""

from __future__ import annotations

import re
from math import isfinite
from pathlib import Path

import click

from sam2flow_core.cli.options import Number

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


class _Line(click.ParamType[tuple[tuple[float, float], ...]]):
    """``y0,x0,y1,x1,...``: corners of a line in px."""

    name = "y0,x0,y1,x1,..."

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[tuple[float, float], ...]:
        """Return the corners, or say what is wrong."""
        try:
            numbers = [float(part) for part in str(value).split(",")]
        except ValueError:
            numbers = []
        if len(numbers) < 4 or len(numbers) % 2 or not all(map(isfinite, numbers)):
            self.fail(f"'{value}' is no line; write its corners as y0,x0,y1,x1,... in px", param, context)
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))


@click.command()
@click.argument("file", type=_PATH)
@click.option("--out", type=_PATH, required=True, help="Folder for the results; made if it is not there.")
@click.option("--pixel-size-um", type=Number(), help="um per column, instead of what the file says.")
@click.option(
    "--line-rate-hz", "--frame-rate-hz", type=Number(), help="Lines per second, which no file says; or frames."
)
@click.option("--columns", type=_Columns(), help="The columns that lie on the vessel, such as 20:180; all by default.")
@click.option("--line", type=_Line(), help="FILE is a recording: measure along the line with these corners, px.")
@click.option("--no-stabilise", is_flag=True, help="With --line: the tissue does not move.")
def linescan(
    file: Path,
    out: Path,
    pixel_size_um: float | None,
    line_rate_hz: float | None,
    columns: tuple[int, int] | None,
    line: tuple[tuple[float, float], ...] | None,
    no_stabilise: bool,
) -> None:
    """Read velocity over time along one line: tables and a report.

    FILE is a line scan (TIFF, PNG or JPEG; rows are time) or, with --line, a recording.
    """
    from sam2flow_core.engine.lines import run_drawn_line, run_linescan
    from sam2flow_core.reports.wording import vessel_verdict

    if line is not None and columns is not None:
        raise click.UsageError("--columns are those of a line scan, --line is drawn on a recording: give one of them")
    if line is not None:
        measured, notices = run_drawn_line(file, out, line, pixel_size_um, line_rate_hz, not no_stabilise)
    else:
        measured, notices = run_linescan(file, out, pixel_size_um, line_rate_hz, columns)
    for notice in notices:
        click.echo(f"note: {notice}", err=True)
    click.echo(f"{measured.name}: {vessel_verdict(measured)}")
    click.echo(f"written to {out}: summary.csv, per_frame.csv, report.html, provenance.json")
