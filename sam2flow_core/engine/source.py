"""Open a run's input, check it before anything costs time, and plan which pairs of frames are answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sam2flow_core.config.run import DETAILS, EVERY, QUICK, DetailSettings
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import CalibrationError, StackError
from sam2flow_core.messages import Message
from sam2flow_core.prompts import check_prompts
from sam2flow_core.stack import (
    Calibration,
    FramePlan,
    Stack,
    Timing,
    WorkingResolution,
    choose_resolution,
    open_stack,
)

Ranges = Sequence[tuple[int, int]]


def plan_frames(
    ranges: Ranges,
    detail: str,
    frame_rate_hz: float | None,
    pulse_hz: float | None = None,
    settings: DetailSettings | None = None,
) -> FramePlan:
    """Choose the frames that are gone through and the pairs that are answered.

    Parameters
    ----------
    ranges : sequence of (int, int)
        First frame and end of each range that is asked for.
    detail : str
        Of `DETAILS`, or a whole number N: one pair of N.
    frame_rate_hz : float or None
        Without it, every pair counts as needed.
    pulse_hz : float or None
        Heart rate, where it is known.
    settings : DetailSettings, optional

    Raises
    ------
    StackError
        If the detail is neither a name nor a whole number of 1 or more.
    CalibrationError
        If the heart rate cannot be one.

    Examples
    --------
    >>> plan_frames([(0, 9600)], "standard", 160.0).every
    4
    >>> plan_frames([(0, 9600)], "standard", 160.0, pulse_hz=4.0).every
    1
    >>> len(plan_frames([(0, 9600)], "quick", 160.0).answered)
    36
    """
    settings = settings or DetailSettings()
    _check_pulse(pulse_hz, settings.pulse_hz)
    whole = tuple((int(a), int(b)) for a, b in ranges)
    if detail == EVERY:
        return FramePlan(whole)
    if detail not in DETAILS:
        return FramePlan(whole, _number(detail))
    every = _needed(frame_rate_hz, pulse_hz, settings)
    if detail == QUICK:
        places = [part for a, b in whole for part in _places(a, b, every, len(whole), settings)]
        if places:
            return FramePlan(tuple(places), every, settings.margin, whole)
    return FramePlan(whole, every)


def in_words(plan: FramePlan, frame_rate_hz: float | None) -> str:
    """Say which pairs are answered; empty where it is all of them."""
    pairs = len(plan.answered)
    if plan.seen:
        return Message(
            "a quick look: {pairs} pairs of frames at {places} places are answered; go on in the same folder with "
            "--resume and more detail",
            pairs=pairs,
            places=len(plan.ranges),
        )
    if plan.every == 1:
        return ""
    pace = Message(", {rate:.3g} a second", rate=frame_rate_hz / plan.every) if frame_rate_hz else ""
    return Message(
        "one pair of frames in {every} is answered{pace}, from all the frames around it; detail every (in the window: "
        "every frame) answers all",
        every=plan.every,
        pace=pace,
    )


def describe_detail(asked: str, plan: FramePlan, frame_rate_hz: float | None) -> dict[str, Any]:
    """Return which pairs are answered and why, as JSON values for the provenance."""
    return {
        "asked": asked,
        "every": plan.every,
        "pairs_answered": len(plan.answered),
        "frames_read": len(plan.frames),
        "pairs_per_second": frame_rate_hz / plan.every if frame_rate_hz else None,
        "places": [list(each) for each in plan.ranges] if plan.seen else [],
        "between": "frames between answered pairs are read as evidence; their rows are blank, nothing is interpolated",
        "settings": asdict(DetailSettings()),
    }


def _check_pulse(pulse_hz: float | None, limits: tuple[float, float]) -> None:
    if pulse_hz is not None and not limits[0] <= pulse_hz <= limits[1]:
        raise CalibrationError(
            "heart rate {value:g} Hz: no heart beats so ({least:g} to {most:g} Hz); give beats per second, not per "
            "minute",
            value=pulse_hz,
            least=limits[0],
            most=limits[1],
        )


def _number(detail: str) -> int:
    if not (detail.isascii() and detail.isdigit() and int(detail) >= 1):
        raise StackError(
            "detail '{detail}': give {names}, or a whole number N of 1 or more to answer one pair of N",
            detail=detail,
            names=", ".join(DETAILS),
        )
    return int(detail)


def _needed(frame_rate_hz: float | None, pulse_hz: float | None, settings: DetailSettings) -> int:
    """One pair of how many still answers often enough."""
    if not frame_rate_hz:
        return 1
    wanted = max(settings.pairs_per_second, settings.pairs_per_beat * (pulse_hz or 0.0))
    return max(int(frame_rate_hz / wanted + 1e-6), 1)


def _places(start: int, stop: int, every: int, ranges: int, settings: DetailSettings) -> list[tuple[int, int]]:
    """Short ranges spread evenly over a long one; none where it is too short for two of them."""
    length = 2 * settings.margin + (settings.pairs_per_place - 1) * every + 2
    frames = stop - start
    count = min(-(-settings.places // ranges), int(settings.most_of_range * frames / length))
    if count < 2:
        return []
    first = start + (np.arange(count) + 0.5) * frames / count - length / 2
    return [(int(a), int(a) + length) for a in first.round()]


@dataclass(frozen=True)
class Source:
    """An opened recording with what the run uses of it.

    Attributes
    ----------
    stack : Stack
    calibration : Calibration
        The file's, with what the user gave in its place.
    ranges : tuple of (int, int)
        Ranges of frames that are asked for: first frame and end.
    plan : FramePlan
        What is gone through of them, and which pairs are answered.
    resolution : WorkingResolution
        At which masks and flow are sought; what they say is in recorded px whatever it is.
    """

    stack: Stack
    calibration: Calibration
    ranges: tuple[tuple[int, int], ...]
    plan: FramePlan
    resolution: WorkingResolution

    @property
    def start(self) -> int:
        """First frame that is asked for."""
        return self.ranges[0][0]

    @property
    def stop(self) -> int:
        """End of the last range that is asked for."""
        return self.ranges[-1][1]

    @property
    def notices(self) -> tuple[str, ...]:
        """Problems of the recording that what the user gave has not mended, and which pairs are answered."""
        detail = in_words(self.plan, self.calibration.usable_frame_rate_hz)
        return (*self.stack.problems_left(self.calibration), *([detail] if detail else []))

    @property
    def timing(self) -> Timing:
        """Which frames repeat the one before, and where some are missing. The first time it is asked all are read."""
        return self.stack.timing_of(self.plan)

    @property
    def timed_calibration(self) -> Calibration:
        """The calibration with the frame rate that time stamps tell, unless the user gave one. Asks `timing`."""
        return self.calibration.with_interval(self.timing.interval_s)

    @property
    def frames_total(self) -> int:
        """Number of frames that the run goes through."""
        return len(self.plan.frames)


@contextmanager
def open_source(request: RunRequest, clicked: bool = True) -> Iterator[Source]:
    """Open the recording of a request; it is closed at the end of the block.

    Parameters
    ----------
    request : RunRequest
    clicked : bool
        Whether there must be prompts.

    Raises
    ------
    StackError, CalibrationError, PromptError
        If the recording, the frame range, the calibration or a prompt cannot be used.
    """
    with open_stack(request.stack, axes=request.stack_axes) as stack:
        ranges = _ranges(request, stack.shape[0])
        if clicked:
            check_prompts(request.prompts, stack.shape)
        calibration = stack.calibration.with_user(request.pixel_size_um, request.frame_rate_hz)
        plan = plan_frames(ranges, request.detail, calibration.usable_frame_rate_hz, request.pulse_hz)
        for start, stop in plan.ranges:
            stack.check_finite(start, stop)
        start, stop = ranges[0][0], ranges[-1][1]
        resolution = choose_resolution(stack, calibration.pixel_size_um, request.working_resolution, start, stop)
        yield Source(stack, calibration, ranges, plan, resolution)


def _ranges(request: RunRequest, frames: int) -> tuple[tuple[int, int], ...]:
    ranges = request.ranges or ((request.start, frames if request.stop is None else request.stop),)
    for start, stop in ranges:
        if not 0 <= start < stop:
            raise StackError(
                "frames {start} to {stop}: the first must be 0 or more and before the last", start=start, stop=stop
            )
        if stop > frames:
            raise StackError(
                "frames {start} to {stop}: the recording has {frames} frames", start=start, stop=stop, frames=frames
            )
        if stop - start < 2:
            raise StackError(
                "frames {start} to {stop}: at least two frames are needed to see motion", start=start, stop=stop
            )
    ordered = tuple(sorted(ranges))
    for (a, b), (c, d) in pairwise(ordered):
        if c < b:
            raise StackError("frames {a} to {b} and {c} to {d} overlap: give ranges that are apart", a=a, b=b, c=c, d=d)
    return ordered
