"""Velocity of the lumen frame by frame, which frames to reject, and how it goes across and along the vessel.

What flows in at one end of an unbranched vessel flows out at the other. Where part of
a mask runs against the rest, the mask holds two vessels, or the flow is wrong there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.velocity.diameter import Lumen, ProjectedFlow, blocks, project
from sam2flow_core.velocity.records import CrossProfile


@dataclass(frozen=True)
class LumenSeries:
    """Statistics over the lumen pixels; arrays of shape (T - 1,), NaN where no pixel has a flow.

    Attributes
    ----------
    mean : ndarray
        px per frame along the arrow: median along each of several lanes, averaged over the lanes by their area. A
        patch of wrong flow moves it less than it moves the plain mean, and shear across the vessel does not.
    centre : ndarray
        The same over the band of the space-time diagram.
    p10, p90, scale : ndarray
        Percentiles of the velocity, mean of the model's expected error; px per frame.
    pixels : ndarray of int
    across : ndarray, shape (T - 1, B)
        Mean of each of the B parts of the width.
    lengthwise : ndarray of float32, shape (T - 1, N)
        Mean at each point of the centreline.
    """

    mean: NDArray[np.float64]
    centre: NDArray[np.float64]
    p10: NDArray[np.float64]
    p90: NDArray[np.float64]
    scale: NDArray[np.float64]
    pixels: NDArray[np.int64]
    across: NDArray[np.float64]
    lengthwise: NDArray[np.float32]

    def reversed(self) -> LumenSeries:
        """Return what the same flow gives along the arrow turned round."""
        return replace(
            self,
            mean=-self.mean,
            centre=-self.centre,
            p10=-self.p90,
            p90=-self.p10,
            across=-self.across[:, ::-1],
            lengthwise=-self.lengthwise[:, ::-1],
        )


def lumen_series(track: VesselTrack, lumen: Lumen, points: int, band: float, settings: SeriesSettings) -> LumenSeries:
    """Reduce the flow of a vessel to one row per step, reading each that was asked for once and some at a time.

    Parameters
    ----------
    track : VesselTrack
    lumen : Lumen
    points : int
        Of the centreline.
    band : float
        Half width of the band of `LumenSeries.centre` as a share of the radius.
    settings : SeriesSettings
    """
    places = _Places.of(lumen, points, band, settings)
    asked = np.flatnonzero(track.asked_steps)
    # Of the others nothing is known: there is nothing to read.
    parts = [_reduce(project(track, lumen, asked[block]), places) for block in blocks(len(asked), len(lumen.index))]
    parts = parts or [_reduce(project(track, lumen, slice(0, 0)), places)]
    joined = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(LumenSeries)}
    return LumenSeries(**{name: _at_steps(values, asked, track.flow.shape[0]) for name, values in joined.items()})


def _at_steps(values: NDArray[Any], steps: NDArray[np.int64], count: int) -> NDArray[Any]:
    """Put rows of some steps where they belong among all of them; the others hold nothing: 0, or NaN."""
    if len(steps) == count:
        return values
    out = np.full((count, *values.shape[1:]), 0 if values.dtype.kind == "i" else np.nan, values.dtype)
    out[steps] = values
    return out


@dataclass(frozen=True)
class _Places:
    """Which pixels of a lumen are put together: the same for all frames.

    Attributes
    ----------
    lane, bin : ndarray of float32, shape (P, lanes) and (P, B)
        1 where a pixel lies in a lane, in a part of the width.
    quantiles : list of ndarray of int
        Pixels of each lane, of the band of the space-time diagram and of the whole that quantiles are taken of.
    begin, station : ndarray of int, shape (S,)
        Where the pixels of each point of the centreline begin, and which point that is.
    points : int
    """

    lane: NDArray[np.float32]
    bin: NDArray[np.float32]
    quantiles: tuple[NDArray[np.int64], ...]
    begin: NDArray[np.int64]
    station: NDArray[np.int64]
    points: int

    @classmethod
    def of(cls, lumen: Lumen, points: int, band: float, settings: SeriesSettings) -> _Places:
        lanes = np.digitize(lumen.across, np.linspace(-1, 1, settings.lanes + 1)[1:-1])
        groups = [lanes == lane for lane in range(settings.lanes)]
        groups += [np.abs(lumen.across) <= band, np.ones(len(lanes), bool)]
        begin = np.flatnonzero(np.diff(lumen.station, prepend=-1))  # pixels lie in the order of their stations
        return cls(
            (lanes[:, None] == np.arange(settings.lanes)).astype(np.float32),
            (_bins_across(lumen, settings.profile_bins)[:, None] == np.arange(settings.profile_bins)).astype(
                np.float32
            ),
            tuple(_some(np.flatnonzero(group), settings.quantile_pixels) for group in groups),
            begin,
            lumen.station[begin],
            points,
        )


def _reduce(flow: ProjectedFlow, places: _Places) -> LumenSeries:
    known = np.isfinite(flow.along)
    along = np.where(known, flow.along, 0)
    counted = known.astype(np.float32)
    # Sums over groups of pixels as products of matrices.
    by_lane, by_bin = counted @ places.lane, (counted @ places.bin).astype(float)
    *lanes, band, everything = (flow.along[:, columns] for columns in places.quantiles)
    total = np.zeros(len(along))
    for number, values in zip(by_lane.T, lanes, strict=True):
        total += np.where(number > 0, number * np.nan_to_num(row_quantile(values, (0.5,))[0]), 0)
    low, high = row_quantile(everything, (0.1, 0.9))
    pixels, weight = known.sum(axis=1), by_lane.sum(axis=1, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return LumenSeries(
            mean=np.where(weight > 0, total / weight, np.nan),
            centre=row_quantile(band, (0.5,))[0],
            p10=low,
            p90=high,
            scale=np.nansum(flow.scale, axis=1) / pixels,
            pixels=pixels,
            across=np.where(by_bin > 0, (along @ places.bin) / np.maximum(by_bin, 1), np.nan),
            lengthwise=_lengthwise(along, known, places),
        )


def _lengthwise(along: NDArray[np.float32], known: NDArray[np.bool_], places: _Places) -> NDArray[np.float32]:
    means = np.full((len(along), places.points), np.nan, np.float32)
    if not len(places.begin):
        return means
    number = np.add.reduceat(known, places.begin, axis=1, dtype=np.float32)
    total = np.add.reduceat(along, places.begin, axis=1)
    means[:, places.station] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return means


def _some(columns: NDArray[np.int64], enough: int) -> NDArray[np.int64]:
    """Every n-th of pixels, if they are more than ``enough``: neighbouring pixels of a flow field say the same."""
    return columns[:: max(len(columns) // enough, 1)]


def _bins_across(lumen: Lumen, bins: int) -> NDArray[np.int64]:
    """Return in which of the parts of the width each pixel lies; -1 and `bins` are outside."""
    return np.asarray(np.digitize(lumen.across, np.linspace(-1.0, 1.0, bins + 1)) - 1)


def row_quantile(values: NDArray[np.float32], shares: tuple[float, ...]) -> list[NDArray[np.float64]]:
    """Return quantiles of each row without its NaNs, many times faster than `numpy.nanquantile`."""
    if values.shape[1] == 0:
        return [np.full(len(values), np.nan) for _ in shares]
    number = np.isfinite(values).sum(axis=1)
    ordered = np.sort(values, axis=1)  # NaNs last
    rows = np.arange(len(values))
    found = []
    for share in shares:
        position = share * np.maximum(number - 1, 0)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, np.maximum(number - 1, 0))
        part = position - low
        found.append(np.where(number > 0, ordered[rows, low] * (1 - part) + ordered[rows, high] * part, np.nan))
    return found


def rejected_steps(
    series: LumenSeries,
    track: VesselTrack,
    unsteady: NDArray[np.bool_],
    lost: NDArray[np.bool_],
    settings: SeriesSettings,
) -> dict[str, NDArray[np.bool_]]:
    """Return why steps are not used: one array of shape (T - 1,) for each reason.

    Steps whose flow was not asked for have the reason "not asked" alone; the others are compared with each other.

    Parameters
    ----------
    series : LumenSeries
    track : VesselTrack
    unsteady : ndarray of bool, shape (T - 1,)
        Steps to a frame that repeats the one before, or across missing ones.
    lost : ndarray of bool, shape (T,)
        Frames in which the vessel is out of sight.
    settings : SeriesSettings
    """
    usual = np.median(series.pixels[series.pixels > 0]) if (series.pixels > 0).any() else 1
    motion = np.hypot(*np.diff(track.shifts, axis=0).T)
    asked = track.asked_steps
    doubled, outlier = np.zeros(len(asked), bool), np.zeros(len(asked), bool)
    doubled[asked] = _doubled(series.mean[asked])
    outlier[asked] = _outliers(series.mean[asked], settings.outlier_sigmas)
    return {
        "gap": asked & (~np.isfinite(series.mean) | (series.pixels < settings.min_valid_share * usual)),
        "lost": lost[:-1] | lost[1:],
        "motion": motion > settings.max_motion_px,
        "dropped": unsteady | doubled,
        "outlier": outlier,
        "not asked": ~asked,
    }


def _outliers(velocity: NDArray[np.float64], sigmas: float) -> NDArray[np.bool_]:
    """Return the steps far from the median of the eleven around them, in units of the usual distance."""
    filled = _bridge(velocity)
    distance = np.abs(filled - ndimage.median_filter(filled, 11, mode="nearest"))
    usual = 1.4826 * np.median(distance) if len(distance) else 0.0
    floor = 0.3 + 0.1 * np.abs(filled)  # the floor of matching: a quiet series rejects nothing for a tenth of a pixel
    return np.asarray(distance > sigmas * np.maximum(usual, floor / 3), bool)


def _doubled(velocity: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the single steps about twice as long as both neighbours: a frame is missing from the file."""
    filled = _bridge(velocity)
    if len(filled) < 5:
        return np.zeros(len(filled), bool)
    around = np.pad(filled, 2, mode="edge")
    neighbours = np.median(np.stack([around[:-4], around[1:-3], around[3:-1], around[4:]]), axis=0)
    ratio = np.abs(filled) / np.maximum(np.abs(neighbours), 1.0)
    alone = np.maximum(np.abs(around[1:-3]), np.abs(around[3:-1])) < 1.4 * np.maximum(np.abs(neighbours), 1.0)
    return (ratio > 1.7) & (ratio < 3.5) & alone & (np.abs(neighbours) > 1.0)


