"""The network's input: a frame, the still background, and where things move."""

from __future__ import annotations

import torch
from torch import Tensor


def model_inputs(frames: Tensor, background: Tensor, activity: Tensor) -> Tensor:
    """Stack the three input channels.

    Parameters
    ----------
    frames : Tensor (T, H, W)
        Stabilised intensities, any unit.
    background : Tensor (H, W)
        Mean over time, same unit.
    activity : Tensor (H, W)
        Standard deviation over time, same unit.

    Returns
    -------
    Tensor (T, 3, H, W)
        Frame, background and log activity, free of unit: the difference of the
        first two is the moving part, of standard deviation near 1.
    """
    spread = activity.square().mean().sqrt().clamp_min(1e-6)
    still = torch.asinh((background - background.mean()) / spread)
    moving = ((frames - background) / spread).clamp(-8, 8)
    busy = torch.log((activity / spread).clamp(0.05, 20.0))
    count = frames.shape[0]
    return torch.stack([still + moving, still.expand(count, -1, -1), busy.expand(count, -1, -1)], 1)
