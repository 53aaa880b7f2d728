"""Velocity across the vessel and the shape that fits it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from sam2flow_core.velocity.lumen import Lumen
from sam2flow_core.velocity.records import CrossProfile
from sam2flow_core.velocity.series import BINS, LumenSeries, bins_across

_MIN_PIXELS = 8


def cross_profile(series: LumenSeries, lumen: Lumen, used: NDArray[np.bool_]) -> CrossProfile:
    """Average the flow over time and length and fit ``v(r) = v0 (1 - a |r / R|^n)``.

    Parameters
    ----------
    series : LumenSeries
    lumen : Lumen
    used : ndarray of bool, shape (T - 1,)
        Frames to average.

    Returns
    -------
    CrossProfile
        ``ratio`` is the centre velocity over the mean of a round cross-section,
        ``1 / (1 - 2 a / (n + 2))``: 2 for a parabola, 1 for a plug.
    """
    which = bins_across(lumen)
    position, velocity, spread = [], [], []
    for k in range(BINS):
        inside = which == k
        values = series.across[used, k]
        values = values[np.isfinite(values)]
        if inside.sum() < _MIN_PIXELS or not len(values):
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
