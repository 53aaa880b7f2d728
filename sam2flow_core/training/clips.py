"""Training clips: rendered on the fly, altered, none ever the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import IterableDataset, get_worker_info

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.inputs import InputMaker, smoothed
from sam2flow_core.model.motion_survey import MotionSurvey
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.synthetic import render_clip, sample_scene
from sam2flow_core.training.field_truth import LumenPoints, lumen_points, true_field

TRAINING_NAMESPACE = 0x7261696E
"""Branch of the seed tree that training draws from; the benchmark's branch is another."""
_SHORTEST, _LONGEST = 64, 700
"""Frames of the recordings that clips are cut from; scenes last for the longest at any frame rate."""


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
    survey : Tensor (1, 20, H / 2, W / 2)
        What the recording says as a whole.
    field : VesselField
        The true one, of all vessels of the scene, also those that are not among the V.
    """

    inputs: Tensor
    masks: Tensor
    flow: Tensor
    weight: Tensor
    survey: Tensor
    field: VesselField

    def to(self, device: torch.device) -> TrainingClip:
        """The same clip on a device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "field"}
        return TrainingClip(**moved, field=VesselField(*(x.to(device) for x in self.field)))


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
                yield alter(clip, rng, self.config.most_vessels, self.stage.unsteady)
            number += 1

    def _render(self, rng: np.random.Generator) -> _RawClip | None:
        sizes, chances = zip(*self.stage.sizes, strict=True)
        side = int(rng.choice(sizes, p=np.array(chances) / sum(chances)))
        scene = sample_scene(rng, size=(side, side), settings=self.config.scenes)
        frames, firsts = draw_recording(rng, self.stage)
        order = sorted({*frames, *firsts, *(t + 1 for t in firsts)})
        clip = render_clip(scene, order, motion=False)
        rows = [order.index(t) for t in frames]
        pairs = [order.index(t) for t in firsts]
        if not clip.masks.any() or not torch.isfinite(clip.video).all():
            return None
        return _RawClip(clip.video, rows, pairs, clip.masks, clip.flow[rows], clip.leaves[rows], lumen_points(scene))


def draw_recording(rng: np.random.Generator, stage: StageConfig) -> tuple[list[int], list[int]]:
    """Frames of a clip, and first frames of the pairs that stand for its recording: some are short, most are long."""
    shortest = max(_SHORTEST, stage.frames + 1, stage.scattered_pairs + 1)
    length = int(np.exp(rng.uniform(np.log(shortest), np.log(max(_LONGEST, shortest)))))
    begin = int(rng.integers(0, _LONGEST - length + 1)) if length < _LONGEST else 0
    start = begin + int(rng.integers(0, length - stage.frames))
    firsts = np.linspace(begin, begin + length - 2, stage.scattered_pairs).round().astype(int)
    return list(range(start, start + stage.frames)), np.unique(firsts).tolist()


@dataclass(frozen=True)
class _RawClip:
    """Rendered frames; of these ``rows`` are the clip, and ``pairs`` begin the pairs that stand for the recording."""

    video: Tensor
    rows: list[int]
    pairs: list[int]
    masks: Tensor
    flow: Tensor
    leaves: Tensor
    lumens: LumenPoints


def alter(clip: _RawClip, rng: np.random.Generator, most_vessels: int, unsteady: float) -> TrainingClip:
    """Turn, mirror, invert, blur and spoil a clip at random, its truth with it.

    At most ``most_vessels`` are kept. ``unsteady`` is the largest rest of tissue motion, px: clips without true flow
    are shaken as a stabiliser leaves them.
    """
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
    if rng.random() < 0.3:
        still = video.mean(0)
        video = still + (video - still) * _uneven(rng, video.shape[-2:])
    if unsteady and rng.random() < 0.3:
        video = _shaken(video, rng.normal(0, rng.uniform(0.05, unsteady), (len(video), 2)))
    # As in use: the clip's own frames weigh no more in the background than others, or slow cells would be part of it.
    first, second = video[clip.pairs], video[[row + 1 for row in clip.pairs]]
    sampled, motion = torch.cat([first, second]), MotionSurvey()
    maker = InputMaker(sampled.mean(0), smoothed(sampled).std(0))
    motion.add(first, second)
    inputs, field = maker(video[clip.rows]), true_field(clip.lumens.turned(turns, mirror))
    chosen = torch.from_numpy(rng.permutation(len(masks))[:most_vessels])
    masks, flow, leaves = masks[chosen], flow[:, chosen], leaves[:, chosen]
    weight = masks.float()[None] * torch.where(leaves, 0.5, 1.0)
    return TrainingClip(
        inputs.contiguous(),
        masks.float().contiguous(),
        flow.contiguous(),
        weight.contiguous(),
        maker.survey(motion.channels()),
        field,
    )


def _uneven(rng: np.random.Generator, size: torch.Size) -> Tensor:
    """Contrast (H, W) that differs from place to place, as under oblique light."""
    coarse = torch.from_numpy(rng.normal(0, 0.6, (1, 1, 4, 4)).astype(np.float32))
    return F.interpolate(coarse, size, mode="bicubic", align_corners=True)[0, 0].exp()


def _shaken(video: Tensor, shifts: NDArray[np.float64]) -> Tensor:
    """Frames (T, H, W), square, each moved by ``(dx, dy)`` px of (T, 2)."""
    moves = torch.eye(2, 3).repeat(len(video), 1, 1)
    moves[:, :, 2] = torch.from_numpy(shifts * 2 / video.shape[-1])
    places = F.affine_grid(moves, [len(video), 1, *video.shape[1:]], align_corners=False)
    return F.grid_sample(video[:, None], places, padding_mode="border", align_corners=False)[:, 0]


def _turn(x: Tensor, turns: int, mirror: bool) -> Tensor:
    x = torch.rot90(x, turns, (-2, -1))
    return x.flip(-1) if mirror else x


def _turn_vectors(flow: Tensor, turns: int, mirror: bool) -> Tensor:
    """Vectors (..., 2, H, W) after `_turn`: a quarter turn takes (dx, dy) to (dy, -dx)."""
    dx, dy = flow.unbind(-3)
    for _ in range(turns):
        dx, dy = dy, -dx
    return torch.stack([-dx if mirror else dx, dy], -3)
