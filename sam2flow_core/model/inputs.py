"""The network's input: a frame, the still background, and where things move."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


class InputMaker:
    """Makes the three input channels of frames of one recording, free of unit.

    Parameters
    ----------
    background : Tensor (H, W)
        Mean over time of the stabilised frames, any unit.
    activity : Tensor (H, W)
        Standard deviation over time of the frames after `smoothed`, same unit.
    """

    def __init__(self, background: Tensor, activity: Tensor) -> None:
        self.background = background
        self.spread = activity.square().mean().sqrt().clamp_min(1e-6)
        self.still = torch.asinh((background - background.mean()) / self.spread)
        self.busy = torch.log((activity / self.spread).clamp(0.05, 20.0))

    def __call__(self, frames: Tensor) -> Tensor:
        """Frame, background and log activity (T, 3, H, W) of frames (T, H, W).

        The difference of the first two is the moving part, of standard deviation near 1.
        """
        moving = ((frames - self.background) / self.spread).clamp(-8, 8)
        still, busy = (x.expand(len(frames), -1, -1) for x in (self.still, self.busy))
        return torch.stack([still + moving, still, busy], 1)


def smoothed(frames: Tensor, sigma: float = 1.0) -> Tensor:
    """Frames (T, H, W) under a Gaussian of ``sigma`` px.

    The activity is taken from these: cells are wider than a px and stay, the
    camera's noise is not and goes.
    """
    reach = int(3 * sigma + 0.5)
    r = torch.arange(-reach, reach + 1, device=frames.device, dtype=frames.dtype)
    g = torch.exp(-0.5 * (r / sigma) ** 2)
    g = g / g.sum()
    x = F.pad(frames[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, g.view(1, 1, -1, 1)), g.view(1, 1, 1, -1))[:, 0]
