"""The strip decoder: which part of a vessel pulled straight is the one that was clicked, and where its walls are.

A clicked vessel is followed through the vessel field, past forks and crossings, and pulled straight
(`sam2flow_core.tracing.vessel_strip`). A small U-Net (Ronneberger et al., 2015) sees the field along and across it
together with the clicks, and answers the mask and how good it is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FIELD_CHANNELS = 30
"""Chance (8) and direction (8) of vessels round the way, offset, radius, end, any vessel, background, activity;
positive and negative clicks, distance from a click, between clicks, log radius, out of sight, out of the picture,
distance from the centreline."""
MOTION_CHANNELS = 6
"""Likeness of what comes to each place at the speed of the click, at half of it, at none and at the opposite one; how
sure that speed is; and its logarithm, in radii per frame."""
STRIP_CHANNELS = FIELD_CHANNELS + MOTION_CHANNELS
ACROSS = 33
"""Points across a strip."""
REACH = 2.0
"""Radii from the centreline to the edge of a strip."""


class DecodedStrips(NamedTuple):
    """Answers for B strips.

    Attributes
    ----------
    logits : Tensor (B, S, W)
        Of being part of the clicked vessel.
    quality : Tensor (B,)
        Logit of the intersection over union that is expected.
    """

    logits: Tensor
    quality: Tensor


class StripDecoder(nn.Module):
    """U-Net over strips; without normalisation, so that no part of a strip changes the answer far away.

    Parameters
    ----------
    widths : tuple of int
        Channels at full, half, quarter... resolution.
    motion : bool
        Whether it looks at the channels that tell of motion; older weights do not.
    """

    def __init__(self, widths: tuple[int, ...], motion: bool = True) -> None:
        super().__init__()
        self.channels = STRIP_CHANNELS if motion else FIELD_CHANNELS
        self.stem = nn.Conv2d(self.channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.before = nn.ModuleList(_Blocks(w, (1, 2) if number else (1,)) for number, w in enumerate(widths[:-1]))
        self.deepest = _Blocks(widths[-1], (1, 2, 4, 8, 1))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.after = nn.ModuleList(_Blocks(w, (1, 1) if number else (1,)) for number, w in enumerate(widths[:-1]))
        self.head = nn.Conv2d(widths[0], 1, 1)
        self.quality = nn.Sequential(nn.Linear(2 * widths[-1] + 2, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, features: Tensor, valid: Tensor) -> DecodedStrips:
        """Decode strips.

        Parameters
        ----------
        features : Tensor (B, STRIP_CHANNELS, S, W)
            Padded at the end of S.
        valid : Tensor (B, S)
            1 along each strip, 0 where it is padded.
        """
        there = [valid[:, None, :, None]]
        x, skips = self.stem(features[:, : self.channels]) * there[0], list[Tensor]()
        for number, block in enumerate(self.before):
            x = block(x, there[-1])
            skips.append(x)
            there.append(F.max_pool2d(there[-1], (2, 1), ceil_mode=True))
            x = self.down[number](x) * there[-1]
        deepest = x = self.deepest(x, there[-1])
        for number in range(len(skips) - 1, -1, -1):
            wide = F.interpolate(self.up[number](x), skips[number].shape[-2:], mode="bilinear", align_corners=True)
            x = self.after[number](skips[number] + wide * there[number], there[number])
        logits = self.head(F.relu(x))[:, 0]
        return DecodedStrips(logits, self._rate(deepest, there[-1], logits, valid))

    def _rate(self, deepest: Tensor, there: Tensor, logits: Tensor, valid: Tensor) -> Tensor:
        chance = torch.sigmoid(logits.detach()) * valid[..., None]
        size = torch.stack([chance.sum((1, 2)).log1p(), chance.amax((1, 2))], 1)
        cells = (there.sum((2, 3)) * deepest.shape[-1]).clamp_min(1)
        rated: Tensor = self.quality(torch.cat([deepest.sum((2, 3)) / cells, deepest.amax((2, 3)), size], 1))
        return rated[:, 0]


class _Block(nn.Module):
    """A residual block; it begins as the identity."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=(dilation, 1), dilation=(dilation, 1))
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        assert self.second.bias is not None
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """What lies past the end of a strip is as empty as what lies past the edge of a tensor."""
        changed: Tensor = (x + self.second(F.relu(self.first(F.relu(x))) * there)) * there
        return changed


class _Blocks(nn.ModuleList):
    """Residual blocks in a row."""

    def __init__(self, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__(_Block(width, dilation) for dilation in dilations)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        for block in self:
            x = block(x, there)
        return x
