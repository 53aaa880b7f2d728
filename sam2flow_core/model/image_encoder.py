"""SAM 2 image encoder: Hiera trunk with adapters, and an FPN neck.

References: Ravi et al., SAM 2, 2024; Ryali et al., Hiera, 2023. Adapters after
the published SAM2Flow: high-pass patch embeddings and stage-start features go
through a small MLP per block and a shared up-projection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import ImageEncoderConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.model.hiera import HieraBlock, HieraTrunk
from sam2flow_core.model.layers import begin_at_zero
from sam2flow_core.model.strips import goes_whole

if TYPE_CHECKING:
    from sam2flow_core.model.sam_encoder import SamEncoder

_ROWS_CELLS = 1 << 16
"""Cells of a large image that go through a block at a time."""


class Adapters(nn.Module):
    """What is added before each block, from fine texture and from what enters the block's stage.

    Parameters
    ----------
    widths : list of int
        Width of each group's input; a group is a run of blocks whose inputs have the same shape.
    group_of : list of int
        Group of each block.
    width : int
        Of the bottleneck.
    embed_dim : int
        Width of the patch embedding.
    """

    def __init__(self, widths: list[int], group_of: list[int], width: int, embed_dim: int) -> None:
        super().__init__()
        self.group_of = group_of
        self.texture = nn.ModuleList(nn.Linear(embed_dim, width) for _ in widths)
        self.start = nn.ModuleList(nn.Linear(d, width) for d in widths)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in group_of)
        self.up = nn.ModuleList(nn.Linear(width, d) for d in widths)
        for layer in self.up:
            begin_at_zero(layer)

    def keep(self, count: int) -> None:
        """Leave out what is added before all blocks but the first `count`."""
        self.group_of, self.blocks = self.group_of[:count], self.blocks[:count]
        groups = self.group_of[-1] + 1
        self.texture, self.start, self.up = self.texture[:groups], self.start[:groups], self.up[:groups]

    def enter(self, group: int, high_pass: Tensor, x: Tensor) -> Tensor:
        """Shared input of a group's adapters: (B, h, w, width)."""
        if high_pass.shape[1:3] != x.shape[1:3]:
            pooled = F.adaptive_avg_pool2d(high_pass.permute(0, 3, 1, 2), (x.shape[1], x.shape[2]))
            high_pass = pooled.permute(0, 2, 3, 1)
        result: Tensor = self.texture[group](high_pass) + self.start[group](x)
        return result

    def forward(self, block: int, shared: Tensor) -> Tensor:
        """What a block gets added."""
        result: Tensor = self.up[self.group_of[block]](F.gelu(self.blocks[block](shared)))
        return result


class ImageEncoder(nn.Module):
    """Frames to feature pyramids.

    Parameters
    ----------
    config : ImageEncoderConfig
    d_model : int
        Channels of the pyramid.
    finest_only : bool
        Make stride 4 alone, with what it takes.
    """

    def __init__(self, config: ImageEncoderConfig, d_model: int, finest_only: bool = False) -> None:
        super().__init__()
        self.trunk = HieraTrunk(
            config.embed_dim, config.num_heads, config.stages, config.global_att_blocks, config.window_spec,
            config.global_pos_size or (1, 1),
        )  # fmt: skip
        if config.global_pos_size is None:
            self.trunk.pos_embed.requires_grad_(False).zero_()
        dims = [config.embed_dim * 2**s for s in range(4)]
        self.ends = [sum(config.stages[: s + 1]) - 1 for s in range(4)]
        self.use_adapters = config.use_adapters
        self.adapters = None
        if config.adapter_dim:
            # A stage's first block takes the width of the stage before it and pools inside.
            entered = [sum(i > end for end in self.ends) for i in range(sum(config.stages))]
            group_of = [0, *entered[:-1]]
            widths = dims[: max(group_of) + 1]
            self.adapters = Adapters(widths, group_of, config.adapter_dim, config.embed_dim)
        self.neck = nn.ModuleList(nn.Conv2d(d, d_model, 1) for d in dims)
        if finest_only:
            self._keep_finest()

    def _keep_finest(self) -> None:
        """Leave out the blocks beyond the first stage, and what belongs to them."""
        count = self.ends[0] + 1
        self.ends, self.neck, self.trunk.blocks = self.ends[:1], self.neck[:1], self.trunk.blocks[:count]
        if self.adapters is not None:
            self.adapters.keep(count)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Pyramid of (B, 3, H, W): (B, d_model, H / s, W / s) for s = 4, 8, 16, or for 4 alone.

        H and W are multiples of 32.
        """
        x = embedded = self.trunk.patch_embed(images)
        x = self.trunk.placed(x)
        high_pass, shared = _high_pass(embedded), embedded
        levels, group = [], -1
        for i, block in enumerate(self.trunk.blocks):
            if self.adapters is not None and self.use_adapters:
                if self.adapters.group_of[i] != group:
                    group = self.adapters.group_of[i]
                    shared = self.adapters.enter(group, high_pass, x)
                x = x + self.adapters(i, shared)
            x = _in_rows(block, x)
            if i in self.ends:
                levels.append(x.permute(0, 3, 1, 2))
        return self._fuse(levels)

    def _fuse(self, levels: list[Tensor]) -> list[Tensor]:
        """Top-down sum into stride 16 only, as SAM 2 does; finer levels keep their own features."""
        fused = [conv(x) for conv, x in zip(self.neck, levels, strict=True)]
        if len(fused) == 1:
            return fused
        fine, mid, coarse, top = fused
        coarse = coarse + F.interpolate(top.float(), size=coarse.shape[-2:], mode="nearest")
        return [fine, mid, coarse]


def build_image_encoder(
    config: ImageEncoderConfig, d_model: int, finest_only: bool = False
) -> ImageEncoder | SamEncoder:
    """Encoder that a configuration names; raises `ModelError` for an unknown one."""
    if config.trunk == "hiera":
        return ImageEncoder(config, d_model, finest_only)
    if config.trunk not in ("tiny_vit", "vit"):
        raise ModelError(f"no image encoder '{config.trunk}'; there are hiera, tiny_vit and vit")
    # Imported here: timm takes seconds and hundreds of megabytes, and the shipped network does without.
    from sam2flow_core.model.sam_encoder import SamEncoder

    return SamEncoder(config)


def frames_before(frame: int, window: int) -> list[int]:
    """Numbers of a frame's window: the frames before it and itself, which takes the place of those that are missing."""
    there = list(range(max(frame - window + 1, 0), frame + 1))
    return there + [frame] * (window - len(there))


def _in_rows(block: nn.Module, x: Tensor) -> Tensor:
    """Answer of a block to (B, h, w, C); of large images a few rows of its windows at a time, for these are apart."""
    rows, columns = x.shape[1:3]
    assert isinstance(block, HieraBlock)
    if goes_whole((rows, columns)) or not block.window:
        result: Tensor = block(x)
        return result
    # Twice, because a block that pools halves its windows.
    step = 2 * block.window * max(_ROWS_CELLS // (2 * block.window * columns), 1)
    return torch.cat([block(part) for part in x.split(step, 1)], 1)


def _high_pass(embedded: Tensor) -> Tensor:
    x = embedded.permute(0, 3, 1, 2)
    return (x - F.avg_pool2d(x, 5, stride=1, padding=2, count_include_pad=False)).permute(0, 2, 3, 1)
