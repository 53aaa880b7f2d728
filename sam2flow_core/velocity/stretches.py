"""Speed along the length of a vessel, from its space-time diagram, and where it steps.

What flows in at one end of an unbranched vessel flows out at the other, faster where it is narrow, and all of it beats
together. Each stretch of the line is therefore asked how many times the speed of the whole it moves at: a heartbeat is
the same for all stretches and cancels, a taper changes the answer smoothly. Where the answer steps, one line leads
through two vessels. The network pools along the line and can miss this; it is asked second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.velocity import StretchSettings


@dataclass(frozen=True)
class StretchTable:
    """Sums over time at each point of the line and multiple of the speed, arrays of shape (N, V).

    Attributes
    ----------
    product, first, second : ndarray
        Of the pattern here with itself some frames later where that multiple leads, and of each squared.
    unlike : ndarray
        The product with frames that have nothing to do with it.
    strength : ndarray, shape (N,)
        Of the moving pattern at each point without the noise of the camera, in units of brightness squared.
    """

    product: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    unlike: NDArray[np.float64]
    strength: NDArray[np.float64]

    def __add__(self, other: StretchTable) -> StretchTable:
        return StretchTable(
            self.product + other.product,
            self.first + other.first,
            self.second + other.second,
            self.unlike + other.unlike,
            self.strength + other.strength,
        )

    def part(self, first: int, last: int) -> StretchTable:
        """Return the table of the points from one to another (not included)."""
        here = slice(first, last)
        return StretchTable(
            self.product[here], self.first[here], self.second[here], self.unlike[here], self.strength[here]
        )


def no_stretches(points: int, settings: StretchSettings) -> StretchTable:
    """Return the table of a line of which nothing was read."""
    product, first, second, unlike = (np.zeros((points, settings.multiples_tried)) for _ in range(4))
    return StretchTable(product, first, second, unlike, np.zeros(points))


def _multiples(settings: StretchSettings) -> NDArray[np.float64]:
    """Multiples of the vessel's speed that are asked for, shape (V,)."""
    least, most = np.arcsinh(settings.multiples)
    return np.asarray(np.sinh(np.linspace(least, most, settings.multiples_tried)) * settings.multiple_unit)


