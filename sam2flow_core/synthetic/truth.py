"""True flow on the pixel grid, in tissue coordinates."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.synthetic.raster import rasterise
from sam2flow_core.synthetic.scene import Scene
from sam2flow_core.synthetic.vessels import Floats


def true_flow(scene: Scene, frames: NDArray[np.int64], until: NDArray[np.int64] | None = None) -> tuple[Tensor, Tensor]:
    """Follow the matter at every vessel pixel along its streamline from each frame to the next, or to ``until``.

    Returns
    -------
    flow : Tensor, float32 (T, V, 2, H, W)
        (dx, dy) px relative to the tissue. Past a vessel's end the matter runs straight on.
    leaves : Tensor, bool (T, V, H, W)
        The matter is outside the frame or past the end of the vessel at t + 1.
    """
    height, width = scene.size
    flow = torch.zeros(len(frames), len(scene.vessels), 2, height * width)
    leaves = torch.zeros(len(frames), len(scene.vessels), height * width, dtype=torch.bool)
    for v, (vessel, lumen) in enumerate(zip(scene.vessels, scene.lumens, strict=True)):
        start = vessel.place(lumen.transit, lumen.rho)
        transit = lumen.transit + vessel.travel_px(frames, until)[:, None] * vessel.profile(lumen.rho)
        end = vessel.place(transit, np.broadcast_to(lumen.rho, transit.shape))
        gone = (transit < 0) | (transit > vessel.length)
        for axis in (0, 1):
            gone |= (end[..., axis] < -0.5) | (end[..., axis] > scene.size[axis] - 0.5)
        pixels = torch.from_numpy(lumen.pixels)
        move = torch.from_numpy((end - start)[..., ::-1].transpose(0, 2, 1).astype(np.float32))
        flow[:, v].index_copy_(2, pixels, move)
        leaves[:, v].index_copy_(1, pixels, torch.from_numpy(gone))
    shape = (len(frames), len(scene.vessels))
    return flow.view(*shape, 2, height, width), leaves.view(*shape, height, width)


def recorded_flow(scene: Scene, frame: int, until: int) -> NDArray[np.float32]:
    """Return what the recorded pixels do, tissue motion included.

    Returns
    -------
    ndarray, float32 (V, 2, H, W)
        (dx, dy) px from frame ``frame`` to ``until`` of the matter at each recorded pixel; zero outside the vessel as
        it stands in that frame.
    """
    before, after = scene.shifts(np.array([frame, until]))
    flow = np.zeros((len(scene.vessels), 2, *scene.size), np.float32)
    index = np.array([frame]), np.array([until])
    for v, vessel in enumerate(scene.vessels):
        lumen = rasterise(vessel, scene.size, 0, before).inside(scene.size, 0)
        end = vessel.place(lumen.transit + vessel.travel_px(*index) * vessel.profile(lumen.rho), lumen.rho)
        move = end - vessel.place(lumen.transit, lumen.rho) + (after - before)
        flow[v].reshape(2, -1)[:, lumen.pixels] = move[:, ::-1].T
    return flow


def true_displacement(scene: Scene, frames: NDArray[np.int64], until: NDArray[np.int64] | None = None) -> Floats:
    """Return the mean displacement along the arrow of the matter seen in each vessel, px per frame.

    Returns
    -------
    ndarray, shape (T, V)
        From each frame to the next (or to ``until``), averaged over the vessel's pixels in the frame: the velocity
        that a perfect dense measurement would report. NaN for vessels outside the frame.
    """
    result = np.full((len(frames), len(scene.vessels)), np.nan)
    for v, (vessel, lumen) in enumerate(zip(scene.vessels, scene.lumens, strict=True)):
        if lumen.pixels.size:
            pace = vessel.pace(lumen.transit) * vessel.profile(lumen.rho)
            result[:, v] = vessel.travel_px(frames, until) * pace.mean()
    return result
