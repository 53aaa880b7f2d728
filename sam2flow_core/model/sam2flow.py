"""SAM2Flow: the parts joined.

Reference: Huang, Zhang, Morakis, Taylor-Williams, McKay, Durr, SAM2Flow,
NeurIPS 2025. The network knows tensors only; videos, prompts on disk and memory
over time belong to `sam2flow_core.inference`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import ModelConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.model.context_memory import ContextMemory, MemoryBanks
from sam2flow_core.model.flow_net import FlowNet
from sam2flow_core.model.image_encoder import build_image_encoder
from sam2flow_core.model.mask_decoder import SURELY_PRESENT, DecodedMasks, MaskDecoder, choose_mask, click_maps
from sam2flow_core.model.matched_memory import MatchedMemory
from sam2flow_core.model.memory_bank import Box, MemoryEntry
from sam2flow_core.model.prompt_encoder import PromptEncoder
from sam2flow_core.model.strip_decoder import StripDecoder
from sam2flow_core.model.vessel_field import VesselField, VesselFieldNet


@dataclass(frozen=True)
class Prompts:
    """Prompts of V vessels: points (V, P, 2) ``(x, y)`` px, labels (V, P), mask logits (V, 1, H/4, W/4) or None.

    ``tokens`` (V, K, d_model) are what memory gives beside them, in a design that does (`ContextMemory.tokens`); None
    for those that say that there is no memory.
    """

    points: Tensor
    labels: Tensor
    masks: Tensor | None = None
    tokens: Tensor | None = None


class TracedMasks(NamedTuple):
    """Masks of V vessels that were followed from their clicks through the vessel field and decoded (`StripDecoder`).

    Attributes
    ----------
    logits : Tensor (V, h, w)
        At the field's stride; strongly negative everywhere for a vessel that was not found.
    sureness : Tensor (V,)
        0 to 1: intersection over union that is expected, times the share of the clicks that lie in the mask.
    """

    logits: Tensor
    sureness: Tensor


@dataclass(frozen=True)
class VesselMasks:
    """Chosen masks of V vessels.

    Attributes
    ----------
    logits : Tensor (V, H, W)
        The traced mask of vessels that are clicked, where there is a vessel field; otherwise the decoder's.
    iou : Tensor (V,)
        Estimated, 0 to 1.
    object_score : Tensor (V,)
        Logit of being visible, as the decoder says it.
    token : Tensor (V, d_model)
        For the object pointer.
    decoded : DecodedMasks
        All four masks that the decoder gives, for training.
    trusted : bool
        Whether the object score may decide anything.
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor
    token: Tensor
    decoded: DecodedMasks
    trusted: bool = True

    @property
    def present(self) -> Tensor:
        """Logit (V,) of being visible that decisions hang on: sure where the object score is not to be trusted."""
        return self.object_score if self.trusted else torch.full_like(self.object_score, SURELY_PRESENT)


