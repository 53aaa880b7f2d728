"""Convolutions over maps too large to be held several times: in strips of rows, with equal answers.

A map is made strip by strip, and what a strip needs beyond its rows is made with it. Normalisation over the whole
map takes its statistics in a pass of its own. Maps of ordinary size, and all that is trained, go in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST_WHOLE = 1 << 17
"""Cells of a map up to which it is made in one piece."""
_STRIP_CELLS = 1 << 17
"""Cells of a strip."""


class Window(NamedTuple):
    """Rows and columns of a map from the first to before the last; beyond it where they are negative or too large."""

    top: int
    bottom: int
    left: int
    right: int

    def within(self, size: tuple[int, int]) -> Window:
        """The part that lies in a map of ``(rows, columns)``."""
        rows, columns = size
        return Window(max(self.top, 0), min(self.bottom, rows), max(self.left, 0), min(self.right, columns))

    def of(self, maps: Tensor) -> Tensor:
        """What maps (..., rows, columns) hold there, as a view."""
        return maps[..., self.top : self.bottom, self.left : self.right]


class Kernel(NamedTuple):
    """A convolution without its padding: ``before`` rows and columns are read above and left of a cell's own."""

    weight: Tensor
    bias: Tensor | None
    stride: int
    dilation: int
    before: int

    @classmethod
    def of(cls, conv: nn.Module) -> Kernel:
        """Of a convolution with square kernel and the same padding on all sides."""
        assert isinstance(conv, nn.Conv2d)
        before = conv.padding[0]
        assert isinstance(before, int)
        return cls(conv.weight, conv.bias, conv.stride[0], conv.dilation[0], before)

    def reads(self, window: Window) -> Window:
        """What is read, also beyond the map, for a window of the result."""
        span = self.dilation * (self.weight.shape[-1] - 1) + 1
        first, last = ((n * self.stride - self.before for n in side) for side in (window[::2], window[1::2]))
        (top, left), (bottom, right) = first, (n - self.stride + span for n in last)
        return Window(top, bottom, left, right)

    def at(self, window: Window, size: tuple[int, int], source: Callable[[Window], Tensor]) -> Tensor:
        """Result in a window of it, with zeros beyond the map.

        Parameters
        ----------
        window : Window
        size : tuple of int
            ``(rows, columns)`` of the map that is read.
        source : callable
            Gives that map (B, C, ...) in a window.
        """
        wanted = self.reads(window)
        there = wanted.within(size)
        beyond = (
            there.left - wanted.left, wanted.right - there.right, there.top - wanted.top, wanted.bottom - there.bottom,
        )  # fmt: skip
        part = F.pad(source(there), beyond)
        return F.conv2d(part, self.weight, self.bias, self.stride, 0, self.dilation)


def goes_whole(size: tuple[int, int] | torch.Size) -> bool:
    """Whether maps (rows, columns) are made in one piece."""
    return torch.is_grad_enabled() or size[0] * size[1] <= LARGEST_WHOLE


def strips(size: tuple[int, int] | torch.Size) -> Iterator[Window]:
    """Strips of rows of a map (rows, columns)."""
    rows, columns = size
    step = max(_STRIP_CELLS // columns, 1)
    for top in range(0, rows, step):
        yield Window(top, min(top + step, rows), 0, columns)


def convolved(
    conv: nn.Module, maps: Tensor, before: Callable[[Tensor], Tensor] = lambda part: part, onto: Tensor | None = None
) -> Tensor:
    """Convolution of what ``before`` makes of maps, added ``onto`` others: in place where the maps are large."""
    if goes_whole(maps.shape[-2:]):
        made: Tensor = conv(before(maps))
        return made if onto is None else onto + made
    kernel, size = Kernel.of(conv), (int(maps.shape[-2]), int(maps.shape[-1]))
    rows, columns = (n // kernel.stride for n in size)
    out = maps.new_empty(maps.shape[0], kernel.weight.shape[0], rows, columns) if onto is None else onto
    for strip in strips((rows, columns)):
        part = kernel.at(strip, size, lambda window: before(window.of(maps)))
        target = strip.of(out)
        target.copy_(part if onto is None else target + part)
    return out


def activated(norm: nn.Module, maps: Tensor) -> Callable[[Tensor], Tensor]:
    """Normalisation by the statistics of maps, and GELU, to be applied to any part of them."""
    if goes_whole(maps.shape[-2:]):
        return lambda part: F.gelu(norm(part))
    return normalised_by(norm, (strip.of(maps) for strip in strips(maps.shape[-2:])))


def normalised_by(norm: nn.Module, parts: Iterable[Tensor]) -> Callable[[Tensor], Tensor]:
    """Normalisation by the statistics of all parts (B, C, ...) together, and GELU, to be applied to any of them."""
    assert isinstance(norm, nn.GroupNorm)
    count, total, square = 0, torch.zeros(()), torch.zeros(())
    for part in parts:
        grouped = part.unflatten(1, (norm.num_groups, -1)).flatten(2)
        count += grouped.shape[2]
        # Sums of a strip in single precision, of all strips in double: as exact as those of the whole.
        total = total.to(part.device) + grouped.sum(2).double()
        square = square.to(part.device) + torch.linalg.vector_norm(grouped, dim=2).double() ** 2
    mean = total / count
    spread = (square / count - mean**2).clamp_min(0)
    rate = (spread + norm.eps).rsqrt()
    each = norm.num_channels // norm.num_groups
    scale = norm.weight * rate.repeat_interleave(each, 1)
    shift = (norm.bias - mean.repeat_interleave(each, 1) * scale).to(norm.weight)[..., None, None]
    scale = scale.to(norm.weight)[..., None, None]
    return lambda part: F.gelu(torch.addcmul(shift, part, scale))
