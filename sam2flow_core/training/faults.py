"""What spoils recordings whoever made them: margins, overlays, light from one side, unsteadiness."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.clips import AlterationConfig

_GLYPH = (7, 5)


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
