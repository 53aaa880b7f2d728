"""Training the decoder: simulated users click vessels, and correct what the decoder makes of their clicks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks
from sam2flow_core.training.batch import ClipBatch, Figures, Lesson
from sam2flow_core.training.clicks import FirstPrompts, corrective_clicks, draw_first_prompts
from sam2flow_core.training.losses import mask_iou, mask_loss, shares

_CORRECTIONS = 2


@dataclass(frozen=True)
class MaskTask:
    """Vessels to segment, and one in each clip that is not there, in the last rows.

    Attributes
    ----------
    lesson : Lesson
    truth : Tensor (R, H, W)
    image : LongTensor (R,)
    origin : Tensor (2,)
        ``(x, y)`` px of the clips' corner in a larger frame.
    first : FirstPrompts
    """

    lesson: Lesson
    truth: Tensor
    image: Tensor
    origin: Tensor
    first: FirstPrompts


class MaskPart:
    """Prompt encoder, decoder and image encoder.

    Parameters
    ----------
    model : SAM2Flow
    config : TrainingConfig
    """

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        self.model, self.config = model, config

    def prepare(self, lesson: Lesson) -> MaskTask:
        """Draw the first prompts; see `Part`."""
        masks, outside = lesson.batch.masks, outside_vessels(lesson.batch)
        truth, image = with_absent(masks, lesson.batch.owner, len(lesson.batch))
        origin = torch.from_numpy(lesson.rng.uniform(0, 600, 2)).to(masks)
        first = draw_first_prompts(self.model, masks, outside, self.config, lesson.rng, lesson.draws)
        return MaskTask(lesson, truth, image, origin, first)

    def loss(self, prepared: MaskTask) -> tuple[Tensor, Figures]:
        """Click and correct the decoder's error twice; see `Part`."""
        task, lesson, model = prepared, prepared.lesson, self.model
        levels, prompts = lesson.levels, prepared.first.prompts
        embedded = model.context_memory.read(levels[2][task.image], [], 0)
        guess = first = model.segment(levels, task.image, embedded, prompts, task.origin)
        loss = self._error(guess, task, task.first.ambiguous)
        for _ in range(_CORRECTIONS):
            points, labels = corrective_clicks(task.truth, guess.logits.detach() > 0, lesson.draws)
            # Half of the time the mask so far is given back as a prompt, as the predictor does.
            known = F.avg_pool2d(guess.logits.detach()[:, None], 4) if lesson.rng.random() < 0.5 else None
            prompts = Prompts(torch.cat([prompts.points, points], 1), torch.cat([prompts.labels, labels], 1), known)
            guess = model.segment(levels, task.image, embedded, prompts, task.origin)
            loss = loss + self._error(guess, task, False)
        there, owner = lesson.batch.masks, lesson.batch.owner
        lesson.found = (guess.logits[: len(there)].detach() > 0).to(there)
        figures = {
            "iou_1": overlap(first.logits[: len(there)], there, owner, len(lesson.batch)),
            "iou_3": overlap(guess.logits[: len(there)], there, owner, len(lesson.batch)),
        }
        return self.config.mask_weight * loss / (1 + _CORRECTIONS), figures

    def _error(self, masks: VesselMasks, task: MaskTask, several: bool) -> Tensor:
        count = len(task.lesson.batch)
        return mask_loss(masks.decoded, task.truth, task.image, count, several, self.config.region_loss)


def with_absent(masks: Tensor, owner: Tensor, images: int) -> tuple[Tensor, Tensor]:
    """Masks (..., V, H, W) with an empty one for each image after them, and the image (V + I,) of each."""
    none = masks.new_zeros(*masks.shape[:-3], images, *masks.shape[-2:])
    return torch.cat([masks, none], -3), torch.cat([owner, torch.arange(images, device=owner.device)])


def outside_vessels(batch: ClipBatch) -> Tensor:
    """Where no vessel is (I, H, W), those that are not learned from included."""
    known = batch.masks.new_zeros(len(batch), *batch.masks.shape[1:]).index_add(0, batch.owner, batch.masks)
    others = F.interpolate(batch.field.inside[:, None], known.shape[1:])[:, 0]
    return (known < 0.5) & (others < 0.5)


def overlap(logits: Tensor, masks: Tensor, owner: Tensor, images: int) -> Tensor:
    """Mean IoU of masks (V, H, W), images counting alike."""
    guess = (logits.detach() > 0).to(masks)
    iou = mask_iou(guess, masks)
    return (iou * shares(torch.ones_like(iou), owner, images)).sum()
