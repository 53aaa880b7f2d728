"""All that is read from the space-time diagram of one vessel, cells among it, in a span that fits in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

from sam2flow_core.config.velocity import CellCountSettings, KymographSettings, VelocitySettings
from sam2flow_core.velocity.correlation import correlate, flanks, moving_pattern, stack_velocity
from sam2flow_core.velocity.records import CellCount, SpaceTime
from sam2flow_core.velocity.sampling import Samples
from sam2flow_core.velocity.stretches import StretchTable, no_stretches, stretch_table
from sam2flow_core.velocity.transit import transit_velocity

_NAN = float("nan")


def pattern_noise(pattern: NDArray[np.float32]) -> float:
    """Return the standard deviation of the pattern over that of the noise.

    Noise of neighbouring samples is independent to within the bilinear interpolation, cells are several samples
    wide: the autocorrelation at zero, predicted from the samples two to four apart, splits the two.
    """
    if pattern.shape[2] < 8:
        return float("nan")
    variance = float((pattern**2).mean())
    lag = [float((pattern[:, :, :-k] * pattern[:, :, k:]).mean()) for k in (2, 3, 4)]
    moving = min(max(lag[0] + (lag[0] - lag[1]) * 2 / 2, 0.0), variance)
    noise = max(variance - moving, 1e-3 * variance)  # finer than this the prediction cannot be
    return float(np.sqrt(moving / noise)) if variance > 0 else 0.0


def repeat_distance(pattern: NDArray[np.float32]) -> tuple[float, float]:
    """Return the distance in px at which the cells repeat along the vessel, and the correlation there.

    ``(nan, 0)`` where the autocorrelation has no second peak.
    """
    points = pattern.shape[2]
    if points < 16 or not pattern.any():
        return float("nan"), 0.0
    size = fft.next_fast_len(2 * points, real=True)
    power = (np.abs(fft.rfft(pattern, size, axis=2)) ** 2).mean(axis=(0, 1), dtype=float)
    overlap = np.arange(points, 0, -1)
    auto = fft.irfft(power, size)[:points] / overlap
    auto = ndimage.gaussian_filter1d(auto[: points * 2 // 3], 1.0)
    # Slow brightness along the vessel would lift every peak: what counts is the rise from the trough before.
    peaks, found = signal.find_peaks(auto[2:], prominence=0.02 * auto[0])
    if not len(peaks):
        return float("nan"), 0.0
    prominence = found["prominences"]
    best = int(np.argmax(prominence >= 0.5 * prominence.max()))  # the first: a regular train repeats at every multiple
    return float(peaks[best] + 2), float(np.clip(auto[peaks[best] + 2] / auto[0], 0, 1))


def count_cells(pattern: NDArray[np.float32], velocity: NDArray[np.float64], settings: CellCountSettings) -> CellCount:
    """Count the cells that pass, from the diagram moved along with them.

    Each sample is put where its cell is in a frame of reference that moves with the cells; what many frames put at
    one place is averaged. The upstream and the downstream half of the vessel see the same cells at different times:
    unless their averages agree, the lanes side by side agree, and what passes is of one height and width, cells cannot
    be told apart and nothing is said.

    Parameters
    ----------
    pattern : ndarray, shape (L, T, N)
    velocity : ndarray, shape (T,)
        px per frame, by the space-time diagram.
    settings : CellCountSettings
    """
    nothing = CellCount(float("nan"), float("nan"))
    frames, points = pattern.shape[1:]
    if not np.isfinite(velocity[:-1]).all() or frames < 16 or points < 16:
        return nothing
    travelled = np.r_[0.0, np.cumsum(velocity[:-1])]
    known = pattern.any(axis=(0, 2))  # frames may be missing
    pattern, travelled = pattern[:, known], travelled[known]
    # Only the middle: the longer a cell is followed, the more an error of the velocity blurs it.
    start = max((points - settings.segment_px) // 2, 0)
    pattern = pattern[:, :, start : start + settings.segment_px]
    if np.ptp(travelled) < 3 * pattern.shape[2]:
        return nothing
    half = pattern.shape[2] // 2
    middle = len(pattern) // 2
    first = _unrolled(pattern.mean(axis=0)[:, :half], travelled, 0)
    second = _unrolled(pattern.mean(axis=0)[:, half : 2 * half], travelled, half)
    left = _unrolled(pattern[:middle].mean(axis=0), travelled, 0)
    right = _unrolled(pattern[-middle:].mean(axis=0), travelled, 0)
    if min(_agreement(first, second), _agreement(left, right)) < settings.least_agreement:
        return nothing
    whole = _unrolled(pattern.mean(axis=0), travelled, 0)
    line = np.array([whole.get(k, np.nan) for k in range(min(whole), max(whole) + 1)])
    known = np.isfinite(line)
    line = np.interp(np.arange(len(line)), np.flatnonzero(known), line[known])
    line = ndimage.gaussian_filter1d(line, 1.0)
    # Cells that touch or lie side by side give peaks of any height: then the count hangs on what passes for a peak.
    counts = [
        len(signal.find_peaks(sign * line, prominence=height * line.std())[0])
        for sign in (1, -1)
        for height in settings.heights
    ]
    if min(counts) < settings.least_cells or max(counts) > settings.most_spread * min(counts):
        return nothing
    if not (_singles(line, settings) or _singles(-line, settings)):
        return nothing
    cells = float(np.median(counts))
    spacing = len(line) / cells
    return CellCount(float(np.ptp(travelled) / spacing / (frames - 1)), spacing)


def _singles(line: NDArray[np.float64], settings: CellCountSettings) -> bool:
    """Whether peaks are as alike as single cells are: clumps of two and three are higher and wider."""
    peaks, found = signal.find_peaks(line, prominence=settings.heights[1] * line.std())
    if len(peaks) < settings.least_cells:
        return False
    sizes = found["prominences"], signal.peak_widths(line, peaks, rel_height=settings.near_top)[0]
    return all(bool(size.std() <= most * size.mean()) for size, most in zip(sizes, settings.most_varied, strict=True))


def _unrolled(image: NDArray[np.float32], travelled: NDArray[np.float64], start: int) -> dict[int, float]:
    """Average a diagram, shape (T, N), over the frames in coordinates that move with the cells, by whole px."""
    place = np.rint(start + np.arange(image.shape[1]) - travelled[:, None]).astype(int)
    low = int(place.min())
    number = np.bincount((place - low).ravel())
    total = np.bincount((place - low).ravel(), weights=image.ravel())
    seen = np.flatnonzero(number)
    return dict(zip((low + seen).tolist(), (total[seen] / number[seen]).tolist(), strict=True))


def _agreement(first: dict[int, float], second: dict[int, float]) -> float:
    both = sorted(first.keys() & second.keys())
    if len(both) < 16:
        return 0.0
    return float(np.corrcoef([first[k] for k in both], [second[k] for k in both])[0, 1])


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
    settings: VelocitySettings,
    speed_only: bool = False,
) -> Reading:
    """Read velocity, quality, looks and cells from the samples of a span.

    With `speed_only` velocities and their quality are read, and of all else it is said that nothing is known.

    References
    ----------
    .. [1] P. J. Drew, P. Blinder, G. Cauwenberghs, A. Y. Shih and D. Kleinfeld, "Rapid Determination of Particle
       Velocity from Space-Time Images Using the Radon Transform", J Comput Neurosci 29, 5-11, 2010,
       :doi:`10.1007/s10827-009-0159-1`.
    .. [2] H. Wayland and P. C. Johnson, "Erythrocyte Velocity Measurement in Microvessels by a Two-Slit Photometric
       Method", J Appl Physiol 22(2), 1967, :doi:`10.1152/jappl.1967.22.2.333`.
    """
    rows = settings.kymograph
    drift = max(int(rows.drift_s * (frame_rate_hz or rows.usual_rate_hz)), 32)
    pattern = moving_pattern(samples, drift, rows)
    slopes = flanks(pattern, rows)
    found = correlate(pattern, rows, slopes)
    radon = stack_velocity(pattern, rows, slopes)
    transit = transit_velocity(pattern, settings.transit)
    frames, points = pattern.shape[1:]
    diagram = SpaceTime(
        image=pattern.mean(axis=0),
        velocity=found.velocity,
        radon=radon,
        quality=_with_second_opinion(found.quality, found.velocity, radon),
        contrast_to_noise=_NAN,
        spacing=_NAN,
        periodicity=_NAN,
        duplicate=np.zeros(frames, bool),
        sharpness=np.full(frames, _NAN),
        saturated=_NAN,
        match=found.match,
        floor=_NAN,
        floor_spread=_NAN,
        strength=np.full(frames, _NAN),
        transit=transit.velocity,
        transit_quality=transit.quality,
        transit_match=transit.match,
    )
    if speed_only:
        return Reading(diagram, CellCount(_NAN, _NAN), no_stretches(points, settings.stretches), 0.0)
    spacing, periodicity = repeat_distance(pattern)
    floor, floor_spread = _floor(pattern, rows)
    sharpness, unit = _sharpness(samples.lanes, rows)
    diagram = replace(
        diagram,
        contrast_to_noise=pattern_noise(pattern),
        spacing=spacing,
        periodicity=periodicity,
        duplicate=_duplicates(samples.lanes),
        sharpness=sharpness,
        saturated=_clipped(samples.lanes),
        floor=floor,
        floor_spread=floor_spread,
        strength=_strength(pattern, rows.focus_frames),
    )
    along = stretch_table(slopes, samples.lanes, diagram.velocity, settings.stretches)
    return Reading(diagram, count_cells(pattern, diagram.velocity, rows.cells), along, unit)


def _floor(pattern: NDArray[np.float32], settings: KymographSettings) -> tuple[float, float]:
    """Return mean and spread of the correlation that the search finds where there is no motion to find.

    In random order the frames show the same brightness, noise and standing parts, and nothing that moves.
    """
    order = np.random.default_rng(settings.seed).permutation(pattern.shape[1])[: settings.shuffled_frames]
    match = correlate(pattern[:, order], settings).match
    return float(match.mean()), float(match.std())


def _strength(pattern: NDArray[np.float32], over: int) -> NDArray[np.float64]:
    """Return what samples two px apart along the vessel share, frame by frame, evened out over some, shape (T,)."""
    shared = (pattern[:, :, :-2] * pattern[:, :, 2:]).mean(axis=(0, 2), dtype=float)
    return np.asarray(ndimage.uniform_filter1d(shared, over, mode="nearest"))


def _with_second_opinion(quality: float, velocity: NDArray[np.float64], radon: NDArray[np.float64]) -> float:
    """Lower the quality where the slant stack sees another slope in most of the frames."""
    both = np.isfinite(velocity) & np.isfinite(radon)
    if not both.any():
        return 0.0
    same = np.abs(velocity[both] - radon[both]) <= np.maximum(1.0, 0.3 * np.abs(velocity[both]))
    return quality * (0.5 + 0.5 * float(same.mean()))


def _sharpness(lanes: NDArray[np.float32], settings: KymographSettings) -> tuple[NDArray[np.float64], float]:
    """Return the contrast of neighbouring cells around each frame over its median, shape (T,), and that median.

    From brightness a cell's width apart, not from pixel to pixel, where noise would pass for sharpness; averaged over
    some frames, since focus drifts slowly and plasma gaps pass quickly.
    """
    apart = lanes[:, :, settings.cell_apart :] - lanes[:, :, : -settings.cell_apart]
    known = np.isfinite(apart)
    number = known.sum(axis=(0, 2))
    if not number.any():
        return np.full(len(number), np.nan), 0.0
    power = (np.where(known, apart, 0).astype(float) ** 2).sum(axis=(0, 2)) / np.maximum(number, 1)
    contrast = np.sqrt(np.maximum(ndimage.uniform_filter1d(power, settings.focus_frames, mode="nearest"), 0))
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
