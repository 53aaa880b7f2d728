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
    """Prompts of V vessels, and of one in each of I clips that is not there, in the last rows.

    Attributes
    ----------
    prompts : Prompts
    ambiguous : bool
        Single clicks, which may mean several masks.
    given : Tensor (V + I, H, W) or None
        The masks, where these are the prompts.
    """

    prompts: Prompts
    ambiguous: bool
    given: Tensor | None

    def answered(self, masks: VesselMasks) -> VesselMasks:
        """A mask that was given is the answer; otherwise the decoder's is."""
        return masks if self.given is None else surely(self.given, masks)


def draw_first_prompts(
    model: SAM2Flow,
    masks: Tensor,
    outside: Tensor,
    config: TrainingConfig,
    rng: np.random.Generator,
    draws: torch.Generator,
) -> FirstPrompts:
    """Draw one kind of first prompt for all vessels (V, H, W); no vessel is in ``outside`` (I, H, W)."""
    unusual = config.first_boxes + config.first_masks
    kind = rng.random() if unusual else 1.0
    if kind < config.first_masks:
        given = torch.cat([masks, torch.zeros_like(outside, dtype=masks.dtype)])
        shrink = model.prompt_encoder.given_mask
        logits = F.avg_pool2d(_SURE * (2 * given[:, None] - 1), 4) if shrink is None else shrink(given[:, None])
        return FirstPrompts(no_prompts(len(given), masks.device, logits), False, given)
    boxes = kind < unusual
    points, labels = (first_boxes if boxes else first_clicks)(masks, outside, draws)
    return FirstPrompts(Prompts(points, labels), not boxes, None)


def no_prompts(rows: int, device: torch.device, masks: Tensor | None = None) -> Prompts:
    """Padding, where nobody clicked; ``masks`` (rows, 1, H / 4, W / 4) are what else is known."""
    labels = torch.full((rows, 1), PADDING, dtype=torch.long, device=device)
    return Prompts(torch.zeros(rows, 1, 2, device=device), labels, masks)


def surely(given: Tensor, masks: VesselMasks) -> VesselMasks:
    """Masks (V, H, W) as the predictor takes what it is given: of these and no others it is sure."""
    there = given.flatten(1).any(1).to(masks.iou)
    score = _SURE * (2 * there - 1)
    return VesselMasks(_SURE * (2 * given - 1), torch.ones_like(masks.iou), score, masks.token, masks.decoded)
