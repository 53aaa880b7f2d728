"""First prompts of simulated users: clicks, boxes or masks, as often as the settings say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.prompt_encoder import PADDING
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks
from sam2flow_core.training.clicks import first_boxes, first_clicks

_SURE = 20.0
"""Logit inside a mask that was given, as in the predictor."""


@dataclass(frozen=True)
class FirstPrompts:
    """Prompts of V vessels and one that is not there, in the last row.

    Attributes
    ----------
    prompts : Prompts
    ambiguous : bool
        Single clicks, which may mean several masks.
    given : Tensor (V + 1, H, W) or None
        The masks, where these are the prompts.
    """

    prompts: Prompts
    ambiguous: bool
    given: Tensor | None

    def answered(self, masks: VesselMasks) -> VesselMasks:
        """A mask that was given is the answer; otherwise the decoder's is."""
        if self.given is None:
            return masks
        there = self.given.flatten(1).any(1).to(masks.iou)
        score = _SURE * (2 * there - 1)
        return VesselMasks(_SURE * (2 * self.given - 1), torch.ones_like(masks.iou), score, masks.token, masks.decoded)


def draw_first_prompts(
    model: SAM2Flow, masks: Tensor, config: TrainingConfig, rng: np.random.Generator
) -> FirstPrompts:
    """Draw one kind of first prompt for all vessels (V, H, W) of a clip."""
    unusual = config.first_boxes + config.first_masks
    kind = rng.random() if unusual else 1.0
    if kind < config.first_masks:
        given = torch.cat([masks, torch.zeros_like(masks[:1])])
        shrink = model.prompt_encoder.given_mask
        logits = F.avg_pool2d(_SURE * (2 * given[:, None] - 1), 4) if shrink is None else shrink(given[:, None])
        points, labels = torch.zeros(len(given), 1, 2), torch.full((len(given), 1), PADDING)
        return FirstPrompts(Prompts(points.to(masks), labels.to(masks.device), logits), False, given)
    boxes = kind < unusual
    points, labels = first_boxes(masks, rng) if boxes else first_clicks(masks, rng)
    return FirstPrompts(Prompts(points.to(masks), labels.to(masks.device)), not boxes, None)
