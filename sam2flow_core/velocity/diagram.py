"""All that is read from the space-time diagram of one vessel, over a span of time that fits in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.velocity import KymographSettings, StretchSettings
from sam2flow_core.velocity.cells import count_cells, pattern_noise, repeat_distance
from sam2flow_core.velocity.correlation import correlate, moving_pattern
from sam2flow_core.velocity.records import CellCount, SpaceTime
from sam2flow_core.velocity.sampling import Samples
from sam2flow_core.velocity.slantstack import stack_velocity
from sam2flow_core.velocity.stretches import StretchTable, stretch_table
from sam2flow_core.velocity.transit import transit_velocity

_CELL = 4  # px
_FOCUS_FRAMES = 15
_RATE_WITHOUT_CALIBRATION = 100.0  # Hz, only for how slow a drift is


@dataclass(frozen=True)
class Reading:
    """What the diagram of a span says.

    Attributes
    ----------
    space_time : SpaceTime
        Of the span alone: `sharpness` is against the span's own median.
    cells : CellCount
    stretches : StretchTable
    sharpness_unit : float
        That median, in units of brightness.
    """

    space_time: SpaceTime
    cells: CellCount
    stretches: StretchTable
    sharpness_unit: float


def read_diagram(
    samples: Samples,
    frame_rate_hz: float | None,
    settings: KymographSettings,
    stretches: StretchSettings | None = None,
) -> Reading:
    """Read velocity, quality, looks and cells from the samples of a span."""
    drift = max(int(settings.drift_s * (frame_rate_hz or _RATE_WITHOUT_CALIBRATION)), 32)
    pattern = moving_pattern(samples, drift)
    found = correlate(pattern, settings)
    radon = stack_velocity(pattern, settings)
    transit = transit_velocity(pattern)
    spacing, periodicity = repeat_distance(pattern)
    noise = pattern_noise(pattern)
    floor, floor_spread = _floor(pattern, settings)
    sharpness, unit = _sharpness(samples.lanes)
    diagram = SpaceTime(
        image=pattern.mean(axis=0),
        velocity=found.velocity,
        radon=radon,
        quality=_with_second_opinion(found.quality, found.velocity, radon),
        contrast_to_noise=noise,
        spacing=spacing,
        periodicity=periodicity,
        duplicate=_duplicates(samples.lanes),
        sharpness=sharpness,
        saturated=_clipped(samples.lanes),
        match=found.match,
        floor=floor,
        floor_spread=floor_spread,
        strength=_strength(pattern),
        transit=transit.velocity,
        transit_quality=transit.quality,
        transit_match=transit.match,
    )
    along = stretch_table(pattern, samples.lanes, diagram.velocity, stretches or StretchSettings())
    return Reading(diagram, count_cells(pattern, diagram.velocity, settings.cells), along, unit)


def _floor(pattern: NDArray[np.float32], settings: KymographSettings) -> tuple[float, float]:
    """Return mean and spread of the correlation that the search finds where there is no motion to find.

    In random order the frames show the same brightness, noise and standing parts, and nothing that moves.
    """
    order = np.random.default_rng(settings.seed).permutation(pattern.shape[1])[: settings.shuffled_frames]
    match = correlate(pattern[:, order], settings).match
    return float(match.mean()), float(match.std())


def _strength(pattern: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what samples two px apart along the vessel share, frame by frame, evened out over some, shape (T,)."""
    shared = (pattern[:, :, :-2] * pattern[:, :, 2:]).mean(axis=(0, 2), dtype=float)
    return np.asarray(ndimage.uniform_filter1d(shared, _FOCUS_FRAMES, mode="nearest"))


def _with_second_opinion(quality: float, velocity: NDArray[np.float64], radon: NDArray[np.float64]) -> float:
    """Lower the quality where the slant stack sees another slope in most of the frames."""
    both = np.isfinite(velocity) & np.isfinite(radon)
    if not both.any():
        return 0.0
    same = np.abs(velocity[both] - radon[both]) <= np.maximum(1.0, 0.3 * np.abs(velocity[both]))
    return quality * (0.5 + 0.5 * float(same.mean()))


def _sharpness(lanes: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """Return the contrast of neighbouring cells around each frame over its median, shape (T,), and that median.

    From brightness a cell's width apart, not from pixel to pixel, where noise would pass for sharpness; averaged over
    some frames, since focus drifts slowly and plasma gaps pass quickly.
    """
    apart = lanes[:, :, _CELL:] - lanes[:, :, :-_CELL]
    known = np.isfinite(apart)
    number = known.sum(axis=(0, 2))
    if not number.any():
        return np.full(len(number), np.nan), 0.0
    power = (np.where(known, apart, 0).astype(float) ** 2).sum(axis=(0, 2)) / np.maximum(number, 1)
    contrast = np.sqrt(np.maximum(ndimage.uniform_filter1d(power, _FOCUS_FRAMES, mode="nearest"), 0))
    usual = max(float(np.median(contrast)), 1e-12)
    return np.where(number > 0, contrast / usual, np.nan), usual


def _duplicates(lanes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the frames that equal the one before to a hundredth of the usual change."""
    change = np.abs(np.diff(lanes, axis=1))
    known = np.isfinite(change)
    number = known.sum(axis=(0, 2))
    mean = np.where(known, change, 0).sum(axis=(0, 2)) / np.maximum(number, 1)
    usual = float(np.median(mean[number > 0])) if (number > 0).any() else 0.0
    return np.r_[False, (number > 0) & (mean <= 0.01 * usual)] if usual > 0 else np.zeros(lanes.shape[1], bool)


def _clipped(lanes: NDArray[np.float32]) -> float:
    """Return the share of samples at the largest or smallest value: clipping piles them up there."""
    values = lanes[np.isfinite(lanes)]
    if not len(values) or np.ptp(values) == 0:
        return 0.0
    return float(max((values == values.max()).mean(), (values == values.min()).mean()))
