"""The network's input, and where and which way things move, from pairs of frames all over a recording.

Second moments of the spatial and temporal gradients at three scales (the structure
tensor of the video; Bigun and Granlund, 1987): blood leaves its direction in them
however short the look at it, and tissue that stands still leaves nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.strips import Window, strips

_LEAST_SPREAD = 1e-30
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


class RecordingStatistics(NamedTuple):
    """What a recording says as a whole.

    Attributes
    ----------
    field_input : Tensor (1, 20, h, w)
        For `SAM2Flow.map_vessels`.
    moving : Tensor (2 P, h, w)
        What moves in the first frames of P pairs all over it, then in the second ones.
    """

    field_input: Tensor
    moving: Tensor


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
        self.spread = torch.maximum(activity.square().mean().sqrt(), least).clamp_min(_LEAST_SPREAD)
        self.still = torch.asinh((background - background.mean()) / self.spread)
        self.busy = torch.log((activity / self.spread).clamp(0.05, 20.0))

    def __call__(self, frames: Tensor) -> Tensor:
        """Frame, background and log activity (T, 3, H, W) of frames (T, H, W).

        The difference of the first two is the moving part, of standard deviation near 1.
        """
        moving = ((frames - self.background) / self.spread).clamp(-8, 8)
        still, busy = (x.expand(len(frames), -1, -1) for x in (self.still, self.busy))
        return torch.stack([still + moving, still, busy], 1)

    def moving(self, halved: Tensor, padding: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Tensor:
        """What moves in padded frames, halved by `halved_frames` (T, H / 2, W / 2); free of unit."""
        still = halved_frames(F.pad(self.background[None, None], padding, mode="replicate")[0])
        return ((halved - still) / self.spread).clamp(-8, 8)

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


def halved_frames(frames: Tensor) -> Tensor:
    """Frames (T, H, W) at the stride of `MotionStatistics`, (T, H / 2, W / 2); sides are even."""
    return F.avg_pool2d(frames[:, None], MOTION_STRIDE)[:, 0]


def moving_energy(images: Tensor, patch: int, stride: int) -> Tensor:
    """How much of what moves shows around each cell of ``stride`` x ``stride`` px, against what usually does there.

    Parameters
    ----------
    images : Tensor (B, 3, H, W)
        As `InputMaker` makes them.
    patch : int
        Side in px of what is looked at around a cell's centre.
    stride : int
        Even, as the patch is.

    Returns
    -------
    Tensor (B, H / stride, W / stride)
        Variance of the moving part within the patch over its mean over the recording. A flicker, which is the same all
        over the patch, has none; nor does it matter how bright a neighbour is.
    """
    moving = smoothed(images[:, 0] - images[:, 1])

    def around(x: Tensor) -> Tensor:
        size, step = patch // 2, stride // 2
        halved = F.avg_pool2d(x[:, None], 2)
        return F.avg_pool2d(halved, size, step, (size - step) // 2, count_include_pad=False)[:, 0]

    usual = around(torch.exp(2 * images[:, 2]))
    return (around(moving.square()) - around(moving).square()).clamp_min(0) / usual


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
        channels = self._sums[0][1].new_empty(MOTION_CHANNELS, *self._sums[0][1].shape[-2:])
        # One scale after the other: of large frames, the channels twice are the most that is ever held of them.
        for number, (scale, place) in enumerate(zip(_SCALES, channels.split(_PER_SCALE), strict=True)):
            place.copy_(self._scale(number, scale))
        return channels

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
