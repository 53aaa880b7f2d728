"""A third opinion on the space-time diagram: the time that the pattern takes from one cross-section to another.

What passes one point of the vessel passes the next one later by distance over velocity. The brightness over time at
pairs of points is correlated, for many distances at once, and the velocity that explains all delays wins. Nothing is
filtered or cut along the vessel, so that a line of a dozen points reads as a long one does, where comparing rows reads
low; and blood that crosses the line within a frame or two still shows its delay. Cells that move more than their own
size from one frame to the next are better seen by comparing rows.

References
----------
.. [1] H. Wayland and P. C. Johnson, "Erythrocyte velocity
   measurement in microvessels by a two-slit photometric method", J Appl Physiol 22(2), 1967,
   :doi:`10.1152/jappl.1967.22.2.333`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sam2flow_core.config.velocity import TransitSettings
from sam2flow_core.velocity.correlation import follow

_FINENESS = 4  # delays are evaluated every quarter of a frame
_SHORT = 48  # frames
_AT_A_TIME = 48  # frequencies: what is read for all distances stays in the processor's cache


@dataclass(frozen=True)
class TransitVelocity:
    """Velocity by transit times.

    Attributes
    ----------
    velocity : ndarray, shape (T,)
        px per frame along the line, from each frame to the next; NaN on the last one or where nothing can be read.
    quality : float
        0 to 1: share of windows whose own best match lies on the path through all of them.
    match : float
        Mean correlation on the path, -1 to 1.
    """

    velocity: NDArray[np.float64]
    quality: float
    match: float


def transit_velocity(pattern: NDArray[np.float32], settings: TransitSettings) -> TransitVelocity:
    """Read the velocity over time from a moving pattern, shape (L, T, N).

    The whole of it says about how fast the blood is. Windows are then as long as it takes to cross the line a few
    times, and longer where that is too little to agree on; the path through them is followed as that of the rows'
    correlation is.

    References
    ----------
    .. [1] H. Wayland and P. C. Johnson, "Erythrocyte Velocity Measurement in Microvessels by a Two-Slit Photometric
       Method", J Appl Physiol 22(2), 1967, :doi:`10.1152/jappl.1967.22.2.333`.
    """
    frames, points = pattern.shape[1:]
    if frames < settings.least_frames or points < settings.least_points or not pattern.any():
        return TransitVelocity(np.full(frames, np.nan), 0.0, 0.0)
    limit = float(np.arcsinh(settings.fastest_lines * points))
    grid = np.sinh(np.arange(-limit, limit + settings.path.step, settings.path.step))
    apart = _distances(points, settings)
    # The lanes of a place beside each other, one place after the other: what lies some places on lies so much further.
    rows = np.ascontiguousarray(pattern.transpose(1, 2, 0)).reshape(frames, -1)
    lanes = len(pattern)
    whole = _scores(rows, lanes, apart, grid, frames, settings)[0]
    usual = max(abs(float(grid[whole.argmax()])), settings.slowest)
    crossing = min(apart[-1], settings.longest_px) / usual
    window = int(np.clip(settings.crossings * crossing, settings.least_window, frames))
    while True:
        score = _scores(rows, lanes, apart, grid, window, settings)
        path = follow(score, settings.path)
        best, found = grid[score.argmax(axis=1)], _between(score, grid, path)
        agrees = np.abs(best - grid[path]) <= np.maximum(0.15 * np.abs(grid[path]), settings.slowest)
        if agrees.mean() >= settings.enough_agree or 2 * window > settings.longest_window * frames:
            break
        window *= 2
    # At the end of what is sought all cross-sections change at once: a flicker, or blood too fast for this line.
    inner = np.abs(grid[path]) < 0.9 * grid[-1]
    found = np.where(inner, found, np.nan)
    centre = np.arange(len(path)) * (window / 2) + window / 2 if len(path) > 1 else np.array([frames / 2])
    velocity = np.interp(np.arange(frames) + 0.5, np.minimum(centre, frames), found)
    velocity[-1] = np.nan
    match = float(score[np.arange(len(path)), path].mean())
    quality = float((agrees & inner).mean()) if match >= settings.least_match else 0.0
    return TransitVelocity(velocity, quality, match)


def _distances(points: int, settings: TransitSettings) -> NDArray[np.int64]:
    """Distances between cross-sections, px: many short ones, and up to most of the line."""
    longest = max(settings.longest_share * points, settings.shortest_px + 1)
    return np.unique(np.geomspace(settings.shortest_px, longest, settings.distances).round().astype(np.int64))


def _scores(
    rows: NDArray[np.float32],
    lanes: int,
    apart: NDArray[np.int64],
    grid: NDArray[np.float64],
    window: int,
    settings: TransitSettings,
) -> NDArray[np.float64]:
    """Correlation in each window at each velocity, shape (W, V); windows overlap by half.

    Parameters
    ----------
    rows : ndarray, shape (T, N L)
        The pattern, its lanes side by side.
    lanes : int
    apart : ndarray of int
        Distances, px.
    grid : ndarray, shape (V,)
    window : int
        Frames.
    settings : TransitSettings
    """
    starts = np.arange(0, max(len(rows) - window, 0) + 1, max(window // 2, 1))
    size = fft.next_fast_len(2 * window, real=True)
    crossed = np.empty((len(apart), len(starts), size // 2 + 1), np.complex64)
    norm = np.empty((len(apart), len(starts)))
    for number, start in enumerate(starts):  # one after the other: a window's spectra stay in the processor's cache
        part = rows[start : start + window]
        part = part - part.mean(axis=0)
        energy = np.einsum("tn,tn->n", part, part, dtype=float)
        spectra = _spectra(part, size)
        turned = np.conj(spectra)
        for first in range(0, len(spectra), _AT_A_TIME):
            some = slice(first, first + _AT_A_TIME)
            for k, distance in enumerate(apart * lanes):
                product = turned[some, None, :-distance] @ spectra[some, distance:, None]
                crossed[k, number, some] = product[:, 0, 0]
        for k, distance in enumerate(apart * lanes):
            norm[k, number] = np.sqrt(energy[:-distance].sum() * energy[distance:].sum())
    total = np.zeros((len(starts), len(grid)))
    told = np.zeros(len(grid))
    whole = size * _FINENESS
    for cross, length, distance in zip(crossed, norm, apart, strict=True):
        covariance = fft.irfft(cross, whole, axis=1) * _FINENESS
        delay = distance / np.where(grid == 0, 1e-9, grid)
        seen = np.abs(delay) <= settings.longest_delay * window
        at = delay[seen] * _FINENESS
        low = np.floor(at).astype(int)
        share = at - low
        value = covariance.take(low % whole, axis=1) * (1 - share) + covariance.take((low + 1) % whole, axis=1) * share
        overlap = 1 - np.abs(delay[seen]) / window
        total[:, seen] += value / np.maximum(length, 1e-9)[:, None] / overlap
        told += seen
    return total / np.maximum(told, settings.least_distances)


def _spectra(part: NDArray[np.float32], size: int) -> NDArray[np.complex64]:
    """Fourier transform over time of rows (T, P), padded to `size`, shape (size // 2 + 1, P)."""
    if len(part) > _SHORT:
        return np.asarray(fft.rfft(part, size, axis=0), np.complex64)
    # Of a few frames a product of matrices is several times as fast.
    turn = np.exp(-2j * np.pi / size * np.outer(np.arange(size // 2 + 1), np.arange(len(part))))
    spectra = np.empty((size // 2 + 1, part.shape[1]), np.complex64)
    spectra.real, spectra.imag = turn.real.astype(np.float32) @ part, turn.imag.astype(np.float32) @ part
    return spectra


def _between(score: NDArray[np.float64], grid: NDArray[np.float64], path: NDArray[np.int64]) -> NDArray[np.float64]:
    """Velocity at the top of each window's score near the path."""
    found = np.empty(len(path))
    for window, step in enumerate(path):
        near = np.arange(max(step - 15, 1), min(step + 16, len(grid) - 1))
        top = int(near[score[window, near].argmax()])
        left, middle, right = score[window, top - 1 : top + 2]
        curve = left - 2 * middle + right
        move = float(np.clip(0.5 * (left - right) / curve, -1, 1)) if curve < 0 else 0.0
        found[window] = np.interp(top + move, np.arange(len(grid)), grid)
    return found
