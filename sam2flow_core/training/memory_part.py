"""Training memory: prompt vessels in one frame of a clip, and find them in later ones by memory alone.

Frames lie any number of frames apart and the tissue moves between them. Each mask found is remembered, as the design
of memory has it, and not detached, so that the gradient of the last frame reaches the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.memory_designs import cells_inside
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks, context_entries
from sam2flow_core.training.batch import Figures, Lesson
from sam2flow_core.training.clicks import (
    FirstPrompts,
    corrective_clicks,
    draw_first_prompts,
    no_prompts,
    roughen,
    surely,
)
from sam2flow_core.training.losses import mask_loss
from sam2flow_core.training.mask_part import outside_vessels, overlap, with_absent

_MARGIN = 32
"""px of a clip that are left for the tissue to move in; images have sides of multiples of 32."""
_MOST_CORRECTIONS = 2


@dataclass(frozen=True)
class MemoryTask:
    """Frames to follow vessels through; one row of each clip is an object that is never there.

    Attributes
    ----------
    lesson : Lesson
    images : Tensor (I, F, 3, h, w)
    numbers : list of int
        Of the F frames.
    truth : Tensor (F, R, h, w)
    image : LongTensor (R,)
    origin : Tensor (2,)
    first : FirstPrompts
        In the first frame.
    corrections : list of int
        Clicks into the error of each frame's mask.
    given : Tensor (R, h, w) or None
        What is remembered of the first frame instead of the decoder's mask: in use it is not always the decoder
        that answers a click.
    """

    lesson: Lesson
    images: Tensor
    numbers: tuple[int, ...]
    truth: Tensor
    image: Tensor
    origin: Tensor
    first: FirstPrompts
    corrections: tuple[int, ...]
    given: Tensor | None


class MemoryPart:
    """Context memory, prompt encoder and decoder; the image encoder is not changed.

    Parameters
    ----------
    model : SAM2Flow
    config : TrainingConfig
    """

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        self.model, self.config = model, config

    def prepare(self, lesson: Lesson) -> MemoryTask:
        """Choose frames, move the tissue, prompt; see `Part`."""
        batch, rng, config = lesson.batch, lesson.rng, self.config
        there = min(batch.frames.tolist())
        numbers = sorted(rng.choice(there, min(config.memory_frames, there), replace=False).tolist())
        # A frame later than the last one or earlier than the first may be the prompted one: half go backwards.
        numbers = numbers[::-1] if rng.random() < 0.5 else numbers
        masks, image = with_absent(batch.masks, batch.owner, len(batch))
        outside = outside_vessels(batch)
        inputs = batch.inputs[:, numbers]
        images, truth, free = wander(inputs, masks, image, outside, config.wander_px, rng)
        origin = torch.from_numpy(rng.uniform(0, 600, 2)).to(masks)
        vessels = truth[0, : len(batch.masks)]
        first = draw_first_prompts(self.model, vessels, free, config, rng, lesson.draws)
        most = 0 if first.given is not None else int(rng.integers(_MOST_CORRECTIONS + 1))
        later = rng.random(len(numbers) - 1) < config.later_clicks
        given = None
        if first.given is None and rng.random() < config.given_memory:
            given = torch.cat([roughen(vessels, lesson.draws), torch.zeros_like(truth[0, len(vessels) :])])
        return MemoryTask(
            lesson, images, tuple(numbers), truth, image, origin, first, (most, *later.astype(int).tolist()), given
        )

    def loss(self, prepared: MemoryTask) -> tuple[Tensor, Figures]:
        """The mean over all masks that were asked for; see `Part`."""
        losses, scores = Following(self.model, prepared, self.config).run()
        figures = {
            "iou_prompted": scores[0],
            "iou_memory": torch.stack(scores[1:] or scores).mean(),
            "iou_last": scores[-1],
        }
        return self.config.mask_weight * torch.stack(losses).mean(), figures


class Following:
    """One lesson under way."""

    def __init__(self, model: SAM2Flow, task: MemoryTask, config: TrainingConfig) -> None:
        self.model, self.task, self.config = model, task, config
        clips, frames = task.images.shape[:2]
        with torch.no_grad():  # half of the cost of a step, and what is to be learned lies behind it
            levels = model.encode(task.images.flatten(0, 1))
        self.levels = [[x.unflatten(0, (clips, frames))[:, f] for x in levels] for f in range(frames)]
        rows, memory = len(task.image), model.context_memory
        # Vessels that remember the same frames keep one bank, with a row for each.
        self.banks = [memory.new_bank() for _ in range(rows if memory.design.chooses else 1)]
        self.losses: list[Tensor] = []

    def run(self) -> tuple[list[Tensor], list[Tensor]]:
        """Loss of every mask that was asked for, and the overlap in each frame."""
        scores = [self._score(self._prompt(), 0)]
        scores += [self._score(self._follow(frame), frame) for frame in range(1, len(self.task.numbers))]
        return self.losses, scores

    def _prompt(self) -> VesselMasks:
        first, task = self.task.first, self.task
        embedded = self._read(0)[0]
        prompts = first.prompts
        masks = self._segment(0, embedded, prompts, first.ambiguous)
        for _ in range(task.corrections[0]):
            masks, prompts = self._correct(0, embedded, masks, prompts)
        masks = first.answered(masks)
        self._write(0, masks if task.given is None else surely(task.given, masks), prompted=True)
        return masks

    def _follow(self, frame: int) -> VesselMasks:
        """Find the vessels again; what is returned comes from memory, what is remembered may have been corrected."""
        embedded, recalled = self._read(frame)
        images, banks = self.levels[frame][2][self.task.image], [bank.read() for bank in self.banks]
        tokens = self.model.context_memory.tokens(images, banks, self._age(frame))
        prompts = replace(no_prompts(len(self.task.image), embedded.device, recalled), tokens=tokens)
        masks = found = self._segment(frame, embedded, prompts, False)
        corrected = self.task.corrections[frame] > 0
        if corrected:
            masks, _ = self._correct(frame, embedded, found, prompts)
        self._write(frame, masks, corrected)
        return found

    def _correct(
        self, frame: int, embedded: Tensor, masks: VesselMasks, before: Prompts
    ) -> tuple[VesselMasks, Prompts]:
        """Click into the error of each mask; the mask so far is a prompt as well, as in the predictor."""
        points, labels = corrective_clicks(self.task.truth[frame], masks.logits.detach() > 0, self.task.lesson.draws)
        points, labels = torch.cat([before.points, points], 1), torch.cat([before.labels, labels], 1)
        prompts = Prompts(points, labels, F.avg_pool2d(masks.logits.detach()[:, None], 4), before.tokens)
        return self._segment(frame, embedded, prompts, False), prompts

    def _segment(self, frame: int, embedded: Tensor, prompts: Prompts, several: bool) -> VesselMasks:
        task = self.task
        masks = self.model.segment(self.levels[frame], task.image, embedded, prompts, task.origin)
        count = len(task.lesson.batch)
        self.losses.append(
            mask_loss(masks.decoded, task.truth[frame], task.image, count, several, self.config.region_loss)
        )
        return masks

    def _read(self, frame: int) -> tuple[Tensor, Tensor | None]:
        images, memory, number = self.levels[frame][2][self.task.image], self.model.context_memory, self._age(frame)
        banks = [bank.read() for bank in self.banks]
        if len(banks) == 1:
            return memory.read(images, banks[0], number), memory.design.prompt(memory, images, banks[0], number)
        rows = [memory.read(images[i : i + 1], bank, number) for i, bank in enumerate(banks)]
        return torch.cat(rows), memory.prompts(images, banks, number)

    def _write(self, frame: int, masks: VesselMasks, prompted: bool) -> None:
        tokens, pointers = self.model.write_context(self.levels[frame], self.task.image, masks)
        if len(self.banks) == 1:
            height, width = self.levels[frame][2].shape[-2:]
            inside = cells_inside(masks.logits[:, None], (height, width))
            self.banks[0].write(MemoryEntry(self._age(frame), prompted, 1.0, tokens, pointers, inside=inside))
            return
        entries = context_entries(masks, tokens, pointers, self._age(frame), prompted)
        for bank, entry in zip(self.banks, entries, strict=True):
            bank.write(entry)

    def _age(self, frame: int) -> int:
        """Frames since the prompted one: banks sort by it, and a clip that goes backwards is one that goes on."""
        return abs(self.task.numbers[frame] - self.task.numbers[0])

    def _score(self, masks: VesselMasks, frame: int) -> Tensor:
        batch = self.task.lesson.batch
        count = len(batch.masks)
        return overlap(masks.logits[:count], self.task.truth[frame, :count], batch.owner, len(batch))


def wander(
    inputs: Tensor, masks: Tensor, image: Tensor, outside: Tensor, step_px: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Clips seen through windows that move over them at random.

    Parameters
    ----------
    inputs : Tensor (I, F, C, H, W)
    masks : Tensor (R, H, W)
    image : LongTensor (R,)
    outside : Tensor (I, H, W)
    step_px : float
        Standard deviation of a window's step, px; 0 leaves the clips whole.

    Returns
    -------
    inputs : Tensor (I, F, C, h, w)
    masks : Tensor (F, R, h, w)
    outside : Tensor (I, h, w)
        In the first frame.
    """
    clips, frames = inputs.shape[:2]
    if step_px == 0:
        return inputs, masks.expand(frames, -1, -1, -1), outside
    start = rng.uniform(0, _MARGIN, (clips, 1, 2))
    steps = np.concatenate([np.zeros((clips, 1, 2)), rng.normal(0, step_px, (clips, frames - 1, 2))], 1)
    corners = torch.from_numpy(np.clip(start + steps.cumsum(1), 0, _MARGIN).round().astype(int)).to(inputs.device)
    height, width = (n - _MARGIN for n in inputs.shape[-2:])
    rows = corners[..., 0, None] + torch.arange(height, device=inputs.device)
    columns = corners[..., 1, None] + torch.arange(width, device=inputs.device)
    clip, frame = torch.arange(clips, device=inputs.device), torch.arange(frames, device=inputs.device)
    cell = rows[..., :, None], columns[..., None, :]
    images = inputs.movedim(2, -1)[clip[:, None, None, None], frame[:, None, None], *cell].movedim(-1, 2)
    own = tuple(x[image].transpose(0, 1) for x in cell)
    seen = masks[torch.arange(len(masks), device=masks.device)[:, None, None], *own]
    return images, seen, outside[clip[:, None, None], cell[0][:, 0], cell[1][:, 0]]
