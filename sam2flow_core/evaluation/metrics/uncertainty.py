"""How far the stated uncertainty can be believed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.floating]

LAPLACE_90 = math.log(10)  # P(|e| <= s ln 10) = 0.9 for a Laplace error of mean absolute value s


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
    """
    if not len(error):
        return float("nan")
    return float(np.mean(np.abs(error) <= LAPLACE_90 * scale[:, None]))


def auroc(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Probability that a positive scores higher than a negative (Mann-Whitney); NaN where either is missing.

    Parameters
    ----------
    score : ndarray, shape (N,)
    positive : ndarray of bool, shape (N,)
    """
    hits, misses = int(positive.sum()), int((~positive).sum())
    if not hits or not misses:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))
