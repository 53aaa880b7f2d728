"""Open a run's input and check it before anything costs time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import PromptError, StackError
from sam2flow_core.prompts import AnyPrompt, check_prompts
from sam2flow_core.stack import Calibration, Stack, Timing, WorkingResolution, choose_resolution, open_stack


@dataclass(frozen=True)
class Source:
    """An opened recording with what the run uses of it.

    Attributes
    ----------
    stack : Stack
    calibration : Calibration
        The file's, with what the user gave in its place.
    start, stop : int
        Frames of the run, `stop` not included.
    resolution : WorkingResolution
        At which masks and flow are sought; what they say is in recorded px whatever it is.
    """

    stack: Stack
    calibration: Calibration
    start: int
    stop: int
    resolution: WorkingResolution

    @property
    def notices(self) -> tuple[str, ...]:
        """Problems of the recording, but for those that what the user gave has mended."""
        return self.stack.problems_left(self.calibration)

    @property
    def timing(self) -> Timing:
        """Which frames repeat the one before, and where some are missing. The first time it is asked all are read."""
        return self.stack.timing(self.start, self.stop)

    @property
    def timed_calibration(self) -> Calibration:
        """The calibration with the frame rate that time stamps tell, unless the user gave one. Asks `timing`."""
        return self.calibration.with_interval(self.timing.interval_s)

    @property
    def frames_total(self) -> int:
        """Number of frames of the run."""
        return self.stop - self.start


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
        start, stop = _frame_range(request, stack.shape[0])
        if clicked:
            check_prompts(request.prompts, stack.shape)
            _check_within_run(request.prompts, start, stop)
        stack.check_finite(start, stop)
        calibration = stack.calibration.with_user(request.pixel_size_um, request.frame_rate_hz)
        resolution = choose_resolution(stack, calibration.pixel_size_um, request.working_resolution, start, stop)
        yield Source(stack, calibration, start, stop, resolution)


def _frame_range(request: RunRequest, frames: int) -> tuple[int, int]:
    stop = frames if request.stop is None else request.stop
    if not 0 <= request.start < stop:
        raise StackError(f"frames {request.start} to {stop}: the first must be 0 or more and before the last")
    if stop > frames:
        raise StackError(f"frames {request.start} to {stop}: the recording has {frames} frames")
    if stop - request.start < 2:
        raise StackError(f"frames {request.start} to {stop}: at least two frames are needed to see motion")
    return request.start, stop


def _check_within_run(prompts: tuple[AnyPrompt, ...], start: int, stop: int) -> None:
    for prompt in prompts:
        if not start <= prompt.frame < stop:
            raise PromptError(
                f"vessel {prompt.vessel_id}: frame {prompt.frame} is outside this run (frames {start} to {stop - 1})"
            )
