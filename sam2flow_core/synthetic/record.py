"""What is kept of a scene once its cells are drawn: enough to film it again and again, and its truth.

Both generators end here, and what follows (appearance, alterations, truth on the training device) begins here.
A record is a few MB: the thickness of the cells at the px that cells ever reach, as bytes, and for every vessel
which way and how fast its matter goes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

WALL_PX = 2.5
"""Px round the walls for which a vessel's streamlines are kept too, so that they can be interpolated up to the wall."""
LEVELS = 255
_FASTEST, _FARTHEST = 6e4, 100.0
"""Largest speed and offset that are kept; half precision ends at 65 504."""
_NUMBERS = ("side", "generator", "cell_px", "run", "moment")


@dataclass(frozen=True)
class SceneRecord:
    """A drawn scene, square and free of tissue motion; N px of vessels in a row, once for each vessel they lie in.

    Attributes
    ----------
    side : int
        Height and width, px.
    generator : int
        Which generator drew it: its appearances suit it.
    cell_px : float
        Diameter of a free red cell, px.
    frames : ndarray of int, shape (F,)
        Times in frame intervals: first a run of consecutive frames, then moments of ``moment`` consecutive frames each.
    run, moment : int
    reached : ndarray of int32, shape (M,)
        Flat indices of the px where there ever are cells or lumen.
    matter : ndarray of uint8, shape (F, M)
        Thickness of cells there, ``range[0] + range[1] * matter``; a red cell is about 1 thick.
    range : ndarray of float32, shape (2,)
    depth : ndarray of float16, shape (M,)
        Of the lumen, 0 to 1.
    vessel : ndarray of int16, shape (N,)
        Index of the vessel, increasing.
    pixels : ndarray of int32, shape (N,)
        Flat indices, of the vessel's px and those within `WALL_PX` of its walls.
    heading : ndarray of float16, shape (N, 2)
        Unit vector ``(dx, dy)`` of the mean flow.
    speed : ndarray of float16, shape (N,)
        Px per unit of travel (per frame at a relative speed of 1) along the streamline, times ``profile``.
    profile : ndarray of float16, shape (N,)
        Matter keeps its profile along its streamline, so that the steep slope at a wall need not be interpolated.
    offset : ndarray of float16, shape (N,)
        Distance from the centreline in radii, positive on the left of the flow as seen on the screen; inside: -1 to 1.
    radius : ndarray of float16, shape (N,)
        Px.
    travel : ndarray of float64, shape (V, F)
        Integral of the relative speed of each vessel up to each frame, in frames.
    ends : ndarray of float32, shape (E, 3)
        ``(y, x)`` and radius of the ends of vessels inside the frame, px.
    """

    side: int
    generator: int
    cell_px: float
    frames: NDArray[np.int64]
    run: int
    moment: int
    reached: NDArray[np.int32]
    matter: NDArray[np.uint8]
    range: NDArray[np.float32]
    depth: NDArray[np.float16]
    vessel: NDArray[np.int16]
    pixels: NDArray[np.int32]
    heading: NDArray[np.float16]
    speed: NDArray[np.float16]
    profile: NDArray[np.float16]
    offset: NDArray[np.float16]
    radius: NDArray[np.float16]
    travel: NDArray[np.float64]
    ends: NDArray[np.float32]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which of the N px lie between the walls."""
        return np.abs(self.offset) <= 1


@dataclass(frozen=True)
class RecordPlan:
    """Which frames of a scene are drawn.

    Attributes
    ----------
    frames : ndarray of int, shape (F,)
    run, moment : int
        As in `SceneRecord`.
    """

    frames: NDArray[np.int64]
    run: int
    moment: int


def plan_record(rng: np.random.Generator, run: int, moments: int, moment: int, lengths: tuple[int, int]) -> RecordPlan:
    """Draw a recording's length (log-uniform), the run of consecutive frames in it, and moments evenly over it."""
    longest = max(lengths[1], run + 1)
    length = int(np.exp(rng.uniform(np.log(max(lengths[0], run + 1)), np.log(longest))))
    start = int(rng.integers(length - run + 1))
    firsts = np.linspace(0, length - moment, moments).round().astype(np.int64)
    scattered = firsts[:, None] + np.arange(moment)
    return RecordPlan(np.concatenate([start + np.arange(run), scattered.ravel()]), run, moment)


@dataclass(frozen=True)
class Streams:
    """Truth at N px of vessels in double precision; each attribute as in `SceneRecord`."""

    vessel: NDArray[np.int64]
    pixels: NDArray[np.int64]
    heading: NDArray[np.float64]
    speed: NDArray[np.float64]
    profile: NDArray[np.float64]
    offset: NDArray[np.float64]
    radius: NDArray[np.float64]


def pack_record(
    generator: int,
    cell_px: float,
    plan: RecordPlan,
    thickness: NDArray[np.float32],
    depth: NDArray[np.float32],
    streams: Streams,
    travel: NDArray[np.float64],
    ends: NDArray[np.float32],
) -> SceneRecord:
    """Reduce a drawn scene to its record: the px with anything in them, and half precision.

    Parameters
    ----------
    generator, cell_px, travel, ends
        As in `SceneRecord`.
    plan : RecordPlan
    thickness : ndarray, shape (F, S, S)
        Of the cells.
    depth : ndarray, shape (S, S)
        Of the lumen, 0 to 1.
    streams : Streams
    """
    flat, deep = thickness.reshape(len(thickness), -1), depth.ravel()
    reached = np.flatnonzero((deep > 0) | flat.any(0)).astype(np.int32)
    kept = flat[:, reached]
    low, high = (float(kept.min()), float(kept.max())) if kept.size else (0.0, 0.0)
    low = min(low, 0.0)
    step = max(high - low, 1e-6) / LEVELS
    return SceneRecord(
        side=depth.shape[0],
        generator=generator,
        cell_px=cell_px,
        frames=plan.frames,
        run=plan.run,
        moment=plan.moment,
        reached=reached,
        matter=np.rint((kept - low) / step).astype(np.uint8),
        range=np.array([low, step], np.float32),
        depth=deep[reached].astype(np.float16),
        vessel=streams.vessel.astype(np.int16),
        pixels=streams.pixels.astype(np.int32),
        heading=streams.heading.astype(np.float16),
        speed=streams.speed.clip(max=_FASTEST).astype(np.float16),
        profile=streams.profile.astype(np.float16),
        offset=streams.offset.clip(-_FARTHEST, _FARTHEST).astype(np.float16),
        radius=streams.radius.astype(np.float16),
        travel=travel,
        ends=ends,
    )


def save_record(record: SceneRecord, path: Path) -> None:
    """Write a record, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    values = {f.name: getattr(record, f.name) for f in fields(record)}
    arrays = {name: np.ascontiguousarray(x) for name, x in values.items() if name not in _NUMBERS}
    save_file(arrays | {"numbers": np.array([values[name] for name in _NUMBERS], np.float64)}, part)
    part.replace(path)


def load_record(path: Path) -> SceneRecord:
    """Read what `save_record` wrote."""
    arrays: dict[str, Any] = load_file(path)
    numbers = zip(_NUMBERS, arrays.pop("numbers").tolist(), strict=True)
    arrays |= {name: x if name == "cell_px" else int(x) for name, x in numbers}
    return SceneRecord(**arrays)
