"""Matching features: what is compared between frames.

`PatchEncoder` describes the background-removed patch around each point by its
low cosines, to which a small network adds what it has learned. Matching so works
from the first training step; a network alone needs long to discover it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet34

from sam2flow_core.config.model import MatchConfig
from sam2flow_core.model.features import Cover
from sam2flow_core.model.layers import begin_at_zero
from sam2flow_core.model.strips import Kernel, Window, normalised_by, strips


def cosine_patches(size: int, basis: int) -> Tensor:
    """Cosine kernels under a sine window (basis**2 - 1, 1, size, size), each of mean 0 and length 1.

    The window of both patches of a pair multiplies to a Hann window.
    """
    x = (torch.arange(size) + 0.5) / size
    window = torch.sin(math.pi * x)
    waves = torch.stack([torch.cos(math.pi * k * x) for k in range(basis)])
    kernels = torch.einsum("iy,jx->ijyx", waves * window, waves * window).reshape(-1, size, size)[1:]
    weight = torch.outer(window, window)
    weight = weight / weight.sum()
    kernels = kernels - kernels.sum((1, 2), keepdim=True) * weight
    return F.normalize(kernels.flatten(1), dim=1).view(-1, 1, size, size)


class PatchEncoder(nn.Module):
    """Fixed patches plus a learned residual, normalised so that a product is a correlation."""

    patches: Tensor

    def __init__(self, config: MatchConfig) -> None:
        super().__init__()
        kernels = cosine_patches(config.patch, config.patch_basis)
        self.register_buffer("patches", kernels, persistent=False)
        self.stride, self.size = config.feature_stride, config.patch
        c, dim = config.hidden, kernels.shape[0]
        self.stem = nn.Conv2d(2, c, 5, stride=config.feature_stride, padding=2)
        self.body = nn.Sequential(
            nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, c, 3, padding=1),
            nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, c, 3, padding=2, dilation=2),
        )  # fmt: skip
        self.head = nn.Sequential(nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, dim, 1))
        begin_at_zero(self.head[-1])
        self.dim = dim

    def forward(self, images: Tensor) -> Tensor:
        """Features of frames.

        Parameters
        ----------
        images : Tensor (B, 3, H, W)
            Channels frame, background, activity. In the memory format ``channels_last`` many frames take half the time.

        Returns
        -------
        Tensor (B, D, H / s, W / s)
            In the memory format of the images, of length 1 at each point; s = ``feature_stride``. Point (i, j)
            describes pixel ``((i + .5) s - .5, ...)``.
        """
        moving = images[:, :1] - images[:, 1:2]
        before = (self.size - self.stride) // 2
        after = self.size - self.stride - before
        with torch.autocast(images.device.type, enabled=False):
            fixed = F.conv2d(F.pad(moving, (before, after, before, after)), self.patches, stride=self.stride)
        given = torch.cat([moving, images[:, :1]], 1)
        # With one channel either layout is both: say which, or features that lie side by side would be taken apart.
        if images.is_contiguous(memory_format=torch.channels_last):
            fixed, given = (x.contiguous(memory_format=torch.channels_last) for x in (fixed, given))
        learned = self.stem(given)
        learned = self.head(learned + self.body(learned))
        return F.normalize(F.normalize(fixed, dim=1, eps=1e-4) + learned, dim=1, eps=1e-4)

    def tiles(self, images: Tensor, cover: Cover) -> Tensor:
        """Features of one frame (1, 3, H, W) in the tiles of a cover, as `forward` has them for the whole of it.

        The norms take their statistics over the whole frame, a strip at a time, so that the frame is gone
        through three times and nothing of it is kept.
        """
        moving = images[:, :1] - images[:, 1:2]
        pixels, cells = (int(images.shape[-2]), int(images.shape[-1])), cover.size
        first, _, narrow, second, _, wide = self.body
        last, _, head = self.head
        before = (self.size - self.stride) // 2
        patches = Kernel(self.patches, None, self.stride, 1, before)
        kernels = [Kernel.of(conv) for conv in (self.stem, narrow, wide)]

        def stem(window: Window) -> Tensor:
            return kernels[0].at(window, pixels, lambda w: torch.cat([w.of(moving), w.of(images[:, :1])], 1))

        one = normalised_by(first, (stem(strip) for strip in strips(cells)))

        def middle(window: Window) -> Tensor:
            return kernels[1].at(window, cells, lambda w: one(stem(w)))

        two = normalised_by(second, (middle(strip) for strip in strips(cells)))

        def learned(window: Window) -> Tensor:
            return stem(window) + kernels[2].at(window, cells, lambda w: two(middle(w)))

        three = normalised_by(last, (learned(strip) for strip in strips(cells)))
        maps = cover.blank(self.dim, images)
        for number, tile in enumerate(cover.tiles):
            with torch.autocast(images.device.type, enabled=False):
                fixed = patches.at(tile, pixels, lambda w: w.of(moving))
            added = head(three(learned(tile)))
            cover.lay(number, F.normalize(F.normalize(fixed, dim=1, eps=1e-4) + added, dim=1, eps=1e-4), maps)
        return maps


class ResNetEncoder(nn.Module):
    """The published encoder: ResNet34 to its third layer, upsampled to the feature stride."""

    def __init__(self, config: MatchConfig) -> None:
        super().__init__()
        net = resnet34(weights=None)
        self.stem = nn.Sequential(nn.Conv2d(2, 64, 7, stride=2, padding=3), net.bn1, net.relu)
        self.layer1, self.layer2, self.layer3 = net.layer1, net.layer2, net.layer3
        self.head = nn.Conv2d(256, config.feature_dim, 1)
        self.stride, self.dim = config.feature_stride, config.feature_dim

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, D, H / s, W / s) of frames (B, 3, H, W), of length 1 at each point."""
        h, w = images.shape[-2] // self.stride, images.shape[-1] // self.stride
        x = self.stem(torch.cat([images[:, :1] - images[:, 1:2], images[:, :1]], 1))
        x = self.head(self.layer3(self.layer2(self.layer1(x))))
        return F.normalize(F.interpolate(x, (h, w), mode="bilinear"), dim=1, eps=1e-4)


def build_feature_encoder(config: MatchConfig) -> PatchEncoder | ResNetEncoder:
    """Encoder named by the configuration."""
    return PatchEncoder(config) if config.encoder == "patch" else ResNetEncoder(config)
