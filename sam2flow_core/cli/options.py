"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import click

from sam2flow_core.config.run import DETAILS, EVERY, STANDARD

Command = TypeVar("Command", bound=Callable[..., Any])
_LARGEST_SEED = 2**63 - 1

device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes the fastest there is.",
)


class Number(click.types.FloatParamType):
    """A number to count with, not ``nan`` or ``inf``; of one with a decimal comma it is said how to write it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or say what is wrong."""
        if isinstance(value, str) and _is_number(pointed := value.replace(",", ".", 1)) and pointed != value:
            self.fail(f"'{value}': write the number with a point, {pointed}", param, ctx)
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"'{value}' is no number to count with", param, ctx)
        return number


class Finite(Number, click.FloatRange):
    """A number in a range; a range alone lets through what is none, and what has no end."""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def seed_option(default: int) -> Callable[[Command], Command]:
    """Option of the seed that random numbers begin with."""
    return click.option(
        "--seed",
        type=click.IntRange(0, _LARGEST_SEED),
        default=default,
        show_default=True,
        help="The same seed draws the same.",
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
            factor = float(Number().convert(value, param, ctx))
            check_factor(factor)
        except click.BadParameter as error:
            self.fail(f"{error.message.rstrip('.')}; give a number or auto", param, ctx)
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


detail_option = click.option(
    "--detail",
    type=click.Choice(DETAILS),
    default=STANDARD,
    show_default=True,
    help="quick: pairs of frames at places all over the recording; standard: 40 pairs a second; every: all pairs.",
)
every_option = click.option(
    "--every", metavar="auto|N", help="Answer one pair of frames in N, from all frames around it; auto: as standard."
)


def detail_of(context: click.Context) -> str:
    """The detail that `detail_option` and `every_option` ask for together, for `RunRequest.detail`."""
    every, detail = context.params["every"], str(context.params["detail"])
    if every is None:
        return detail
    if context.get_parameter_source("detail") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--every and --detail say the same: give one of them.", context)
    if every == "auto":
        return STANDARD
    if not (every.isascii() and every.isdecimal() and int(every) >= 1):
        raise click.UsageError(f"--every {every}: give auto, or a whole number N of 1 or more.", context)
    return EVERY if int(every) == 1 else str(int(every))


def require_apart(**outputs: Path | None) -> None:
    """Raise unless each output is a file of its own, however its path is written: the last would replace the first."""
    first: dict[Path, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        other = first.setdefault(path.expanduser().resolve(), option)
        if other != option:
            raise click.UsageError(f"--{other} and --{option} name the same file; give each its own")


def report_line(line: str) -> None:
    """Show a line of progress, if there is a terminal to show it on."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
