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


def report_line(line: str) -> None:
    """Show a line of progress, if there is a terminal to show it on."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
