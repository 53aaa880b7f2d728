"""``sam2flow weights``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sam2flow_core.cli.options import require_apart

if TYPE_CHECKING:
    from sam2flow_core.inference.official import Fate

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_PATH)
@click.option("--out", type=_PATH, help="Folder to write the weights to, as safetensors with a JSON configuration.")
@click.option("--strip", type=_PATH, help="File to write without the parts that only training asks.")
def weights(file: Path, out: Path | None, strip: Path | None) -> None:
    """Show what the checkpoint FILE is; of an official SAM 2 or 2.1 checkpoint, where each tensor goes.

    FILE is a .safetensors file of SAM2Flow, a folder of one, or a .pt file as SAM 2 is published. Nothing in it is run.
    """
    from sam2flow_core.files import check_writable, make_parent
    from sam2flow_core.inference.hub import CONFIG_FILE, WEIGHTS_FILE
    from sam2flow_core.inference.official import SUFFIXES
    from sam2flow_core.inference.weights import load_model, load_official, save_folder, save_weights
    from sam2flow_core.model.sam2flow import count_weights, without_decoder
    from sam2flow_core.untrusted import printable

    require_apart(out=out and out / WEIGHTS_FILE, strip=strip)
    require_apart(out=out and out / CONFIG_FILE, strip=strip)
    for target in (*([out / CONFIG_FILE, out / WEIGHTS_FILE] if out else []), *([strip] if strip else [])):
        check_writable(target, file)
    if file.suffix.lower() in SUFFIXES:
        model, description, fates = load_official(file)
        click.echo("\n".join([*(printable(_line(fate)) for fate in fates), _sum(description, fates)]))
    else:
        model, description = load_model(str(file))
    uses = "masks and flow" if model.config.use_flow else "masks only; flow and velocity need weights that were trained"
    click.echo(f"preset: {description['preset']}, {description['weights']:,} weights ({uses})")
    click.echo(f"sha256: {description['sha256']}")
    for key, value in description["notes"].items():
        click.echo(printable(f"{key}: {value}"))
    if out is not None:
        save_folder(out, model, {**description["notes"], "from_sha256": description["sha256"]})
        click.echo(f"written to {out}")
    if strip is not None:
        smaller = without_decoder(model)
        make_parent(strip)
        save_weights(strip, smaller, {**description["notes"], "stripped_from_sha256": description["sha256"]})
        click.echo(f"written to {strip}: {count_weights(smaller):,} weights")


def _sum(description: dict[str, Any], fates: list[Fate]) -> str:
    counts = Counter(fate.kind for fate in fates)
    sums = ", ".join(f"{counts[kind]} {kind}" for kind in ("loaded", "renamed", "left out", "zero") if counts[kind])
    there = len(fates) - counts["zero"]
    return f"{description['notes']['origin']} in preset {description['preset']}: {there} tensors: {sums}"


def _line(fate: Fate) -> str:
    shape = "x".join(str(n) for n in fate.shape) or "1"
    if fate.kind == "loaded":
        return f"loaded    {fate.name} [{shape}]"
    if fate.kind == "renamed":
        return f"renamed   {fate.name} [{shape}] -> {fate.ours}"
    if fate.kind == "left out":
        return f"left out  {fate.name} [{shape}]: {fate.reason}"
    return f"zero      {fate.ours} [{shape}]: {fate.reason}"
