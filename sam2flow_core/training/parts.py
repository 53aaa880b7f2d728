"""What a part of the network has to say to be trained beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.config.training import StageConfig
from sam2flow_core.training.batch import ClipBatch

Figures = dict[str, Tensor]
"""What is worth logging of a step: detached numbers, left on the device."""


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
