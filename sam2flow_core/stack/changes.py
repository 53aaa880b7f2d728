"""How much pictures change from frame to frame, where blood flows and where nothing does."""

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
        and moves at full speed before and after, which no blood does.
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
        still = change <= settings.still_change * np.percentile(around, 75, axis=1)
        return copied | (still & ~_long(still, settings.longest_burst))


def measure_changes(read: Callable[[int], NDArray[Any]], start: int, stop: int, settings: TimingSettings) -> Changes:
    """Choose pixels by a few frames spread over the range, then read each frame of the range once."""
    moving, quiet, shape = _choose(read, start, stop, settings)
    chosen = np.r_[moving, quiet]
    values = np.empty((stop - start, len(chosen)), np.float32)
    for t in range(start, stop):
        values[t - start] = _soft(read(t)).ravel()[chosen]
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
