"""The group of commands, and how every failure ends: one line and an exit status."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence

import click

from sam2flow_core import __version__
from sam2flow_core.cli.batch_command import batch
from sam2flow_core.cli.bench_command import bench
from sam2flow_core.cli.demo_command import demo
from sam2flow_core.cli.evaluate_command import evaluate
from sam2flow_core.cli.evaluate_vos_command import evaluate_vos
from sam2flow_core.cli.find_command import find
from sam2flow_core.cli.finetune_command import finetune
from sam2flow_core.cli.info_command import info
from sam2flow_core.cli.linescan_command import linescan
from sam2flow_core.cli.propagate_command import propagate
from sam2flow_core.cli.report_command import report
from sam2flow_core.cli.run_command import run
from sam2flow_core.cli.streams import mend_streams, settle_streams
from sam2flow_core.cli.synth_command import synth
from sam2flow_core.cli.train_command import train
from sam2flow_core.cli.weights_command import weights
from sam2flow_core.config.run import THREAD_VARIABLES
from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.untrusted import printable

MEND = 2
FAULT = 1
INTERRUPTED = 130


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sam2flow")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Blood velocity per vessel from microscopy videos. For research use only."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (
    demo, run, report, find, batch, linescan, info, synth, train, finetune, evaluate, evaluate_vos, bench, weights,
    propagate,
):  # fmt: skip
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 for a person to mend, 1 for a fault of the program."""
    mend_streams()
    for name, value in THREAD_VARIABLES.items():
        os.environ.setdefault(name, value)
    if "--debug" not in sys.argv and not sys.warnoptions:
        hide_warnings()
    status = status_of(sys.argv[1:] if arguments is None else list(arguments))
    settle_streams()
    sys.exit(status)


def hide_warnings() -> None:
    """Keep Python's warnings, which speak to programmers, off the screen, in processes that are started too."""
    logging.captureWarnings(True)
    # It logs where it keeps its fonts if there is no home folder, or none that can be written.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")


def status_of(arguments: list[str]) -> int:
    """Run one command; print one line on stderr where it fails, and return the exit status."""
    try:
        # Without click's own handling, which prints several lines.
        status = cli.main(args=arguments, prog_name="sam2flow", standalone_mode=False)
    except click.ClickException as error:
        return _fail(_with_help(error), MEND, arguments)
    except Sam2FlowError as error:
        return _fail(str(error), MEND, arguments)
    except (KeyboardInterrupt, click.Abort):
        return _fail("stopped", INTERRUPTED, arguments)
    except OSError as error:
        # What the system refuses is for a person to mend, whichever step met it: names, rights, drives, space.
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", MEND, arguments)
    except MemoryError:
        return _fail("there is not enough memory for this; use a smaller range or field", MEND, arguments)
    except Exception as error:
        text = f"fault of the program: {type(error).__name__}: {error} (sam2flow --debug ... shows where)"
        return _fail(text, FAULT, arguments)
    return status if isinstance(status, int) else 0


def _with_help(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return error.format_message() + hint


def _fail(message: str, status: int, arguments: list[str]) -> int:
    if "--debug" in arguments:
        traceback.print_exc()
    # A name from a file must not move the cursor or colour the screen.
    click.echo(f"sam2flow: {printable(message)}", err=True)
    return status
