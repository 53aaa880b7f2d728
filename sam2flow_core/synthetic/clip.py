"""A filmed scene: the video and its exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.synthetic.film import film
from sam2flow_core.synthetic.scene import Scene
from sam2flow_core.synthetic.truth import true_flow


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