def _bridge(velocity: NDArray[np.float64]) -> NDArray[np.float64]:
    valid = np.isfinite(velocity)
    if not valid.any():
        return np.zeros(len(velocity))
    steps = np.arange(len(velocity))
    return np.interp(steps, steps[valid], velocity[valid])


def smooth_series(velocity: NDArray[np.float64], sigma_frames: float) -> NDArray[np.float64]:
    """Smooth over time by a Gaussian; gaps stay gaps and lend nothing to their neighbours.

    Examples
    --------
    >>> smooth_series(np.array([1.0, np.nan, 1.0]), sigma_frames=1.0)
    array([ 1., nan,  1.])
    """
    valid = np.isfinite(velocity)
    if sigma_frames <= 0 or not valid.any():
        return velocity.copy()
    weight = ndimage.gaussian_filter1d(valid.astype(float), sigma_frames, mode="constant")
    total = ndimage.gaussian_filter1d(np.where(valid, velocity, 0), sigma_frames, mode="constant")
    return np.where(valid, total / np.maximum(weight, 1e-9), np.nan)


def cross_profile(series: LumenSeries, lumen: Lumen, used: NDArray[np.bool_], settings: SeriesSettings) -> CrossProfile:
    """Average the flow over time and length and fit ``v(r) = v0 (1 - a |r / R|^n)``.

    Parameters
    ----------
    series : LumenSeries
    lumen : Lumen
    used : ndarray of bool, shape (T - 1,)
        Frames to average.
    settings : SeriesSettings

    Returns
    -------
    CrossProfile
        ``ratio`` is the centre velocity over the mean of a round cross-section,
        ``1 / (1 - 2 a / (n + 2))``: 2 for a parabola, 1 for a plug.
    """
    which = _bins_across(lumen, settings.profile_bins)
    position, velocity, spread = [], [], []
    for k in range(settings.profile_bins):
        inside = which == k
        values = series.across[used, k]
        values = values[np.isfinite(values)]
        if inside.sum() < settings.profile_pixels or not len(values):
            continue
        position.append(float(lumen.across[inside].mean()))
        velocity.append(float(values.mean()))
        spread.append(float(values.std()))
    place, mean, sd = np.array(position), np.array(velocity), np.array(spread)
    centre, blunting, exponent = _fit(place, mean)
    ratio = 1 / (1 - 2 * blunting / (exponent + 2)) if np.isfinite(blunting) else float("nan")
    return CrossProfile(place, mean, sd, centre, blunting, exponent, ratio)


