"""Image encoders of the SAMs that know single pictures, and what SAM-I2V adds to them so that they see motion.

The trunks are timm's; only where SAM differs from the networks they come from is said here. All give stride 16 alone.

References: Kirillov et al., Segment Anything, 2023; Zhang et al., MobileSAM, 2023; Wu et al., TinyViT, 2022;
Mei et al., SAM-I2V, 2025.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from timm.models.tiny_vit import TinyVit
from timm.models.vision_transformer_sam import VisionTransformerSAM
from torch import Tensor, nn

from sam2flow_core.config.model import ImageEncoderConfig
from sam2flow_core.model.layers import ChannelNorm

_TINY_VIT_WIDTHS, _TINY_VIT_HEADS = (64, 128, 160, 320), (2, 4, 5, 10)
_NECK = 256
_INTEGRATED, _TEMPORAL, _TEMPORAL_LAYERS = 256, 96, 3
"""Channels of what is integrated, and of what runs along time; layers along time in each stage."""


class TinyVitTrunk(nn.Module):
    """Trunk of MobileSAM and TinySAM.

    Attributes
    ----------
    widths : tuple of int
        Channels of the maps that `forward` gives.
    """

    widths = (160, 320, _NECK)

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.vit = TinyVit(
            num_classes=0, embed_dims=_TINY_VIT_WIDTHS, depths=config.stages, num_heads=_TINY_VIT_HEADS,
            window_sizes=config.window_spec, drop_path_rate=0.0,
        )  # fmt: skip
        del self.vit.head  # classifies photographs
        # SAM ends at stride 16, where the network it comes from ends at 32.
        last: Any = self.vit.stages[3]
        last.downsample.conv2.conv.stride = (1, 1)
        self.neck = _neck(_TINY_VIT_WIDTHS[3])

    def train(self, mode: bool = True) -> TinyVitTrunk:
        """Statistics of the batches stay those of the photographs: a clip is no batch to take them from."""
        super().train(mode)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps at stride 16 of (B, 3, H, W): as they enter the last two stages, and the features themselves."""
        stages: Any = self.vit.stages
        first, second, third, last = stages
        x = second(first(self.vit.patch_embed(images)))
        maps = []
        for stage in (third, last):
            x = stage.downsample(x)
            maps.append(x)
            x = stage.blocks(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return [*maps, self.neck(x)]


class VitTrunk(nn.Module):
    """Trunk of SAM; images have the size that its positions were made for.

    Attributes
    ----------
    widths : tuple of int
        Channels of the maps that `forward` gives.
    """

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        assert config.global_pos_size is not None
        norm: Any = partial(nn.LayerNorm, eps=1e-6)
        self.vit = VisionTransformerSAM(
            img_size=16 * config.global_pos_size[0], num_classes=0, embed_dim=config.embed_dim, depth=config.stages[0],
            num_heads=config.num_heads, norm_layer=norm, use_rel_pos=True,
            window_size=config.window_spec[0], global_attn_indexes=config.global_att_blocks, neck_chans=0,
        )  # fmt: skip
        self.vit.neck = nn.Sequential()
        del self.vit.head
        self.neck = _neck(config.embed_dim)
        self.taken = config.global_att_blocks[1:3]
        self.widths = (config.embed_dim, config.embed_dim, _NECK)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps at stride 16 of (B, 3, H, W): after two blocks with a view of the whole, and the features themselves."""
        last, maps = self.vit.forward_intermediates(images, indices=list(self.taken))
        return [*maps, self.neck(last)]


def _neck(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, _NECK, 1, bias=False), ChannelNorm(_NECK),
        nn.Conv2d(_NECK, _NECK, 3, padding=1, bias=False), ChannelNorm(_NECK),
    )  # fmt: skip


class TemporalLayer(nn.Module):
    """Each frame is convolved in its plane, then all along time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.plane = nn.Conv3d(width, width, (1, 3, 3), padding=(0, 1, 1))
        self.time = nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T, h, w), same shape."""
        y = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        return _swish(x + self.time(_swish(self.plane(y))))


class IntegratorStage(nn.Module):
    """One stage of the image encoder meets what runs along time; each passes something to the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(width, _INTEGRATED, 1)
        self.along_time = nn.ModuleList(TemporalLayer(_TEMPORAL) for _ in range(_TEMPORAL_LAYERS))
        self.to_time = _mix(_INTEGRATED + _TEMPORAL, _TEMPORAL, 1)
        self.to_image = _mix(_INTEGRATED + _TEMPORAL, _INTEGRATED, 1)
        self.integrate = _mix(_INTEGRATED, _INTEGRATED, 3)

    def forward(self, image: Tensor, before: Tensor | None, time: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the stage says, what it hands on to the next one, and what runs along time, with the stage's share.

        Parameters
        ----------
        image : Tensor (B, width, h, w)
            Of the stage.
        before : Tensor (B, 256, h, w) or None
            What the stage before handed on.
        time : Tensor (B, 96, T, h, w)
            The present frame last.
        """
        for layer in self.along_time:
            time = layer(time)
        here = self.project(image) if before is None else self.project(image) + before
        both = torch.cat([here, time[:, :, -1]], 1)
        here = self.to_image(both)
        handed = self.integrate(here)
        return handed + here, handed, torch.cat([time[:, :, :-1], self.to_time(both)[:, :, None]], 2)


class TemporalFeatureIntegrator(nn.Module):
    """SAM-I2V's: features of an image, stage by stage, together with the frames before it.

    Parameters
    ----------
    widths : tuple of int
        Channels of the stages' maps.
    window : int
        Frames that are looked at, the present one among them.
    """

    def __init__(self, widths: tuple[int, ...], window: int) -> None:
        super().__init__()
        self.window = window
        self.stem = nn.Conv3d(3, _TEMPORAL, (5, 16, 16), stride=(1, 16, 16), padding=(2, 0, 0))
        self.stages = nn.ModuleList(IntegratorStage(width) for width in widths)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Conv3d):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, maps: list[Tensor], clips: Tensor) -> Tensor:
        """Features (B, 256, h, w) of images with maps (B, width, h, w) and clips (B, window, 3, 16 h, 16 w)."""
        said, handed = maps[-1], None
        time = self.stem(clips.transpose(1, 2))
        for stage, image in zip(self.stages, maps, strict=True):
            said, handed, time = stage(image, handed, time)
        return said


def _mix(entering: int, leaving: int, side: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(entering, leaving, side, padding=side // 2), ChannelNorm(leaving), nn.GELU())


def _swish(x: Tensor) -> Tensor:
    """Quick form of GELU (Hendrycks and Gimpel, 2016)."""
    return x * torch.sigmoid(1.702 * x)


class SamEncoder(nn.Module):
    """Frames to pyramids of which only the level at stride 16 has channels.

    Parameters
    ----------
    config : ImageEncoderConfig
        Of ``tiny_vit`` or ``vit``.
    """

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.trunk = TinyVitTrunk(config) if config.trunk == "tiny_vit" else VitTrunk(config)
        self.integrator = TemporalFeatureIntegrator(self.trunk.widths, config.window) if config.window else None

    def forward(self, images: Tensor, clips: Tensor | None = None) -> list[Tensor]:
        """Pyramid of (B, 3, H, W): (B, channels, H / s, W / s) for s = 4, 8, 16, with channels of 0, 0, 256.

        Parameters
        ----------
        images : Tensor (B, 3, H, W)
        clips : Tensor (B, window, 3, H, W), optional
            From `frames_before`; where there is an integrator, an image alone is taken for a clip of itself.
        """
        maps, (height, width) = self.trunk(images), images.shape[-2:]
        found = maps[-1]
        if self.integrator is not None:
            if clips is None:
                clips = images[:, None].expand(-1, self.integrator.window, -1, -1, -1)
            found = self.integrator(maps, clips)
        fine, mid = (images.new_zeros(len(images), 0, height // s, width // s) for s in (4, 8))
        return [fine, mid, found]
