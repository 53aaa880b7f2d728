"""One object in one frame: from clicks, from a given mask, or from memory alone.

Reference: Ravi et al., SAM 2, 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import Sam2Settings
from sam2flow_core.inference.clicked_masks import clicked_masks
from sam2flow_core.inference.object_track import ABSENT, Recalled, TrackedMask
from sam2flow_core.model.mask_decoder import choose_mask, unsteady
from sam2flow_core.model.prompt_encoder import PADDING
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow
from sam2flow_core.tracing.field_map import FieldMap

_SURE = 10.0
"""Logit inside a mask that was given."""
_LARGEST = 32.0
"""Largest logit of an earlier answer that is given back as a prompt."""


class TrackStep:
    """Answers one object in one frame.

    Parameters
    ----------
    model : SAM2Flow
    settings : Sam2Settings
    """

    def __init__(self, model: SAM2Flow, settings: Sam2Settings) -> None:
        self.model, self.settings = model, settings

    def from_points(
        self,
        levels: list[Tensor],
        recalled: Recalled | None,
        points: Tensor,
        labels: Tensor,
        before: TrackedMask | None,
        maps: list[FieldMap] | None,
    ) -> TrackedMask:
        """Answer to clicks (P, 2) with labels (P,), which refine an earlier answer if there is one.

        ``maps`` is the recording's vessel field, where the network has one.
        """
        earlier = None if before is None else _at_stride_4(before).clamp(-_LARGEST, _LARGEST)
        pixels = self.model.context_memory.read(levels[2], [], 0) if recalled is None else recalled.image
        several = int((labels >= 0).sum()) == 1
        return self._decode(levels, pixels, Prompts(points[None], labels[None], earlier), several, maps)

    def from_memory(self, levels: list[Tensor], recalled: Recalled) -> TrackedMask:
        """Answer without a prompt of the user's, remembered at once."""
        # SAM 2 was trained to choose among its three masks here, our presets to give the first.
        prompts = _no_points(levels, recalled.prompt)
        answer = self._decode(levels, recalled.image, prompts, several=self.model.config.mask.as_sam2)
        answer.tokens = self._remember(levels, torch.sigmoid(self._fine(answer, levels)), answer.object_score)
        return answer

    def from_mask(self, levels: list[Tensor], mask: Tensor) -> TrackedMask:
        """The given mask (1, 1, H, W) is the answer; the decoder only makes its pointer."""
        logits = mask * 2 * _SURE - _SURE
        low = F.interpolate(logits, scale_factor=0.25, mode="bilinear", antialias=True)
        whole = self.model.matched_memory is not None
        shrink = self.model.prompt_encoder.given_mask
        prompts = _no_points(levels, low if shrink is None else shrink(mask))
        pointer = self._decode(levels, levels[2], prompts, several=False).pointer
        there = mask.flatten(1).any(1)
        if not there.item():
            pointer = self.model.context_memory.no_obj_ptr[None]
        score = torch.where(there, _SURE, -_SURE)
        return TrackedMask(logits, score, pointer, stride=1) if whole else TrackedMask(low, score, pointer)

    def remember_prompted(self, levels: list[Tensor], answer: TrackedMask) -> None:
        """Make the memory of a prompted frame's answer."""
        fine = self._fine(answer, levels)
        mask = (fine > 0).float() if self.settings.sharp_prompts else torch.sigmoid(fine)
        answer.tokens = self._remember(levels, mask, answer.object_score)

    def _decode(
        self, levels: list[Tensor], pixels: Tensor, prompts: Prompts, several: bool, maps: list[FieldMap] | None = None
    ) -> TrackedMask:
        owner = torch.zeros(1, dtype=torch.long, device=pixels.device)
        traced = clicked_masks(self.model, maps, owner, prompts)
        masks = self.model.segment(levels, owner, pixels, prompts, traced=traced)
        decoded = masks.decoded
        ambiguous = torch.tensor([several], device=pixels.device)
        _, _, token = choose_mask(decoded, ambiguous)
        shaky = unsteady(decoded) if self.settings.steady_masks else torch.zeros_like(ambiguous)
        logits, iou, _ = choose_mask(decoded, ambiguous | shaky)
        score, stride = masks.present, 4
        if traced is not None and bool((prompts.labels > 0).any()):
            # Followed through the vessel field, and known to the px.
            logits, iou, stride = masks.logits, masks.iou, 1
        seen = torch.where(score[:, None, None] > 0, logits, ABSENT)
        pointer = self.model.context_memory.write_pointer(token, score)
        return TrackedMask(seen[:, None], score, pointer, iou=float(iou), stride=stride)

    def _fine(self, answer: TrackedMask, levels: list[Tensor]) -> Tensor:
        height, width = levels[0].shape[-2:]
        return F.interpolate(answer.logits, (height * 4, width * 4), mode="bilinear")  # as it is where it is whole

    def _remember(self, levels: list[Tensor], mask: Tensor, score: Tensor) -> Tensor:
        # Half the memory; SAM 2 rounds here too.
        return self.model.context_memory.write_mask(levels[2], mask, score).bfloat16()


def _at_stride_4(answer: TrackedMask) -> Tensor:
    step = 4 // answer.stride
    return F.avg_pool2d(answer.logits.clamp(-_LARGEST, _LARGEST), step) if step > 1 else answer.logits


def _no_points(levels: list[Tensor], masks: Tensor | None = None) -> Prompts:
    device = levels[0].device
    padding = torch.full((1, 1), PADDING, dtype=torch.long, device=device)
    return Prompts(torch.zeros(1, 1, 2, device=device), padding, masks)
