"""The lumen of vessels that are known by a mask and a flow only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, distance_transform_edt
from skimage.morphology import skeletonize

from sam2flow_core.model.vessel_field import FIELD_STRIDE
from sam2flow_core.training.field_truth import LumenPoints

_LEAST_SPEED = 1e-3
"""px per frame: below, flow has no direction."""


def trace_lumens(mask: NDArray[np.bool_], flow: NDArray[np.float32]) -> LumenPoints:
    """Direction, place across the lumen and radius of every cell of the field that lies in a vessel.

    Parameters
    ----------
    mask : ndarray of bool, shape (N, N)
        All vessels.
    flow : ndarray, shape (2, N, N)
        ``(dx, dy)``, any unit; mean over time.
    """
    bones = skeletonize(mask)
    # Half a px: the wall runs between the last px inside and the first outside.
    radius_at = distance_transform_edt(mask) - 0.5
    nearest = distance_transform_edt(~bones, return_distances=False, return_indices=True)
    side = mask.shape[0] // FIELD_STRIDE
    y, x = (n * FIELD_STRIDE + FIELD_STRIDE // 2 for n in np.mgrid[:side, :side])
    moving = mask[y, x] & (np.hypot(*flow[:, y, x]) > _LEAST_SPEED) & bones.any()
    row, column = np.nonzero(moving)
    y, x = y[moving], x[moving]
    heading = flow[:, y, x] / np.hypot(*flow[:, y, x])
    middle_y, middle_x = nearest[:, y, x]
    radius = np.maximum(radius_at[middle_y, middle_x], 0.5)
    # On the screen y runs down: left of (dx, dy) is (dy, -dx).
    left = heading[1] * (x - middle_x) - heading[0] * (y - middle_y)
    angle = np.arctan2(heading[1], heading[0]).astype(float)
    offset = np.clip(left / radius, -1, 1).astype(float)
    return LumenPoints(side, row, column, angle, offset, radius.astype(float), _ends(bones, radius_at))


def _ends(bones: NDArray[np.bool_], radius_at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends and forks inside the frame: ``(row, column)`` and radius (E, 3) in cells."""
    neighbours = convolve(bones.astype(int), np.ones((3, 3), int), mode="constant") - 1
    y, x = np.nonzero(bones & ((neighbours == 1) | (neighbours > 2)))
    radius = radius_at[y, x]
    height, width = bones.shape
    inner = (np.minimum(y, height - 1 - y) > radius) & (np.minimum(x, width - 1 - x) > radius)
    result: NDArray[np.float64] = np.stack(
        [(y - 0.5) / FIELD_STRIDE, (x - 0.5) / FIELD_STRIDE, radius / FIELD_STRIDE], 1
    )[inner]
    return result
