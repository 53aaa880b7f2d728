"""Where vessels lie on the pixel grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sam2flow_core.synthetic.vessels import Floats, Vessel

WALLS = 1.4


@dataclass(frozen=True)
class Lumen:
    """Where a vessel lies on the frame's grid: flat pixel indices and their (T, rho)."""

    pixels: NDArray[np.int64]
    transit: Floats
    rho: Floats

    def inside(self, size: tuple[int, int], pad: int) -> Lumen:
        """Return the pixels between the walls and in the frame ``size``, of a grid padded by ``pad``."""
        rows, columns = np.divmod(self.pixels, size[1] + 2 * pad)
        rows, columns = rows - pad, columns - pad
        keep = (np.abs(self.rho) <= 1) & (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
        return Lumen(rows[keep] * size[1] + columns[keep], self.transit[keep], self.rho[keep])


def rasterise(
    vessel: Vessel, size: tuple[int, int], pad: int, shift: Floats | None = None, margin: float = 0.0
) -> Lumen:
    """Find the pixels in and round a vessel (walls included) and their coordinates in it.

    Parameters
    ----------
    vessel : Vessel
    size : tuple of int
        (H, W) of the frame.
    pad : int
        Pixels round the frame that are looked at as well; indices are those of the padded grid.
    shift : ndarray, shape (2,), optional
        (dy, dx) px by which the tissue stands away: the pixels are then those of the recorded frame.
    margin : float
        Px round the walls that are looked at at least.
    """
    block = 8
    origin = pad + (np.zeros(2) if shift is None else shift)
    reach = 0.5 * WALLS * float(vessel.diameter_px.max()) + 0.75 * block + margin
    height, width = size[0] + 2 * pad, size[1] + 2 * pad
    shape = (-(-height // block), -(-width // block))
    centre = np.stack(np.meshgrid(*(np.arange(n) * block + (block - 1) / 2 for n in shape), indexing="ij"), -1)
    gap = cKDTree(vessel.centreline[::4]).query(centre - origin, distance_upper_bound=reach + 2)[0]
    near = np.kron(gap < reach + 2, np.ones((block, block), bool))[:height, :width]
    points = np.argwhere(near)
    if not len(points):
        return Lumen(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    transit, rho = vessel.locate(points - origin)
    beyond = np.abs(rho)
    if margin:
        knot = np.clip(transit / vessel.step, 0, len(vessel.diameter_px) - 1).astype(np.int64)
        beyond = np.where((beyond - 1) * 0.5 * vessel.diameter_px[knot] <= margin, 0.0, beyond)
    within = (beyond <= WALLS) & (transit >= 0) & (transit <= vessel.length)
    flat = points[:, 0] * width + points[:, 1]
    return Lumen(flat[within], transit[within], rho[within])
