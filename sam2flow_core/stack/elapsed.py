"""How many steps of time lie between two pictures, told from how far the blood has moved.

Where blood moves, brightness changes with its displacement, first fast and then, when cells have given way to others,
no more. Speed changes slowly. A pair over which everything in the field has moved two or three times as far as over
its neighbours has lost frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter

from sam2flow_core.config.stack import TimingSettings

Floats = NDArray[np.float64]
_TOGETHER = 256
"""Pairs of frames that are compared at once."""


@dataclass(frozen=True)
class Changes:
    """Brightness over time of some moving and some quiet pixels, the lamp's flicker taken off.

    Attributes
    ----------
    moving : ndarray of float32, shape (T, P)
        The slower half of what moves: its change grows with the time between two frames for longest.
    quiet : ndarray of float32, shape (T, Q)
        They tell the noise.
    groups : tuple of ndarray of int
        Moving pixels by their place in the picture: where frames are missing, all groups see it.
    """

    moving: NDArray[np.float32]
    quiet: NDArray[np.float32]
    groups: tuple[NDArray[np.int64], ...]

    def noise(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
        """Mean square change of the quiet pixels between pairs of frames."""
        return _mean_square(self.quiet, first, second)

    def change(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
        """The same of the moving pixels, beyond the noise."""
        return _mean_square(self.moving, first, second) - self.noise(first, second)

    def change_by_group(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
        """The same of each group of moving pixels, shape (G, pairs)."""
        each = np.array([_mean_square(self.moving[:, group], first, second) for group in self.groups])
        return each - self.noise(first, second)

    def repeated(self, settings: TimingSettings) -> NDArray[np.bool_]:
        """Pairs of neighbouring frames that show the same picture, shape (T - 1,).

        Either the noise is repeated with the picture, which no camera does, or the blood stands still between frames
        and moves at full speed before and after, which no blood does. Where blood moves so little that noise hides it,
        standing still cannot be told from moving; where the camera shakes, only an exact copy is a repeat.
        """
        frames = np.arange(len(self.moving) - 1)
        noise, change = self.noise(frames, frames + 1), self.change(frames, frames + 1)
        usual_noise, usual = np.percentile(noise, 75), np.percentile(change, 75)
        if usual <= 0:
            return np.zeros(len(frames), bool)
        share = settings.repeat_change if usual_noise > 0 else settings.exact_change
        copied = (noise <= settings.repeat_noise * usual_noise) & (change <= share * usual)
        # What usually changes here: the upper half around, for at times every second frame is a repeat.
        around = np.lib.stride_tricks.sliding_window_view(
            np.pad(change, settings.reach_frames, mode="reflect" if len(change) > settings.reach_frames else "edge"),
            2 * settings.reach_frames + 1,
        )
        usual_around = np.percentile(around, 75, axis=1)
        still = change <= settings.still_change * usual_around
        if not is_even(noise[~(still | copied)], settings):
            return copied & (noise <= settings.exact_change * usual_noise)
        burst = still & ~_long(still, settings.longest_burst)
        return copied | (burst & (usual_around >= settings.clear_change * usual_noise))

    def tells(self, pairs: NDArray[np.int64], settings: TimingSettings) -> bool:
        """Whether change tells how far blood moves over pairs of neighbouring frames, given by the first of each.

        Not where noise hides it, nor where the tissue moves from frame to frame: then what is quiet elsewhere changes
        now more, now less.
        """
        if not len(pairs):
            return False
        noise, change = self.noise(pairs, pairs + 1), self.change(pairs, pairs + 1)
        clear = np.median(change) >= settings.clear_change * np.median(noise)
        return bool(clear) and is_even(noise, settings)


def is_even(noise: Floats, settings: TimingSettings) -> bool:
    """Whether what is quiet changes about as much from pair to pair; not where the camera shakes."""
    if not len(noise):
        return True
    usual = float(np.median(noise))
    return 1.4826 * float(np.median(np.abs(noise - usual))) <= settings.most_uneven * usual


def measure_changes(read: Callable[[int], NDArray[Any]], start: int, stop: int, settings: TimingSettings) -> Changes:
    """Choose pixels by a few frames spread over the range, then read each frame of the range once."""
    moving, quiet, shape = _choose(read, start, stop, settings)
    chosen = np.r_[moving, quiet]
    values = np.empty((stop - start, len(chosen)), np.float32)
    near = _neighbours(chosen, shape)
    for t in range(start, stop):
        # Of these pixels alone: to soften whole frames would take most of the time before a run's first answer.
        values[t - start] = np.asarray(read(t), np.float32).ravel()[near].mean(axis=0, dtype=float)
    level = np.median(values[:, len(moving) :], axis=1, keepdims=True)
    values -= level
    places = np.stack(np.unravel_index(moving, shape), axis=1)
    return Changes(values[:, : len(moving)], values[:, len(moving) :], _grouped(places, settings.groups))


def _choose(
    read: Callable[[int], NDArray[Any]], start: int, stop: int, settings: TimingSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int]]:
    """Flat indices of moving and of quiet pixels, and the shape of the frames."""
    lag = settings.choosing_lag
    soon, late = np.zeros(()), np.zeros(())
    for t in np.unique(np.linspace(start, stop - 1 - lag, settings.choosing_places).astype(int)):
        first, second, third = (_soft(read(int(t) + k)) for k in (0, 1, lag))
        shape = (first.shape[0], first.shape[1])
        soon, late = soon + (second - first) ** 2, late + (third - first) ** 2
    near, far = np.ravel(soon), np.ravel(late)
    rng = np.random.default_rng(settings.seed)
    usual = np.median(far)
    still = np.flatnonzero((far <= usual) & ((far > 0) | (usual == 0)))  # what covers the picture has no noise
    quiet = np.sort(rng.choice(still, min(settings.pixels, len(still)), replace=False))
    beyond = far - usual
    strong = np.flatnonzero(beyond >= settings.moving_share * np.percentile(beyond, 99.5))
    pace = (near[strong] - np.median(near[still])) / np.maximum(beyond[strong], 1e-12)
    slow = strong[np.argsort(pace, kind="stable")[: max(len(strong) // 2, min(len(strong), settings.pixels // 8))]]
    return np.sort(rng.choice(slow, min(settings.pixels, len(slow)), replace=False)), quiet, shape


def _soft(frame: NDArray[Any]) -> NDArray[np.float32]:
    soft: NDArray[np.float32] = uniform_filter(np.asarray(frame, np.float32), 3)
    return soft


def _neighbours(pixels: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Flat indices (9, P) of what `_soft` averages around each pixel; at the edge the last ones count twice."""
    y, x = np.unravel_index(pixels, shape)
    around = np.array([[-1], [0], [1]])
    rows, columns = (np.clip(at + around, 0, most - 1) for at, most in zip((y, x), shape, strict=True))
    near: NDArray[np.int64] = (rows[:, None] * shape[1] + columns).reshape(9, -1)
    return near


