"""Fine-tuning of SAM 2's weights on annotated volumes: objects followed from slice to slice with gradients."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.model import MemoryConfig
from sam2flow_core.config.training import FinetuningSettings
from sam2flow_core.errors import DataError, ModelError
from sam2flow_core.files import make_parent
from sam2flow_core.inference.frames import SquareFrames
from sam2flow_core.inference.weights import choose_device, load_model, save_weights
from sam2flow_core.model.image_encoder import frames_before
from sam2flow_core.model.mask_decoder import choose_mask
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.memory_designs import cells_inside
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks, context_entries
from sam2flow_core.stack import Stack
from sam2flow_core.stack.volumes import Volume
from sam2flow_core.training.clicks import (
    centre_clicks,
    corrective_clicks,
    first_boxes,
    first_clicks,
    no_prompts,
    surely,
)
from sam2flow_core.training.initial_weights import with_memory
from sam2flow_core.training.losses import mask_loss
from sam2flow_core.training.slice_changes import changed_clip


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


def draw_plan(
    frames: int, settings: FinetuningSettings, rng: np.random.Generator, evaluating: bool = False
) -> ClipPlan:
    """Draw how a clip of so many slices is prompted, to learn from it or to try what was learned."""

    def of(name: str) -> Any:
        return getattr(settings, f"{name}_for_{'eval' if evaluating else 'train'}")

    clicked = rng.random() < of("prob_to_use_pt_input")
    boxed = rng.random() < of("prob_to_use_box_input")

    # A single slice is learned as SAM learns pictures.
    clicked |= frames == 1

    def some(most: int, random: bool) -> frozenset[int]:
        count = min(int(rng.integers(1, most + 1)) if random else most, frames)
        return frozenset({0, *(1 + rng.choice(frames - 1, count - 1, replace=False)).tolist()})

    prompted = some(of("num_init_cond_frames"), of("rand_init_cond_frames"))
    corrected = some(of("num_frames_to_correct"), of("rand_frames_to_correct"))
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
    evaluating : bool
        Click as a network is tried.
    """

    def __init__(
        self,
        model: SAM2Flow,
        clip: SliceClip,
        plan: ClipPlan,
        settings: FinetuningSettings,
        rng: np.random.Generator,
        evaluating: bool = False,
    ) -> None:
        self.centred = evaluating and settings.pt_sampling_for_eval == "center"
        self.confirming = 0.0 if evaluating else settings.prob_to_sample_from_gt_for_train
        self.model, self.clip, self.plan, self.settings, self.rng = model, clip, plan, settings, rng
        windows = [frames_before(f, model.config.image.window) for f in range(len(clip.images))]
        levels = model.encode(clip.images, clip.images[torch.tensor(windows)] if windows[0] else None)
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
            if self.plan.kind == "click" and self.centred:
                points, labels = centre_clicks(truth, torch.zeros_like(truth))
            else:
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
        prompts = replace(
            no_prompts(len(self.owner), images.device, recalled), tokens=memory.tokens(images, banks, frame)
        )
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
            if self.rng.random() < self.confirming:
                found = torch.zeros_like(found)
            truth = self.clip.truth[frame]
            points, labels = (
                centre_clicks(truth, found) if self.centred else corrective_clicks(truth, found, self.draws)
            )
            low = F.interpolate(masks.logits.detach()[:, None], scale_factor=0.25, mode="area").clamp(-32, 32)
            points, labels = torch.cat([prompts.points, points], 1), torch.cat([prompts.labels, labels], 1)
            prompts = Prompts(points, labels, low, prompts.tokens)
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
        tokens, pointers = self.model.write_context(self.levels[frame], self.owner, masks)
        if len(self.banks) == 1:
            height, width = self.levels[frame][2].shape[-2:]
            inside = cells_inside(masks.logits[:, None], (height, width))
            self.banks[0].write(MemoryEntry(frame, prompted, 1.0, tokens, pointers, inside=inside))
            return
        for bank, entry in zip(self.banks, context_entries(masks, tokens, pointers, frame, prompted), strict=True):
            bank.write(entry)


def _dice(found: Tensor, truth: Tensor) -> Tensor:
    """Mean Dice of masks (V, H, W); 1 where both are empty."""
    both, sums = (found & truth).flatten(1).sum(1), (found.flatten(1).sum(1) + truth.flatten(1).sum(1)).float()
    return torch.where(sums > 0, 2 * both / sums.clamp_min(1), 1.0).mean()


