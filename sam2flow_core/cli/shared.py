"""What commands share: options, and how what goes on is shown."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator, Mapping
from types import FrameType, TracebackType
from typing import Any

import click
from tqdm import tqdm

from sam2flow_core.config.run import DETAILS, EVERY, STANDARD
from sam2flow_core.engine import Finished, FrameDone, RunEvent, RunRequest, Stage, Started, run

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


def report_line(line: str) -> None:
    """Show a line of progress, if there is a terminal to show it on."""
    if sys.stderr.isatty():
        click.echo(line, err=True)


class Interrupt:
    """While this context is open, the first Ctrl-C only sets `asked`; a second one stops at once.

    So a run can be stopped where nothing is half done.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def show_run(request: RunRequest) -> int:
    """Do a run, showing progress with time remaining on stderr if that is a terminal; return the exit status.

    On Ctrl-C the run stops after the current frame and keeps what is finished.
    """
    display = Display()
    events = run(request)
    with Interrupt() as interrupt:
        finished = _follow(events, display, interrupt)
    if finished is None:
        click.echo(f"sam2flow: stopped; finished frames are kept in {request.out}, go on with --resume", err=True)
        return 130
    for notice in finished.notices:
        click.echo(f"note: {notice}", err=True)
    click.echo(_outcome(finished))
    return 0


def _follow(events: Generator[RunEvent, None, None], display: Display, interrupt: Interrupt) -> Finished | None:
    finished = None
    try:
        for event in events:
            display.show(event)
            if isinstance(event, Finished):
                finished = event
            elif interrupt.asked:
                return None
    finally:
        display.close()
        events.close()
    return finished


class Display:
    """A progress bar over the frames, and the stages before and after them; silent unless stderr is a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._bar: tqdm[None] | None = None

    def show(self, event: RunEvent) -> None:
        """Show one event."""
        if isinstance(event, Started):
            self._bar = tqdm(
                total=event.frames_total, initial=event.frames_done, unit=" frames", disable=not self._shown, leave=True
            )
        elif isinstance(event, FrameDone) and self._bar is not None:
            self._bar.update(event.frames_done - self._bar.n)
        elif isinstance(event, Stage) and self._shown:
            self.close()
            click.echo(f"{event.name} ...", err=True)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _outcome(finished: Finished) -> str:
    from sam2flow_core.spreadsheets import read_csv

    table = read_csv(finished.summary_csv)
    rows = table.to_dict("records")
    cut = {row["parent_id"] for row in rows}
    ranges = {(row["first_frame"], row["last_frame"]) for row in rows}
    lines = [_vessel_line(row, row["vessel_id"] in cut, len(ranges) > 1) for row in rows]
    return "\n".join([*lines, f"written to {finished.out}: summary.csv, per_frame.csv, report.html, provenance.json"])


def _vessel_line(row: Mapping[Any, Any], cut: bool, with_frames: bool) -> str:
    mean, low, high = row["v_mean_um_s"], row["v_ci_low_um_s"], row["v_ci_high_um_s"]
    interval = f"({low:.4g} to {high:.4g})" if low == low else "(no interval)"
    speed = f"{mean:.4g} um/s {interval}" if mean == mean else "no velocity in um/s"
    speed = "measured in segments" if cut else speed
    flags = f", {row['flags']}" if isinstance(row["flags"], str) else ""
    frames = f", frames {row['first_frame']:.0f} to {row['last_frame']:.0f}" if with_frames else ""
    return f"vessel {row['vessel_id']:g}{frames}: {speed}, {row['grade']}{flags}"
