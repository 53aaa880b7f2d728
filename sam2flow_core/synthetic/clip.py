"""A filmed scene: the video and its exact truth on the pixel grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.synthetic.film import film
from sam2flow_core.synthetic.scene import Scene
from sam2flow_core.synthetic.vessels import Floats, rasterise


def true_flow(scene: Scene, frames: NDArray[np.int64], until: NDArray[np.int64] | None = None) -> tuple[Tensor, Tensor]:
    """Follow the matter at every vessel pixel along its streamline from each frame to the next, or to ``until``.

    Returns
    -------
    flow : Tensor, float32 (T, V, 2, H, W)
        (dx, dy) px relative to the tissue. Past a vessel's end the matter runs straight on.
    leaves : Tensor, bool (T, V, H, W)
        The matter is outside the frame or past the end of the vessel at t + 1.

    Examples
    --------
    >>> from sam2flow_core.synthetic import sample_scene
    >>> scene = sample_scene(np.random.default_rng(3), (64, 64))
    >>> flow, leaves = true_flow(scene, np.array([0]))
    >>> bool((flow[0, 0][:, ~torch.from_numpy(scene.masks[0])] == 0).all())
    True
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

    Examples
    --------
    >>> from sam2flow_core.synthetic import sample_scene
    >>> scene = sample_scene(np.random.default_rng(3), (64, 64))
    >>> true_displacement(scene, np.arange(3)).shape == (3, len(scene.vessels))
    True
    """
    result = np.full((len(frames), len(scene.vessels)), np.nan)
    for v, (vessel, lumen) in enumerate(zip(scene.vessels, scene.lumens, strict=True)):
        if lumen.pixels.size:
            pace = vessel.pace(lumen.transit) * vessel.profile(lumen.rho)
            result[:, v] = vessel.travel_px(frames, until) * pace.mean()
    return result


@dataclass(frozen=True)
class Clip:
    """Video and truth. Truth is in tissue coordinates: frame t shows it moved by ``shifts[t]``.

    Attributes
    ----------
    video : Tensor, float32 (T, H, W)
        Recorded intensity, full well is 1.
    frames : Tensor, int64 (T,)
    vessel_ids : Tensor, int64 (V,)
    masks : Tensor, bool (V, H, W)
    flow : Tensor, float32 (T, V, 2, H, W)
        (dx, dy) px from each frame to the one after it, relative to the tissue; zero outside the vessel.
    leaves : Tensor, bool (T, V, H, W)
        Matter that is outside the frame or past the vessel's end one frame later.
    overlap : Tensor, bool (H, W)
        In more than one vessel.
    shifts : Tensor, float32 (T, 2)
        (dy, dx) px of the tissue.
    """

    video: Tensor
    frames: Tensor
    vessel_ids: Tensor
    masks: Tensor
    flow: Tensor
    leaves: Tensor
    overlap: Tensor
    shifts: Tensor


def render_clip(scene: Scene, frames: Sequence[int], device: str = "cpu", motion: bool = True) -> Clip:
    """Film a scene.

    Parameters
    ----------
    scene : Scene
    frames : sequence of int
        Increasing frame indices, with or without gaps.
    device : str
    motion : bool
        Render the tissue's motion; without it all shifts are 0.

    Examples
    --------
    >>> from sam2flow_core.synthetic import sample_scene
    >>> scene = sample_scene(np.random.default_rng(3), (64, 64))
    >>> clip = render_clip(scene, [0, 1])
    >>> tuple(clip.video.shape), clip.flow.shape[2:] == (2, 64, 64)
    ((2, 64, 64), True)
    """
    index = np.asarray(frames, np.int64)
    moved = scene.shifts(index) if motion else np.zeros((len(index), 2))
    flow, leaves = true_flow(scene, index)
    masks = torch.from_numpy(scene.masks)
    return Clip(
        video=film(scene, index, moved, device),
        frames=torch.from_numpy(index).to(device),
        vessel_ids=torch.tensor([vessel.vessel_id for vessel in scene.vessels], device=device),
        masks=masks.to(device),
        flow=flow.to(device),
        leaves=leaves.to(device),
        overlap=(masks.sum(0) > 1).to(device),
        shifts=torch.as_tensor(moved, dtype=torch.float32, device=device),
    )
