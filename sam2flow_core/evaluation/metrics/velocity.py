"""Errors of the velocity of whole vessels, and of its steadiness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def mean_along(flow: Floats, direction: Floats) -> float:
    """Mean component of a flow along given directions.

    Parameters
    ----------
    flow : ndarray, shape (N, 2)
        px per frame.
    direction : ndarray, shape (N, 2)
        Unit vectors along the vessel.

    Returns
    -------
    float
        px per frame, signed along the directions.
    """
    return float(np.mean((flow * direction).sum(1)))


def relative_errors(measured: Floats, true: Floats) -> Floats:
    """Percent by which measured velocities miss the true ones; a velocity that is missing counts as 100.

    Parameters
    ----------
    measured, true : ndarray, shape (V,)
        Signed, in any one unit. Vessels that stand still (a truth of 0) are left out.
    """
    moving = true != 0
    error = 100 * np.abs(measured[moving] / true[moving] - 1)
    return np.where(np.isnan(error), 100.0, error)


def jitter(first_error: Floats, next_error: Floats) -> Floats:
    """Change of the flow from one pair to the next that is not in the truth.

    Parameters
    ----------
    first_error, next_error : ndarray, shape (N, 2)
        Predicted less true flow at the same pixels in consecutive pairs, px.

    Returns
    -------
    ndarray, shape (N,)
        px.
    """
    return np.hypot(*(next_error - first_error).T)
