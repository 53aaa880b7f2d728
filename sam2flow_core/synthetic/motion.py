"""Tissue motion: drift, breathing, heartbeat and jumps, as a function of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.random_draws import uniform


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