def _fit(position: NDArray[np.float64], velocity: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return v0, a, n; NaN where fewer than five places or no forward flow make a fit meaningless."""
    nothing = (float("nan"),) * 3
    if len(position) < 5 or velocity.max() <= 0:
        return nothing
    top = float(velocity.max())

    def misfit(p: NDArray[np.float64]) -> NDArray[np.float64]:
        result: NDArray[np.float64] = (p[0] * (1 - p[1] * np.abs(position) ** p[2]) - velocity) / top
        return result

    fit = least_squares(misfit, [top, 0.8, 2.5], bounds=([0, 0, 1.5], [2 * top, 1, 12]), loss="soft_l1", f_scale=0.1)
    if not fit.success or np.sqrt(np.mean(fit.fun**2)) > 0.3:
        return nothing
    return float(fit.x[0]), float(fit.x[1]), float(fit.x[2])


def opposed_share(lengthwise: NDArray[np.float32], floor_px_frame: float) -> float:
    """Share of a vessel's length whose mean flow runs against the arrow.

    Parameters
    ----------
    lengthwise : ndarray, shape (S, N)
        Flow at each point of the centreline in some of the steps, from `LumenSeries`.
    floor_px_frame : float
        Speeds below this have no direction.

    Returns
    -------
    float
        0 to 1, of the length that moves at all; 0 where nothing does.
    """
    known = np.isfinite(lengthwise)
    mean = np.where(known, lengthwise, 0).sum(axis=0, dtype=float) / np.maximum(known.sum(axis=0), 1)
    moving = np.abs(mean) > floor_px_frame
    return float((mean[moving] < 0).mean()) if moving.any() else 0.0
