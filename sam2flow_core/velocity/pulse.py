"""What the heartbeat does to the velocity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.velocity.records import Spectrum

_TABLE = 2_000_000
"""Frequencies times samples that are looked at together: it bounds the memory, and decides nothing."""
_NOTHING = Spectrum(np.zeros(0), np.zeros(0), float("nan"), float("nan"))


def spectrum(
    velocity: NDArray[np.float64],
    frame_rate_hz: float | None,
    settings: SeriesSettings,
    spacing: float = 1.0,
) -> Spectrum:
    """Return the power of the velocity over frequency and the pulse in it.

    Gaps need no filling: the Lomb-Scargle periodogram takes uneven samples (Lomb 1976, Scargle 1982). Where the blood
    stops now and then the stops are left out, for they drown a heartbeat or look like one; where it stops with every
    beat they are the heartbeat.

    Parameters
    ----------
    velocity : ndarray, shape (T,)
        NaN in gaps.
    frame_rate_hz : float or None
    settings : SeriesSettings
        Those of the pulse: its band, when a peak is one, and what a stop is.
    spacing : float
        Frames from one answered pair to the next: faster than half their rate nothing can be told.

    References
    ----------
    .. [1] N. R. Lomb, "Least-Squares Frequency Analysis of Unequally Spaced Data", Astrophysics and Space Science 39,
       447-462, 1976, :doi:`10.1007/BF00648343`.
    .. [2] J. D. Scargle, "Studies in Astronomical Time Series Analysis. II", Astrophysical Journal 263, 835-853, 1982,
       :doi:`10.1086/160554`.

    Examples
    --------
    Ten seconds of a heartbeat of 1.3 Hz:

    >>> velocity = 4 + np.sin(2 * np.pi * 1.3 * np.arange(1000) / 100.0)
    >>> round(spectrum(velocity, 100.0, SeriesSettings()).pulse_hz, 2)
    1.3
    """
    if frame_rate_hz is None:
        return _NOTHING
    fastest = min(2 * settings.pulse_band_hz[1], frame_rate_hz / spacing / 2)
    whole = _read(velocity, frame_rate_hz, settings, fastest)
    valid = np.isfinite(velocity)
    slow = valid & (velocity < settings.pulse_stopped * np.median(velocity[valid])) if valid.any() else valid
    near = ndimage.binary_dilation(slow, iterations=max(1, round(settings.pulse_edge_s * frame_rate_hz)))
    stops = ndimage.label(near)[1]
    if stops == 0:
        return whole
    moving = _read(np.where(near, np.nan, velocity), frame_rate_hz, settings, fastest)
    pulse = moving.pulse_hz if np.isfinite(moving.pulse_hz) else whole.pulse_hz
    return whole if stops > settings.pulse_every_beat * pulse * len(velocity) / frame_rate_hz else moving


def _read(
    velocity: NDArray[np.float64],
    frame_rate_hz: float,
    settings: SeriesSettings,
    fastest: float,
) -> Spectrum:
    band, probability = settings.pulse_band_hz, settings.pulse_probability
    valid = np.isfinite(velocity)
    if valid.sum() < 16:
        return _NOTHING
    time = np.flatnonzero(valid) / frame_rate_hz
    span = time[-1] - time[0]
    low, high = max(band[0], 1.5 / span), fastest
    if high <= low or velocity[valid].std() < 1e-9:
        return _NOTHING
    frequency = np.arange(0.5 / span, high, 1 / (settings.pulse_oversampling * span))
    values = signal.detrend(velocity[valid])
    power = _periodogram(time, values, frequency)
    sought = (frequency >= low) & (frequency <= band[1])
    if not sought.any():
        return Spectrum(frequency, power, float("nan"), float("nan"))
    even = _evened(frequency, power, settings)
    peak = int(np.flatnonzero(sought)[even[sought].argmax()])
    others = sought & (np.abs(frequency - frequency[peak]) > 1.5 / span)
    noise = float(np.median(even[others])) / np.log(2) if others.any() else float("nan")
    snr = float(even[peak] / noise) if noise > 0 else float("nan")
    trials = max((band[1] - low) * span, 1.0)
    found = 0 < peak < len(power) - 1 and trials * np.exp(-snr) < probability if np.isfinite(snr) else False
    return Spectrum(frequency, power, _top(frequency, power, peak) if found else float("nan"), snr)


def _evened(
    frequency: NDArray[np.float64], power: NDArray[np.float64], settings: SeriesSettings
) -> NDArray[np.float64]:
    """Take out of a spectrum how it falls off, as far as a power of the frequency up to the first tells it.

    What a velocity gets wrong it gets wrong slowly: the spectrum of its error falls off, and its foot in the band of
    the heartbeat can stand above the beat itself. Steeper than that the second harmonic of a beat would pass for it.
    """
    slope = np.polyfit(np.log(frequency), np.log(np.maximum(power, 1e-12 * power.max())), 1)[0]
    return np.asarray(power * frequency ** np.clip(-slope, 0, settings.pulse_steepest))


def _periodogram(
    time: NDArray[np.float64], values: NDArray[np.float64], frequency: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normalised Lomb-Scargle power, some frequencies at a time: scipy holds tables of all of them at all times."""
    parts = -(-len(frequency) * len(time) // _TABLE)
    angular = np.array_split(2 * np.pi * frequency, parts)
    return np.concatenate([signal.lombscargle(time, values, part, normalize=True) for part in angular])


def _top(frequency: NDArray[np.float64], power: NDArray[np.float64], peak: int) -> float:
    left, top, right = power[peak - 1 : peak + 2]
    return float(frequency[peak] + 0.5 * (left - right) / (left - 2 * top + right) * (frequency[1] - frequency[0]))


def extremes(velocity: NDArray[np.float64], pulse_frames: float, spacing: float = 1.0) -> tuple[float, float]:
    """Return the lowest and highest velocity of a usual beat.

    With a pulse: the medians of the extremes of its beats, so that one outlier does not make an index. Without:
    the extremes of the whole.

    Parameters
    ----------
    velocity : ndarray, shape (T,)
        Smoothed; NaN in gaps.
    pulse_frames : float
        Frames per beat; NaN without a pulse.
    spacing : float
        Frames from one answered pair to the next.

    Examples
    --------
    >>> beats = np.tile([1.0, 2.0, 3.0, 2.0], 10)
    >>> extremes(beats, pulse_frames=4.0)
    (1.0, 3.0)
    """
    if not np.isfinite(velocity).any():
        return float("nan"), float("nan")
    lows, highs = beats(velocity, pulse_frames, spacing)
    if not len(lows):
        return float(np.nanmin(velocity)), float(np.nanmax(velocity))
    return float(np.median(lows)), float(np.median(highs))


def beats(
    velocity: NDArray[np.float64], pulse_frames: float, spacing: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest velocity of each whole beat; none without a pulse, or with less than two beats.

    The parameters are those of `extremes`.

    Examples
    --------
    >>> lows, highs = beats(np.tile([1.0, 2.0, 3.0, 2.0], 3), pulse_frames=4.0)
    >>> lows.tolist(), highs.tolist()
    ([1.0, 1.0, 1.0], [3.0, 3.0, 3.0])
    """
    valid = np.isfinite(velocity)
    if not np.isfinite(pulse_frames) or valid.sum() * spacing < 2 * pulse_frames:
        return np.zeros(0), np.zeros(0)
    number = (np.arange(len(velocity)) / pulse_frames).astype(int)
    whole = [b for b in range(number[-1] + 1) if valid[number == b].sum() * spacing > 0.8 * pulse_frames]
    lows = np.array([np.nanmin(velocity[number == b]) for b in whole])
    return lows, np.array([np.nanmax(velocity[number == b]) for b in whole])


def longest_run(condition: NDArray[np.bool_], steps: NDArray[np.int64]) -> float:
    """Return how many steps the longest run of True lasts, where only some steps were looked at.

    Parameters
    ----------
    condition : ndarray of bool, shape (S,)
    steps : ndarray of int, shape (S,)
        Where the values lie in time, ascending; across more than twice the usual distance nothing goes on.

    Examples
    --------
    >>> longest_run(np.array([True, True, False, True]), np.arange(4))
    2.0
    """
    if not condition.any():
        return 0.0
    apart = np.diff(steps)
    usual = float(np.median(apart)) if len(apart) else 1.0
    parts = np.split(condition, np.flatnonzero(apart > 2 * usual) + 1)
    longest = 0
    for part in parts:
        runs, count = ndimage.label(part)
        longest = max(longest, int(np.bincount(runs)[1:].max()) if count else 0)
    return longest * usual
