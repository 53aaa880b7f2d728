"""The space-time diagram of a long recording, read in spans, and the times at which its frames were taken.

A recording that fits one span is read as a whole. Neighbouring spans overlap, and each answers for its own steps up
to the middle of the overlap, so that no step is read at the edge of a span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import KymographSettings
from sam2flow_core.stack.timing import Timing
from sam2flow_core.velocity.diagram import Reading
from sam2flow_core.velocity.records import CellCount, SpaceTime
from sam2flow_core.velocity.sampling import Samples
from sam2flow_core.velocity.stretches import StretchTable

BY_FRAME = ("image", "velocity", "radon", "transit", "duplicate", "sharpness", "match", "strength")
_WHOLE = (
    "quality",
    "contrast_to_noise",
    "periodicity",
    "saturated",
    "floor",
    "floor_spread",
    "transit_quality",
    "transit_match",
)


@dataclass(frozen=True)
class Span:
    """Steps `first` to `last` (not included), of which those from `own_first` to `own_last` are answered for."""

    first: int
    last: int
    own_first: int
    own_last: int

    @property
    def own(self) -> slice:
        """The steps that are answered for, counted from the first of the span."""
        return slice(self.own_first - self.first, self.own_last - self.first)


def spans(frames: int, settings: KymographSettings) -> list[Span]:
    """Divide a recording into spans of so many steps at most as the settings say.

    Examples
    --------
    >>> [(part.first, part.last) for part in spans(4000, KymographSettings())]
    [(0, 2032), (1968, 4000)]
    """
    overlap = settings.span_overlap
    number = max(-(-(frames - overlap) // (settings.span_frames - overlap)), 1)
    edges = np.linspace(0, frames, number + 1).round().astype(int)
    margin = overlap // 2
    return [
        Span(max(int(low) - margin, 0), min(int(high) + margin, frames), int(low), int(high))
        for low, high in pairwise(edges)
    ]


def trimmed(reading: Reading, span: Span) -> Reading:
    """Keep of a reading what its span answers for."""
    diagram = reading.space_time
    kept = {name: getattr(diagram, name)[span.own] for name in BY_FRAME}
    return replace(reading, space_time=replace(diagram, **kept))


def joined(readings: Sequence[Reading], settings: KymographSettings) -> tuple[SpaceTime, CellCount, StretchTable]:
    """Put trimmed readings one after the other; figures of a whole span are averaged over the spans by their length."""
    if len(readings) == 1:
        return readings[0].space_time, readings[0].cells, readings[0].stretches
    diagrams = [reading.space_time for reading in readings]
    weight = np.array([len(diagram.velocity) for diagram in diagrams], float)
    by_frame: dict[str, Any] = {
        name: np.concatenate([getattr(diagram, name) for diagram in diagrams]) for name in BY_FRAME
    }
    whole: dict[str, Any] = {
        name: _mean(np.array([getattr(diagram, name) for diagram in diagrams]), weight) for name in _WHOLE
    }
    units = np.repeat([reading.sharpness_unit for reading in readings], weight.astype(int))
    contrast = by_frame.pop("sharpness") * units
    usual = float(np.nanmedian(contrast)) if np.isfinite(contrast).any() else 0.0
    spacing = _mean(np.array([diagram.spacing for diagram in diagrams]), weight)
    diagram = SpaceTime(**by_frame, **whole, spacing=spacing, sharpness=contrast / max(usual, 1e-12))
    along = reduce(add, [reading.stretches for reading in readings])
    return diagram, _cells([reading.cells for reading in readings], weight, settings.cells.countable), along


def _cells(counts: Sequence[CellCount], weight: NDArray[np.float64], countable: float) -> CellCount:
    flux, spacing = (np.array([getattr(count, name) for count in counts]) for name in ("flux_per_frame", "spacing"))
    if weight[np.isfinite(flux)].sum() < countable * weight.sum():
        return CellCount(float("nan"), float("nan"))
    return CellCount(_mean(flux, weight), _mean(spacing, weight))


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weight[known])) if known.any() else float("nan")


def span_clock(timing: Timing, first: int, last: int, settings: KymographSettings) -> NDArray[np.int64]:
    """Return the times of the steps `first` to `last` (not included), from 0.

    Gaps are shortened to what no correlation reaches across, so that the diagram does not grow with them.
    """
    apart = np.diff(timing.clock[first:last])
    if last <= first:
        return np.zeros(0, np.int64)
    longest = max(*settings.lags, *settings.slow_lags) + 1
    clock: NDArray[np.int64] = np.r_[0, np.cumsum(np.minimum(apart, longest))]
    return clock


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
    """Return values (T,) by the time of their frames, NaN where there is none or where the frame only repeats.

    Examples
    --------
    >>> by_time(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 3]))
    array([ 1.,  2., nan,  3.])
    """
    if not len(position) or position[-1] == len(position) - 1:
        return values
    out = np.full(int(position[-1]) + 1, np.nan)
    known = np.isfinite(values)
    out[position[known]] = values[known]
    return out
