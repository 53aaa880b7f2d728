"""A second opinion on the space-time diagram: the slope along which its streaks add up.

The Radon transform in its slant-stack form (parametrised by slope, not by angle, so that fast cells whose streaks
lie nearly flat are resolved as well as slow ones): rows are shifted back by velocity x time and summed, and the
velocity with the largest power of the sum wins. After Drew et al. 2010, J Comput Neurosci 29:5 (Radon velocimetry).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from sam2flow_core.config.velocity import KymographSettings
from sam2flow_core.velocity.correlation import flanks


def stack_velocity(pattern: NDArray[np.float32], settings: KymographSettings) -> NDArray[np.float64]:
    """Return the velocity over time, px per frame, shape (T,), from a moving pattern, shape (L, T, N)."""
    frames = pattern.shape[1]
    if frames < 6 or pattern.shape[2] < 12 or not pattern.any():
        return np.full(frames, np.nan)
    pattern = flanks(pattern)
    points = pattern.shape[2]
    window = min(settings.slant_window, frames)
    limit = min(settings.max_velocity, 0.5 * points)
    step = settings.slant_step
    grid = np.sinh(np.arange(-np.arcsinh(limit), np.arcsinh(limit) + step, step))
    starts = np.arange(0, frames - window + 1, max(window // 2, 1))
    size = fft.next_fast_len(points + int(limit) * 2, real=True)
    waves = np.arange(1, size // 6)  # streaks are a few pixels wide: beyond this there is only noise
    spectra = fft.rfft(pattern, size, axis=2)[:, :, waves]
    time = np.arange(window) - (window - 1) / 2
    taper = np.hanning(window + 2)[1:-1]
    tiles = np.stack([spectra[:, s : s + window] for s in starts], axis=1) * taper[:, None]
    power = np.zeros((len(starts), len(grid)))
    for column, wave in enumerate(waves):
        turn = np.exp(2j * np.pi * wave / size * grid[:, None] * time).astype(np.complex64)
        power += (np.abs(tiles[..., column] @ turn.T) ** 2).sum(axis=0)
    best = grid[power.argmax(axis=1)]
    if len(best) > 2:
        best = ndimage.median_filter(best, 3, mode="nearest")
    velocity: NDArray[np.float64] = np.interp(np.arange(frames) + 0.5, starts + window / 2, best)
    velocity[-1] = np.nan
    return velocity
