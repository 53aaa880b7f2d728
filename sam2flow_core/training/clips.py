"""Training clips: drawn from a source, altered, none ever the same."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.inputs import smoothed
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.faults import shaken, uneven
from sam2flow_core.training.field_truth import LumenPoints, true_field
from sam2flow_core.training.summaries import summarise

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
    first : int
        Frame of the clip that begins the first of P answered pairs; the others follow it.
    flow : Tensor (P, V, 2, H, W)
        ``(dx, dy)`` px from frame ``first + p`` to the next.
    weight : Tensor (P, V, H, W)
        1 inside the vessel, less where matter leaves, 0 outside.
    statistics : Tensor (1, 20, H / 2, W / 2)
        What the recording says as a whole.
    field : VesselField
        The true one, of all vessels of the scene, also those that are not among the V.
    """

    inputs: Tensor
    masks: Tensor
    first: int
    flow: Tensor
    weight: Tensor
    statistics: Tensor
    field: VesselField

    @property
    def pairs(self) -> list[int]:
        """Frames of the clip that begin the answered pairs."""
        return list(range(self.first, self.first + len(self.flow)))

    def to(self, device: torch.device) -> TrainingClip:
        """The same clip on a device."""
        there = {f.name: getattr(self, f.name) for f in fields(self)}
        moved: dict[str, Any] = {name: x.to(device) for name, x in there.items() if isinstance(x, Tensor)}
        return replace(self, **moved, field=VesselField(*(x.to(device) for x in self.field)))


@dataclass(frozen=True)
class RawClip:
    """Frames as filmed, with their truth; ``rows`` are the clip, and ``pairs`` stand for the recording it is cut from.

    Attributes
    ----------
    video : Tensor (F, H, W)
        Free of tissue motion, any unit; H and W are equal.
    rows : list of int
        Of the video: T consecutive frames.
    pairs : list of int
        Rows that begin pairs of consecutive frames from all over the recording.
    masks : BoolTensor (V, H, W)
    flow : Tensor (T, V, 2, H, W)
    leaves : BoolTensor (T, V, H, W)
        Matter that is outside the frame or past the vessel's end one frame later.
    lumens : LumenPoints
        Of all vessels, also those that are not among the V.
    """

    video: Tensor
    rows: list[int]
    pairs: list[int]
    masks: Tensor
    flow: Tensor
    leaves: Tensor
    lumens: LumenPoints


@dataclass(frozen=True)
class ClipOrder:
    """What clips are asked for.

    Attributes
    ----------
    stage : StageConfig
    side : int
        Height and width of all of them, px.
    count : int
    before : int
        Clips that the run has had so far.
    device : torch.device
    """

    stage: StageConfig
    side: int
    count: int
    before: int
    device: torch.device


class ClipSource(Protocol):
    """Where clips come from."""

    def draw(self, order: ClipOrder, rng: np.random.Generator) -> list[TrainingClip]:
        """Draw clips; the same for the same order and state of ``rng``."""

    def close(self) -> None:
        """End what runs in the background; clips can be drawn again after it."""


class ClipStream:
    """An endless stream of clips, each altered anew.

    Parameters
    ----------
    source : ClipSource
    config : TrainingConfig
    stage : StageConfig
    seed : int
    used : int
        Clips that a resumed run has already seen; the stream goes on after them.
    rank : int
        Of the process among several; each has a stream of its own.
    device : torch.device
        That clips are made and handed out on.
    """

    def __init__(
        self,
        source: ClipSource,
        config: TrainingConfig,
        stage: StageConfig,
        seed: int,
        used: int = 0,
        rank: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        self.source, self.config, self.stage = source, config, stage
        self.seed, self.used, self.rank = seed, used, rank
        self.device = torch.device(device)

    def batches(self, count: int) -> Generator[list[TrainingClip], None, None]:
        """Yield lists of ``count`` clips of one side length for ever, on the device, the next one made meanwhile.

        Which clips come depends on the seed, the rank and the number of clips before them alone. Closing the
        generator ends its thread; the source is closed by whoever opened it, for the next stage goes on with it.
        """
        number = self.used // count
        with ThreadPoolExecutor(1) as thread:
            coming = thread.submit(self._draw, number, count)
            while True:
                number += 1
                clips, coming = coming.result(), thread.submit(self._draw, number, count)
                yield clips

    def _draw(self, number: int, count: int) -> list[TrainingClip]:
        rng = np.random.default_rng([TRAINING_NAMESPACE, self.seed, self.rank, number])
        order = ClipOrder(self.stage, draw_side(self.stage, rng), count, number * count, self.device)
        with torch.no_grad():
            return self.source.draw(order, rng)


def draw_side(stage: StageConfig, rng: np.random.Generator) -> int:
    """Draw the side of a clip in px."""
    sizes, chances = zip(*stage.sizes, strict=True)
    return int(rng.choice(sizes, p=np.array(chances) / sum(chances)))


def alter(clip: RawClip, rng: np.random.Generator, config: TrainingConfig, stage: StageConfig) -> TrainingClip:
    """Turn, mirror, invert, blur and spoil a clip at random, its truth with it.

    Clips without true flow are shaken as a stabiliser leaves them. Pairs to answer mostly have frames on both
    sides; sometimes they lie near the ends, where there is less to see.
    """
    free = max(len(clip.rows) - 1 - stage.pairs, 0)
    begin = int(rng.integers(free + 1)) if rng.random() < config.anywhere else free // 2
    answered = slice(begin, min(begin + stage.pairs, len(clip.rows) - 1))
    video, masks, flow, leaves = clip.video, clip.masks, clip.flow[answered], clip.leaves[answered]
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
    if rng.random() < 0.3:
        still = video.mean(0)
        video = still + (video - still) * uneven(rng, video.shape[-2:])
    if stage.unsteady and rng.random() < 0.3:
        video = shaken(video, rng.normal(0, rng.uniform(0.05, stage.unsteady), (len(video), 2)))
    first, second = video[clip.pairs], video[[row + 1 for row in clip.pairs]]
    inputs, statistics = summarise(video[None, clip.rows], first[None], second[None])
    field = true_field(clip.lumens.turned(turns, mirror))
    chosen = torch.from_numpy(rng.permutation(len(masks))[: config.most_vessels])
    masks, flow, leaves = masks[chosen], flow[:, chosen], leaves[:, chosen]
    weight = masks.float()[None] * torch.where(leaves, 0.5, 1.0)
    return TrainingClip(
        inputs[0].contiguous(),
        masks.float().contiguous(),
        begin,
        flow.contiguous(),
        weight.contiguous(),
        statistics,
        field,
    )


def _turn(x: Tensor, turns: int, mirror: bool) -> Tensor:
    x = torch.rot90(x, turns, (-2, -1))
    return x.flip(-1) if mirror else x


def _turn_vectors(flow: Tensor, turns: int, mirror: bool) -> Tensor:
    """Vectors (..., 2, H, W) after `_turn`: a quarter turn takes (dx, dy) to (dy, -dx)."""
    dx, dy = flow.unbind(-3)
    for _ in range(turns):
        dx, dy = dy, -dx
    return torch.stack([-dx if mirror else dx, dy], -3)
