"""How much slower blood is towards the walls than the network says.

What is matched, and the cells that look at each other, are as wide as a capillary: across a wide vessel the network
answers the speed of the middle nearly up to the walls. Where cells pass in single file that is what they do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.morphology import skeletonize

from sam2flow_core.config.inference import WallSettings


def slower_at_walls(mask: NDArray[np.bool_], factor: float, settings: WallSettings) -> NDArray[np.float32]:
    """Share of the network's speed that blood has at each pixel of a vessel, 0 to 1.

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)
        In recorded px. Where it ends with the array, the vessel goes on.
    factor : float
        Recorded px to a px of the network, which is what widths are judged in.
    settings : WallSettings

    Returns
    -------
    ndarray of float32, shape (P,)
        In the order of ``np.nonzero(mask)``.
    """
    inside = np.nonzero(mask)
    ridge = skeletonize(mask)
    if not ridge.any() or mask.all():
        return np.ones(len(inside[0]), np.float32)
    depth = distance_transform_edt(mask)
    nearest = distance_transform_edt(~ridge, return_distances=False, return_indices=True)
    radius = np.maximum(depth[tuple(nearest)], depth)[inside]
    width = (2 * radius - 1) / factor
    slip = np.clip((width - settings.narrow_px) * settings.per_px, 0, settings.most)
    outward = np.clip(1 - (depth[inside] - 0.5) / radius, 0, 1)
    return np.asarray(1 - slip * outward**settings.order, np.float32)
