"""Open a run's input and check it before anything costs time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from sam2flow_core.engine.detail import in_words, plan_frames
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import StackError
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
            raise StackError(f"frames {start} to {stop}: the first must be 0 or more and before the last")
        if stop > frames:
            raise StackError(f"frames {start} to {stop}: the recording has {frames} frames")
        if stop - start < 2:
            raise StackError(f"frames {start} to {stop}: at least two frames are needed to see motion")
    ordered = tuple(sorted(ranges))
    for (a, b), (c, d) in pairwise(ordered):
        if c < b:
            raise StackError(f"frames {a} to {b} and {c} to {d} overlap: give ranges that are apart")
    return ordered
