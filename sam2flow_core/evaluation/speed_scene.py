"""The recording on which speed is measured."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic import film_long, sample_scene

FRAMES = 24  # filmed; a longer recording shows them again
SMALLEST_PX = 30


@dataclass(frozen=True)
class Looped:
    """A recording (T, Y, X) of any length that takes no more memory than the frames it repeats."""

    frames: NDArray[np.uint8]
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, Y, X)``."""
        return (self.length, *self.frames.shape[1:])

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Of the frames."""
        return self.frames.dtype

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        time, *rest = key if isinstance(key, tuple) else (key,)
        chosen = np.arange(self.length)[time] % len(self.frames)
        return self.frames[(chosen, *rest)]


@dataclass(frozen=True)
class SpeedScene:
    """A recording and the masks of its vessels, shape (V, Y, X), the largest first."""

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]

    def within(self, share: float) -> list[int]:
        """Return vessels that together cover at most ``share`` of the frame, the largest that fit."""
        chosen: list[int] = []
        covered = np.zeros(self.masks.shape[1:], bool)
        for index, mask in enumerate(self.masks):
            if (covered | mask).mean() <= share:
                chosen.append(index)
                covered |= mask
        return chosen or [len(self.masks) - 1]


def speed_scene(size: int, seed: int, vessels: int, covered: tuple[float, float]) -> SpeedScene:
    """Film a frame with many vessels.

    Parameters
    ----------
    size : int
        Side, px.
    seed : int
    vessels : int
        Least number of vessels.
    covered : tuple of float
        Least and greatest share of the frame they may cover; scenes are drawn until one fits.
    """
    settings = SceneSettings(networks=(4, 8), motion_probability=0.0, pixel_size_um=(0.4, 0.6))
    masks = np.zeros((0, size, size), bool)
    for attempt in count():
        scene = sample_scene(np.random.default_rng([seed, attempt]), (size, size), settings)
        masks = scene.masks[scene.masks.sum((1, 2)) >= SMALLEST_PX]
        if len(masks) >= vessels and covered[0] <= masks.any(0).mean() <= covered[1]:
            break
    video = np.concatenate(list(film_long(scene, np.arange(FRAMES))))
    order = np.argsort([-int(mask.sum()) for mask in masks])
    return SpeedScene(np.clip(255 * video, 0, 255).astype(np.uint8), masks[order])
