"""ROI decoder: prompts and image features to masks, carried along the vessel, with their quality and presence.

A small convolutional net corrects a mask from the clicks, the decoder's mask and
the stride-4 features, a few times over with the same weights. Where a click names a
mask (`mask`) it is not asked.

Two-way transformer and mask heads after SAM and SAM 2 (Kirillov et al., 2023;
Ravi et al., 2024).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.layers import MLP, Attention, ChannelNorm, begin_at_zero
from sam2flow_core.model.prompt_encoder import NEGATIVE, POSITIVE

_DILATIONS = (1, 2, 4, 8, 4, 2, 1)
_CLICK_RADIUS = 5.0
"""px; a click names its surroundings, not a pixel."""
SURELY_PRESENT = 10.0
"""Logit of an object that is taken to be there."""
MASKS = 4
"""One mask for clear prompts and three for an ambiguous click."""


class RegionGrowth(nn.Module):
    """Correct mask logits at stride 4 from clicks and features."""

    def __init__(self, dim: int, fine_dim: int, width: int, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.features = nn.Conv2d(dim + fine_dim, width, 1)
        self.marks = nn.Conv2d(4, width, 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in _DILATIONS)
        self.norms = nn.ModuleList(nn.GroupNorm(4, width) for _ in _DILATIONS)
        self.head = nn.Conv2d(width, 1, 1)
        begin_at_zero(self.head)

    def forward(self, features: Tensor, fine: Tensor, decoded: Tensor, start: Tensor, clicks: Tensor) -> Tensor:
        """Logits (V, 1, h, w) after growth.

        Parameters
        ----------
        features : Tensor (V, dim, h, w)
            Stride-4 features of each vessel's image.
        fine : Tensor (V, fine_dim, h, w)
            Upscaled features of the decoder.
        decoded : Tensor (V, 1, h, w)
            Mask logits of the decoder.
        start : Tensor (V, 1, h, w)
            Mask logits to begin with.
        clicks : Tensor (V, 2, h, w)
            From `click_maps`.
        """
        seen = self.features(torch.cat([features, fine], 1))
        logits = start
        for _ in range(self.rounds):
            x = seen + self.marks(torch.cat([clicks, torch.tanh(decoded / 4), torch.tanh(logits / 4)], 1))
            for norm, conv in zip(self.norms, self.convs, strict=True):
                x = x + conv(F.gelu(norm(x)))
            logits = logits + self.head(F.gelu(x))
        return logits


def click_maps(points: Tensor, labels: Tensor, height: int, width: int) -> Tensor:
    """Positive and negative clicks as soft discs (V, 2, height, width) at stride 4.

    Parameters
    ----------
    points : Tensor (V, P, 2)
        ``(x, y)`` px.
    labels : LongTensor (V, P)
    """
    y = torch.arange(height, device=points.device) * 4.0 + 1.5
    x = torch.arange(width, device=points.device) * 4.0 + 1.5
    away = (points[:, :, 0, None, None] - x) ** 2 + (points[:, :, 1, None, None] - y[:, None]) ** 2
    discs = torch.exp(-0.5 * away / _CLICK_RADIUS**2)
    kinds = [discs * (labels == kind)[:, :, None, None] for kind in (POSITIVE, NEGATIVE)]
    return torch.stack([k.amax(1) for k in kinds], 1)


class TwoWayBlock(nn.Module):
    """Tokens look at themselves and at the image, then the image looks at the tokens."""

    def __init__(self, dim: int, heads: int, mlp_dim: int, skip_first: bool) -> None:
        super().__init__()
        self.self_attn = Attention(dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.cross_attn_token_to_image = Attention(dim, heads, 2)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP((dim, mlp_dim, dim))
        self.norm3 = nn.LayerNorm(dim)
        self.norm4 = nn.LayerNorm(dim)
        self.cross_attn_image_to_token = Attention(dim, heads, 2)
        self.skip_first = skip_first

    def forward(self, tokens: Tensor, image: Tensor, token_pe: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (V, P, dim) and image (V, hw, dim), each with its positions."""
        if self.skip_first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            q = tokens + token_pe
            tokens = tokens + self.self_attn(q, q, tokens)
        tokens = self.norm1(tokens)
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_pe, image + image_pe, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(image + image_pe, tokens + token_pe, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """`TwoWayBlock` in a row and a last look at the image."""

    def __init__(self, depth: int, dim: int, heads: int, mlp_dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(dim, heads, mlp_dim, i == 0) for i in range(depth))
        self.final_attn_token_to_image = Attention(dim, heads, 2)
        self.norm_final_attn = nn.LayerNorm(dim)

    def forward(self, image: Tensor, image_pe: Tensor, prompts: Tensor) -> tuple[Tensor, Tensor]:
        """Image (V, dim, h, w) and prompt tokens (V, P, dim) to tokens and image (V, hw, dim)."""
        image, image_pe = (x.flatten(2).transpose(1, 2) for x in (image, image_pe))
        tokens = prompts
        for layer in self.layers:
            tokens, image = layer(tokens, image, prompts, image_pe)
        look = self.final_attn_token_to_image(tokens + prompts, image + image_pe, image)
        return self.norm_final_attn(tokens + look), image


class DecodedMasks(NamedTuple):
    """Masks of V vessels.

    Attributes
    ----------
    logits : Tensor (V, 4, H / 4, W / 4)
    iou : Tensor (V, 4)
        Estimated, 0 to 1.
    object_score : Tensor (V,)
        Logit of being visible.
    tokens : Tensor (V, 4, dim)
    fine : Tensor (V, dim / 8, H / 4, W / 4)
        Upscaled features the masks were read from.
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor
    tokens: Tensor
    fine: Tensor


class MaskDecoder(nn.Module):
    """Decode the region of each vessel."""

    def __init__(self, config: MaskConfig) -> None:
        super().__init__()
        d = config.d_model
        self.transformer = TwoWayTransformer(config.depth, d, config.heads, config.mlp_dim)
        self.iou_token = nn.Embedding(1, d)
        self.mask_tokens = nn.Embedding(MASKS, d)
        self.obj_score_token = None if config.image_only else nn.Embedding(1, d)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(d, d // 4, 2, stride=2), ChannelNorm(d // 4), nn.GELU(),
            nn.ConvTranspose2d(d // 4, d // 8, 2, stride=2), nn.GELU(),
        )  # fmt: skip
        self.conv_s0 = nn.Conv2d(d, d // 8, 1) if config.fine_levels else None
        self.conv_s1 = nn.Conv2d(d, d // 4, 1) if config.fine_levels else None
        self.output_hypernetworks_mlps = nn.ModuleList(MLP((d, d, d, d // 8)) for _ in range(MASKS))
        self.iou_prediction_head = MLP((d, d, d, MASKS))
        self.pred_obj_score_head = None if config.image_only else MLP((d, d, d, 1))
        self.growth = RegionGrowth(d, d // 8, config.growth_dim, config.growth_rounds) if config.growth_rounds else None

    def high_resolution(self, levels: list[Tensor]) -> tuple[Tensor, Tensor] | None:
        """Skips for the upscaling, from the strides 4 and 8 of the pyramid; None where it does without."""
        if self.conv_s0 is None or self.conv_s1 is None:
            return None
        return self.conv_s0(levels[0]), self.conv_s1(levels[1])

    def forward(
        self, image: Tensor, image_pe: Tensor, sparse: Tensor, dense: Tensor, skips: tuple[Tensor, Tensor] | None
    ) -> DecodedMasks:
        """Masks of V vessels.

        Parameters
        ----------
        image : Tensor (V, dim, h, w)
            Stride-16 features of the image each vessel lies in, read through the context memory.
        image_pe : Tensor (dim, h, w)
        sparse, dense : Tensor
            From the prompt encoder.
        skips : tuple of Tensor, or None
            (V, dim / 8, 4 h, 4 w) and (V, dim / 4, 2 h, 2 w), from `high_resolution`.
        """
        count = image.shape[0]
        scores = [] if self.obj_score_token is None else [self.obj_score_token.weight]
        fixed = torch.cat([*scores, self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([fixed.expand(count, -1, -1), sparse], 1)
        tokens, mixed = self.transformer(image + dense, image_pe.expand(count, -1, -1, -1), tokens)
        mixed = mixed.transpose(1, 2).unflatten(2, image.shape[-2:])
        up1, norm, act1, up2, act2 = self.output_upscaling
        mid, high = (0.0, 0.0) if skips is None else skips[::-1]
        fine = act2(up2(act1(norm(up1(mixed) + mid))) + high)
        score, quality, mask_tokens = tokens[:, 0], tokens[:, len(scores)], tokens[:, len(scores) + 1 :][:, :MASKS]
        iou = self.iou_prediction_head(quality)
        head = self.pred_obj_score_head
        weights = torch.stack([mlp(mask_tokens[:, i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], 1)
        return DecodedMasks(
            logits=torch.einsum("vmc,vchw->vmhw", weights, fine),
            # SAM before SAM 2 says the IoU itself, and takes it for granted that there is something.
            iou=iou if head is None else torch.sigmoid(iou),
            object_score=torch.full_like(iou[:, 0], SURELY_PRESENT) if head is None else head(score)[:, 0],
            tokens=mask_tokens,
            fine=fine,
        )


def choose_mask(decoded: DecodedMasks, ambiguous: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One mask per vessel: the first for clear prompts, the best-rated of the others for a single click.

    Parameters
    ----------
    decoded : DecodedMasks
    ambiguous : BoolTensor (V,)

    Returns
    -------
    logits : Tensor (V, H/4, W/4)
    iou : Tensor (V,)
    token : Tensor (V, dim)
    """
    best = decoded.iou[:, 1:].argmax(1) + 1
    pick = torch.where(ambiguous, best, torch.zeros_like(best))
    rows = torch.arange(pick.shape[0], device=pick.device)
    return decoded.logits[rows, pick], decoded.iou[rows, pick], decoded.tokens[rows, pick]


def unsteady(decoded: DecodedMasks, delta: float = 0.05, least: float = 0.98) -> Tensor:
    """Vessels (V,) whose first mask changes much when its threshold moves by ``delta``; numbers of SAM 2."""
    first = decoded.logits[:, 0].flatten(1)
    inner, outer = ((first > level).sum(1) for level in (delta, -delta))
    return (outer > 0) & (inner < least * outer)
