"""Figures of merit of flow, of stated uncertainties, of vessel velocities and of masks: pure functions on arrays.

Flows are displacements ``(dx, dy)`` in px per frame, one row per pixel. Percent
figures run from 0 to 100. A figure of no pixels at all is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.ndimage import binary_erosion, distance_transform_edt

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]

_DIRECTION_FLOOR_PX = 0.5  # a slower truth has no direction worth judging
_LAPLACE_90 = math.log(10)  # P(|e| <= s ln 10) = 0.9 for a Laplace error of mean absolute value s


def endpoint_error(predicted: Floats, true: Floats) -> Floats:
    """Length of the difference of two flows.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, 2)

    Returns
    -------
    ndarray, shape (N,)
        Endpoint error in px.

    References
    ----------
    .. [1] S. Baker et al., "A Database and Evaluation Methodology for Optical Flow", International Journal of Computer
       Vision 92, 1-31, 2011, :doi:`10.1007/s11263-010-0390-2`.

    Examples
    --------
    >>> endpoint_error(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]]))
    array([5.])
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

    References
    ----------
    .. [1] S. Baker et al., "A Database and Evaluation Methodology for Optical Flow", International Journal of Computer
       Vision 92, 1-31, 2011, :doi:`10.1007/s11263-010-0390-2`.

    Examples
    --------
    >>> direction_error(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [2.0, 0.0]]))
    array([ 0., 90.])
    """
    moving = np.hypot(true[:, 0], true[:, 1]) > _DIRECTION_FLOOR_PX
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

    References
    ----------
    .. [1] S. Baker et al., "A Database and Evaluation Methodology for Optical Flow", International Journal of Computer
       Vision 92, 1-31, 2011, :doi:`10.1007/s11263-010-0390-2`.
    .. [2] M. Menze and A. Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015,
       :doi:`10.1109/CVPR.2015.7298925`.

    Examples
    --------
    >>> true = np.array([[10.0, 0.0], [0.0, 10.0]])
    >>> figures = flow_metrics(true + [[0.0, 0.0], [0.0, 4.0]], true)
    >>> figures["epe"], figures["out3"], figures["fl_all"]
    (2.0, 50.0, 50.0)
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
    """``"1-5"``, or ``">15"`` for a bin without end.

    Examples
    --------
    >>> bin_name(1, 5), bin_name(15, float("inf"))
    ('1-5', '>15')
    """
    return f">{low:g}" if np.isinf(high) else f"{low:g}-{high:g}"


def spearman(scale: Floats, error: Floats) -> float:
    """Rank correlation of the stated and the true error; NaN where either is constant."""
    if scale.size < 3 or np.ptp(scale) == 0 or np.ptp(error) == 0:
        return float("nan")
    return float(stats.spearmanr(scale, error).statistic)


def interval_coverage(error: Floats, scale: Floats) -> float:
    """Share of flow components that lie in their 90 % interval.

    Parameters
    ----------
    error : ndarray, shape (N, 2)
        Predicted less true flow, px.
    scale : ndarray, shape (N,)
        Expected absolute error of one component, px. The interval is that of a Laplace distribution,
        +- ``scale ln 10``.

    Returns
    -------
    float
        0 to 1; 0.9 is right. NaN for no pixels.

    Examples
    --------
    >>> interval_coverage(np.array([[1.0, 3.0]]), np.array([1.0]))
    0.5
    """
    if not len(error):
        return float("nan")
    return float(np.mean(np.abs(error) <= _LAPLACE_90 * scale[:, None]))


def auroc(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Probability that a positive scores higher than a negative (Mann-Whitney); NaN where either is missing.

    Parameters
    ----------
    score : ndarray, shape (N,)
    positive : ndarray of bool, shape (N,)

    References
    ----------
    .. [1] H. B. Mann and D. R. Whitney, "On a Test of Whether One of Two Random Variables Is Stochastically Larger than
       the Other", Annals of Mathematical Statistics 18(1), 50-60, 1947, :doi:`10.1214/aoms/1177730491`.

    Examples
    --------
    >>> auroc(np.array([0.1, 0.4, 0.3, 0.9]), np.array([False, True, False, True]))
    1.0
    """
    hits, misses = int(positive.sum()), int((~positive).sum())
    if not hits or not misses:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


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

    Examples
    --------
    >>> relative_errors(np.array([110.0, np.nan]), np.array([100.0, 50.0])).round(1)
    array([ 10., 100.])
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
    result: Floats = np.hypot(*(next_error - first_error).T)
    return result


def mask_iou(predicted: Mask, true: Mask) -> float:
    """Intersection over union of two masks of the same shape; 1 where both are empty.

    Examples
    --------
    >>> bool(mask_iou(np.array([[True, True, False]]), np.array([[False, True, True]])) == 1 / 3)
    True
    """
    union = np.count_nonzero(predicted | true)
    return np.count_nonzero(predicted & true) / union if union else 1.0


def boundary_f(predicted: Mask, true: Mask, tolerance_px: float) -> float:
    """F measure of two outlines (Perazzi et al., CVPR 2016).

    Parameters
    ----------
    predicted, true : ndarray of bool, shape (Y, X)
    tolerance_px : float
        Outline pixels this far apart still agree.

    Returns
    -------
    float
        Harmonic mean of the shares of each outline that the other one follows, 0 to 1; 1 where both masks are empty.

    References
    ----------
    .. [1] F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016,
       :doi:`10.1109/CVPR.2016.85`.

    Examples
    --------
    >>> square = np.zeros((9, 9), bool)
    >>> square[2:7, 2:7] = True
    >>> boundary_f(square, np.roll(square, 1, axis=0), tolerance_px=1.0)
    1.0
    """
    if not predicted.any() or not true.any():
        return float(predicted.any() == true.any())
    outline_p, outline_t = _outline(predicted), _outline(true)
    precision = np.mean(distance_transform_edt(~outline_t)[outline_p] <= tolerance_px)
    recall = np.mean(distance_transform_edt(~outline_p)[outline_t] <= tolerance_px)
    total = precision + recall
    return float(2 * precision * recall / total) if total else 0.0


def _outline(mask: Mask) -> Mask:
    # The frame's edge is no outline: a vessel that leaves the picture has none there.
    result: Mask = mask & ~binary_erosion(mask, border_value=1)
    return result


def _mean(values: Floats | NDArray[np.bool_]) -> float:
    return float(np.mean(values, dtype=np.float64)) if values.size else float("nan")


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else float("nan")
