"""Vesselness: where any vessel is, whatever was clicked.

Blood moves and tissue does not, so the activity channel nearly says it; the head
sharpens it with the image encoder's context, at stride 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_DILATIONS = (1, 2, 4, 2, 1)
_WALL_WEIGHT = 2.0


class VesselnessHead(nn.Module):
    """Logits of being inside a vessel."""

    def __init__(self, dim: int, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 5, stride=2, padding=2)
        self.context = nn.ModuleList(nn.Conv2d(dim, width, 1) for _ in range(3))
        self.norms = nn.ModuleList(nn.GroupNorm(4, width) for _ in _DILATIONS)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in _DILATIONS)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images: Tensor, levels: list[Tensor]) -> Tensor:
        """Logits (B, H / 2, W / 2).

        Parameters
        ----------
        images : Tensor (B, 3, H, W)
        levels : list of Tensor
            Pyramid of the same images.
        """
        x = self.stem(images)
        for conv, level in zip(self.context, levels, strict=True):
            x = x + F.interpolate(conv(level), x.shape[-2:], mode="bilinear", align_corners=False)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = x + conv(F.gelu(norm(x)))
        return self.head(F.gelu(x))[:, 0]


def vesselness_loss(logits: Tensor, union: Tensor) -> Tensor:
    """Cross-entropy and dice against the union (B, H, W) of all vessels.

    The gap between two vessels is narrow, and decides whether they are two: what lies close to a wall counts more.
    """
    truth = F.avg_pool2d(union[:, None], 2)
    close = F.max_pool2d(truth, 5, 1, 2) - truth
    weight = 1 + _WALL_WEIGHT * close
    chance = torch.sigmoid(logits)[:, None]
    dice = 1 - (2 * (chance * truth).sum() + 1) / (chance.sum() + truth.sum() + 1)
    entropy = F.binary_cross_entropy_with_logits(logits[:, None], truth, weight=weight, reduction="sum")
    return entropy / weight.sum() + dice
