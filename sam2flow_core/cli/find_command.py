"""``sam2flow find``."""

from __future__ import annotations

from pathlib import Path

import click

from sam2flow_core.cli.options import Finite, Number, device_option, require_apart

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("stack", type=_PATH)
@click.option("--out", type=_PATH, required=True, help="CSV of clicks to write, as 'sam2flow run --prompts' takes it.")
@click.option("--table", type=_PATH, help="CSV to write with confidence, length, width of every vessel.")
@click.option("--least-confidence", type=Finite(0, 1), default=0.0, help="Leave out less sure ones.")
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Shipped preset or checkpoint.")
@click.option("--pixel-size-um", type=Number(), help="um per pixel, instead of what the file says.")
@click.option("--start", type=int, default=0, show_default=True, help="First frame.")
@click.option("--stop", type=int, help="Frame to stop before; the end by default.")
@click.option("--stack-axes", metavar="TYX", help="The axes, where the file is wrong about them.")
@device_option
def find(
    stack: Path,
    out: Path,
    table: Path | None,
    least_confidence: float,
    model: str,
    pixel_size_um: float | None,
    start: int,
    stop: int | None,
    stack_axes: str | None,
    device: str,
) -> None:
    """Propose every vessel segment of the recording STACK, without a click, the surest first.

    Look at the proposals before they are measured: open the recording and the CSV in the window. Vessel densities of
    the whole field are printed; they are of vessels in which something moves.
    """
    from sam2flow_core.engine.field_findings import find_in_recording
    from sam2flow_core.errors import PromptError
    from sam2flow_core.files import check_writable, make_parent
    from sam2flow_core.prompts import write_prompts
    from sam2flow_core.spreadsheets import write_csv

    require_apart(out=out, table=table)
    for path in filter(None, (out, table)):
        check_writable(path, stack, model)
    found = find_in_recording(stack, model, device, pixel_size_um, start, stop, stack_axes, least_confidence)
    if not found.vessels:
        raise PromptError(f"{stack}: no vessel was found in this recording; click them by hand")
    make_parent(out)
    write_prompts(out, found.prompts)
    if table is not None:
        make_parent(table)
        write_csv(table, found.table(), "%.4g")
    surest, least = found.vessels[0].confidence, found.vessels[-1].confidence
    click.echo(f"{len(found.vessels)} vessels, confidence {surest:.2f} to {least:.2f}, clicks written to {out}")
    click.echo("\n".join(found.density.lines()))