def _grouped(places: NDArray[np.int64], groups: int) -> tuple[NDArray[np.int64], ...]:
    """Divide places (P, 2) in halves, by y and by x in turn, until there are so many groups of one size."""
    parts = [np.arange(len(places))]
    axis = 0
    while len(parts) < groups:
        ordered = [part[np.argsort(places[part, axis], kind="stable")] for part in parts]
        parts = [half for part in ordered for half in (part[: len(part) // 2], part[len(part) // 2 :])]
        axis = 1 - axis
    return tuple(parts)


def _mean_square(values: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
    parts = [slice(k, k + _TOGETHER) for k in range(0, len(first), _TOGETHER)]
    means = [np.square(values[second[part]] - values[first[part]]).mean(axis=1, dtype=float) for part in parts]
    return np.concatenate([np.zeros(0), *means])


def _long(condition: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """Where a condition holds more than ``longest`` times in a row."""
    run = np.ones(longest + 1)
    hits = np.convolve(condition, run, mode="valid") >= longest + 1 if len(condition) > longest else np.zeros(0, bool)
    starts = np.zeros(len(condition), bool)
    starts[: len(hits)] = hits
    return np.asarray(maximum_filter1d(starts.astype(np.uint8), longest + 1, origin=longest // 2, mode="constant") > 0)


@dataclass(frozen=True)
class Elapsed:
    """Steps of time from picture to picture, shape (N - 1,), and whether that number is sure."""

    steps: NDArray[np.int64]
    sure: NDArray[np.bool_]


def elapsed_steps(changes: Changes, frames: NDArray[np.int64], settings: TimingSettings) -> Elapsed | None:
    """Steps between pictures.

    Parameters
    ----------
    changes : Changes
    frames : ndarray of int, shape (N,)
        Those that are no repeats.
    settings : TimingSettings

    Returns
    -------
    Elapsed or None
        None where nothing moves, or there are too few pictures to compare.
    """
    if len(frames) < settings.least_frames or min(len(group) for group in changes.groups) < 1:
        return None
    far = min(settings.far_pairs, len(frames) // 2)
    one, two, most = (changes.change_by_group(frames[:-lag], frames[lag:]) for lag in (1, 2, far))
    read = [_displacement(*group, settings.told_change) for group in zip(one, two, most, strict=True)]
    known = [group for group in read if group is not None]
    if len(known) < 2:
        return None
    log, noise = _agreed(np.array(known))
    steps = _likeliest(log, np.clip(settings.noise_gain * noise, settings.least_noise, 1.0), settings)
    return _compared(changes, frames, steps, settings)


def _displacement(one: Floats, two: Floats, most: Floats, told: tuple[float, float]) -> Floats | None:
    """Log of the displacement over each pair, in any unit; None where nothing moves.

    Change over displacement is taken as ``largest (1 - exp(-displacement^p))``, with p from pairs two steps apart.
    Given are the changes over one step, two, and so many that cells have given way to others.
    """
    low = np.argsort(one[:-1])[: max(len(one) // 3, 3)]  # where frames are missing these are whole steps still
    base = float(np.median(one[low]))
    # Blood may be noisier than tissue: what two steps do not double is noise.
    noise = float(np.clip(2 * base - np.median(two[low]), 0, max(0.8 * base, 0)))
    one, two = one - noise, two - noise
    largest = 1.1 * float(np.percentile(most, 75)) - noise
    if largest <= 0 or base <= 0:
        return None

    def moved(change: Floats) -> Floats:
        return np.asarray(-np.log1p(-np.clip(change / largest, *told)))

    power = float(np.clip(np.log2(np.percentile(moved(two[low]) / moved(one[low]), 25)), 1, 2))
    return np.asarray(np.log(moved(one)) / power)


def _agreed(log: Floats) -> tuple[Floats, Floats]:
    """Log displacement (N - 1,) that groups (G, N - 1) agree on, and how far they are from agreeing."""
    log = log - np.median(log, axis=1, keepdims=True)
    middle = np.median(log, axis=0)
    log = log - np.median(log - middle, axis=1, keepdims=True)
    middle = np.median(log, axis=0)
    spread = 1.4826 * np.median(np.abs(log - middle), axis=0) * 1.25 / np.sqrt(len(log))
    return middle, np.maximum(spread, np.median(spread))


def _likeliest(log: Floats, noise: Floats, settings: TimingSettings) -> NDArray[np.int64]:
    """Steps of each pair, with a speed that changes slowly (Viterbi 1967)."""
    grid = np.arange(
        np.percentile(log, 1) - np.log(settings.most_steps) - 0.1, np.percentile(log, 99) + 0.5, settings.grid_step
    )
    counts = np.arange(1, settings.most_steps + 1)
    rare = np.where(counts > 1, settings.gap_cost + settings.longer_cost * (counts - 2), 0.0)
    reach = settings.grid_reach
    moves = np.arange(-reach, reach + 1)
    drift = np.abs(moves) * settings.grid_step / settings.speed_drift

    def told(pair: int) -> tuple[Floats, NDArray[np.int64]]:
        apart = np.abs(log[pair] - grid - np.log(counts)[:, None]) / noise[pair]
        cost = np.minimum(apart, settings.outlier_cost) + rare[:, None]
        which = cost.argmin(axis=0)
        return cost[which, np.arange(len(grid))], which

    total, which = told(0)
    chosen, back = [which], []
    for pair in range(1, len(log)):
        padded = np.pad(total, reach, constant_values=np.inf)
        options = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1) + drift
        best = options.argmin(axis=1)
        cost, which = told(pair)
        total = options[np.arange(len(grid)), best] + cost
        back.append(np.arange(len(grid)) + moves[best])
        chosen.append(which)
    path = [int(total.argmin())]
    for before in reversed(back):
        path.append(int(before[path[-1]]))
    path.reverse()
    return np.array([counts[chosen[pair][place]] for pair, place in enumerate(path)])


def _compared(
    changes: Changes, frames: NDArray[np.int64], steps: NDArray[np.int64], settings: TimingSettings
) -> Elapsed:
    """Length of each gap, by comparing it with pairs nearby that are two, three and more steps apart without a gap."""
    found, sure = steps.copy(), steps == 1
    gaps = np.flatnonzero(steps > 1)
    most = min(settings.most_compared, len(frames) // 3)
    if not len(gaps) or most < 2:
        return Elapsed(found, sure)
    passed = np.r_[0, np.cumsum(steps > 1)]
    lagged = {lag: changes.change_by_group(frames[:-lag], frames[lag:]) for lag in range(1, most + 1)}
    whole = {lag: np.flatnonzero(passed[lag:] == passed[:-lag]) for lag in lagged}
    for gap in gaps:
        apart: list[float] = []
        for lag in range(1, most + 1):
            near = whole[lag][np.abs(whole[lag] + (lag - 1) / 2 - gap) <= settings.compared_frames]
            if len(near) < settings.least_compared:  # of few, pixels were chosen that change more than is usual
                apart.append(np.nan)
                continue
            usual = np.median(lagged[lag][:, near], axis=1)
            known = (usual > 0) & (lagged[1][:, gap] > 0)
            apart.append(float(np.median(np.log(lagged[1][known, gap] / usual[known]))) if known.any() else np.nan)
        found[gap], sure[gap] = _crossing(np.array(apart), int(steps[gap]), settings.compared_margin)
    return Elapsed(found, sure)


def _crossing(apart: Floats, guess: int, margin: float) -> tuple[int, bool]:
    """Steps at which the log ratio of a gap's change to that of pairs (1, 2, ... steps apart) falls through 0.

    Sure where the neighbours on both sides are clearly further off.
    """
    distance = np.abs(apart)
    if not np.isfinite(distance[1:]).any():
        return guess, False
    best = int(np.nanargmin(distance[1:])) + 1
    if best + 1 >= len(apart) or not np.isfinite(apart[best + 1]):
        return max(best + 1, guess), False
    less, more = apart[best - 1], apart[best + 1]
    clear = less - distance[best] > margin and -more - distance[best] > margin
    return best + 1, bool(clear)