@dataclass(frozen=True)
class FinetuningRequest:
    """What to fine-tune, on what, and where to.

    Attributes
    ----------
    volumes : list of Volume
        With masks.
    start : str
        Any name that `load_model` takes, of weights with the layers of SAM 2.
    out : Path
        Weights file to write.
    memory : MemoryConfig or None
        Design that takes the place of the one in ``start``.
    minutes : float
    steps : int or None
        Instead of minutes.
    tried : tuple of Volume
        With masks, that nothing is learned from: Dice by memory is measured on them before and after.
    """

    volumes: tuple[Volume, ...]
    start: str
    out: Path
    memory: MemoryConfig | None = None
    settings: FinetuningSettings = field(default_factory=FinetuningSettings)
    minutes: float = 60.0
    steps: int | None = None
    seed: int = 1
    device: str = "auto"
    tried: tuple[Volume, ...] = ()


@dataclass(frozen=True)
class FinetuningProgress:
    """After a step: share of the run that is done, and running means of the loss and of Dice by memory.

    ``tried`` is Dice by memory in the volumes that nothing is learned from: before the first step and after the last.
    """

    share: float
    loss: float
    dice: float
    tried: float | None = None


class VolumeClips:
    """Clips of neighbouring slices, drawn from volumes.

    Parameters
    ----------
    volumes : list of Volume
    settings : FinetuningSettings
    device : torch.device
    """

    def __init__(self, volumes: Sequence[Volume], settings: FinetuningSettings, device: torch.device) -> None:
        self.settings, self.device = settings, device
        self._stacks: list[Stack] = []
        self._open: list[tuple[SquareFrames, Volume, list[int]]] = []
        for volume in volumes:
            stack, labels = volume.open(), volume.labels()
            self._stacks.append(stack)
            if labels.shape != stack.shape:
                raise DataError(f"volume '{volume.name}': slices of {stack.shape}, masks of {labels.shape}")
            marked = np.flatnonzero(labels.any((1, 2))).tolist()
            if not marked:
                raise DataError(f"volume '{volume.name}': nothing is marked in its masks")
            self._open.append((SquareFrames(stack, settings.resolution, device), volume, marked))

    def close(self) -> None:
        """Close the volumes."""
        for stack in self._stacks:
            stack.close()

    def draw(self, rng: np.random.Generator) -> SliceClip:
        """A clip that begins where something is marked, and goes either way."""
        frames, volume, marked = self._open[int(rng.integers(len(self._open)))]
        s, count = self.settings, len(frames.stack)
        first = int(rng.choice(marked))
        step = int(rng.choice((-1, 1)))
        # Nothing is drawn where nobody asked for it, so that runs of before can be repeated.
        single = s.prob_to_use_single_image_for_train
        length = 1 if single and rng.random() < single else s.num_frames
        ahead = count - first if step > 0 else first + 1
        if ahead < min(length, count):
            step = -step
        order = [t for t in range(first, first + step * min(length, count), step) if 0 <= t < count]
        there = np.setdiff1d(np.unique(volume.labels(first)), [0])
        ids = rng.choice(there, min(s.max_num_objects, len(there)), replace=False)
        clip = self._clip(frames, volume, order, ids)
        return SliceClip(*changed_clip(clip.images, clip.truth, s, rng))

    def firsts(self) -> Iterator[SliceClip]:
        """Of each volume the clip that begins in the first slice with an object, of the objects that are there."""
        for frames, volume, marked in self._open:
            order = range(marked[0], min(marked[0] + self.settings.num_frames, len(frames.stack)))
            there = np.setdiff1d(np.unique(volume.labels(marked[0])), [0])
            yield self._clip(frames, volume, order, there[: self.settings.max_num_objects])

    def _clip(self, frames: SquareFrames, volume: Volume, order: Sequence[int], ids: Any) -> SliceClip:
        truth = torch.stack([self._masks(volume.labels(t), ids) for t in order])
        return SliceClip(torch.cat([frames.inputs(t) for t in order]), truth)

    def _masks(self, labels: Any, ids: Any) -> Tensor:
        masks = torch.from_numpy((labels[None] == ids[:, None, None]).astype(np.float32)).to(self.device)
        side = self.settings.resolution
        return F.interpolate(masks[:, None], (side, side), mode="nearest")[:, 0]


