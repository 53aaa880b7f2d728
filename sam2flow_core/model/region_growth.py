"""Region growth: the mask that the decoder finds, carried along the vessel.

A small convolutional net corrects a mask from the clicks, the decoder's mask and
the stride-4 features, a few times over with the same weights. Where a click names a
mask (`mask`) it is not asked.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.model.layers import begin_at_zero
from sam2flow_core.model.prompt_encoder import NEGATIVE, POSITIVE

_DILATIONS = (1, 2, 4, 8, 4, 2, 1)
_CLICK_RADIUS = 5.0
"""px; a click names its surroundings, not a pixel."""


class RegionGrowth(nn.Module):
    """Correct mask logits at stride 4 from clicks and features."""

    def __init__(self, dim: int, fine_dim: int, width: int, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.features = nn.Conv2d(dim + fine_dim, width, 1)
        self.marks = nn.Conv2d(4, width, 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in _DILATIONS)
        self.norms = nn.ModuleList(nn.GroupNorm(4, width) for _ in _DILATIONS)
        self.head = nn.Conv2d(width, 1, 1)
        begin_at_zero(self.head)

    def forward(self, features: Tensor, fine: Tensor, decoded: Tensor, start: Tensor, clicks: Tensor) -> Tensor:
        """Logits (V, 1, h, w) after growth.

        Parameters
        ----------
        features : Tensor (V, dim, h, w)
            Stride-4 features of each vessel's image.
        fine : Tensor (V, fine_dim, h, w)
            Upscaled features of the decoder.
        decoded : Tensor (V, 1, h, w)
            Mask logits of the decoder.
        start : Tensor (V, 1, h, w)
            Mask logits to begin with.
        clicks : Tensor (V, 2, h, w)
            From `click_maps`.
        """
        seen = self.features(torch.cat([features, fine], 1))
        logits = start
        for _ in range(self.rounds):
            x = seen + self.marks(torch.cat([clicks, torch.tanh(decoded / 4), torch.tanh(logits / 4)], 1))
            for norm, conv in zip(self.norms, self.convs, strict=True):
                x = x + conv(F.gelu(norm(x)))
            logits = logits + self.head(F.gelu(x))
        return logits


def click_maps(points: Tensor, labels: Tensor, height: int, width: int) -> Tensor:
    """Positive and negative clicks as soft discs (V, 2, height, width) at stride 4.

    Parameters
    ----------
    points : Tensor (V, P, 2)
        ``(x, y)`` px.
    labels : LongTensor (V, P)
    """
    y = torch.arange(height, device=points.device) * 4.0 + 1.5
    x = torch.arange(width, device=points.device) * 4.0 + 1.5
    away = (points[:, :, 0, None, None] - x) ** 2 + (points[:, :, 1, None, None] - y[:, None]) ** 2
    discs = torch.exp(-0.5 * away / _CLICK_RADIUS**2)
    kinds = [discs * (labels == kind)[:, :, None, None] for kind in (POSITIVE, NEGATIVE)]
    return torch.stack([k.amax(1) for k in kinds], 1)
