"""Figures of a vessel over the whole run, and how wrong velocities may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sam2flow_core.config.flags import GRADES
from sam2flow_core.config.velocity import SeriesSettings, TrustSettings, VelocitySettings
from sam2flow_core.velocity.pulse import beats, extremes, longest_run
from sam2flow_core.velocity.records import Series, SpaceTime, Statistics

Z95 = 1.96


def frame_standard_error(
    scale: NDArray[np.float64], round_trip: NDArray[np.float32], length_px: float, settings: SeriesSettings
) -> NDArray[np.float64]:
    """Return the standard error of each frame's lumen mean, px per frame, shape (T - 1,).

    The model's own doubt and the forward-backward error are added: each sees errors that the other does not. They are
    alike over `error_length_px` along the vessel: a vessel holds that many independent ones, however many pixels it
    has.

    Parameters
    ----------
    scale : ndarray, shape (T - 1,)
        The model's expected absolute error, lumen mean, px per frame.
    round_trip : ndarray, shape (T - 1,)
        Forward-backward error in px, NaN where it was not checked: there it is taken from the checks around.
    length_px : float
        Of the vessel.
    settings : SeriesSettings
    """
    independent = max(length_px / settings.error_length_px, 1.0)
    checked = np.flatnonzero(np.isfinite(round_trip))
    if len(checked):
        back = np.interp(np.arange(len(scale)), checked, round_trip[checked])
    else:
        back = settings.usual_round_trip * scale
    result: NDArray[np.float64] = (settings.scale_gain * scale + settings.round_trip_gain * back) / np.sqrt(independent)
    return result


def block_bootstrap(velocity: NDArray[np.float64], block: int, samples: int, generator: np.random.Generator) -> float:
    """Return the standard error of the mean over time by the moving-block bootstrap (Kunsch 1989), px per frame.

    Parameters
    ----------
    velocity : ndarray, shape (T,)
        NaN in gaps.
    block : int
        Frames; at least a heartbeat, since frames are autocorrelated.

    References
    ----------
    .. [1] H. R. Kunsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics
       17(3), 1217-1241, 1989, :doi:`10.1214/aos/1176347265`.

    Examples
    --------
    >>> block_bootstrap(np.full(100, 3.0), block=8, samples=50, generator=np.random.default_rng(0))
    0.0
    """
    values = velocity[np.isfinite(velocity)]
    block = int(np.clip(block, 1, max(len(values) // 3, 1)))
    if len(values) < 4:
        return float("nan")
    sums = np.convolve(values, np.ones(block), mode="valid")
    number = max(len(values) // block, 1)
    starts = generator.integers(0, len(sums), size=(samples, number))
    return float((sums[starts].sum(axis=1) / (number * block)).std())


def mean_standard_error(
    error_series: NDArray[np.float64],
    frame_error: NDArray[np.float64],
    method_difference_px: float,
    kymograph_px: float,
    settings: SeriesSettings,
    spacing: float = 1.0,
) -> float:
    """Return the standard error of the mean velocity over the recorded frames, px per frame, without calibration.

    In quadrature: the block bootstrap over time of what is error and not heartbeat, the error of the frames, and half
    the distance to the space-time diagram, where there is one. Measured against truth, what the model gets wrong in a
    vessel it gets wrong in every frame: its scale does not shrink with the length of the recording. The heartbeat
    itself is no error: the interval speaks of this recording, not of the next one.

    The diagram shares no code with the flow. Where it can be read and agrees, the flow is hardly further from the truth
    than the two are from each other and the diagram is by itself, whatever the model fears: the two variances are
    combined as those of independent measurements.

    Parameters
    ----------
    error_series : ndarray, shape (T,)
        Flow less a second view of the same velocity: the space-time diagram or, without one, the smoothed flow.
    frame_error : ndarray, shape (T,)
        From `frame_standard_error`; NaN in gaps.
    method_difference_px : float
        px per frame; NaN where the diagram says nothing.
    kymograph_px : float
        Mean velocity by the diagram, px per frame.
    settings : SeriesSettings
    spacing : float
        Frames from one answered pair to the next.
    """
    if np.isfinite(frame_error).sum() < 4:
        return float("nan")
    block = max(round(settings.error_frames / spacing), 1)
    generator = np.random.default_rng(settings.seed)
    sampling = np.nan_to_num(block_bootstrap(error_series, block, settings.bootstrap_samples, generator))
    return float(np.hypot(sampling, lasting_error(frame_error, method_difference_px, kymograph_px, settings)))


def lasting_error(
    frame_error: NDArray[np.float64], method_difference_px: float, kymograph_px: float, settings: SeriesSettings
) -> float:
    """Return the part of `mean_standard_error`, whose parameters these are, that no number of frames takes away."""
    if not np.isfinite(frame_error).any():
        return float("nan")
    model = float(np.sqrt(np.nanmean(frame_error**2)))
    if not np.isfinite(method_difference_px):
        return model
    diagram = float(np.hypot(settings.diagram_error * kymograph_px, method_difference_px))
    model *= diagram / max(float(np.hypot(model, diagram)), 1e-12)
    return float(np.hypot(model, 0.5 * method_difference_px))


def calibration_error(settings: SeriesSettings) -> float:
    """Return the relative standard error of um/s per px per frame.

    Examples
    --------
    >>> round(calibration_error(SeriesSettings()), 4)
    0.0102
    """
    return float(np.hypot(settings.pixel_size_error, settings.frame_rate_error))


_NAN = float("nan")


def summarise(
    series: Series,
    diagram: SpaceTime,
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
    lasting = lasting_error(series.standard_error, difference_px, kymograph, settings.series)
    error = float(np.hypot(error, settings.series.flow_bias * mean))
    if frame_rate_hz:  # um/s inherit the error of the calibration
        error = float(np.hypot(error, calibration_error(settings.series) * mean))
    lowest, highest = extremes(evenly, beat, spacing)
    lows, highs = beats(evenly, beat, spacing)
    moves = mean > settings.series.stasis_px_frame
    # Without beats the extremes are those of errors as well: no index is made of them.
    index = (highest - lowest) / mean if len(lows) and moves else _NAN
    half = _half_width((highs - lows) / mean) if moves else _NAN
    still = valid & (np.abs(velocity) < settings.series.stasis_px_frame)
    back = valid & (velocity < -settings.series.stasis_px_frame)
    stasis = float(still.sum()) * spacing
    return Statistics(
        valid_share=float(valid.sum() / max(len(asked), 1)),
        mean=mean,
        median=float(np.median(velocity[valid])),
        sd=float(velocity[valid].std()),
        low=mean - Z95 * error,
        high=mean + Z95 * error,
        minimum=lowest,
        maximum=highest,
        pulsatility=index,
        pulsatility_low=max(index - half, 0.0) if np.isfinite(half) else _NAN,
        pulsatility_high=index + half,
        resistivity=(highest - lowest) / highest if len(lows) and highest > settings.series.stasis_px_frame else _NAN,
        reversal_share=float(back.sum() / valid.sum()),
        stasis_frames=stasis,
        # Answers stand for the usual time between them here and for the mean time there: no stop outlasts all of them.
        longest_stasis_frames=min(longest_run(still[asked], asked), stasis),
        kymograph_mean=kymograph,
        method_difference=difference,
        lost_share=lost_share,
        lasting_error=lasting / max(abs(mean), settings.flags.floor_px_frame),
    )


def _half_width(values: NDArray[np.float64]) -> float:
    """Half width of the 95 % interval of a median over beats, by their scatter; NaN with fewer than three."""
    if len(values) < 3:
        return _NAN
    error = np.sqrt(np.pi / 2) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return float(special.stdtrit(len(values) - 1, 0.975) * error)


def with_interval(statistics: Statistics, grade: str, settings: TrustSettings) -> Statistics:
    """Return statistics whose 95 % interval is as wide as velocities of a grade need it, and blank for unusable ones.

    Of those anything may be true: an interval that held as often would be a hundred times as wide as the velocity.
    """
    mean, gains = statistics.mean, dict(zip(GRADES, settings.interval_gain, strict=False))
    gain = gains.get(grade, _NAN)
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
