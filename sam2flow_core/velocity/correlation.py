"""Velocity from a space-time diagram, by correlation and by the slope of its streaks.

Pairs of frames several lags apart are correlated along the vessel, summed over a time that is short against a
heartbeat and over the lanes side by side. The velocity that explains all lags at once is followed through time by
dynamic programming, so that a cell mistaken for its neighbour in one window is outvoted by the windows around it.

Only each position's mean and slow drift are removed. Removing the mean of each row would bias short vessels low.

The Radon transform in its slant-stack form (parametrised by slope, not by angle, so that fast cells whose streaks
lie nearly flat are resolved as well as slow ones): rows are shifted back by velocity x time and summed, and the
velocity with the largest power of the sum wins. After Drew et al. 2010, J Comput Neurosci 29:5 (Radon velocimetry).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from sam2flow_core.config.velocity import KymographSettings, PathSettings
from sam2flow_core.velocity.sampling import Samples

_FINENESS = 4  # correlations are evaluated every 1 / 4 px
_NEAR = 40  # steps of the grid either way within which the best match is refined


@dataclass(frozen=True)
class CorrelationVelocity:
    """Velocity over time by correlation.

    Attributes
    ----------
    velocity : ndarray, shape (T,)
        px per frame along the centreline; NaN on the last frame or where nothing can be read.
    quality : float
        0 to 1: share of windows whose own best match lies within 15 % (or 1 px) of the path.
    match : ndarray, shape (T,)
        Correlation on the path, -1 to 1: the mean over the lags, each by the part of the vessel that stays in view.
    """

    velocity: NDArray[np.float64]
    quality: float
    match: NDArray[np.float64]


def moving_pattern(samples: Samples, drift_frames: int, settings: KymographSettings) -> NDArray[np.float32]:
    """Return the samples without flicker, standing parts and slow drift, shape (L, T, N), 0 where unknown."""
    pattern = samples.lanes - _flicker(samples, settings.most_flicker)[:, None]
    known = np.isfinite(pattern)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    pattern = np.where(known, pattern, 0)
    pattern = np.where(known, pattern - pattern.sum(axis=1, keepdims=True) / count, 0).astype(np.float32)
    if pattern.shape[1] > 2 * drift_frames:
        pattern -= ndimage.uniform_filter1d(pattern, drift_frames, axis=1, mode="nearest")
    spread = pattern.std(axis=1, keepdims=True)
    # Of what stands still a rounding error is left, the same at all times: no pattern, however small its spread.
    rounding = np.finfo(np.float32).eps * np.abs(samples.lanes[known]).max(initial=0)
    floor = max(0.3 * np.median(spread) + np.finfo(np.float32).tiny, rounding)
    return np.where(known, pattern / np.maximum(spread, floor), 0).astype(np.float32)


def _flicker(samples: Samples, most: float) -> NDArray[np.float32]:
    """Return what the lamp's flicker adds to the vessel's brightness, shape (T,).

    That is the part of it that goes with the brightness of the tissue around. How bright the vessel is against the
    tissue is found by regression and not by division, so that a constant may have been added to the pixels, or the
    standing picture taken off.
    """
    around = samples.background - np.nanmean(samples.background) if np.isfinite(samples.background).any() else None
    known = np.isfinite(samples.lanes)
    number = known.sum(axis=(0, 2))
    if around is None or not number.any():
        return np.zeros(len(number), np.float32)
    inside = np.where(known, samples.lanes, 0).sum(axis=(0, 2), dtype=float) / np.maximum(number, 1)
    both = np.isfinite(around) & (number > 0)
    power = float((around[both] ** 2).sum())
    share = float((around[both] * (inside[both] - inside[both].mean())).sum()) / power if power > 0 else 0.0
    return np.asarray(np.clip(share, 0, most) * np.nan_to_num(around), np.float32)


def flanks(pattern: NDArray[np.float32], settings: KymographSettings) -> NDArray[np.float32]:
    """Return the slope of a pattern along the vessel, shape (L, T, N - 4), of equal strength at each position.

    A plasma gap longer than the vessel correlates with itself at every displacement and hides the match; its flanks do
    not. The kernel is short and the same everywhere, so that this, unlike removing the mean of each row, hardly biases
    short vessels.
    """
    slope = ndimage.gaussian_filter1d(pattern, settings.flank, axis=2, order=1, mode="nearest")[:, :, 2:-2]
    if not slope.size:
        return np.asarray(slope, np.float32)
    spread = slope.std(axis=1, keepdims=True)
    return np.asarray(slope / np.maximum(spread, 0.3 * np.median(spread) + 1e-6), np.float32)


def correlate(
    pattern: NDArray[np.float32], settings: KymographSettings, slopes: NDArray[np.float32] | None = None
) -> CorrelationVelocity:
    """Read the velocity over time from a moving pattern, shape (L, T, N).

    Of blood so slow that it moves less than a cell in all the lags, what stands still in the lumen or creeps along the
    wall pulls the broad matches of short lags towards zero. It is read again over longer ones, and those lead as long
    as their match still stands out.

    Parameters
    ----------
    pattern : ndarray, shape (L, T, N)
    settings : KymographSettings
    slopes : ndarray, shape (L, T, N - 4), optional
        Its `flanks`, where they are known.

    References
    ----------
    .. [1] P. J. Drew, P. Blinder, G. Cauwenberghs, A. Y. Shih and D. Kleinfeld, "Rapid Determination of Particle
       Velocity from Space-Time Images Using the Radon Transform", J Comput Neurosci 29, 5-11, 2010,
       :doi:`10.1007/s10827-009-0159-1`.
    """
    frames, points = pattern.shape[1:]
    if frames < 4 or points < 12 or not pattern.any():
        return CorrelationVelocity(np.full(frames, np.nan), 0.0, np.zeros(frames))
    rows = _Rows(flanks(pattern, settings) if slopes is None else slopes, settings)
    found = _correlate(rows, settings.lags, settings)
    known = np.abs(found.velocity[np.isfinite(found.velocity)])
    if not len(known) or not 0 < float(np.median(known)) * max(settings.lags) < settings.slow_px:
        return found
    # Half of the frames at the least are left to be compared; a few frames have no long lags.
    lags = tuple(lag for lag in settings.slow_lags if lag < frames // 2)
    if not lags:
        return found
    longer = _correlate(rows, lags, settings, longest_leads=True)
    stands_out = float(longer.match.mean()) >= settings.slow_match * float(found.match.mean())
    return longer if stands_out and longer.quality >= found.quality - settings.slow_quality else found


class _Rows:
    """The rows of a diagram, ready to be compared any number of frames apart.

    Parameters
    ----------
    slopes : ndarray, shape (L, T, N)
        From `flanks`.
    settings : KymographSettings

    Attributes
    ----------
    frames, points, block : int
    grid : ndarray, shape (V,)
        Velocities that are asked for, px per frame.
    """

    def __init__(self, slopes: NDArray[np.float32], settings: KymographSettings) -> None:
        self.frames, self.points = slopes.shape[1:]
        limit = min(settings.max_velocity, (1 - settings.min_overlap) * self.points)
        self.grid = np.sinh(np.arange(-np.arcsinh(limit), np.arcsinh(limit) + settings.path.step, settings.path.step))
        self.block = min(settings.block_frames, max(self.frames // 4, 1))
        self._size = fft.next_fast_len(2 * self.points, real=True)
        # The lanes of a frame beside each other, one frame after the other: a block of frames is one piece of memory.
        # They are put so before the transform, when they take half the space.
        spectra = fft.rfft(np.ascontiguousarray(slopes.transpose(2, 1, 0)), self._size, axis=0)
        self._lanes = slopes.shape[0]
        self._spectra = spectra.reshape(len(spectra), -1)
        self._turned = np.conj(self._spectra)
        self._energy = np.einsum("ltn,ltn->tn", slopes, slopes)
        self._known: NDArray[np.bool_] = np.asarray(self._energy.any(axis=1, keepdims=True))
        self._matches: dict[int, NDArray[np.float64]] = {}

    def match(self, lag: int) -> NDArray[np.float64]:
        """Return the correlation of frames `lag` apart in each window at each velocity, shape (W, V), -1 to 1."""
        if lag not in self._matches:
            self._matches[lag] = self._match(lag)
        return self._matches[lag]

    def _match(self, lag: int) -> NDArray[np.float64]:
        frames, points, energy, known = self.frames, self.points, self._energy, self._known
        windows = max(frames // self.block, 1)
        pooled = _three(self._cross(lag, windows))
        covariance = fft.irfft(pooled, self._size * _FINENESS, axis=1) * _FINENESS
        first, second = energy[: frames - lag], energy[lag:]
        if not known.all():  # frames may be missing: then their partners count for nothing
            first, second = first * known[lag:], second * known[: frames - lag]
        norm = _overlap_energy(_pool(first, windows, self.block), _pool(second, windows, self.block))
        shift = np.clip(self.grid * lag, 1 - points, points - 1)
        found = _at(covariance, shift * _FINENESS, wrap=True) / np.maximum(_at(norm, shift + points - 1), 1e-9)
        return np.clip(found, -1, 1)

    def _cross(self, lag: int, windows: int) -> NDArray[np.complex64]:
        """Cross spectra of frames `lag` apart, summed over the lanes and the frames of each block, shape (W, K)."""
        pairs = self.frames - lag
        edges = np.append(_starts(windows, self.block, pairs), pairs)
        whole = int(np.argmax(np.append(np.diff(edges) != self.block, True)))  # blocks of full length come first
        out = np.empty((windows, len(self._spectra)), np.complex64)
        apart, length = lag * self._lanes, self.block * self._lanes
        first = self._turned[:, : whole * length].reshape(len(out[0]), whole, 1, length)
        second = self._spectra[:, apart : apart + whole * length].reshape(len(out[0]), whole, length, 1)
        out[:whole] = (first @ second)[:, :, 0, 0].T
        for window in range(whole, windows):
            here = slice(edges[window] * self._lanes, max(edges[window + 1], edges[window] + 1) * self._lanes)
            there = slice(here.start + apart, here.stop + apart)
            out[window] = (self._turned[:, here] * self._spectra[:, there]).sum(axis=1)
        return out


def _correlate(
    rows: _Rows, lags: Sequence[int], settings: KymographSettings, longest_leads: bool = False
) -> CorrelationVelocity:
    frames, grid, block = rows.frames, rows.grid, rows.block
    used = np.array([lag for lag in lags if lag < frames // 2])
    match = np.stack([rows.match(int(lag)) for lag in used])
    told = np.any(match, axis=(0, 2))  # not the windows of a gap
    # Evidence counts by the part of the vessel that stays in view; a lag whose match has left view counts nothing.
    # Without the soft end the velocity at which a lag drops out would attract the path.
    reach = (1 - settings.min_overlap) * rows.points
    weight = np.sqrt(np.maximum(1 - np.abs(grid * used[:, None]) / reach, 0))
    if longest_leads:
        weight *= (used / used.mean())[:, None]
    score = np.einsum("kwv,kv->wv", match, weight) / len(used)
    path = follow(score, settings.path)
    velocity = _refine(match, weight, grid, path)
    best = grid[score.argmax(axis=1)]
    agrees = np.abs(best - grid[path]) <= np.maximum(1.0, 0.15 * np.abs(velocity))
    centre = (np.arange(len(path)) + 0.5) * block
    moments = np.arange(frames) + 0.5
    over_time = np.interp(moments, centre, velocity)
    over_time[-1] = np.nan
    found = score[np.arange(len(path)), path] * len(used) / np.maximum(weight[:, path].sum(axis=0), 1e-6)
    quality = float(agrees[told].mean()) if told.any() else 0.0
    return CorrelationVelocity(over_time, quality, np.interp(moments, centre, found))


def _starts(windows: int, block: int, rows: int) -> NDArray[np.int64]:
    """First row of each block; those that begin beyond the last one are made of that."""
    return np.minimum(np.arange(windows) * block, rows - 1)


def _pool(values: NDArray[Any], windows: int, block: int) -> NDArray[Any]:
    """Sum over windows of three blocks with the weights 1/2, 1, 1/2."""
    return _three(np.add.reduceat(values, _starts(windows, block, len(values)), axis=0))


def _three(sums: NDArray[Any]) -> NDArray[Any]:
    pooled = sums.copy()
    pooled[1:] += 0.5 * sums[:-1]
    pooled[:-1] += 0.5 * sums[1:]
    return pooled


def _overlap_energy(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return sqrt(E1 E2) of the parts that overlap, shape (W, 2 N - 1), for displacements -(N - 1) to N - 1."""
    head, tail = np.cumsum(first, axis=1), np.cumsum(first[:, ::-1], axis=1)
    head2, tail2 = np.cumsum(second, axis=1), np.cumsum(second[:, ::-1], axis=1)
    forward = np.sqrt(head[:, ::-1] * tail2[:, ::-1])  # displacement 0 .. N - 1: first's head, second's tail
    backward = np.sqrt(tail * head2)  # N - 1 .. 0
    return np.concatenate([backward[:, :-1], forward], axis=1).astype(float)


