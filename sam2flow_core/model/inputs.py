"""The network's input: a frame, the still background, and where things move."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_SMALLEST = 1e-30


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
        # No absolute least: pixels may be of any unit. Where nothing moves, the standing picture gives the scale.
        least = 1e-6 * (background - background.mean()).abs().max()
        self.spread = torch.maximum(activity.square().mean().sqrt(), least).clamp_min(_SMALLEST)
        self.still = torch.asinh((background - background.mean()) / self.spread)
        self.busy = torch.log((activity / self.spread).clamp(0.05, 20.0))

    def __call__(self, frames: Tensor) -> Tensor:
        """Frame, background and log activity (T, 3, H, W) of frames (T, H, W).

        The difference of the first two is the moving part, of standard deviation near 1.
        """
        moving = ((frames - self.background) / self.spread).clamp(-8, 8)
        still, busy = (x.expand(len(frames), -1, -1) for x in (self.still, self.busy))
        return torch.stack([still + moving, still, busy], 1)

    def move_to(self, device: torch.device) -> None:
        """Take frames of another device from now on."""
        self.background, self.spread = self.background.to(device), self.spread.to(device)
        self.still, self.busy = self.still.to(device), self.busy.to(device)

    def field_input(self, motion: Tensor, padding: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Tensor:
        """Input of the vessel field (1, 20, h, w): motion (18, h, w) of `MotionStatistics`, background and activity.

        ``padding`` of the frames, as ``torch.nn.functional.pad`` wants it, that the motion was gathered from.
        """
        rest = F.pad(torch.stack([self.still, self.busy])[None], padding, mode="replicate")
        height, width = motion.shape[-2:]
        return torch.cat([motion[None], F.adaptive_avg_pool2d(rest, (height, width))], 1)


def smoothed(frames: Tensor, sigma: float = 1.0) -> Tensor:
    """Frames (T, H, W) under a Gaussian of ``sigma`` px.

    The activity is taken from these: cells are wider than a px and stay, the
    camera's noise is not and goes.
    """
    reach = int(3 * sigma + 0.5)
    away = torch.arange(reach + 1, dtype=torch.float64)
    half = torch.exp(-0.5 * (away / sigma) ** 2)
    taps = (half / (half[0] + 2 * half[1:].sum())).tolist()
    # Shifted copies summed: a convolution of one channel is several times slower on a processor.
    padded = F.pad(frames[:, None], (reach,) * 4, mode="replicate")[:, 0]
    return _along(_along(padded, taps, 1), taps, 2)


def _along(padded: Tensor, taps: list[float], axis: int) -> Tensor:
    """Weighted sum of what lies within reach along an axis of frames padded by that reach."""
    reach = len(taps) - 1
    size = padded.shape[axis] - 2 * reach
    total = taps[0] * padded.narrow(axis, reach, size)
    for away, tap in enumerate(taps[1:], 1):
        total.add_(padded.narrow(axis, reach - away, size), alpha=tap)
        total.add_(padded.narrow(axis, reach + away, size), alpha=tap)
    return total
