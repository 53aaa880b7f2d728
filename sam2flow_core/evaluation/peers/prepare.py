"""The preprocessing every two-frame method is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def remove_background(frames: NDArray[np.generic], background: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take the static background away and stretch what is left over 8 bits.

    Tissue is static and cells move, so the temporal mean is all tissue. Every two-frame method gains by it.

    Parameters
    ----------
    frames : ndarray, shape (T, Y, X)
        Frames that lie on each other (tissue motion taken out).
    background : ndarray, shape (Y, X)
        Their temporal mean.

    Returns
    -------
    ndarray of uint8, shape (T, Y, X)
        128 = the background; the strongest 1 % of the differences are clipped.
    """
    difference = frames.astype(np.float32) - background.astype(np.float32)
    reach = float(np.percentile(np.abs(difference), 99)) or 1.0
    return np.clip(np.rint(128 + 127 * difference / reach), 0, 255).astype(np.uint8)
