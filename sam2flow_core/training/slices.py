"""Following objects from slice to slice with gradients: prompts, corrections and memory as SAM 2 trains them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.finetuning import FinetuningSettings
from sam2flow_core.model.mask_decoder import choose_mask
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.memory_entries import context_entries
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks
from sam2flow_core.training.clicks import corrective_clicks, first_boxes, first_clicks
from sam2flow_core.training.losses import mask_loss
from sam2flow_core.training.prompting import no_prompts, surely


@dataclass(frozen=True)
class SliceClip:
    """Slices in the order in which they are followed: images (F, 3, S, S), true masks (F, V, S, S) of 0 and 1."""

    images: Tensor
    truth: Tensor


@dataclass(frozen=True)
class ClipPlan:
    """How a clip is prompted.

    Attributes
    ----------
    prompted, corrected : frozenset of int
        Slices, by their place in the clip.
    kind : str
        ``mask``, ``box`` or ``click``.
    """

    prompted: frozenset[int]
    corrected: frozenset[int]
    kind: str


def draw_plan(frames: int, settings: FinetuningSettings, rng: np.random.Generator) -> ClipPlan:
    """Draw how a clip of so many slices is prompted."""
    s = settings
    clicked = rng.random() < s.prob_to_use_pt_input_for_train
    boxed = rng.random() < s.prob_to_use_box_input_for_train

    def some(most: int, random: bool) -> frozenset[int]:
        count = min(int(rng.integers(1, most + 1)) if random else most, frames)
        return frozenset({0, *(1 + rng.choice(frames - 1, count - 1, replace=False)).tolist()})

    prompted = some(s.num_init_cond_frames_for_train, s.rand_init_cond_frames_for_train)
    corrected = some(s.num_frames_to_correct_for_train, s.rand_frames_to_correct_for_train)
    kind = "mask" if not clicked else "box" if boxed else "click"
    return ClipPlan(prompted, corrected if clicked else frozenset(), kind)


class SliceFollowing:
    """One clip under way.

    Parameters
    ----------
    model : SAM2Flow
        With the layers of SAM 2.
    clip : SliceClip
    plan : ClipPlan
    settings : FinetuningSettings
    rng : numpy.random.Generator
    """

    def __init__(
        self,
        model: SAM2Flow,
        clip: SliceClip,
        plan: ClipPlan,
        settings: FinetuningSettings,
        rng: np.random.Generator,
    ) -> None:
        self.model, self.clip, self.plan, self.settings, self.rng = model, clip, plan, settings, rng
        with torch.set_grad_enabled(settings.vision_lr > 0):
            levels = model.encode(clip.images)
        self.levels = [[x[f : f + 1] for x in levels] for f in range(len(clip.images))]
        rows, memory = clip.truth.shape[1], model.context_memory
        # Objects that remember the same slices keep one bank, with a row for each.
        self.banks = [memory.new_bank() for _ in range(rows if memory.design.chooses else 1)]
        self.owner = torch.zeros(rows, dtype=torch.long, device=clip.truth.device)
        self.draws = torch.Generator(clip.truth.device).manual_seed(int(rng.integers(2**31)))
        self.losses: list[Tensor] = []

    def run(self) -> tuple[Tensor, Tensor]:
        """Mean loss of all answers, and mean Dice of the slices that were found by memory."""
        for frame in sorted(self.plan.prompted):
            self._prompt(frame)
        dice = [self._follow(f) for f in range(len(self.levels)) if f not in self.plan.prompted]
        loss = torch.stack(self.losses).mean() if self.losses else self.clip.truth.new_zeros(())
        return loss, torch.stack(dice).mean() if dice else self.clip.truth.new_tensor(float("nan"))

    def _prompt(self, frame: int) -> None:
        truth = self.clip.truth[frame]
        embedded = self.model.context_memory.read(self.levels[frame][2], [], 0).expand(len(truth), -1, -1, -1)
        if self.plan.kind == "mask":
            shrink = self.model.prompt_encoder.given_mask
            assert shrink is not None
            prompts = no_prompts(len(truth), truth.device, shrink(truth[:, None]))
            masks = surely(truth, self.model.segment(self.levels[frame], self.owner, embedded, prompts))
        else:
            # Nobody clicks what is not there: such a row gets padding.
            draw = first_boxes if self.plan.kind == "box" else first_clicks
            points, labels = draw(truth, (truth.amax(0) < 0.5)[None], self.draws)
            prompts = Prompts(points[: len(truth)], labels[: len(truth)])
            masks = self._answer(frame, embedded, prompts, self.plan.kind == "click")
            masks = self._corrected(frame, embedded, masks, prompts)
        self._write(frame, masks, True)

    def _follow(self, frame: int) -> Tensor:
        memory, images = self.model.context_memory, self.levels[frame][2].expand(len(self.owner), -1, -1, -1)
        banks = [bank.read() for bank in self.banks]
        if len(banks) == 1:
            embedded, recalled = (
                memory.read(images, banks[0], frame),
                memory.design.prompt(memory, images, banks[0], frame),
            )
        else:
            embedded = torch.cat([memory.read(images[i : i + 1], b, frame) for i, b in enumerate(banks)])
            recalled = memory.prompts(images, banks, frame)
        prompts = no_prompts(len(self.owner), images.device, recalled)
        masks = found = self._answer(frame, embedded, prompts, True)
        if frame in self.plan.corrected:
            masks = self._corrected(frame, embedded, masks, prompts)
        self._write(frame, masks, frame in self.plan.corrected)
        return _dice(found.logits.detach() > 0, self.clip.truth[frame] > 0.5)

    def _corrected(self, frame: int, embedded: Tensor, masks: VesselMasks, prompts: Prompts) -> VesselMasks:
        if frame not in self.plan.corrected:
            return masks
        for _ in range(self.settings.num_correction_pt_per_frame):
            found = masks.logits.detach() > 0
            if self.rng.random() < self.settings.prob_to_sample_from_gt_for_train:
                found = torch.zeros_like(found)
            points, labels = corrective_clicks(self.clip.truth[frame], found, self.draws)
            low = F.interpolate(masks.logits.detach()[:, None], scale_factor=0.25, mode="area").clamp(-32, 32)
            prompts = Prompts(torch.cat([prompts.points, points], 1), torch.cat([prompts.labels, labels], 1), low)
            masks = self._answer(frame, embedded, prompts, False)
        return masks

    def _answer(self, frame: int, embedded: Tensor, prompts: Prompts, several: bool) -> VesselMasks:
        """The mask that the predictor would choose; the loss is of all that it chooses from."""
        truth = self.clip.truth[frame]
        masks = self.model.segment(self.levels[frame], self.owner, embedded, prompts)
        self.losses.append(mask_loss(masks.decoded, truth, self.owner, 1, several, self.settings.region_loss))
        ambiguous = torch.full_like(self.owner, several, dtype=torch.bool)
        logits, iou, token = choose_mask(masks.decoded, ambiguous)
        fine = F.interpolate(logits[:, None], truth.shape[-2:], mode="bilinear")[:, 0]
        return VesselMasks(fine, iou, masks.object_score, token, masks.decoded)

    def _write(self, frame: int, masks: VesselMasks, prompted: bool) -> None:
        tokens, pointers = self.model.remember_context(self.levels[frame], self.owner, masks)
        if len(self.banks) == 1:
            self.banks[0].write(MemoryEntry(frame, prompted, 1.0, tokens, pointers))
            return
        for bank, entry in zip(self.banks, context_entries(masks, tokens, pointers, frame, prompted), strict=True):
            bank.write(entry)


def _dice(found: Tensor, truth: Tensor) -> Tensor:
    """Mean Dice of masks (V, H, W); 1 where both are empty."""
    both, sums = (found & truth).flatten(1).sum(1), (found.flatten(1).sum(1) + truth.flatten(1).sum(1)).float()
    return torch.where(sums > 0, 2 * both / sums.clamp_min(1), 1.0).mean()
