"""``sam2flow propagate``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sam2flow_core.cli.options import device_option

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("stack", type=_PATH)
@click.option("--mask", type=_PATH, help="TIFF (Y, X) of labels: 0 = background, each number an object.")
@click.option("--frame", type=int, help="The frame or slice that the mask belongs to; the first is 0.")
@click.option("--mask-prompts", type=_PATH, help="JSON: the annotated slice of each volume. STACK is a folder of them.")
@click.option("--format", "form", type=click.Choice(["png", "tiff", "nifti"]), default="png", help="Of many volumes.")
@click.option("--out", type=_PATH, required=True, help="TIFF of labels (T, Y, X) to write; of many volumes a folder.")
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Weights, SAM 2's among them.")
@device_option
@click.option("--stack-axes", metavar="TYX", help="The axes, where the file is wrong about them; ZYX for slices.")
def propagate(
    stack: Path,
    mask: Path | None,
    frame: int | None,
    mask_prompts: Path | None,
    form: str,
    out: Path,
    model: str,
    device: str,
    stack_axes: str | None,
) -> None:
    """Carry the labels of one frame of the recording STACK to all its frames, or of one slice of many volumes.

    With weights that know flow, such as tiny, an object is a vessel: it keeps its place in the tissue, whose own motion
    is followed. With weights of SAM 2 objects may move and change from frame to frame or slice to slice. Volumes lie in
    images/VOLUME/00000.jpg with masks/VOLUME/00000.png, or in .nii.gz files; Dice is printed where masks are there.
    """
    if mask_prompts is not None:
        if mask is not None or frame is not None:
            raise click.UsageError("--mask and --frame say one frame; --mask-prompts says those of many volumes")
        _many(stack, mask_prompts, out, form, model, device)
        return
    if mask is None or frame is None:
        raise click.UsageError("Missing option '--mask' or '--frame' (or --mask-prompts for many volumes).")
    _one(stack, mask, frame, out, model, device, stack_axes)


def _one(stack: Path, mask: Path, frame: int, out: Path, model: str, device: str, stack_axes: str | None) -> None:
    from tqdm import tqdm

    from sam2flow_core.engine.propagation import PropagationRequest, read_labels
    from sam2flow_core.engine.propagation import propagate as carry
    from sam2flow_core.stack import open_stack

    with open_stack(stack, axes=stack_axes, colour=True) as opened:
        labels, frames = read_labels(mask, opened), len(opened)
    request = PropagationRequest(stack, labels, frame, out, model, device, stack_axes)
    with tqdm(total=frames, unit=" frames", disable=not sys.stderr.isatty()) as bar:
        for done in carry(request):
            bar.update(done - bar.n)
    click.echo(f"written to {out}: {len(request.ids)} labels in {frames} frames")


def _many(data: Path, mask_prompts: Path, out: Path, form: str, model: str, device: str) -> None:
    from sam2flow_core.engine.propagation import propagate_volumes, read_mask_prompts
    from sam2flow_core.inference.build import load_predictor

    prompts = read_mask_prompts(mask_prompts)
    scores: list[float] = []
    for done in propagate_volumes(load_predictor(model, device), data, prompts, out, form):
        click.echo(done.text())
        scores += done.dice.values()
    if scores:
        click.echo(f"mean Dice of {len(scores)} objects in {len(prompts)} volumes: {sum(scores) / len(scores):.3f}")
    click.echo(f"written to {out}")
