"""Where and which way things move, from pairs of frames all over a recording.

Second moments of the spatial and temporal gradients at three scales (the structure
tensor of the video; Bigun and Granlund, 1987): blood leaves its direction in them
however short the look at it, and tissue that stands still leaves nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.inputs import smoothed
from sam2flow_core.model.strips import Window, strips

_SCALES = (1, 2, 4)
"""Px that are averaged before the gradients are taken."""
_PER_SCALE = 6
MOTION_CHANNELS = len(_SCALES) * _PER_SCALE
MOTION_STRIDE = 2
"""Px per cell of the channels."""
_SEEN = 4
"""Rows beyond its own that a gradient of smoothed frames looks at."""
_FLOOR = 1e-12
"""Of the squares of gradients, against their mean at the scale."""
_SMALLEST = 1e-36
_ROUNDING = 1e-6
"""Of what is left when the still part is taken from the squares of gradients, against the squares themselves."""


class MotionStatistics:
    """Gathers pairs of frames; memory does not grow with their number."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: list[tuple[Tensor, Tensor]] = []

    def add(self, first: Tensor, second: Tensor) -> None:
        """Add pairs of consecutive frames (P, H, W), aligned to the tissue, any unit; H and W multiples of 4."""
        self._count += len(first)
        for number, scale in enumerate(_SCALES):
            frames = torch.cat([first, second])
            if scale > 1:
                frames = F.avg_pool2d(frames[:, None], scale)[:, 0]
            height, width = frames.shape[-2:]
            step = max(MOTION_STRIDE // scale, 1)
            if number == len(self._sums):
                sizes = (3, height, width), (_PER_SCALE, height // step, width // step)
                self._sums.append((frames.new_zeros(sizes[0]), frames.new_zeros(sizes[1])))
            for strip in strips((height // step, width // step)):
                rows = Window(strip.top * step, strip.bottom * step, 0, width)
                linear, products = _moments(frames, rows, scale)
                rows.of(self._sums[number][0]).add_(linear)
                strip.of(self._sums[number][1]).add_(products)

    def channels(self) -> Tensor:
        """Orientation (2), direction and speed (2), change and contrast (1 each) at every scale, (18, H/2, W/2).

        Free of unit, and the same for a video and its negative. Orientation is the double-angle vector of the spatial
        gradient, direction the correlation of spatial and temporal gradients, -1 to 1.
        """
        return torch.cat([self._scale(i, scale) for i, scale in enumerate(_SCALES)])

    def _scale(self, number: int, scale: int) -> Tensor:
        linear, products = self._sums[number]
        count, step = max(self._count, 1), max(MOTION_STRIDE // scale, 1)
        moments = products.new_empty(_PER_SCALE + 1, *products.shape[-2:])
        for strip in strips(products.shape[-2:]):
            rows = Window(strip.top * step, strip.bottom * step, 0, linear.shape[-1])
            still = _pooled(_products(rows.of(linear)[None] / count), scale)[0]
            part = strip.of(products) / count
            strip.of(moments).copy_(torch.cat([part - still, part[:2].sum(0, keepdim=True)]))
        for moment in moments.split(1):
            moment.copy_(smoothed(moment))
        if scale > MOTION_STRIDE:
            size = [n * scale // MOTION_STRIDE for n in moments.shape[-2:]]
            moments = F.interpolate(moments[None], size, mode="bilinear", align_corners=False)[0]
        xx, yy, tt, xy, xt, yt, whole = moments
        # Where nothing moves, what is left of a strong still texture is rounding, and its ratios are anything.
        floor = torch.maximum(_ROUNDING * whole, _FLOOR * (xx + yy).mean() + _SMALLEST)
        energy, change = torch.maximum(xx + yy, floor), torch.maximum(tt, floor)
        both = energy.sqrt() * change.sqrt()
        level = energy.mean()
        directions = torch.stack([(xx - yy) / energy, 2 * xy / energy, xt / both, yt / both]).clamp(-1, 1)
        return torch.cat([
            directions,
            0.5 * (change / energy).log().clamp(-6, 6)[None], 0.5 * (energy / level).log().clamp(-6, 6)[None],
        ])  # fmt: skip


def _moments(frames: Tensor, rows: Window, scale: int) -> tuple[Tensor, Tensor]:
    """Sums over pairs of the gradients x, y, t (3, h, w) in some rows, and of their products (6, ...).

    The products are pooled to stride 2 or more. ``frames`` (2 P, H, W) are the first ones of all pairs, then the second
    ones, at this scale.
    """
    more = Window(rows.top - _SEEN, rows.bottom + _SEEN, rows.left, rows.right)
    there = more.within((int(frames.shape[-2]), int(frames.shape[-1])))
    one, two = smoothed(there.of(frames)).chunk(2)
    middle = F.pad(one + two, (1, 1, 1, 1), mode="replicate")
    gradients = torch.stack(
        [middle[:, 1:-1, 2:] - middle[:, 1:-1, :-2], middle[:, 2:, 1:-1] - middle[:, :-2, 1:-1], two - one], 1
    )
    gradients = gradients[:, :, rows.top - there.top :][:, :, : rows.bottom - rows.top]
    return gradients.sum(0), _pooled(_products(gradients), scale).sum(0)


def _products(gradients: Tensor) -> Tensor:
    x, y, t = gradients.unbind(1)
    return torch.stack([x * x, y * y, t * t, x * y, x * t, y * t], 1)


def _pooled(products: Tensor, scale: int) -> Tensor:
    return F.avg_pool2d(products, MOTION_STRIDE // scale) if scale < MOTION_STRIDE else products
