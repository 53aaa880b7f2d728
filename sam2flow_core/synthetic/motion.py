"""What changes with time: the flow (heartbeat, vasomotion, stops, reversals) and the place of the tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.random_draws import uniform


@dataclass(frozen=True)
class TimeCourse:
    """Relative speed w(t), tabulated, constant between knots, and its integral W(t) in seconds.

    Cells and true flow both take their travel from `travel`, so the truth is exact whatever the knots.

    Attributes
    ----------
    step_s : float
        Distance of the knots.
    relative : ndarray of float, shape (K,)
        w, dimensionless, about 1 on average.
    """

    step_s: float
    relative: NDArray[np.float64]
    integral: NDArray[np.float64]

    def speed(self, t: ArrayLike) -> NDArray[np.float64]:
        """Return w at times ``t`` (s)."""
        index = np.clip(np.asarray(t, float) / self.step_s, 0, len(self.relative) - 1).astype(int)
        result: NDArray[np.float64] = self.relative[index]
        return result

    def travel(self, t: ArrayLike) -> NDArray[np.float64]:
        """Return W at times ``t`` (s): the integral of w from 0, running on at the last speed past the table."""
        x = np.asarray(t, float) / self.step_s
        index = np.clip(np.floor(x), 0, len(self.relative) - 1).astype(int)
        result: NDArray[np.float64] = self.integral[index] + (x - index) * self.step_s * self.relative[index]
        return result


def time_course(step_s: float, relative: NDArray[np.float64]) -> TimeCourse:
    """Make a `TimeCourse` from its knots.

    Examples
    --------
    >>> bool(time_course(0.5, np.ones(4)).travel(1.0).round(6) == 1.0)
    True
    """
    return TimeCourse(step_s, relative, np.concatenate([[0.0], np.cumsum(relative)]) * step_s)


def heartbeat(
    t: NDArray[np.floating], rate_hz: float, index: float, second: float, phase: float
) -> NDArray[np.float64]:
    """Return 1 plus a beat with a second harmonic, whose (max - min) / mean is ``index``."""
    turn = 2 * np.pi * (rate_hz * t + phase)
    fine = np.linspace(0, 2 * np.pi, 200)
    spread = np.ptp(np.cos(fine) + second * np.cos(2 * fine - 1.0))
    result: NDArray[np.float64] = 1 + index / spread * (np.cos(turn) + second * np.cos(2 * turn - 1.0))
    return result


def window(t: NDArray[np.floating], start: float, length: float, edge: float) -> NDArray[np.float64]:
    """Return a smooth step up at ``start`` and down ``length`` later (0 to 1)."""
    rise = 1 / (1 + np.exp(-np.clip((t - start) / edge, -30, 30)))
    fall = 1 / (1 + np.exp(-np.clip((t - start - length) / edge, -30, 30)))
    result: NDArray[np.float64] = rise - fall
    return result


def sample_time_course(rng: np.random.Generator, settings: SceneSettings, frame_rate_hz: float) -> TimeCourse:
    """Draw a heartbeat with vasomotion and, rarely, stops (0.3 to 3 s) and reversals."""
    step = 0.25 / frame_rate_hz
    t = np.arange(int(settings.duration_s / step) + 1) * step
    rate, index, second = (uniform(rng, r) for r in (settings.heart_rate_hz, settings.pulsatility, (0.0, 0.5)))
    beat = heartbeat(t, rate, index, second, rng.random())
    slow = 1 + uniform(rng, settings.vasomotion) * np.sin(2 * np.pi * (uniform(rng, (0.07, 0.15)) * t + rng.random()))
    relative = beat * slow
    for _ in range(rng.poisson(settings.event_rate_hz * settings.duration_s)):
        shut = window(t, rng.uniform(0, settings.duration_s), rng.uniform(0.3, 3.0), rng.uniform(0.02, 0.1))
        depth = 1.0 if rng.random() < 0.6 else rng.uniform(1.2, 2.0)
        relative = relative * (1 - depth * shut)
    return time_course(step, relative)


@dataclass(frozen=True)
class TissueMotion:
    """Displacement of the tissue in px: a drift, sine waves and jumps that settle.

    Attributes
    ----------
    drift : ndarray, shape (2,)
        (y, x) px per second.
    waves : ndarray, shape (K, 4)
        Amplitude y, x (px), rate (Hz), phase (turns).
    jumps : ndarray, shape (J, 3)
        Time (s), displacement y, x (px); the tissue comes back with a time constant of 0.3 s.
    """

    drift: NDArray[np.float64]
    waves: NDArray[np.float64]
    jumps: NDArray[np.float64]

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (T, 2) displacements (dy, dx) in px at times ``t`` (s), zero at t = 0."""
        return self._from_origin(np.asarray(t, float)) - self._from_origin(np.zeros(1))

    def _from_origin(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        shift = t[:, None] * self.drift
        for amplitude_y, amplitude_x, rate, phase in self.waves:
            shift = shift + np.sin(2 * np.pi * (rate * t + phase))[:, None] * (amplitude_y, amplitude_x)
        for start, jump_y, jump_x in self.jumps:
            since = t - start
            settle = np.where(since >= 0, np.exp(-np.maximum(since, 0) / 0.3), 0.0)
            shift = shift + settle[:, None] * (jump_y, jump_x)
        return shift


STILL = TissueMotion(np.zeros(2), np.zeros((0, 4)), np.zeros((0, 3)))


def sample_motion(rng: np.random.Generator, settings: SceneSettings, pixel_size_um: float) -> TissueMotion:
    """Draw the motion of a scene; a share of the scenes stands still."""
    if rng.random() >= settings.motion_probability:
        return STILL
    drift = _direction(rng) * uniform(rng, settings.drift_um_s) * (rng.random() < 0.5)
    breathing = np.append(0.5 * _direction(rng) * uniform(rng, settings.breathing_um), [uniform(rng, (0.2, 0.35)), 0])
    beat = np.append(0.5 * _direction(rng) * uniform(rng, settings.heartbeat_um), [uniform(rng, (0.8, 2)), 0])
    waves = np.stack([breathing * (rng.random() < 0.5), beat])
    waves[:, 3] = rng.random(2)
    waves[:, :2] /= pixel_size_um
    count = rng.poisson(settings.jump_rate_hz * settings.duration_s)
    jumps = [np.append(rng.uniform(0, settings.duration_s), _direction(rng) * rng.uniform(1, 5)) for _ in range(count)]
    table = np.array(jumps).reshape(-1, 3)
    table[:, 1:] /= pixel_size_um
    return TissueMotion(drift / pixel_size_um, waves, table)


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.sin(angle), np.cos(angle)])