class SAM2Flow(nn.Module):
    """Prompted vessels to masks and flow."""

    flow: FlowNet
    prompt_encoder: PromptEncoder
    mask_decoder: MaskDecoder
    context_memory: ContextMemory
    steady_masks: bool = True
    """Whether predictors that are not told otherwise prefer steady masks: SAM 2 keeps this with the network."""
    tuned_side: int | None = None
    """Side, px, of the pictures that fine-tuned weights know; None where they know their kind's own."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        m = config.mask
        self.image_encoder = build_image_encoder(config.image, m.d_model, finest_only=not m.decodes)
        if m.decodes:
            given = m.as_sam2 and not m.image_only
            self.prompt_encoder = PromptEncoder(m.d_model, m.mask_in_chans, m.position_frame, given)
            self.mask_decoder = MaskDecoder(m)
        if not m.image_only:
            self.add_module("context_memory", ContextMemory(m) if m.decodes else MemoryBanks(m))
        self.vessel_field = VesselFieldNet(m.field_widths) if m.field_widths else None
        self.strip_decoder = StripDecoder(m.strip_widths, m.strip_motion) if m.strip_widths else None
        self.matched_memory = MatchedMemory(m.matching_widths) if m.matching_widths else None
        if config.use_flow:
            self.flow = FlowNet(config)

    def encode(self, images: Tensor, clips: Tensor | None = None) -> list[Tensor]:
        """Pyramid of images (B, 3, H, W) at strides 4, 8, 16, or 4 alone without decoder; sides are multiples of 32.

        ``clips`` (B, window, 3, H, W) are the frames before each image and itself, where the encoder looks at them
        (`ImageEncoderConfig.window`).
        """
        result: list[Tensor] = self.image_encoder(images) if clips is None else self.image_encoder(images, clips)
        return result

    def map_vessels(self, statistics: Tensor) -> VesselField:
        """Vessel field of recordings (B, 20, H / 2, W / 2), see `InputMaker.field_input`; once for all their frames."""
        assert self.vessel_field is not None
        result: VesselField = self.vessel_field(statistics)
        return result

    def condition(
        self, levels: list[Tensor], image_of_vessel: Tensor, banks: list[list[MemoryEntry]], frame: int
    ) -> Tensor:
        """Stride-16 features (V, d_model, h, w) of each vessel's image, read through its own context memory."""
        if not self.config.use_context_memory:
            banks = [[] for _ in banks]
        read = self.context_memory.read
        rows = [
            read(levels[2][i : i + 1], bank, frame) for i, bank in zip(image_of_vessel.tolist(), banks, strict=True)
        ]
        return torch.cat(rows)

    def segment(
        self,
        levels: list[Tensor],
        image_of_vessel: Tensor,
        conditioned: Tensor,
        prompts: Prompts,
        origin: Tensor | None = None,
        traced: TracedMasks | None = None,
    ) -> VesselMasks:
        """Masks of V vessels.

        Parameters
        ----------
        levels : list of Tensor
            From `encode`.
        image_of_vessel : LongTensor (V,)
        conditioned : Tensor (V, d_model, h, w)
            From `condition`.
        prompts : Prompts
            May be all padding (label -1) where only memory speaks.
        origin : Tensor (2,), optional
            ``(x, y)`` px of the image's corner in a larger frame; only presets with a fixed position frame use it.
        traced : TracedMasks, optional
            Of the same prompts, for presets that have a vessel field. Where memory alone speaks it is not needed.
        """
        h, w = levels[0].shape[-2] * 4, levels[0].shape[-1] * 4
        sparse, dense = self.prompt_encoder(prompts.points, prompts.labels, (h, w), prompts.masks, origin)
        tokens = prompts.tokens
        if tokens is None:
            tokens = self.context_memory.tokens(conditioned, [[]], 0)
        if tokens is not None:
            sparse = torch.cat([sparse, tokens], 1)
        place = self.prompt_encoder.image_positions(h // 16, w // 16, origin)
        skips = self.mask_decoder.high_resolution(levels)
        if skips is not None:
            skips = skips[0][image_of_vessel], skips[1][image_of_vessel]
        decoded = self.mask_decoder(conditioned, place, sparse, dense, skips)
        named = (prompts.labels > 0).any(1) & (traced is not None)
        if self.mask_decoder.growth is not None and (traced is None or not named.all()):
            decoded = self._grow(decoded, levels[0][image_of_vessel], prompts)
        logits, iou, token = choose_mask(decoded, (prompts.labels >= 0).sum(1) == 1)
        fine = F.interpolate(logits[:, None], (h, w), mode="bilinear", align_corners=False)[:, 0]
        if traced is not None:
            clicked = F.interpolate(traced.logits[:, None], (h, w), mode="bilinear", align_corners=False)[:, 0]
            fine = torch.where(named[:, None, None], clicked, fine)
            iou = torch.where(named, traced.sureness, iou)
        trusted = self.config.mask.trusts_object_score
        return VesselMasks(fine, iou, decoded.object_score, token, decoded, trusted)

    def _grow(self, decoded: DecodedMasks, features: Tensor, prompts: Prompts) -> DecodedMasks:
        """Carry a mask along its vessel: the first, the best-rated alternative of a click, or the one given."""
        growth = self.mask_decoder.growth
        assert growth is not None
        rows = torch.arange(features.shape[0], device=features.device)
        single = (prompts.labels >= 0).sum(1) == 1
        pick = torch.where(single, decoded.iou[:, 1:].argmax(1) + 1, torch.zeros_like(rows))
        clicks = click_maps(prompts.points, prompts.labels, features.shape[-2], features.shape[-1])
        found = decoded.logits[rows, pick]
        start = found if prompts.masks is None else prompts.masks[:, 0]
        grown = growth(features, decoded.fine, found[:, None], start[:, None], clicks)[:, 0]
        return decoded._replace(logits=decoded.logits.index_put((rows, pick), grown))

    def write_context(self, levels: list[Tensor], image_of_vessel: Tensor, masks: VesselMasks) -> tuple[Tensor, Tensor]:
        """Context-memory tokens (V, hw, m) and pointers (V, 1, d_model) of V vessels."""
        chance = torch.sigmoid(masks.logits)[:, None]
        return self.context_memory.write(levels[2][image_of_vessel], chance, masks.token, masks.present)


def without_decoder(model: SAM2Flow) -> SAM2Flow:
    """The same network without the parts that answer nothing; see `MaskConfig.decodes`.

    Raises
    ------
    ModelError
        If its decoder is asked.
    """
    mask = model.config.mask
    if not mask.follows:
        raise ModelError(f"the decoder of preset '{model.config.preset}' answers prompts: nothing can be left out")
    smaller = SAM2Flow(replace(model.config, mask=replace(mask, decodes=False)))
    there, kept = model.state_dict(), smaller.state_dict()
    smaller.load_state_dict({name: there[name] for name in kept})
    return smaller.train(model.training)


def count_weights(model: nn.Module) -> int:
    """Number of learned weights."""
    return sum(p.numel() for p in model.parameters())


def context_entries(
    masks: VesselMasks, tokens: Tensor, pointers: Tensor, frame: int, prompted: bool
) -> list[MemoryEntry]:
    """One entry for each of V vessels.

    Parameters
    ----------
    masks : VesselMasks
    tokens : Tensor (V, K, memory_dim)
    pointers : Tensor (V, 1, d_model)
        Both from the context memory.
    frame : int
    prompted : bool
    """
    affinity, presence = masks.iou.detach(), torch.sigmoid(masks.present.detach())
    quality = affinity * presence
    return [
        MemoryEntry(
            frame, prompted, float(quality[i]), tokens[i : i + 1], pointers[i : i + 1],
            float(affinity[i]), float(presence[i]), box_of(masks.logits[i]),
        )
        for i in range(tokens.shape[0])
    ]  # fmt: skip


def box_of(logits: Tensor) -> Box | None:
    """Box around where logits (H, W) are above zero; None where nowhere."""
    inside = logits > 0
    rows, columns = torch.nonzero(inside.any(1))[:, 0], torch.nonzero(inside.any(0))[:, 0]
    if not rows.numel():
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])
