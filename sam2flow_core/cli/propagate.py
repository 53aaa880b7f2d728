"""``sam2flow propagate``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sam2flow_core.cli.options import device_option

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("stack", type=_PATH)
@click.option("--mask", type=_PATH, required=True, help="TIFF (Y, X) of labels: 0 = background, each number an object.")
@click.option("--frame", type=int, required=True, help="The frame or slice that the mask belongs to; the first is 0.")
@click.option("--out", type=_PATH, required=True, help="TIFF of labels (T, Y, X) to write.")
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Weights, SAM 2's among them.")
@device_option
@click.option("--stack-axes", metavar="TYX", help="The axes, where the file is wrong about them; ZYX for slices.")
def propagate(stack: Path, mask: Path, frame: int, out: Path, model: str, device: str, stack_axes: str | None) -> None:
    """Carry the labels of one frame of the recording STACK to all its frames.

    With weights that know flow, such as tiny, an object is a vessel: it keeps its place in the tissue, whose own motion
    is followed. With weights of SAM 2 objects may move and change from frame to frame or slice to slice.
    """
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
