"""Frames and the times at which they were taken: from one to the other and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import KymographSettings
from sam2flow_core.stack.timing import Timing
from sam2flow_core.velocity.diagram import Reading
from sam2flow_core.velocity.sampling import Samples
from sam2flow_core.velocity.spans import BY_FRAME


def span_clock(timing: Timing, first: int, last: int, settings: KymographSettings) -> NDArray[np.int64]:
    """Return the times of the steps `first` to `last` (not included), from 0.

    Gaps are shortened to what no correlation reaches across, so that the diagram does not grow with them.
    """
    apart = np.diff(timing.clock[first:last])
    return np.r_[0, np.cumsum(np.minimum(apart, max(settings.lags) + 1))] if last > first else np.zeros(0, np.int64)


def on_clock(samples: Samples, clock: NDArray[np.int64]) -> Samples:
    """Return samples with a row for each time, NaN where no frame was taken; of a repeated frame the first is kept."""
    rows = len(clock)
    if not rows or clock[-1] == rows - 1:
        return samples
    times, frame = np.unique(clock, return_index=True)
    lanes = np.full((samples.lanes.shape[0], times[-1] + 1, samples.lanes.shape[2]), np.nan, np.float32)
    background = np.full(times[-1] + 1, np.nan)
    lanes[:, times], background[times] = samples.lanes[:, frame], samples.background[frame]
    return Samples(lanes, background)


def at_frames(reading: Reading, clock: NDArray[np.int64]) -> Reading:
    """Return a reading by time with its arrays by frame; a step that is not one step of time has no velocity."""
    if not len(clock) or clock[-1] == len(clock) - 1:
        return reading
    diagram = reading.space_time
    steady = np.append(np.diff(clock) == 1, False)
    by_frame: dict[str, Any] = {name: getattr(diagram, name)[clock] for name in BY_FRAME}
    for name in ("velocity", "radon", "transit"):
        by_frame[name] = np.where(steady, by_frame[name], np.nan)
    return replace(reading, space_time=replace(diagram, **by_frame))


def by_time(values: NDArray[np.float64], position: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return values (T,) by the time of their frames, NaN where there is none or where the frame only repeats."""
    if not len(position) or position[-1] == len(position) - 1:
        return values
    out = np.full(int(position[-1]) + 1, np.nan)
    known = np.isfinite(values)
    out[position[known]] = values[known]
    return out
