"""Clips from the generator: a scene for each, filmed on the fly."""

from __future__ import annotations

import numpy as np
import torch

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.config.training import StageConfig
from sam2flow_core.synthetic import render_clip, sample_scene
from sam2flow_core.training.clips import RawClip, draw_side
from sam2flow_core.training.field_truth import lumen_points

_SHORTEST, _LONGEST = 64, 700
"""Frames of the recordings that clips are cut from; scenes last for the longest at any frame rate."""


class SyntheticScenes:
    """The generator as a source of clips.

    Parameters
    ----------
    settings : SceneSettings
    """

    def __init__(self, settings: SceneSettings) -> None:
        self.settings = settings

    def draw(self, stage: StageConfig, rng: np.random.Generator) -> RawClip | None:
        """Draw a scene, and film a clip and what stands for its recording."""
        side = draw_side(stage, rng)
        scene = sample_scene(rng, size=(side, side), settings=self.settings)
        frames, firsts = draw_recording(rng, stage)
        order = sorted({*frames, *firsts, *(t + 1 for t in firsts)})
        clip = render_clip(scene, order, motion=False)
        if not clip.masks.any() or not torch.isfinite(clip.video).all():
            return None
        rows, pairs = [order.index(t) for t in frames], [order.index(t) for t in firsts]
        return RawClip(clip.video, rows, pairs, clip.masks, clip.flow[rows], clip.leaves[rows], lumen_points(scene))


def draw_recording(rng: np.random.Generator, stage: StageConfig) -> tuple[list[int], list[int]]:
    """Frames of a clip, and first frames of the pairs that stand for its recording: some are short, most are long."""
    shortest = max(_SHORTEST, stage.frames + 1, stage.scattered_pairs + 1)
    length = int(np.exp(rng.uniform(np.log(shortest), np.log(max(_LONGEST, shortest)))))
    begin = int(rng.integers(max(_LONGEST - length, 0) + 1))
    return cut_recording(rng, stage, begin, length)


def cut_recording(rng: np.random.Generator, stage: StageConfig, begin: int, length: int) -> tuple[list[int], list[int]]:
    """Frames of a clip anywhere in a recording, and first frames of pairs that lie evenly over it."""
    start = begin + int(rng.integers(0, max(length - stage.frames, 1)))
    firsts = np.linspace(begin, begin + length - 2, min(stage.scattered_pairs, length - 1)).round().astype(int)
    return list(range(start, min(start + stage.frames, begin + length))), np.unique(firsts).tolist()
