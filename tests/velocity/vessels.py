"""Tiny videos whose velocity is known exactly, and the tracks a perfect model would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.results.reader import VesselTrack


@dataclass(frozen=True)
class Calibrated:
    usable_pixel_size_um: float | None = 0.5
    usable_frame_rate_hz: float | None = 100.0


@dataclass(frozen=True)
class Scene:
    """A video (T, Y, X), the track of its vessel and the true centre velocity, px per frame, shape (T - 1,)."""

    video: NDArray[np.float32]
    track: VesselTrack
    centre: NDArray[np.float64]

    def images(self, frame: int) -> NDArray[np.float32]:
        return self.video[frame]


def plug(r: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ones_like(r)


def parabola(r: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.minimum(np.abs(r), 1) ** 2


def make_scene(
    velocity: NDArray[np.float64],
    *,
    shape: tuple[int, int] = (48, 160),
    radius: float = 8.0,
    angle: float = 0.0,
    bend: float = 0.0,
    profile: Callable[[NDArray[np.float64]], NDArray[np.float64]] = plug,
    noise: float = 1.0,
    cell: float = 3.0,
    pattern: NDArray[np.float64] | None = None,
    seed: int = 0,
    length: float | None = None,
) -> Scene:
    """Draw a vessel through the middle of the image along which a texture moves.

    `velocity` (T - 1,) is that of the centre, positive to the right (turned by `angle`, radians, clockwise on the
    screen). `bend` is the curvature, 1 / px. `pattern`, if given, is the brightness along the vessel (used as a
    circle) in place of random texture.
    """
    generator = np.random.default_rng(seed)
    frames = len(velocity) + 1
    rows, columns = np.indices(shape, float)
    s, r, tangent = _curved(rows - (shape[0] - 1) / 2, columns - (shape[1] - 1) / 2, angle, bend)
    mask = (np.abs(r) <= radius) & (np.abs(s) <= (length or np.inf) / 2)
    shape_across = profile(r / radius)
    ring = 2048
    texture = _texture(generator, ring, int(4 * radius) + 9, cell, pattern)
    travelled = np.r_[0.0, np.cumsum(velocity)]
    tissue = 4 * ndimage.gaussian_filter(generator.normal(size=shape), 2) * 6
    video = np.empty((frames, *shape), np.float32)
    for t in range(frames):
        at = np.stack([r[mask] + texture.shape[0] // 2, (s[mask] - travelled[t] * shape_across[mask]) % ring])
        frame = 100 + tissue + noise * generator.normal(size=shape)
        frame[mask] += 10 * ndimage.map_coordinates(texture, at, order=1, mode="grid-wrap")
        video[t] = frame
    along = velocity[:, None, None] * (shape_across * mask)
    flow = np.stack([along * tangent[1], along * tangent[0]], axis=1).astype(np.float32)
    return Scene(video, make_track(mask, flow), np.asarray(velocity, float))


def make_track(mask: NDArray[np.bool_], flow: NDArray[np.float32], scale: float = 0.1) -> VesselTrack:
    frames = len(flow) + 1
    return VesselTrack(
        vessel_id=1,
        name="vessel 1",
        frames=np.arange(frames),
        offsets=np.zeros((frames, 2), np.int64),
        mask=np.repeat(mask[None], frames, axis=0),
        flow=flow,
        scale=np.where(mask, scale, 0).astype(np.float32) * np.ones((frames - 1, 1, 1), np.float32),
        shifts=np.zeros((frames, 2)),
        mask_iou=np.ones(frames, np.float32),
        object_score=np.ones(frames, np.float32),
        round_trip=np.full(frames - 1, np.nan, np.float32),
    )


def scene_track(
    mask: NDArray[np.bool_], flow: NDArray[np.float32], shifts: NDArray[np.float64], scale: float = 0.1
) -> VesselTrack:
    """Return the track that a perfect model would give of a vessel in a scene of the generator.

    `flow` (T - 1, 2, Y, X) and `mask` (Y, X) are in tissue coordinates, `shifts` (T, 2) is what the tissue does.
    """
    track = make_track(mask, flow, scale)
    return replace(track, offsets=np.rint(shifts).astype(np.int64), shifts=np.asarray(shifts, float))


def _curved(y, x, angle: float, bend: float):
    """Return arc length, signed distance (positive clockwise of the way) and unit tangent (y, x) of each pixel."""
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    if bend == 0:
        return along, across, (np.full_like(x, np.sin(angle)), np.full_like(x, np.cos(angle)))
    radius = 1 / bend
    turn = np.arctan2(along, radius - across)
    distance = radius - np.hypot(along, radius - across)
    return turn * radius, distance, (np.sin(angle + turn), np.cos(angle + turn))


def _texture(generator, ring: int, width: int, cell: float, pattern):
    if pattern is not None:
        return np.repeat(np.resize(pattern, ring)[None], width, axis=0)
    texture = ndimage.gaussian_filter(generator.normal(size=(width, ring)), cell, mode="wrap")
    return texture / texture.std()
