"""Clips of different numbers of vessels, frames and pairs as one batch, and what a part says to be trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import StageConfig
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.clips import TrainingClip

Figures = dict[str, Tensor]
"""What is worth logging of a step: detached numbers, left on the device."""


@dataclass(frozen=True)
class ClipBatch:
    """I clips of one side length with V vessels in all; what is missing is padded and weighs nothing.

    Attributes
    ----------
    inputs : Tensor (I, T, 3, H, W)
    frames : LongTensor (I,)
        How many of the T frames a clip has; on the processor, as `pairs`.
    pairs : LongTensor (I, P)
        First frames of the answered pairs.
    masks : Tensor (V, H, W)
        0 or 1.
    owner : LongTensor (V,)
        Clip of each vessel, ascending.
    counts : tuple of int
        Vessels of each clip.
    flow : Tensor (P, V, 2, H, W)
        ``(dx, dy)`` px per frame.
    weight : Tensor (P, V, H, W)
        As in `TrainingClip`; 0 in pairs that a clip does not have.
    pair_share : Tensor (P, I)
        What each pair counts: clips count alike, and pairs within a clip.
    statistics : Tensor (I, 20, H / 2, W / 2)
    field : VesselField
        The true ones, (I, ...).
    moving : Tensor (I, 2 P, H / 2, W / 2)
    """

    inputs: Tensor
    frames: Tensor
    pairs: Tensor
    masks: Tensor
    owner: Tensor
    counts: tuple[int, ...]
    flow: Tensor
    weight: Tensor
    pair_share: Tensor
    statistics: Tensor
    field: VesselField
    moving: Tensor

    def __len__(self) -> int:
        """Number of clips I."""
        return len(self.counts)

    def fewer(self, most: int) -> ClipBatch:
        """The same clips with the first ``most`` vessels of each."""
        if max(self.counts) <= most:
            return self
        kept, begin = list[int](), 0
        for count in self.counts:
            kept += range(begin, begin + min(count, most))
            begin += count
        rows = torch.tensor(kept, device=self.owner.device)
        return replace(
            self, masks=self.masks[rows], owner=self.owner[rows], counts=tuple(min(n, most) for n in self.counts),
            flow=self.flow[:, rows], weight=self.weight[:, rows],
        )  # fmt: skip


def gather_clips(clips: Sequence[TrainingClip]) -> ClipBatch:
    """Put clips of one side length together.

    Parameters
    ----------
    clips : sequence of TrainingClip
        At least one, all on one device.
    """
    device = clips[0].inputs.device
    counts = tuple(len(c.masks) for c in clips)
    frames = torch.tensor([len(c.inputs) for c in clips])
    answered = [len(c.flow) for c in clips]
    length, pairs = max(len(c.inputs) for c in clips), max(answered)
    place = torch.arange(pairs)
    # A pair that a clip does not have is answered as its last one is, and weighs nothing.
    last = torch.tensor(answered)[:, None] - 1
    share = (place <= last) / (last + 1).clamp_min(1) / len(clips)
    return ClipBatch(
        torch.stack([_padded(c.inputs, length) for c in clips]),
        frames,
        torch.tensor([c.first for c in clips])[:, None] + torch.minimum(place, last.clamp_min(0)),
        torch.cat([c.masks for c in clips]),
        torch.tensor([i for i, n in enumerate(counts) for _ in range(n)], dtype=torch.long).to(device),
        counts,
        torch.cat([_padded(c.flow, pairs) for c in clips], 1),
        torch.cat([_padded(c.weight, pairs) for c in clips], 1),
        share.T.to(device),
        torch.cat([c.statistics for c in clips]),
        VesselField(*(torch.stack(x) for x in zip(*(c.field for c in clips), strict=True))),
        torch.cat([c.moving for c in clips]),
    )


def _padded(x: Tensor, length: int) -> Tensor:
    """Frames (T, ...) followed by zeros up to ``length``."""
    return x if len(x) == length else F.pad(x, (0, 0) * (x.dim() - 1) + (0, length - len(x)))


@dataclass
class Lesson:
    """What all parts learn from in one step.

    Attributes
    ----------
    batch : ClipBatch
    stage : StageConfig
    rng : numpy.random.Generator
        For what is decided once a step, on the processor.
    draws : torch.Generator
        For what is drawn for each vessel, on the device.
    levels : list of Tensor
        Pyramid of the first answered frame of each clip; empty where no part of the stage looks at it.
    found : Tensor (V, H, W) or None
        Masks that the decoder found in this step, for parts that come after it.
    """

    batch: ClipBatch
    stage: StageConfig
    rng: np.random.Generator
    draws: torch.Generator
    levels: list[Tensor]
    found: Tensor | None = None


class Part(Protocol):
    """A part of the network with what it learns; it plugs into `TrainingStep` by its name in a stage."""

    def prepare(self, lesson: Lesson) -> Any:
        """Draw what is drawn: the task, the same for every way of computing it."""

    def loss(self, prepared: Any) -> tuple[Tensor, Figures]:
        """Loss, a mean over clips that count alike, and figures; nothing here waits for the device."""


def chance(lesson: Lesson, rows: int) -> Tensor:
    """Numbers between 0 and 1, one for each of ``rows``, on the device."""
    return torch.rand(rows, generator=lesson.draws, device=lesson.draws.device)
