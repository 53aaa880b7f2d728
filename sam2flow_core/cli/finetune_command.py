"""``sam2flow finetune``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sam2flow_core.cli.options import Finite, device_option, seed_option

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("data", type=_PATH)
@click.option("--start", required=True, metavar="FILE", help="Weights to begin with: SAM 2's, or of an earlier run.")
@click.option("--out", type=_PATH, required=True, help="Weights file to write (.safetensors).")
@click.option("--memory", metavar="DESIGN", help="recent, short-long, relevant, gated or associated; docs/memory.md.")
@click.option("--list", "listed", default="train.txt", show_default=True, help="Names of the volumes, a line each.")
@click.option("--evaluate", "tried", metavar="LIST", help="Volumes to try before and after, such as test.txt.")
@click.option("--minutes", type=Finite(min=0, min_open=True), default=60.0, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), help="Clips to learn from, instead of minutes.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="A setting by SAM 2's name; docs/sam2.md.")
@seed_option(1)
@device_option
def finetune(
    data: Path,
    start: str,
    out: Path,
    memory: str | None,
    listed: str,
    tried: str | None,
    minutes: float,
    steps: int | None,
    changes: tuple[str, ...],
    seed: int,
    device: str,
) -> int:
    """Fine-tune weights of SAM 2 on the annotated volumes of DATA.

    DATA holds images/VOLUME/00000.jpg and masks/VOLUME/00000.png (or .nii.gz files), and train.txt with their names. On
    Ctrl-C the weights so far are written.
    """
    from tqdm import tqdm

    from sam2flow_core.cli.show import Interrupt
    from sam2flow_core.config.model import MemoryConfig
    from sam2flow_core.config.training import FinetuningSettings
    from sam2flow_core.files import check_writable
    from sam2flow_core.stack.volumes import read_volumes
    from sam2flow_core.training.volume_training import FinetuningRequest
    from sam2flow_core.training.volume_training import finetune as steps_of

    check_writable(out, start, data)
    settings = FinetuningSettings().with_values(changes)
    design = None if memory is None else MemoryConfig(memory)
    volumes, others = read_volumes(data, listed), [] if tried is None else read_volumes(data, tried)
    request = FinetuningRequest(
        tuple(volumes), start, out, design, settings, minutes, steps, seed, device, tuple(others)
    )
    running, learned = steps_of(request), False
    with Interrupt() as interrupt, tqdm(total=100, unit="%", disable=not sys.stderr.isatty()) as bar:
        for progress in running:
            learned = learned or progress.share > 0
            bar.update(100 * progress.share - bar.n)
            if progress.tried is not None:
                when = "after" if progress.share else "before"
                bar.write(f"Dice by memory in {len(others)} volumes of {tried}, {when}: {progress.tried:.3f}")
            bar.set_postfix(loss=f"{progress.loss:.3g}", dice=f"{progress.dice:.3g}")
            if interrupt.asked:
                break
        running.close()
    click.echo(f"written to {out}" if learned else "stopped before the first step; nothing was written")
    return 130 if interrupt.asked else 0
