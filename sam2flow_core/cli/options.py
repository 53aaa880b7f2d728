"""Options that several commands share."""

from __future__ import annotations

import sys

import click

device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes the fastest there is.",
)


class _Resolution(click.ParamType):  # type: ignore[type-arg]  # generic in the newest click only
    """``auto`` as None, or a number."""

    name = "resolution"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        from sam2flow_core.errors import StackError
        from sam2flow_core.stack import check_factor

        if value == "auto":
            return None
        try:
            factor = float(value)
            check_factor(factor)
        except ValueError:
            self.fail(f"'{value}' is neither auto nor a number", param, ctx)
        except StackError as error:
            self.fail(str(error), param, ctx)
        return factor


resolution_option = click.option(
    "--working-resolution",
    type=_Resolution(),
    default=None,
    metavar="auto|0.5|1|2|...",
    help="Px of the recording to one of the network; auto, the default, makes cells as large as the network knows.",
)


def report_line(line: str) -> None:
    """Show a line of progress, if there is a terminal to show it on."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