def stretch_table(
    slopes: NDArray[np.float32],
    lanes: NDArray[np.float32],
    velocity: NDArray[np.float64],
    settings: StretchSettings,
) -> StretchTable:
    """Follow each point of the line at multiples of the vessel's velocity.

    Parameters
    ----------
    slopes : ndarray, shape (L, T, N - 4)
        `flanks` of the moving pattern.
    lanes : ndarray, shape (L, T, N)
        Brightness.
    velocity : ndarray, shape (T,)
        By the space-time diagram, px per frame.
    settings : StretchSettings
    """
    frames, points = lanes.shape[1:]
    moved = np.nan_to_num(velocity[:-1])
    usual = float(np.median(np.abs(moved))) if len(moved) else 0.0
    lag = int(
        np.clip(round(settings.displacement_px / max(usual, 0.1)), 1, max(min(settings.most_lag, frames // 4), 1))
    )
    travelled = np.r_[0.0, np.cumsum(moved)]
    start = np.arange(max(frames - lag, 0))
    way = travelled[start + lag] - travelled[start] if len(start) else np.zeros(0)
    start, way = start[np.abs(way) > settings.least_px], way[np.abs(way) > settings.least_px]
    if len(start) > settings.pairs:
        some = np.linspace(0, len(start) - 1, settings.pairs).astype(int)
        start, way = start[some], way[some]
    strength = _strength(lanes, points)
    table = replace(no_stretches(points, settings), strength=strength)
    if points < 12 or len(start) < settings.least_pairs:
        return table
    image = np.zeros((frames, points), np.float32)
    image[:, 2:-2] = slopes.mean(axis=0)
    image *= _seen(strength, settings.evened_px)  # noise alone would pull the speed beside it towards standing still
    here = image[start]
    # Two pictures are read at the same places: as real and imaginary part both are fetched at once.
    both = (image[start + lag] + 1j * image[(start + lag + frames // 2) % frames]).astype(np.complex64).ravel()
    station = np.arange(points)
    rows = (np.arange(len(start)) * points)[:, None]
    for k, multiple in enumerate(_multiples(settings)):
        at = station + multiple * way[:, None]
        low = np.floor(at).astype(np.int64)
        inside = (low >= 0) & (low < points - 1)
        share = np.where(inside, at - low, 0).astype(np.float32)
        index = rows + np.where(inside, low, 0)
        source = np.where(inside, here, 0)
        value = (both.take(index) * (1 - share) + both.take(index + 1) * share) * inside
        table.product[:, k] = np.einsum("pn,pn->n", source, value.real)
        table.unlike[:, k] = np.einsum("pn,pn->n", source, value.imag)
        table.second[:, k] = np.einsum("pn,pn->n", value.real, value.real)
        table.first[:, k] = np.einsum("pn,pn->n", source, source)
    return table


def _strength(lanes: NDArray[np.float32], points: int) -> NDArray[np.float64]:
    """Covariance over time of samples two px apart, shape (N,)."""
    strength = np.zeros(points)
    if points < 4:
        return strength
    known = np.isfinite(lanes)
    mean = np.where(known, lanes, 0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    change = np.where(known, lanes - mean, 0)
    strength[1:-1] = (change[:, :, :-2] * change[:, :, 2:]).sum(axis=(0, 1), dtype=float)
    strength[[0, -1]] = strength[[1, -2]]
    return strength


def _seen(strength: NDArray[np.float64], evened_px: int) -> NDArray[np.float32]:
    """How much there is to be seen at each point, 0 to 1, shape (N,)."""
    even = ndimage.uniform_filter1d(strength, evened_px, mode="nearest")
    result: NDArray[np.float32] = np.clip(even / max(float(np.median(even)), 1e-12), 0, 1).astype(np.float32)
    return result


@dataclass(frozen=True)
class Step:
    """Where along a vessel the speed steps.

    Attributes
    ----------
    place : int
        Point of the centreline, from the beginning of the arrow.
    before, after : float
        Speed on either side; of different sign where blood runs against itself.
    """

    place: int
    before: float
    after: float


@dataclass(frozen=True)
class Stretches:
    """Speed along the length; arrays of shape (S,), one entry a stretch, stretches overlap.

    Attributes
    ----------
    place : ndarray
        Middle of each stretch, points of the centreline.
    multiple : ndarray
        Of the vessel's speed; NaN where nothing is read.
    match : ndarray
        Correlation at that multiple, -1 to 1.
    seen : ndarray of bool
        Whether anything is seen there, be it standing still.
    length : int
        Of a stretch, points.
    """

    place: NDArray[np.float64]
    multiple: NDArray[np.float64]
    match: NDArray[np.float64]
    seen: NDArray[np.bool_]
    length: int


def read_stretches(table: StretchTable, diameter: float, settings: StretchSettings) -> Stretches:
    """Pool a table over stretches and take the best multiple of each."""
    points = len(table.product)
    length = int(min(max(settings.least_length_px, settings.length_diameters * diameter), points))
    begin = np.arange(0, points - length + 1, max(length // 4, 1))

    def pooled(values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
        return total[begin + length] - total[begin]

    first = pooled(table.first)
    norm = np.maximum(np.sqrt(first * pooled(table.second)), 1e-9)
    seen = first > settings.least_overlap * first.max(axis=1, keepdims=True).clip(1e-9)
    match = np.where(seen, pooled(table.product) / norm, 0)
    floor = np.where(seen, pooled(table.unlike) / norm, 0).max(axis=1)
    best = match.argmax(axis=1)
    top = match[np.arange(len(begin)), best]
    limit = max(settings.least_match, float(np.quantile(floor, 0.9))) if len(floor) else 1.0
    # Beside a part without blood the best match is the one that does not lead there.
    around = length + 2 * round(settings.displacement_px)
    even = ndimage.uniform_filter1d(np.maximum(table.strength, 0), settings.evened_px, mode="nearest")
    lowest = ndimage.minimum_filter1d(even, around, mode="nearest")
    highest = ndimage.maximum_filter1d(even, around, mode="nearest")
    whole = (lowest >= settings.whole * highest)[np.minimum(begin + length // 2, points - 1)]
    multiple = _between(match, best, _multiples(settings))
    moves = np.abs(multiple) > settings.standing  # what stands still, or nearly, may be a remnant of the background
    told = (top > limit) & whole
    multiple = np.where(told & moves, multiple, np.nan)
    return Stretches(np.asarray(begin + length / 2, float), multiple, top, told, length)


def _between(
    match: NDArray[np.float64], best: NDArray[np.int64], multiples: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The multiple at the top of a parabola through the best and its neighbours."""
    inner = np.clip(best, 1, match.shape[1] - 2)
    rows = np.arange(len(match))
    left, middle, right = (match[rows, inner + k] for k in (-1, 0, 1))
    curve = left - 2 * middle + right
    move = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1), 0).clip(-1, 1)
    result: NDArray[np.float64] = np.interp(inner + move, np.arange(len(multiples)), multiples)
    return result


def find_step(
    place: NDArray[np.float64],
    multiple: NDArray[np.float64],
    reach: float,
    settings: StretchSettings,
) -> Step | None:
    """Find the largest step that is not a taper.

    Parameters
    ----------
    place, multiple : ndarray, shape (S,)
        Multiples of the vessel's speed at places along it, NaN where unknown.
    reach : float
        Length over which the values are alike because they were pooled.
    settings : StretchSettings

    Returns
    -------
    Step or None
        The two sides are the medians next to the step. It has to be larger than their scatter, and larger than what
        their slopes make of the distance between them.
    """
    largest, found = 0.0, None
    for cut in place[np.isfinite(multiple)]:
        sides = beside(place, multiple, float(cut), reach, settings)
        if sides is None:
            continue
        (first, a, d), (second, b, e) = (_side(place[near], multiple[near]) for near in sides)
        apart = float(place[sides[1]].mean() - place[sides[0]].mean())
        smooth = max(0.5 * (a + b) * np.sign(second - first), 0.0) * apart
        size, fastest = abs(second - first) - smooth, max(abs(first), abs(second), 1e-9)
        enough = max(settings.step * fastest, settings.step_scatters * float(np.hypot(d, e)), settings.least_step)
        if size > enough and size / fastest > largest:
            largest, found = size / fastest, Step(round(float(cut)), first, second)
    return found


def beside(
    place: NDArray[np.float64], multiple: NDArray[np.float64], cut: float, reach: float, settings: StretchSettings
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Return which places tell of the speed before and after a cut; None where one side is too short to."""
    sides = []
    for sign in (-1, 1):
        away = sign * (place - cut)
        near = np.isfinite(multiple) & (away >= 0.5 * reach) & (away <= settings.side_reaches * reach)
        if near.sum() < 3 or np.ptp(place[near]) < settings.least_side * reach:
            return None
        sides.append(near)
    return sides[0], sides[1]


def _side(place: NDArray[np.float64], multiple: NDArray[np.float64]) -> tuple[float, float, float]:
    """Median, slope and scatter of one side of a step."""
    first, second = _pairs(len(place))
    slope = _median((multiple[second] - multiple[first]) / (place[second] - place[first]))  # Theil and Sen
    rest = multiple - slope * (place - place.mean())
    return _median(multiple), slope, 1.4826 * _median(np.abs(rest - _median(rest)))


@cache
def _pairs(number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs of so many places; asked thousands of times for the same few numbers."""
    return np.triu_indices(number, 1)


def _median(values: NDArray[np.float64]) -> float:
    """Median of a few values without a NaN, many times faster than `numpy.median`."""
    ordered, middle = np.sort(values), len(values) // 2
    return float((ordered[(len(values) - 1) // 2] + ordered[middle]) / 2)


def step_along(
    stretches: Stretches,
    lengthwise: NDArray[np.float64],
    speed: float,
    settings: StretchSettings,
) -> Step | None:
    """Find a step in the space-time diagram, or in the flow where the diagram does not say otherwise.

    Parameters
    ----------
    stretches : Stretches
    lengthwise : ndarray, shape (N,)
        Mean flow at each point of the line, px per frame.
    speed : float
        That `stretches` are multiples of, px per frame.
    settings : StretchSettings

    Returns
    -------
    Step or None
        With its two sides in px per frame.
    """
    step = find_step(stretches.place, stretches.multiple, stretches.length, settings)
    if step is not None and np.isfinite(speed):
        return Step(step.place, step.before * speed, step.after * speed)
    known = lengthwise[np.isfinite(lengthwise)]
    usual = float(np.abs(known).mean()) if len(known) else 0.0
    if usual <= 0:
        return None
    place = np.arange(0, len(lengthwise), max(stretches.length // 4, 1))
    step = find_step(place.astype(float), lengthwise[place] / usual, stretches.length, settings)
    if step is None or beside(stretches.place, stretches.multiple, step.place, stretches.length, settings) is not None:
        return None
    return Step(step.place, step.before * usual, step.after * usual)


def kept_of(gap: tuple[int, int], points: int, settings: StretchSettings) -> tuple[int, int]:
    """Return first and last point (not included) of what a gap near an end leaves of a line; a gap elsewhere all of it.

    Examples
    --------
    >>> kept_of((93, 113), 124, StretchSettings()), kept_of((40, 70), 124, StretchSettings())
    ((0, 93), (0, 124))
    """
    near = settings.end_share * points
    if gap[1] > gap[0] >= points - near:
        return 0, gap[0]
    return (gap[1], points) if gap[0] < gap[1] <= near else (0, points)


def longest_gap(table: StretchTable, stretches: Stretches, settings: StretchSettings) -> tuple[int, int]:
    """Return first and last point (not included) of the longest part of the line along which nothing moves.

    Where another vessel crosses, its cells are seen, and it is no gap.
    """
    usual = float(np.median(table.strength)) if len(table.strength) else 0.0
    if usual <= 0 or not stretches.seen.any():
        return 0, 0
    even = ndimage.uniform_filter1d(table.strength, settings.evened_px, mode="nearest")
    nearest = np.abs(np.arange(len(even))[:, None] - stretches.place).argmin(axis=1)
    silent = (even < settings.gap_share * usual) & ~stretches.seen[nearest]
    pieces, number = ndimage.label(silent)
    if not number:
        return 0, 0
    longest = np.flatnonzero(pieces == 1 + np.bincount(pieces[pieces > 0] - 1).argmax())
    return int(longest[0]), int(longest[-1]) + 1
