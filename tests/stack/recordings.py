"""Small recordings of flowing blobs over tissue that moves by known shifts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates


def textured(frames: int = 6, shape: tuple[int, int] = (24, 32), dtype: str = "uint8", seed: int = 0) -> NDArray:
    """Frames (T, Y, X) that all differ and use the type's low range."""
    return np.random.default_rng(seed).integers(10, 200, (frames, *shape)).astype(dtype)


def write_chained(path: Path, frames: NDArray, **tags: object) -> Path:
    """A TIFF whose pages follow each other, each with its own header, as cameras write while they record."""
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            writer.write(frame, contiguous=False, metadata=None, **tags)
    return path


def cut(path: Path, share: float) -> Path:
    """Cut a file short, as an interrupted copy leaves it."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def breathing(frames: int, amplitude: float = 6.0, jump_at: int | None = None, seed: int = 0) -> NDArray:
    """Tissue shifts (T, 2) in px: breathing, heartbeat, drift and jitter; 0 in the first frame."""
    t = np.arange(frames)
    dy = amplitude * np.sin(2 * np.pi * t / 240) + np.sin(2 * np.pi * t / 60) + 0.02 * t
    dx = 0.6 * amplitude * np.sin(2 * np.pi * t / 300) + np.cos(2 * np.pi * t / 60) + 0.014 * t
    shifts = np.stack([dy, dx], 1) + np.random.default_rng(seed).normal(0, 0.2, (frames, 2))
    if jump_at is not None:
        shifts[jump_at:] += 12
    return shifts - shifts[0]


def tissue_video(shifts: NDArray, side: int = 96, flow: float = 3.0, seed: int = 0, noise: float = 0.02) -> NDArray:
    """Faint tissue and two vessels full of high-contrast blobs (T, side, side), uint8.

    The blobs move along the vessels by `flow` px per frame; everything moves by `shifts`.
    """
    rng = np.random.default_rng(seed)
    pad = 40
    big = side + 2 * pad
    tissue = _unit(gaussian_filter(rng.normal(size=(big, big)), 1.5)) + 0.7 * _unit(
        gaussian_filter(rng.normal(size=(big, big)), 5)
    )
    yy, xx = np.mgrid[:big, :big] - big / 2
    vessels = []
    for angle, aside, sign in ((0.4, -18, 1), (2.0, 22, -1)):
        along = xx * np.cos(angle) + yy * np.sin(angle)
        across = -xx * np.sin(angle) + yy * np.cos(angle) - aside
        blobs = _unit(gaussian_filter(rng.normal(size=(40, 2000)), 2.5))
        vessels.append((np.abs(across) < 7, along, across, blobs, sign * flow))
    grid = np.mgrid[:side, :side].astype(float) + pad
    frames = []
    for t, (dy, dx) in enumerate(shifts):
        scene = 1 + 0.04 * tissue
        for inside, along, across, blobs, speed in vessels:
            points = [across[inside] + 20, (along[inside] - speed * t) % 1800 + 50]
            scene[inside] = 0.8 + 0.12 * map_coordinates(blobs, points, order=1)
        frame = map_coordinates(scene, [grid[0] - dy, grid[1] - dx], order=3)
        frames.append(frame * (1 + 0.02 * rng.normal()) + noise * rng.normal(size=frame.shape))
    return np.clip(100 * np.array(frames), 0, 255).astype(np.uint8)


def _unit(image: NDArray) -> NDArray:
    return image / image.std()
