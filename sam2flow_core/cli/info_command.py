"""``sam2flow info``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("stack", type=click.Path(path_type=Path))
@click.option("--stack-axes", metavar="TYX", help="The axes, where the file is wrong about them.")
def info(stack: Path, stack_axes: str | None) -> None:
    """Show shape, type, axes, calibration with sources, and problems of the recording STACK."""
    from sam2flow_core.stack import describe_stack, open_stack

    with open_stack(stack, axes=stack_axes) as opened:
        click.echo(describe_stack(opened))