def _at(table: NDArray[Any], position: NDArray[np.float64], wrap: bool = False) -> NDArray[np.float64]:
    """Interpolate the columns of `table` linearly at `position`; with `wrap` the columns are a circle."""
    low = np.floor(position).astype(int)
    share = position - low
    high = low + 1
    if wrap:
        low, high = low % table.shape[1], high % table.shape[1]
    else:
        low, high = np.clip(low, 0, table.shape[1] - 1), np.clip(high, 0, table.shape[1] - 1)
    return np.asarray(table.take(low, axis=1) * (1 - share) + table.take(high, axis=1) * share, float)


def follow(score: NDArray[np.float64], settings: PathSettings) -> NDArray[np.int64]:
    """Return the path of largest score through the windows, shape (W,), as indices into the velocity grid.

    References
    ----------
    .. [1] A. J. Viterbi, "Error Bounds for Convolutional Codes and an Asymptotically Optimum Decoding Algorithm", IEEE
       Transactions on Information Theory 13(2), 260-269, 1967, :doi:`10.1109/TIT.1967.1054010`.

    Examples
    --------
    >>> score = np.zeros((3, 5))
    >>> score[[0, 1, 2], [1, 2, 3]] = 1.0
    >>> follow(score, PathSettings(penalty=0.2))
    array([1, 2, 3])
    """
    reach, penalty = settings.reach, settings.penalty
    steps = np.arange(-reach, reach + 1)
    cost = penalty * np.abs(steps) * settings.step
    slope = penalty * settings.step * np.arange(score.shape[1])
    best = np.empty_like(score)
    best[0] = score[0]
    # Going on costs in proportion to the distance: the best of all ways is a running maximum from either side.
    for window in range(1, len(score)):
        before = best[window - 1]
        below = _running_maximum(before + slope, -reach) - slope
        above = _running_maximum(before - slope, reach) + slope
        best[window] = score[window] + np.maximum(below, above)
    path = np.zeros(len(score), np.int64)
    path[-1] = best[-1].argmax()
    for window in range(len(score) - 1, 0, -1):
        step = path[window]
        near = np.arange(max(step - reach, 0), min(step + reach + 1, score.shape[1]))
        path[window - 1] = near[(best[window - 1, near] - cost[near - step + reach]).argmax()]
    return path


