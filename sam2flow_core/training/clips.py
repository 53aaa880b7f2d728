"""Training clips: drawn from a source, spoiled as recordings are, altered, none ever the same."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.synthetic import AlterationConfig
from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.motion_statistics import InputMaker, MotionStatistics, halved_frames, smoothed
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.field_truth import LumenPoints, true_field

_GLYPH = (7, 5)
TRAINING_NAMESPACE = 0x7261696E
"""Branch of the seed tree that training draws from; the benchmark's branch is another."""


def spoil(video: Tensor, rng: np.random.Generator, how: AlterationConfig, unsteady: float) -> tuple[Tensor, Tensor]:
    """Spoil some of B clips (B, F, n, n), in place where that can be.

    Returns
    -------
    video : Tensor (B, F, n, n)
    seen : BoolTensor (B, n, n)
        False where nothing but a margin is seen.
    """
    batch, _, side = video.shape[:3]
    seen = torch.ones(batch, side, side, dtype=torch.bool, device=video.device)
    for k in range(batch):
        if rng.random() < how.margin:
            seen[k] = torch.from_numpy(_margin(rng, side)).to(video.device)
            video[k].mul_(seen[k])
        if rng.random() < how.overlay:
            _overlay(rng, video[k])
        if rng.random() < how.uneven_light:
            still = video[k].mean(0)
            video[k].sub_(still).mul_(uneven(rng, video.shape[-2:]).to(video.device)).add_(still)
        if unsteady and rng.random() < how.unsteady:
            video[k] = shaken(video[k], rng.normal(0, rng.uniform(0.05, unsteady), (video.shape[1], 2)))
        if rng.random() < how.negative:
            video[k].neg_()
    return video, seen


def _margin(rng: np.random.Generator, side: int) -> NDArray[np.bool_]:
    """What is seen through a round stop or inside black borders, (n, n)."""
    line = np.arange(side)
    if rng.random() < 0.4:
        middle, reach = side * rng.uniform(0.4, 0.6, 2), side * rng.uniform(0.45, 0.65)
        return np.asarray((line[:, None] - middle[0]) ** 2 + (line - middle[1]) ** 2 < reach**2)
    widths = np.where(rng.random(4) < 0.6, side * rng.uniform(0.01, 0.2, 4), 0)
    rows = (line >= widths[0]) & (line < side - widths[1])
    columns = (line >= widths[2]) & (line < side - widths[3])
    result: NDArray[np.bool_] = rows[:, None] & columns
    return result


def _overlay(rng: np.random.Generator, video: Tensor) -> None:
    """Write a time stamp that counts, or a scale bar, near an edge of frames (F, n, n)."""
    frames, side = video.shape[:2]
    bright = float(rng.choice([0.0, 1.0]))
    if rng.random() < 0.3:
        length, height = int(side * rng.uniform(0.1, 0.35)), int(rng.integers(2, 6))
        y, x = side - height - int(rng.integers(3, 16)), int(rng.integers(2, side - length - 2))
        video[:, y : y + height, x : x + length] = bright
        return
    size, letters = int(rng.integers(1, 3)), int(rng.integers(4, 10))
    alphabet = np.pad(rng.random((10, *_GLYPH)) < 0.5, ((0, 0), (1, 1), (1, 1)))
    start, step = int(rng.integers(10**6)), int(rng.integers(1, 20))
    digits = (start + step * np.arange(frames))[:, None] // 10 ** np.arange(letters)[::-1] % 10
    text = np.kron(np.concatenate(list(alphabet[digits].transpose(1, 0, 2, 3)), 2), np.ones((size, size), bool))
    text = text[:, :, : side - 4]
    height, length = text.shape[1:]
    y = int(rng.choice([2, side - height - 2]))
    x = int(rng.integers(1, side - length - 1))
    place = video[:, y : y + height, x : x + length]
    if rng.random() < 0.4:
        place.fill_(1 - bright)
    place.masked_fill_(torch.from_numpy(text).to(video.device), bright)


def uneven(rng: np.random.Generator, size: torch.Size) -> Tensor:
    """Contrast (H, W) that differs from place to place, as under oblique light."""
    coarse = torch.from_numpy(rng.normal(0, 0.6, (1, 1, 4, 4)).astype(np.float32))
    return F.interpolate(coarse, size, mode="bicubic", align_corners=True)[0, 0].exp()


def shaken(video: Tensor, shifts: NDArray[np.float64]) -> Tensor:
    """Frames (T, H, W), square, each moved by ``(dx, dy)`` px of (T, 2)."""
    moves = torch.eye(2, 3).repeat(len(video), 1, 1)
    moves[:, :, 2] = torch.from_numpy(shifts * 2 / video.shape[-1])
    places = F.affine_grid(moves.to(video.device), [len(video), 1, *video.shape[1:]], align_corners=False)
    return F.grid_sample(video[:, None], places, padding_mode="border", align_corners=False)[:, 0]


def summarise(frames: Tensor, firsts: Tensor, seconds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs and statistics of B clips, with the code that a run uses, for all clips at once.

    As in use the clip's own frames weigh no more in the background than others, or slow cells would be part of it.

    Parameters
    ----------
    frames : Tensor (B, T, n, n)
        Of the clip.
    firsts, seconds : Tensor (B, P, n, n)
        Pairs of consecutive frames from all over its recording.

    Returns
    -------
    inputs : Tensor (B, T, 3, n, n)
    statistics : Tensor (B, 20, n / 2, n / 2)
    moving : Tensor (B, 2 P, n / 2, n / 2)
        What moves in the first frames of the pairs, then in the second ones.
    """
    if len(frames) == 1:
        inputs, statistics, moving = _summarise_one(frames[0], firsts[0], seconds[0])
        return inputs[None], statistics[None], moving[None]
    inputs, statistics, moving = torch.vmap(_summarise_one)(frames, firsts, seconds)
    return inputs, statistics, moving


def _summarise_one(frames: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    sampled, motion = torch.cat([first, second]), MotionStatistics()
    maker = InputMaker(sampled.mean(0), _spread(smoothed(sampled)))
    motion.add(first, second)
    return maker(frames), maker.field_input(motion.channels())[0], maker.moving(halved_frames(sampled))


def _spread(frames: Tensor) -> Tensor:
    """Standard deviation over time (H, W); `torch.std` takes many times as long over the first axis."""
    mean = frames.mean(0)
    return ((frames - mean).square().sum(0) / (len(frames) - 1)).sqrt()


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
    moving : Tensor (1, 2 P, H / 2, W / 2)
        What moves in pairs from all over the recording: the first frames, then the second ones.
    """

    inputs: Tensor
    masks: Tensor
    first: int
    flow: Tensor
    weight: Tensor
    statistics: Tensor
    field: VesselField
    moving: Tensor

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
    rows : tuple of int
        Of the video: T consecutive frames.
    pairs : tuple of int
        Rows that begin pairs of consecutive frames from all over the recording.
    masks : BoolTensor (V, H, W)
    flow : Tensor (T, V, 2, H, W)
    leaves : BoolTensor (T, V, H, W)
        Matter that is outside the frame or past the vessel's end one frame later.
    lumens : LumenPoints
        Of all vessels, also those that are not among the V.
    """

    video: Tensor
    rows: tuple[int, ...]
    pairs: tuple[int, ...]
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
    first, second = video[list(clip.pairs)], video[[row + 1 for row in clip.pairs]]
    inputs, statistics, moving = summarise(video[None, list(clip.rows)], first[None], second[None])
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
        moving,
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
