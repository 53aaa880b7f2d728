"""Training clips: rendered on the fly, altered, none ever the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.inputs import InputMaker, smoothed
from sam2flow_core.synthetic import render_clip, sample_scene

TRAINING_NAMESPACE = 0x7261696E
"""Branch of the seed tree that training draws from; the benchmark's branch is another."""


@dataclass(frozen=True)
class TrainingClip:
    """Consecutive frames with their truth.

    Attributes
    ----------
    inputs : Tensor (T, 3, H, W)
    masks : Tensor (V, H, W)
        0 or 1.
    flow : Tensor (T, V, 2, H, W)
        ``(dx, dy)`` px per frame.
    weight : Tensor (T, V, H, W)
        1 inside the vessel, less where matter leaves, 0 outside.
    every : Tensor (1, H, W)
        All vessels of the scene together, also those that are not among the V.
    """

    inputs: Tensor
    masks: Tensor
    flow: Tensor
    weight: Tensor
    every: Tensor

    def to(self, device: torch.device) -> TrainingClip:
        """The same clip on a device."""
        return TrainingClip(*(x.to(device) for x in (self.inputs, self.masks, self.flow, self.weight, self.every)))


class SyntheticClips(IterableDataset[TrainingClip]):
    """An endless stream of clips.

    Parameters
    ----------
    config : TrainingConfig
    stage : StageConfig
    seed : int
    used : int
        Clips that a resumed run has already seen; the stream goes on after them.
    rank : int
        Of the process among several; each has a stream of its own.
    """

    def __init__(self, config: TrainingConfig, stage: StageConfig, seed: int, used: int = 0, rank: int = 0) -> None:
        self.config, self.stage, self.seed, self.used, self.rank = config, stage, seed, used, rank

    def __iter__(self) -> Iterator[TrainingClip]:
        """Yield clips for ever."""
        torch.set_num_threads(1)
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        number = self.used // (workers * self.config.reuse)
        while True:
            rng = np.random.default_rng([TRAINING_NAMESPACE, self.seed, self.rank, worker, number])
            clip = None
            while clip is None:
                clip = self._render(rng)
            for _ in range(self.config.reuse):
                yield alter(clip, rng, self.config.most_vessels)
            number += 1

    def _render(self, rng: np.random.Generator) -> _RawClip | None:
        sizes, chances = zip(*self.stage.sizes, strict=True)
        side = int(rng.choice(sizes, p=np.array(chances) / sum(chances)))
        scene = sample_scene(rng, size=(side, side), settings=self.config.scenes)
        start = int(rng.integers(0, 400))
        frames = list(range(start, start + self.stage.frames))
        span = max(600, start + self.stage.frames)
        scattered = rng.choice([t for t in range(span) if t not in frames], self.config.scattered, replace=False)
        order = sorted({*frames, *map(int, scattered)})
        clip = render_clip(scene, order, motion=False)
        rows = [order.index(t) for t in frames]
        if not clip.masks.any() or not torch.isfinite(clip.video).all():
            return None
        return _RawClip(clip.video, rows, clip.masks, clip.flow[rows], clip.leaves[rows])


@dataclass(frozen=True)
class _RawClip:
    video: Tensor
    rows: list[int]
    masks: Tensor
    flow: Tensor
    leaves: Tensor


def alter(clip: _RawClip, rng: np.random.Generator, most_vessels: int) -> TrainingClip:
    """Turn, mirror, invert, blur and spoil a clip at random, its truth with it; keep at most so many vessels."""
    video, masks, flow, leaves = clip.video, clip.masks, clip.flow, clip.leaves
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    video, masks, leaves = (_turn(x, turns, mirror) for x in (video, masks, leaves))
    flow = _turn_vectors(_turn(flow, turns, mirror), turns, mirror)
    if rng.random() < 0.3:
        video = -video
    if rng.random() < 0.2:
        video = smoothed(video, float(rng.uniform(0.4, 1.5)))
    spread = float(video.std(0).mean())
    if rng.random() < 0.4:
        noise = np.exp(rng.uniform(np.log(0.05), np.log(2.0))) * spread
        video = video + noise * torch.from_numpy(rng.standard_normal(tuple(video.shape), dtype=np.float32))
    if rng.random() < 0.3:
        flicker = 1 + 0.3 * spread * torch.from_numpy(rng.standard_normal((len(video), 1, 1)).astype(np.float32))
        video = video * flicker
    inputs = InputMaker(video.mean(0), smoothed(video).std(0))(video[clip.rows])
    every = masks.any(0, keepdim=True).float().contiguous()
    chosen = torch.from_numpy(rng.permutation(len(masks))[:most_vessels])
    masks, flow, leaves = masks[chosen], flow[:, chosen], leaves[:, chosen]
    weight = masks.float()[None] * torch.where(leaves, 0.5, 1.0)
    return TrainingClip(inputs.contiguous(), masks.float().contiguous(), flow.contiguous(), weight.contiguous(), every)


def _turn(x: Tensor, turns: int, mirror: bool) -> Tensor:
    x = torch.rot90(x, turns, (-2, -1))
    return x.flip(-1) if mirror else x


def _turn_vectors(flow: Tensor, turns: int, mirror: bool) -> Tensor:
    """Vectors (..., 2, H, W) after `_turn`: a quarter turn takes (dx, dy) to (dy, -dx)."""
    dx, dy = flow.unbind(-3)
    for _ in range(turns):
        dx, dy = dy, -dx
    return torch.stack([-dx if mirror else dx, dy], -3)
