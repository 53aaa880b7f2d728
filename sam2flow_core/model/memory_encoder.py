"""Memory encoder: image features and a mask to what is remembered of a frame, after SAM 2 (Ravi et al., 2024)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.model.layers import ChannelNorm


class Fuser(nn.Module):
    """ConvNeXt block (Liu et al., 2022)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = ChannelNorm(dim)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.full((dim,), 1e-6 if dim > 128 else 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, dim, h, w), same shape."""
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        result: Tensor = x + y.permute(0, 3, 1, 2)
        return result


class ContextMemoryEncoder(nn.Module):
    """Image features and a mask to a memory entry."""

    def __init__(self, dim: int, memory_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 1
        for _ in range(4):
            layers += [nn.Conv2d(width, width * 4, 3, stride=2, padding=1), ChannelNorm(width * 4), nn.GELU()]
            width *= 4
        self.mask_downsampler = nn.Sequential(*layers, nn.Conv2d(width, dim, 1))
        self.pix_feat_proj = nn.Conv2d(dim, dim, 1)
        self.fuser = nn.Sequential(Fuser(dim), Fuser(dim))
        self.out_proj = nn.Conv2d(dim, memory_dim, 1)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Encode.

        Parameters
        ----------
        image : Tensor (V, dim, h, w)
            Stride-16 features, not yet read through memory.
        mask : Tensor (V, 1, 16 h, 16 w)
            Probability, 0 to 1. The sigmoid has been taken, once, by the caller.

        Returns
        -------
        Tensor (V, memory_dim, h, w)
        """
        scaled = mask * 20.0 - 10.0
        result: Tensor = self.out_proj(self.fuser(self.pix_feat_proj(image) + self.mask_downsampler(scaled)))
        return result