def _running_maximum(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Largest of each value and the `reach` after it, or before it where that is negative."""
    size = abs(reach) + 1
    origin = -(size // 2) if reach > 0 else (size - 1) // 2
    return np.asarray(ndimage.maximum_filter1d(values, size, mode="constant", cval=-np.inf, origin=origin))


def _refine(
    match: NDArray[np.float64], weight: NDArray[np.float64], grid: NDArray[np.float64], path: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the velocity at the top of the matches near the path, shape (W,).

    Here the weights of the lags are held at their values on the path: a weight that falls with the displacement
    would pull the top of a broad match towards standing still.
    """
    velocity = np.empty(len(path))
    for window, step in enumerate(path):
        near = np.arange(max(step - _NEAR, 0), min(step + _NEAR + 1, len(grid)))
        score = weight[:, step] @ match[:, window, near]
        top = int(score.argmax())
        if 0 < top < len(near) - 1:
            left, middle, right = score[top - 1 : top + 2]
            curve = left - 2 * middle + right
            move = 0.5 * (left - right) / curve if curve < 0 else 0.0
            velocity[window] = np.interp(near[top] + move, np.arange(len(grid)), grid)
        else:
            velocity[window] = grid[step]
    return velocity


def stack_velocity(
    pattern: NDArray[np.float32], settings: KymographSettings, slopes: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Return the velocity over time, px per frame, shape (T,), from a moving pattern, shape (L, T, N).

    `slopes` (L, T, N - 4) are its `flanks`, where they are known.
    """
    frames = pattern.shape[1]
    if frames < 6 or pattern.shape[2] < 12 or not pattern.any():
        return np.full(frames, np.nan)
    slopes = flanks(pattern, settings) if slopes is None else slopes
    points = slopes.shape[2]
    window = min(settings.slant_window, frames)
    limit = min(settings.max_velocity, 0.5 * points)
    step = settings.slant_step
    grid = np.sinh(np.arange(-np.arcsinh(limit), np.arcsinh(limit) + step, step))
    starts = np.arange(0, frames - window + 1, max(window // 2, 1))
    size = fft.next_fast_len(points + int(limit) * 2, real=True)
    waves = np.arange(1, size // 6)  # streaks are a few pixels wide: beyond this there is only noise
    spectra = fft.rfft(np.ascontiguousarray(slopes.transpose(2, 0, 1)), size, axis=0)[waves]
    taper = np.hanning(window + 2)[1:-1].astype(np.float32)
    tiles = np.stack([spectra[:, :, s : s + window] for s in starts], axis=1) * taper
    # The power of a sum of shifted rows is a sum over the rows' autocorrelation in time, which no velocity changes.
    over_time = fft.fft(tiles, fft.next_fast_len(2 * window), axis=3)
    power_of_time = (over_time.real**2 + over_time.imag**2).sum(axis=2)
    auto = fft.ifft(power_of_time, axis=2)[:, :, :window]
    auto[:, :, 1:] *= 2
    phase = (2 * np.pi / size) * waves[:, None, None] * np.arange(window)[:, None] * grid
    power = np.matmul(auto.real, np.cos(phase).astype(np.float32)).sum(axis=0)
    power -= np.matmul(auto.imag, np.sin(phase).astype(np.float32)).sum(axis=0)
    best = grid[power.argmax(axis=1)]
    if len(best) > 2:
        best = ndimage.median_filter(best, 3, mode="nearest")
    velocity: NDArray[np.float64] = np.interp(np.arange(frames) + 0.5, starts + window / 2, best)
    velocity[-1] = np.nan
    return velocity
