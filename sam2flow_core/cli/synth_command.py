"""``sam2flow synth``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sam2flow_core.cli.options import seed_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cases", type=click.IntRange(max=100_000), default=4, show_default=True, help="Recordings to make.")
@seed_option(0)
@click.option("--size", type=click.IntRange(max=8192), default=256, show_default=True, help="Height and width in px.")
@click.option("--frames", type=click.IntRange(max=100_000), default=64, show_default=True, help="Frames of each.")
def synth(folder: Path, cases: int, seed: int, size: int, frames: int) -> None:
    """Write synthetic recordings of flowing blood with their exact truth into FOLDER."""
    from tqdm import tqdm

    from sam2flow_core.synthetic import write_cases

    with tqdm(total=cases, unit=" recordings", disable=not sys.stderr.isatty()) as bar:
        written = write_cases(folder, cases, seed, size, frames, progress=lambda done, _: bar.update(done - bar.n))
    click.echo("\n".join(str(path) for path in written))
