"""Agreement of vessel masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

Mask = NDArray[np.bool_]


def mask_iou(predicted: Mask, true: Mask) -> float:
    """Intersection over union of two masks of the same shape; 1 where both are empty."""
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
    return mask & ~binary_erosion(mask, border_value=1)