def finetune(request: FinetuningRequest) -> Generator[FinetuningProgress, None, None]:
    """Fine-tune and write the weights; closing the iterator early writes those so far, if a step was made.

    Yields
    ------
    FinetuningProgress
        After each step; where volumes are tried, before the first and after the last too.

    Raises
    ------
    ModelError, DataError
        If weights or volumes cannot be used, or no step had a gradient that is a number.
    """
    settings, device = request.settings, choose_device(request.device)
    model, description = load_model(request.start)
    if not model.config.mask.as_sam2:
        raise ModelError(f"{request.start}: fine-tuning on volumes is for weights of SAM 2; vessels: sam2flow train")
    if request.memory is not None and request.memory != model.config.mask.memory:
        model = with_memory(model, request.memory)
    if model.config.mask.image_only:
        raise ModelError(f"{request.start}: knows single pictures; begin with --memory associated")
    model = model.to(device).train()
    for name, parameter in model.named_parameters():
        if _is_vision(name) and (settings.vision_lr == 0 or settings.freeze_image_encoder):
            parameter.requires_grad_(False)
    clips = VolumeClips(request.volumes, settings, device)
    tried = VolumeClips(request.tried, settings, device)
    optimiser = _optimiser(model, settings)
    rng = np.random.default_rng(request.seed)
    torch.manual_seed(request.seed)
    learned, done, share, means = 0, 0, 0.0, (0.0, 0.0)
    try:
        if request.tried:
            yield FinetuningProgress(0.0, *means, try_out(model, tried, settings, request.seed))
        begun = time.monotonic()
        while share < 1:
            clip = clips.draw(rng)
            plan = draw_plan(len(clip.images), settings, rng)
            loss, dice = SliceFollowing(model, clip, plan, settings, rng).run()
            learned += _step(model, optimiser, loss, settings, share)
            done += 1
            means = _running(means, (loss.item(), dice.item()), done)
            elapsed = (time.monotonic() - begun) / 60 / request.minutes
            share = min(elapsed if request.steps is None else done / request.steps, 1.0)
            yield FinetuningProgress(share, *means)
        if request.tried:
            yield FinetuningProgress(1.0, *means, try_out(model, tried, settings, request.seed))
    finally:
        clips.close()
        tried.close()
        if done and not learned:
            raise DataError(f"nothing was learned in {done} steps: their losses are no numbers; lower base_lr")
        if done:  # what was not trained is not called so
            _save(request, model, description, done)


def _save(request: FinetuningRequest, model: SAM2Flow, description: dict[str, Any], done: int) -> None:
    notes = {**description["notes"], "image_size": request.settings.resolution}
    notes |= {
        "finetuned_from": Path(request.start).name,
        "finetuning_steps": done,
        "volumes": len(request.volumes),
        "seed": request.seed,
    }
    make_parent(request.out)
    save_weights(request.out, model.eval(), notes, torch.float32)


def try_out(model: SAM2Flow, clips: VolumeClips, settings: FinetuningSettings, seed: int) -> float:
    """Mean Dice by memory in the first clip of each volume, prompted by the settings for evaluation."""
    rng, dice = np.random.default_rng(seed), []
    model.eval()
    with torch.no_grad():
        for clip in clips.firsts():
            plan = draw_plan(len(clip.images), settings, rng, evaluating=True)
            dice.append(float(SliceFollowing(model, clip, plan, settings, rng, evaluating=True).run()[1]))
    model.train()
    return float(np.nanmean(dice)) if np.isfinite(dice).any() else math.nan


def _optimiser(model: SAM2Flow, settings: FinetuningSettings) -> torch.optim.AdamW:
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    last = 1 + max((found for name, _ in model.named_parameters() if (found := _block(name)) is not None), default=0)
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad or name.startswith("flow."):
            continue
        rate = settings.vision_lr if _is_vision(name) else settings.base_lr
        block = _block(name)
        rate *= 1.0 if block is None else settings.layer_decay_value ** (last - block)
        groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": found, "weight_decay": settings.weight_decay * matrix, "peak": rate}
            for (rate, matrix), found in groups.items()
        ]
    )


def _block(name: str) -> int | None:
    """How deep in the image encoder's trunk of blocks a weight lies, 0 before the first; None beside and behind it.

    Positions keep the whole rate, as in SAM 2.
    """
    if not name.startswith("image_encoder.trunk.") or "pos_embed" in name:
        return None
    found = re.match(r"image_encoder\.trunk\.(?:blocks\.(\d+)|patch_embed)", name)
    return None if found is None else int(found[1]) + 1 if found[1] else 0


def _is_vision(name: str) -> bool:
    """Whether a weight belongs to what is known of pictures; what SAM-I2V adds to see motion does not."""
    return name.startswith("image_encoder.") and not name.startswith("image_encoder.integrator.")


def _step(
    model: SAM2Flow, optimiser: torch.optim.AdamW, loss: Tensor, settings: FinetuningSettings, share: float
) -> bool:
    """Learn from a loss; False where it is no number."""
    if not loss.requires_grad:  # a clip of prompted slices alone teaches nothing
        return True
    optimiser.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_gradient)
    if not torch.isfinite(norm):
        return False
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * (0.55 + 0.45 * math.cos(math.pi * share))
    optimiser.step()
    return True


def _running(means: tuple[float, float], new: tuple[float, float], count: int) -> tuple[float, float]:
    rate = max(1 / count, 0.02)
    one, other = (m if math.isnan(n) else m + rate * (n - m) for m, n in zip(means, new, strict=True))
    return one, other
