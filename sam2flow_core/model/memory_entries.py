"""From decoded masks to what a bank is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sam2flow_core.model.memory_bank import Box, MemoryEntry

if TYPE_CHECKING:
    from sam2flow_core.model.sam2flow import VesselMasks


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
