"""``sam2flow train``."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from sam2flow_core.cli.options import Finite, device_option, seed_option

if TYPE_CHECKING:
    from sam2flow_core.training import Progress

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--preset", default="tiny", show_default=True, help="Size of the network.")
@click.option(
    "--data",
    metavar="synthetic|DIR",
    default="synthetic",
    show_default=True,
    help="Where clips come from: the generator, or a folder in the CapFlow layout.",
)
@click.option("--out", type=_PATH, help="Weights file to write (.safetensors).")
@click.option("--resume", type=_PATH, help="The .resume file of an earlier run to go on from.")
@click.option("--minutes", type=Finite(min=0, min_open=True), default=60.0, show_default=True)
@click.option("--start", metavar="tiny|FILE", help="Weights to begin from; random ones by default.")
@click.option("--memory", metavar="DESIGN", help="Train this design of memory only, on top of --start; docs/memory.md.")
@click.option("--stage", metavar="NAME", help="Train by this stage of the recipe alone; docs/training.md.")
@click.option("--scenes", metavar="DIR", type=_PATH, help="Keep drawn scenes here for runs that go on; some 3 GB.")
@click.option("--profile", is_flag=True, help="Say where the time would go, and train nothing; docs/training.md.")
@seed_option(1)
@device_option
def train(
    preset: str,
    data: str,
    out: Path | None,
    resume: Path | None,
    minutes: float,
    start: str | None,
    memory: str | None,
    stage: str | None,
    scenes: Path | None,
    profile: bool,
    seed: int,
    device: str,
) -> int:
    """Train a network. On Ctrl-C the weights so far are written, and --resume goes on from there."""
    from tqdm import tqdm

    from sam2flow_core.cli.show import Interrupt
    from sam2flow_core.config.model import MemoryConfig
    from sam2flow_core.errors import require_extra
    from sam2flow_core.files import check_writable

    require_extra("train", "training")
    if out is None and not profile:
        raise click.UsageError("Missing option '--out'.")
    if out is not None:
        check_writable(out, start, resume)
    from sam2flow_core.training import TrainingRequest, profile_run
    from sam2flow_core.training import train as steps
    from sam2flow_core.training.development import Steering
    from sam2flow_core.training.initial_weights import choose_recipe

    design = None if memory is None else MemoryConfig(memory)
    folder = None if data == "synthetic" else Path(data)
    request = TrainingRequest(
        out or Path(),
        preset,
        start,
        design,
        folder,
        minutes,
        resume=resume,
        seed=seed,
        device=device,
        stage=stage,
        scenes=scenes,
        develop=Steering(choose_recipe(preset, design)),
    )
    if profile:
        click.echo(profile_run(request))
        return 0
    running = cast("Generator[Progress, None, None]", steps(request))
    with Interrupt() as interrupt, tqdm(total=100, unit="%", disable=not sys.stderr.isatty()) as bar:
        for progress in running:
            bar.update(100 * progress.share - bar.n)
            bar.set_postfix({name: f"{value:.3g}" for name, value in progress.figures.items()})
            if interrupt.asked:
                break
        running.close()
    click.echo(f"written to {out}")
    if interrupt.asked:
        click.echo(f"sam2flow: stopped; go on with --resume {out}.resume", err=True)
        return 130
    return 0
