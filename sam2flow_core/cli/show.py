"""Events of a run on the terminal: progress, problems, Ctrl-C between frames."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator, Mapping
from types import FrameType, TracebackType
from typing import Any

import click
from tqdm import tqdm

from sam2flow_core.engine import Finished, FrameDone, RunEvent, RunRequest, Stage, Started, run


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
