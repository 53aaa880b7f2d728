"""SAM 2's Hiera: blocks of attention within windows, whose queries are pooled where a stage begins.

Written out here, with the names and the first weights of timm's, because timm brings every network it knows along with
it: two seconds and two hundred megabytes before the first frame.

References: Ryali et al., Hiera, 2023; Bolya et al., Window Attention is Bugged, 2023; Ravi et al., SAM 2, 2024.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EPSILON = 1e-6
_WIDER = 4
"""Width of what lies between a block's two last layers, by that of the block."""
_SPREAD = 0.02
"""Standard deviation of first weights."""
_BIAS = 0.02
"""First bias of linear layers."""
_POOL = 2
"""Cells a side that are pooled to one where a stage begins."""


class PatchEmbed(nn.Module):
    """Images (B, 3, H, W) to patches (B, H / 4, W / 4, C) that overlap."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=7, stride=4, padding=3)

    def forward(self, images: Tensor) -> Tensor:
        """Channels come last."""
        result: Tensor = self.proj(images).permute(0, 2, 3, 1)
        return result


class WindowAttention(nn.Module):
    """Attention of all places of a window to each other; where ``pools``, from the largest of four each."""

    def __init__(self, width: int, width_out: int, heads: int, pools: bool) -> None:
        super().__init__()
        self.heads, self.pools = heads, pools
        self.qkv = nn.Linear(width, 3 * width_out)
        self.proj = nn.Linear(width_out, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Answer (B, h, w, width_out) to windows (B, h, w, width); half as many places a side where it pools."""
        batch, rows, columns, _ = x.shape
        q, k, v = self.qkv(x).reshape(batch, rows * columns, 3, self.heads, -1).unbind(2)
        if self.pools:
            q = _pooled(q.reshape(batch, rows, columns, -1))
            rows, columns = q.shape[1:3]
            q = q.reshape(batch, rows * columns, self.heads, -1)
        found = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        result: Tensor = self.proj(found.transpose(1, 2).reshape(batch, rows, columns, -1))
        return result


class Mlp(nn.Module):
    """Two layers, the same for each place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, _WIDER * width)
        self.fc2 = nn.Linear(_WIDER * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Of (..., width), as many."""
        result: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return result


class HieraBlock(nn.Module):
    """One block.

    Parameters
    ----------
    width, width_out : int
        Channels that come in and go out; another number where a stage begins.
    heads : int
    pools : bool
        Whether four places become one.
    window : int
        Places a side of the windows as they come in; 0 = all places attend to each other.
    """

    def __init__(self, width: int, width_out: int, heads: int, pools: bool, window: int) -> None:
        super().__init__()
        self.window, self.pools = window, pools
        self.proj = nn.Linear(width, width_out) if width != width_out else None
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.attn = WindowAttention(width, width_out, heads, pools)
        self.norm2 = nn.LayerNorm(width_out, eps=_EPSILON)
        self.mlp = Mlp(width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Answer (B, h, w, width_out) to (B, h, w, width), with half the rows and columns where it pools."""
        normed = self.norm1(x)
        if self.proj is not None:
            x = self.proj(normed)
            if self.pools:
                x = _pooled(x)
        x = x + self._attended(normed, (int(x.shape[1]), int(x.shape[2])))
        result: Tensor = x + self.mlp(self.norm2(x))
        return result

    def _attended(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Attention within windows, of which the last ones are filled up with zeros; ``size`` is that of the answer."""
        if not self.window:
            result: Tensor = self.attn(x)
            return result
        rows, columns = x.shape[1:3]
        filled = F.pad(x, (0, 0, 0, -columns % self.window, 0, -rows % self.window))
        answer = self.attn(_windows(filled, self.window))
        window = answer.shape[1]
        whole = (size[0] + -size[0] % window, size[1] + -size[1] % window)
        return _joined(answer, whole)[:, : size[0], : size[1]].contiguous()


class HieraTrunk(nn.Module):
    """The trunk: patches, where they lie, and the blocks of all stages.

    Parameters
    ----------
    width : int
        Channels of the first stage; each further one has twice as many.
    heads : int
        Of the first stage, likewise.
    stages : tuple of int
        Blocks of each.
    all_see : tuple of int
        Blocks without windows.
    windows : tuple of int
        Places a side of the windows of each stage.
    places : tuple of int
        Size of the table of places that is stretched over the image.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        stages: tuple[int, ...],
        all_see: tuple[int, ...],
        windows: tuple[int, ...],
        places: tuple[int, int],
    ) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(width)
        self.pos_embed = nn.Parameter(torch.zeros(1, width, *places))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, width, windows[0], windows[0]))
        begins = {sum(stages[:s]) for s in range(1, len(stages))}
        self.blocks = nn.Sequential()
        stage = 0
        for number in range(sum(stages)):
            # A stage's first block still sees the windows of the stage before, and pools what comes out.
            window = 0 if number in all_see else windows[stage]
            stage += number in begins
            before = width * 2 ** (stage - (number in begins))
            self.blocks.append(HieraBlock(before, width * 2**stage, heads * 2**stage, number in begins, window))
        self._begin()

    def _begin(self) -> None:
        """Set first weights; what a block adds counts less the deeper it lies."""
        for table in (self.pos_embed, self.pos_embed_window):
            nn.init.trunc_normal_(table, std=_SPREAD)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.trunc_normal_(layer.weight, std=_SPREAD)
            if isinstance(layer, nn.Linear):
                nn.init.constant_(layer.bias, _BIAS)
        for depth, block in enumerate(self.blocks, 1):
            assert isinstance(block, HieraBlock)
            for layer in (block.attn.proj, block.mlp.fc2):
                layer.weight.data.div_(math.sqrt(2.0 * depth))

    def placed(self, x: Tensor) -> Tensor:
        """Patches (B, h, w, C) with what tells where they lie: in the image, and in their window."""
        window = self.pos_embed_window
        where = F.interpolate(self.pos_embed, size=(x.shape[1], x.shape[2]), mode="bicubic")
        where = where + window.tile((where.shape[-2] // window.shape[-2], where.shape[-1] // window.shape[-1]))
        return x + where.permute(0, 2, 3, 1)


def _pooled(x: Tensor) -> Tensor:
    """The largest of each four places of (B, h, w, C)."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), _POOL).permute(0, 2, 3, 1)


def _windows(x: Tensor, side: int) -> Tensor:
    """Windows (B n, side, side, C) of (B, h, w, C), whose sides are multiples of ``side``."""
    batch, rows, columns, channels = x.shape
    x = x.view(batch, rows // side, side, columns // side, side, channels)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, side, side, channels)


def _joined(windows: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo `_windows`: (B, h, w, C) of ``size``."""
    side, (rows, columns) = windows.shape[1], size
    x = windows.view(-1, rows // side, columns // side, side, side, windows.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, rows, columns, windows.shape[-1])
