"""``sam2flow report``."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=_PATH)
@click.option("--stack", type=_PATH, help="The recording, if it has moved.")
def report(folder: Path, stack: Path | None) -> int:
    """Measure anew what a run left in FOLDER: tables, plot, report and provenance, of what is done.

    Of a run that was cut short they are marked as partial, and `sam2flow run --resume` still goes on with it.
    """
    from sam2flow_core.engine.finishing import remeasure

    done, total = remeasure(folder, stack)
    part = "all" if done == total else f"{done} of"
    click.echo(f"{folder}: {part} {total} frames: summary.csv, per_frame.csv, report.html, provenance.json")
    return 0
