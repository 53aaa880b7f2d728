"""The vessel field: at every place, in every direction, whether a vessel runs there.

Seen from above two vessels that cross are one cross; with direction as a third
axis they pass each other. For each of sixteen directions of flow the field says how
likely a vessel runs so at a place, where in it the place lies and how wide it is; and
where vessels end or fork. It is made once for a recording; `tracing` follows clicked vessels through it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.model.motion_statistics import MOTION_CHANNELS
from sam2flow_core.model.strips import activated, convolved, goes_whole

DIRECTIONS = 16
"""Of flow, counted from the x axis towards the y axis."""
ORIENTATIONS = DIRECTIONS // 2
FIELD_STRIDE = 2
"""Px per cell."""
STATISTICS_CHANNELS = MOTION_CHANNELS + 2
"""Motion, background and activity."""
_GROUPS = 8


class VesselField(NamedTuple):
    """What `VesselFieldNet` says of one recording, or of B of them with one more axis in front.

    Attributes
    ----------
    inside : Tensor (h, w)
        Logits of being in any vessel.
    ends : Tensor (h, w)
        Logits of a vessel's end: a fork, or where it leaves the plane that is in focus.
    runs : Tensor (16, h, w)
        Logits of a vessel whose blood flows in each direction.
    offset : Tensor (8, h, w)
        In each orientation, distance from the centreline in radii: positive on the left of the first of
        its two directions as seen on the screen.
    log_radius : Tensor (8, h, w)
        Natural logarithm of the radius in px.
    """

    inside: Tensor
    ends: Tensor
    runs: Tensor
    offset: Tensor
    log_radius: Tensor


class VesselFieldNet(nn.Module):
    """A small U-Net (Ronneberger et al., 2015) over the statistics of a recording."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(STATISTICS_CHANNELS, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.before = nn.ModuleList(_block(w) for w in widths)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.after = nn.ModuleList(_block(w) for w in widths[:-1])
        self.deepest = _block(widths[-1], dilation=2)
        self.head = nn.Conv2d(widths[0], 2 + DIRECTIONS + 2 * ORIENTATIONS, 1)
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.bias[1 : 2 + DIRECTIONS] = -3.0
            self.head.bias[-ORIENTATIONS:] = math.log(8.0)

    def forward(self, statistics: Tensor) -> VesselField:
        """Field of statistics (B, 20, h, w); h and w are multiples of 8."""
        x, skips = convolved(self.stem, statistics), list[Tensor]()
        for number, block in enumerate(self.before):
            if number:
                skips.append(x)
                x = convolved(self.down[number - 1], x)
            x = _further(block, x)
        x = _further(self.deepest, x)
        for number in range(len(skips) - 1, -1, -1):
            x = _enlarged(self.up[number](x), skips.pop())
            x = _further(self.after[number], x)
        out = convolved(self.head, x, F.gelu)
        inside, ends, runs, offset, radius = out.split([1, 1, DIRECTIONS, ORIENTATIONS, ORIENTATIONS], 1)
        return VesselField(inside[:, 0], ends[:, 0], runs, offset, radius)


def _block(width: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.GroupNorm(_GROUPS, width), nn.GELU(), nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation),
        nn.GroupNorm(_GROUPS, width), nn.GELU(), nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation),
    )  # fmt: skip


def _further(block: nn.Module, x: Tensor) -> Tensor:
    """What a block adds to its input; large maps are changed in place."""
    first, _, narrow, second, _, wide = block.children()
    hidden = convolved(narrow, x, activated(first, x))
    return convolved(wide, hidden, activated(second, hidden), onto=x)


def _enlarged(coarse: Tensor, skip: Tensor) -> Tensor:
    """A finer map with what the coarse ones say added; in place, a channel at a time, where it is large."""
    if goes_whole(skip.shape[-2:]):
        return skip + F.interpolate(coarse, skip.shape[-2:], mode="bilinear", align_corners=False)
    for fine, part in zip(skip.split(1, 1), coarse.split(1, 1), strict=True):
        fine.add_(F.interpolate(part, skip.shape[-2:], mode="bilinear", align_corners=False))
    return skip
