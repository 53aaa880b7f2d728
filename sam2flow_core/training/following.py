"""The lesson for memory: prompt vessels in the first frame of a clip, and follow them by memory alone.

Each mask found is written to the vessel's own bank, as the design of memory has
it, and not detached, so that the gradient of the last frame reaches the first.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.memory_bank import MemoryBank
from sam2flow_core.model.memory_entries import context_entries
from sam2flow_core.model.prompt_encoder import PADDING
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks
from sam2flow_core.training.clicks import corrective_clicks
from sam2flow_core.training.clips import TrainingClip
from sam2flow_core.training.losses import mask_loss
from sam2flow_core.training.prompting import draw_first_prompts

_MARGIN = 32
"""px of a clip that are left for the tissue to move in; images have sides of multiples of 32."""
_MOST_CORRECTIONS = 2


class Following:
    """One clip of the lesson.

    Parameters
    ----------
    model : SAM2Flow
    clip : TrainingClip
    config : TrainingConfig
    rng : numpy.random.Generator
    """

    def __init__(self, model: SAM2Flow, clip: TrainingClip, config: TrainingConfig, rng: np.random.Generator) -> None:
        self.model, self.config, self.rng = model, config, rng
        inputs, masks = wander(clip.inputs, clip.masks, config.wander_px, rng)
        with torch.no_grad():  # half of the cost of a step, and what is to be learned lies behind it
            self.levels = model.encode(inputs)
        # The last row is an object that was never there.
        self.truth = torch.cat([masks, torch.zeros_like(masks[:, :1])], 1)
        rows = self.truth.shape[1]
        self.owner = torch.zeros(rows, dtype=torch.long, device=inputs.device)
        self.origin = torch.from_numpy(rng.uniform(0, 600, 2).astype(np.float32)).to(inputs)
        self.banks: list[MemoryBank] = [model.context_memory.new_bank() for _ in range(rows)]
        self.losses: list[Tensor] = []

    def run(self) -> tuple[Tensor, dict[str, float]]:
        """Loss, the mean over all masks that were asked for, and figures to log."""
        scores = [self._score(self._prompt(), 0)]
        scores += [self._score(self._follow(frame), frame) for frame in range(1, len(self.truth))]
        figures = {"iou_prompted": scores[0], "iou_memory": float(np.mean(scores[1:])), "iou_last": scores[-1]}
        return torch.stack(self.losses).mean(), figures

    def _prompt(self) -> VesselMasks:
        first = draw_first_prompts(self.model, self.truth[0, :-1], self.config, self.rng)
        embedded = self._read(0)[0]
        prompts = first.prompts
        masks = self._segment(0, embedded, prompts, first.ambiguous)
        if first.given is None:
            for _ in range(int(self.rng.integers(_MOST_CORRECTIONS + 1))):
                masks, prompts = self._correct(0, embedded, masks, prompts)
        masks = first.answered(masks)
        self._write(0, masks, prompted=True)
        return masks

    def _follow(self, frame: int) -> VesselMasks:
        """Find the vessels again; what is returned comes from memory, what is remembered may have been corrected."""
        embedded, recalled = self._read(frame)
        nothing = torch.full((len(self.owner), 1), PADDING, dtype=torch.long, device=self.owner.device)
        prompts = Prompts(self.truth.new_zeros(len(self.owner), 1, 2), nothing, recalled)
        masks = found = self._segment(frame, embedded, prompts, False)
        corrected = self.rng.random() < self.config.later_clicks
        if corrected:
            masks, _ = self._correct(frame, embedded, found, prompts)
        self._write(frame, masks, corrected)
        return found

    def _correct(
        self, frame: int, embedded: Tensor, masks: VesselMasks, before: Prompts
    ) -> tuple[VesselMasks, Prompts]:
        """Click into the error of each mask; the mask so far is a prompt as well, as in the predictor."""
        points, labels = corrective_clicks(self.truth[frame], masks.logits.detach() > 0, self.rng)
        points = torch.cat([before.points, points.to(before.points)], 1)
        labels = torch.cat([before.labels, labels.to(before.labels)], 1)
        prompts = Prompts(points, labels, F.avg_pool2d(masks.logits.detach()[:, None], 4))
        return self._segment(frame, embedded, prompts, False), prompts

    def _segment(self, frame: int, embedded: Tensor, prompts: Prompts, several: bool) -> VesselMasks:
        levels, truth = [x[frame : frame + 1] for x in self.levels], self.truth[frame]
        masks = self.model.segment(levels, self.owner, embedded, prompts, self.origin)
        present = truth.flatten(1).any(1)
        self.losses.append(mask_loss(masks.decoded, truth, present, several, self.config.region_loss))
        return masks

    def _read(self, frame: int) -> tuple[Tensor, Tensor | None]:
        levels, banks = [x[frame : frame + 1] for x in self.levels], [bank.read() for bank in self.banks]
        recalled = self.model.context_memory.prompts(levels[2][self.owner], banks, frame)
        return self.model.condition(levels, self.owner, banks, frame), recalled

    def _write(self, frame: int, masks: VesselMasks, prompted: bool) -> None:
        levels = [x[frame : frame + 1] for x in self.levels]
        tokens, pointers = self.model.remember_context(levels, self.owner, masks)
        for bank, entry in zip(self.banks, context_entries(masks, tokens, pointers, frame, prompted), strict=True):
            bank.write(entry)

    def _score(self, masks: VesselMasks, frame: int) -> float:
        guess, truth = (masks.logits[:-1].detach() > 0).float(), self.truth[frame, :-1]
        union = torch.maximum(guess, truth).sum((1, 2)).clamp_min(1)
        return float(((guess * truth).sum((1, 2)) / union).mean())


def wander(inputs: Tensor, masks: Tensor, step_px: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Frames (T, C, h, w) and masks (T, V, h, w) seen through a window that moves over the clip at random.

    Parameters
    ----------
    inputs : Tensor (T, C, H, W)
    masks : Tensor (V, H, W)
    step_px : float
        Standard deviation of the window's step, px; 0 leaves the clip whole.
    """
    frames = inputs.shape[0]
    if step_px == 0:
        return inputs, masks.expand(frames, -1, -1, -1)
    start = rng.uniform(0, _MARGIN, (1, 2))
    steps = np.concatenate([np.zeros((1, 2)), rng.normal(0, step_px, (frames - 1, 2))])
    corners = np.clip(start + steps.cumsum(0), 0, _MARGIN).round().astype(int).tolist()
    height, width = (n - _MARGIN for n in inputs.shape[-2:])
    seen = [(slice(y, y + height), slice(x, x + width)) for y, x in corners]
    return (
        torch.stack([inputs[t, :, rows, columns] for t, (rows, columns) in enumerate(seen)]),
        torch.stack([masks[:, rows, columns] for rows, columns in seen]),
    )
