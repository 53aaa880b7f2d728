"""Figures of a vessel over the whole run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.velocity.pulse import extremes, longest_run
from sam2flow_core.velocity.records import Series, SpaceTime, Statistics
from sam2flow_core.velocity.uncertainty import Z95, calibration_error, mean_standard_error

_NAN = float("nan")


def summarise(
    series: Series,
    diagram: SpaceTime,
    scale: NDArray[np.float64],
    evenly: NDArray[np.float64],
    pulse_hz: float,
    frame_rate_hz: float | None,
    lost_share: float,
    settings: VelocitySettings,
    gain: float = 1.0,
) -> Statistics:
    """Reduce the series to the figures of `summary.csv`, in px per frame.

    Parameters
    ----------
    series : Series
    diagram : SpaceTime
    scale : ndarray, shape (T - 1,)
        The model's expected error, lumen mean, px.
    evenly : ndarray
        The velocity of the series, evenly in time.
    pulse_hz : float
        NaN without a pulse.
    frame_rate_hz : float or None
    lost_share : float
        Share of the frames that are repeated or missing, of those there should be.
    settings : VelocitySettings
    gain : float
        What the flow was multiplied by to be the velocity of the series.
    """
    velocity = series.velocity
    valid = np.isfinite(velocity)
    asked = np.flatnonzero(series.asked[:-1])
    spacing = series.spacing
    view, (kymograph, difference, difference_px) = _confirming(series, diagram, settings)
    if not valid.any():
        return Statistics(kymograph_mean=kymograph, lost_share=lost_share)
    mean = float(velocity[valid].mean())
    beat = frame_rate_hz / pulse_hz if frame_rate_hz and np.isfinite(pulse_hz) else _NAN
    second_view = view if np.isfinite(difference) else velocity
    first_view = gain * series.centre if np.isfinite(difference) else np.where(valid, series.raw, np.nan)
    difference_px += (gain - 1) * (kymograph + difference_px)  # what is left of it
    error = mean_standard_error(
        first_view - second_view, series.standard_error, difference_px, kymograph, settings.series, spacing
    )
    error = float(np.hypot(error, settings.series.flow_bias * mean))
    if frame_rate_hz:  # um/s inherit the error of the calibration
        error = float(np.hypot(error, calibration_error(settings.series) * mean))
    lowest, highest = extremes(evenly, beat, spacing)
    still = valid & (np.abs(velocity) < settings.series.stasis_px_frame)
    back = valid & (velocity < -settings.series.stasis_px_frame)
    return Statistics(
        valid_share=float(valid.sum() / max(len(asked), 1)),
        mean=mean,
        median=float(np.median(velocity[valid])),
        sd=float(velocity[valid].std()),
        low=mean - Z95 * error,
        high=mean + Z95 * error,
        minimum=lowest,
        maximum=highest,
        pulsatility=(highest - lowest) / mean if mean > settings.series.stasis_px_frame else _NAN,
        resistivity=(highest - lowest) / highest if highest > settings.series.stasis_px_frame else _NAN,
        reversal_share=float(back.sum() / valid.sum()),
        stasis_frames=float(still.sum()) * spacing,
        longest_stasis_frames=longest_run(still[asked], asked),
        kymograph_mean=kymograph,
        method_difference=difference,
        lost_share=lost_share,
        relative_scale=float(np.nanmean(scale) / max(abs(mean), settings.flags.floor_px_frame)),
    )


def with_interval(statistics: Statistics, gain: float) -> Statistics:
    """Return statistics whose 95 % interval is so many times as wide."""
    mean = statistics.mean
    return replace(statistics, low=mean + gain * (statistics.low - mean), high=mean + gain * (statistics.high - mean))


def _confirming(
    series: Series, diagram: SpaceTime, settings: VelocitySettings
) -> tuple[NDArray[np.float64], tuple[float, float, float]]:
    """Return the reading of the diagram that the flow is compared with, and what `_compare` makes of it.

    That is the comparison of rows; transit times where rows cannot be read, or where they alone contradict.
    """
    rows = _compare(series, diagram.velocity, diagram.quality >= settings.flags.min_kymograph_quality, settings)
    other = _compare(series, diagram.transit, diagram.transit_quality >= settings.transit.readable, settings)
    outvoted = abs(rows[1]) > settings.trust.agreement >= abs(other[1])
    if np.isfinite(other[1]) and (not np.isfinite(rows[1]) or outvoted):
        return diagram.transit, other
    return diagram.velocity, rows


def _compare(
    series: Series, view: NDArray[np.float64], readable: bool, settings: VelocitySettings
) -> tuple[float, float, float]:
    """Return a reading's mean, and how far the flow in the same band is from it: share of 1 and px per frame.

    Both are taken over the frames that both answer. NaN where the diagram cannot be read.
    """
    if not readable or not np.isfinite(view).any():
        return _NAN, _NAN, _NAN
    both = np.isfinite(series.centre) & np.isfinite(view)
    if not both.any():
        return float(np.nanmean(view)), _NAN, _NAN
    kymograph = float(view[both].mean())
    difference = float(series.centre[both].mean()) - kymograph
    return kymograph, difference / max(abs(kymograph), settings.flags.floor_px_frame), difference
