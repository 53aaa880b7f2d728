"""From a predictor's crops in recorded frames to the grid of the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from sam2flow_core.inference.steps import FrameFlow, VesselFlow

Floats = NDArray[np.float32]


def answer_on_grid(
    step: FrameFlow, vessel_ids: tuple[int, ...], shift: NDArray[np.floating], shape: tuple[int, int]
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Lay the vessels of a frame on the tissue grid.

    Parameters
    ----------
    step : FrameFlow
        With flow, so any but the last frame.
    vessel_ids : tuple of int
        The vessels wanted, in this order.
    shift : ndarray, shape (2,)
        True tissue displacement ``(dy, dx)`` of the frame, px: an error in the predictor's own shows as an error.
    shape : tuple of int
        (Y, X) of the grid.

    Returns
    -------
    flow : ndarray of float32, shape (V, 2, Y, X)
        Zero where the vessel's mask is not.
    scale : ndarray of float32, shape (V, Y, X)
        NaN where the vessel's mask is not.
    mask : ndarray of bool, shape (V, Y, X)
    """
    flow = np.zeros((len(vessel_ids), 2, *shape), np.float32)
    scale = np.full((len(vessel_ids), *shape), np.nan, np.float32)
    mask = np.zeros((len(vessel_ids), *shape), bool)
    by_id = {vessel.vessel_id: vessel for vessel in step.vessels}
    for index, vessel_id in enumerate(vessel_ids):
        if vessel_id in by_id:
            _lay(by_id[vessel_id], shift, flow[index], scale[index], mask[index])
    return flow, scale, mask


def _lay(vessel: VesselFlow, shift: NDArray[np.floating], flow: Floats, scale: Floats, mask: NDArray[np.bool_]) -> None:
    """Sample one vessel's crop at the pixels of the grid; bilinear among the pixels of its mask only."""
    at_y, at_x = np.asarray(shift) - vessel.offset  # the grid's corner in the crop
    height, width = mask.shape
    rows = np.arange(max(0, int(np.ceil(-at_y))), min(height, int(vessel.mask.shape[0] - at_y)))
    columns = np.arange(max(0, int(np.ceil(-at_x))), min(width, int(vessel.mask.shape[1] - at_x)))
    if not rows.size or not columns.size:
        return
    window = np.ix_(rows, columns)
    points = np.stack(np.meshgrid(rows + at_y, columns + at_x, indexing="ij"))
    known = vessel.mask.astype(np.float32)
    share = map_coordinates(known, points, order=1)
    mask[window] = map_coordinates(vessel.mask, points, order=0)
    weight = np.where(mask[window], np.maximum(share, 1e-6), np.inf)
    if vessel.flow is not None:
        for channel in range(2):
            flow[channel][window] = map_coordinates(vessel.flow[channel] * known, points, order=1) / weight
    if vessel.scale is not None:
        values = map_coordinates(np.where(vessel.mask, vessel.scale, 0), points, order=1) / weight
        scale[window] = np.where(mask[window], values, np.nan)
