"""Fine-tuning of SAM 2's weights, with any design of memory, on annotated volumes."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.finetuning import FinetuningSettings
from sam2flow_core.config.memory import MemoryConfig
from sam2flow_core.errors import DataError, ModelError
from sam2flow_core.inference.video_frames import SquareFrames
from sam2flow_core.inference.weights import choose_device, load_model, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack import Stack
from sam2flow_core.stack.volumes import Volume
from sam2flow_core.training.initial_weights import with_memory
from sam2flow_core.training.slices import SliceClip, SliceFollowing, draw_plan


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
    """

    volumes: list[Volume]
    start: str
    out: Path
    memory: MemoryConfig | None = None
    settings: FinetuningSettings = field(default_factory=FinetuningSettings)
    minutes: float = 60.0
    steps: int | None = None
    seed: int = 1
    device: str = "auto"


@dataclass(frozen=True)
class FinetuningProgress:
    """After a step: share of the run that is done, and running means of the loss and of Dice by memory."""

    share: float
    loss: float
    dice: float


class VolumeClips:
    """Clips of neighbouring slices, drawn from volumes.

    Parameters
    ----------
    volumes : list of Volume
    settings : FinetuningSettings
    device : torch.device
    """

    def __init__(self, volumes: list[Volume], settings: FinetuningSettings, device: torch.device) -> None:
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
        ahead = count - first if step > 0 else first + 1
        if ahead < min(s.num_frames, count):
            step = -step
        order = [t for t in range(first, first + step * s.num_frames, step) if 0 <= t < count]
        labels = volume.labels(first)
        there = np.setdiff1d(np.unique(labels), [0])
        ids = rng.choice(there, min(s.max_num_objects, len(there)), replace=False)
        truth = torch.stack([self._masks(volume.labels(t), ids) for t in order])
        return SliceClip(torch.cat([frames.inputs(t) for t in order]), truth)

    def _masks(self, labels: Any, ids: Any) -> Tensor:
        masks = torch.from_numpy((labels[None] == ids[:, None, None]).astype(np.float32)).to(self.device)
        side = self.settings.resolution
        return F.interpolate(masks[:, None], (side, side), mode="nearest")[:, 0]


def finetune(request: FinetuningRequest) -> Generator[FinetuningProgress, None, None]:
    """Fine-tune and write the weights; closing the iterator early writes those so far.

    Yields
    ------
    FinetuningProgress
        After each step.

    Raises
    ------
    ModelError, DataError
        If weights or volumes cannot be used.
    """
    settings, device = request.settings, choose_device(request.device)
    model, description = load_model(request.start)
    if not model.config.mask.as_sam2:
        raise ModelError(f"{request.start}: fine-tuning on volumes is for weights of SAM 2; vessels: sam2flow train")
    if request.memory is not None and request.memory != model.config.mask.memory:
        model = with_memory(model, request.memory)
    model = model.to(device).train()
    clips = VolumeClips(request.volumes, settings, device)
    optimiser = _optimiser(model, settings)
    rng = np.random.default_rng(request.seed)
    torch.manual_seed(request.seed)
    begun, done, share, means = time.monotonic(), 0, 0.0, (0.0, 0.0)
    try:
        while share < 1:
            clip = clips.draw(rng)
            plan = draw_plan(len(clip.images), settings, rng)
            loss, dice = SliceFollowing(model, clip, plan, settings, rng).run()
            _step(model, optimiser, loss, settings, share)
            done += 1
            means = _running(means, (loss.item(), dice.item()), done)
            elapsed = (time.monotonic() - begun) / 60 / request.minutes
            share = min(elapsed if request.steps is None else done / request.steps, 1.0)
            yield FinetuningProgress(share, *means)
    finally:
        clips.close()
        notes = {**description["notes"], "image_size": settings.resolution, "finetuned_from": Path(request.start).name}
        notes |= {"finetuning_steps": done, "volumes": len(request.volumes), "seed": request.seed}
        save_weights(request.out, model.eval(), notes, torch.float32)


def _optimiser(model: SAM2Flow, settings: FinetuningSettings) -> torch.optim.AdamW:
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        vision = name.startswith("image_encoder.")
        if not parameter.requires_grad or name.startswith("flow.") or (vision and settings.vision_lr == 0):
            continue
        groups.setdefault((vision, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": found, "weight_decay": settings.weight_decay * matrix, "peak": _rate(settings, vision)}
            for (vision, matrix), found in groups.items()
        ]
    )


def _rate(settings: FinetuningSettings, vision: bool) -> float:
    return settings.vision_lr if vision else settings.base_lr


def _step(
    model: SAM2Flow, optimiser: torch.optim.AdamW, loss: Tensor, settings: FinetuningSettings, share: float
) -> None:
    if not loss.requires_grad:  # a clip of prompted slices alone teaches nothing
        return
    optimiser.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_gradient)
    if not torch.isfinite(norm):
        return
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * (0.55 + 0.45 * math.cos(math.pi * share))
    optimiser.step()


def _running(means: tuple[float, float], new: tuple[float, float], count: int) -> tuple[float, float]:
    rate = max(1 / count, 0.02)
    one, other = (m if math.isnan(n) else m + rate * (n - m) for m, n in zip(means, new, strict=True))
    return one, other
