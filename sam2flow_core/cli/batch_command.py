"""``sam2flow batch``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from sam2flow_core.cli.options import detail_of, detail_option, device_option, every_option, resolution_option

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("manifest", type=_PATH)
@click.option("--out", type=_PATH, required=True, help="Folder for the results; each recording gets a folder in it.")
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Shipped preset or checkpoint.")
@detail_option
@every_option
@device_option
@resolution_option
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, tcp://host:port, instead of this machine.")
@click.option("--workers", type=click.IntRange(1), help="Recordings at a time on this machine.")
@click.pass_context
def batch(
    context: click.Context,
    /,
    manifest: Path,
    out: Path,
    model: str,
    device: str,
    working_resolution: float | None,
    scheduler: str | None,
    workers: int | None,
    **_detail: object,
) -> int:
    """Measure all recordings of MANIFEST, a CSV of the columns stack and prompts.

    If you like also pixel_size_um, frame_rate_hz, video_id, and group (before and after, say), by which comparison.html
    compares them. Asked again, it goes on where it stood.
    """
    from tqdm import tqdm

    from sam2flow_core.engine.batch import run_batch
    from sam2flow_core.engine.requests import OUTCOMES, read_manifest

    wanted = read_manifest(manifest, out, model, device, detail_of(context))
    requests = tuple(replace(r, working_resolution=working_resolution) for r in wanted.requests)
    failures = 0
    with tqdm(total=len(requests), unit=" recordings", disable=not sys.stderr.isatty()) as bar:
        for outcome in run_batch(requests, out, scheduler, workers, wanted.groups):
            failures += bool(outcome.failure)
            bar.write(f"{outcome.video_id}: {outcome.failure or 'done'}", file=sys.stdout)
            bar.update()
    if failures:
        click.echo(f"sam2flow: {failures} of {len(requests)} recordings failed, see {out / OUTCOMES}", err=True)
        return 2
    return 0
