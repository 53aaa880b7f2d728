"""Errors of optical flow, as the field counts them.

Flows are displacements ``(dx, dy)`` in px per frame, one row per pixel. Percent
figures run from 0 to 100. A figure of no pixels at all is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.evaluation.metrics.uncertainty import interval_coverage, spearman

Floats = NDArray[np.floating]

DIRECTION_FLOOR_PX = 0.5  # a slower truth has no direction worth judging


def endpoint_error(predicted: Floats, true: Floats) -> Floats:
    """Length of the difference of two flows.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, 2)

    Returns
    -------
    ndarray, shape (N,)
        Endpoint error in px.
    """
    return np.hypot(predicted[:, 0] - true[:, 0], predicted[:, 1] - true[:, 1])


def direction_error(predicted: Floats, true: Floats) -> Floats:
    """Angle between two flows where the truth moves by more than 0.5 px.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, 2)

    Returns
    -------
    ndarray, shape (M,), M <= N
        Degrees, 0 to 180. A prediction of no motion at all points nowhere and counts as 90.
    """
    moving = np.hypot(true[:, 0], true[:, 1]) > DIRECTION_FLOOR_PX
    p, t = predicted[moving], true[moving]
    angle = np.degrees(np.abs(np.arctan2(p[:, 0] * t[:, 1] - p[:, 1] * t[:, 0], (p * t).sum(1))))
    return np.where((p == 0).all(1), 90.0, angle)


def flow_metrics(predicted: Floats, true: Floats, scale: Floats | None = None) -> dict[str, float]:
    """Every figure of one set of pixels.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, 2)
        Flow ``(dx, dy)`` in px per frame.
    scale : ndarray, shape (N,), optional
        Expected absolute error in px that came with the prediction; NaN where it came with none.

    Returns
    -------
    dict
        ``n`` pixels; ``epe`` and ``epe_median`` in px; ``out1``, ``out3``, ``out5`` percent of pixels with an endpoint
        error over 1, 3, 5 px; ``fl_all`` percent over both 3 px and 5 % of the true displacement (KITTI 2015);
        ``direction`` median direction error in degrees. With a scale also, of the
        pixels that have one, ``spearman`` of scale and error, and ``coverage90``, the percent of flow components inside
        their 90 % interval.
    """
    error = endpoint_error(predicted, true)
    speed = np.hypot(true[:, 0], true[:, 1])
    figures = {
        "n": float(error.size),
        "epe": _mean(error),
        "epe_median": _median(error),
        "out1": 100 * _mean(error > 1),
        "out3": 100 * _mean(error > 3),
        "out5": 100 * _mean(error > 5),
        "fl_all": 100 * _mean((error > 3) & (error > 0.05 * speed)),
        "direction": _median(direction_error(predicted, true)),
    }
    if scale is not None:
        stated = np.isfinite(scale)
        figures["spearman"] = spearman(scale[stated], error[stated])
        figures["coverage90"] = 100 * interval_coverage((predicted - true)[stated], scale[stated])
    return figures


def binned_flow_metrics(
    predicted: Floats, true: Floats, by: Floats, edges: Sequence[float], scale: Floats | None = None
) -> dict[str, dict[str, float]]:
    """`flow_metrics` in each bin of another quantity.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, 2)
    by : ndarray, shape (N,)
        The quantity to bin by, such as the true displacement or the vessel's width, px.
    edges : sequence of float
        Ascending bin edges; a bin holds its lower edge and not its upper one. The last may be infinite.
    scale : ndarray, shape (N,), optional

    Returns
    -------
    dict
        From the bin's name (``"1-5"``, ``">15"``) to its figures.
    """
    bins = {}
    for low, high in pairwise(edges):
        inside = (by >= low) & (by < high)
        part = None if scale is None else scale[inside]
        bins[bin_name(low, high)] = flow_metrics(predicted[inside], true[inside], part)
    return bins


def bin_name(low: float, high: float) -> str:
    """``"1-5"``, or ``">15"`` for a bin without end."""
    return f">{low:g}" if np.isinf(high) else f"{low:g}-{high:g}"


def _mean(values: Floats | NDArray[np.bool_]) -> float:
    return float(np.mean(values, dtype=np.float64)) if values.size else float("nan")


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else float("nan")
