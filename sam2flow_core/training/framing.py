"""How a drawn scene is looked at this time: which frames of it, turned, mirrored, zoomed and cut how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import AlterationConfig
from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.synthetic.record import SceneRecord

Floats = NDArray[np.float64]
_ATTEMPTS = 8


@dataclass(frozen=True)
class Framing:
    """One use of a scene.

    Attributes
    ----------
    record : SceneRecord
    side : int
        Of the clip, px.
    rows : ndarray of int, shape (T,)
        Frames of the record that make the clip.
    firsts, seconds : ndarray of int, shape (P,)
        Frames of the record that make pairs from all over the recording.
    matrix : ndarray, shape (2, 2)
        Takes ``(x, y)`` px of the clip to px of the scene, after which ``corner`` (2,) is added.
    corner : ndarray, shape (2,)
    vessels : ndarray of int
        That are seen, those that are learned from first.
    learned : int
    first, pairs : int
        First frame of the answered pairs, and their number.
    backwards : bool
    blood : bool
    """

    record: SceneRecord
    side: int
    rows: NDArray[np.int64]
    firsts: NDArray[np.int64]
    seconds: NDArray[np.int64]
    matrix: Floats
    corner: Floats
    vessels: NDArray[np.int64]
    learned: int
    first: int
    pairs: int
    backwards: bool
    blood: bool

    @property
    def inverse(self) -> Floats:
        """Takes vectors of the scene to vectors of the clip, (2, 2)."""
        return np.asarray(np.linalg.inv(self.matrix))

    @property
    def zoom(self) -> float:
        """Px of the clip per px of the scene."""
        return float(abs(np.linalg.det(self.matrix)) ** -0.5)

    @property
    def sampled(self) -> NDArray[np.int64]:
        """All frames that are filmed: the clip, and first and second ones of the pairs, (T + 2 P,)."""
        return np.concatenate([self.rows, self.firsts, self.seconds])


def draw_framing(
    rng: np.random.Generator, record: SceneRecord, side: int, config: TrainingConfig, stage: StageConfig
) -> Framing:
    """Draw one use of a scene; where nothing is seen at several tries, the last is taken."""
    how = config.alterations
    backwards = bool(rng.random() < how.backwards)
    stride = _draw_stride(rng, how, stage.frames, record)
    rows = _draw_rows(rng, how, stage.frames, stride, record.run)
    firsts, seconds = _draw_pairs(rng, stage.scattered_pairs, stride, record)
    if backwards:
        rows, firsts, seconds = rows[::-1], seconds, firsts
    for _ in range(_ATTEMPTS):
        matrix, corner = _draw_place(rng, record, side, how)
        counts = _visible(record, side, matrix, corner)
        enough = np.flatnonzero(counts >= how.least_pixels)
        if len(enough):
            break
    learned = rng.permutation(enough)[: config.most_vessels]
    others = np.setdiff1d(np.flatnonzero(counts), learned)
    blood = stage.parts != ("field",) or rng.random() >= how.bloodless
    free = max(stage.frames - 1 - stage.pairs, 0)
    first = int(rng.integers(free + 1)) if rng.random() < config.anywhere else free // 2
    return Framing(
        record, side, rows, firsts, seconds, matrix, corner,
        np.concatenate([learned, others]) if blood else learned[:0],
        len(learned) if blood else 0, first, min(stage.pairs, stage.frames - 1), backwards, blood,
    )  # fmt: skip


def whole_framing(record: SceneRecord) -> Framing:
    """A scene as it is, from its first frame to the second: of whole recordings nothing is asked but the field."""
    frames, vessels = np.arange(2), np.arange(len(record.travel))
    return Framing(
        record, record.side, frames, frames, frames, np.eye(2), np.zeros(2), vessels,
        len(vessels), 0, 1, backwards=False, blood=True,
    )  # fmt: skip


def _draw_stride(rng: np.random.Generator, how: AlterationConfig, frames: int, record: SceneRecord) -> int:
    possible = [(k, w) for k, w in how.strides if (frames - 1) * k < record.run and k < record.moment]
    strides, weights = zip(*(possible or [(1, 1.0)]), strict=True)
    return int(rng.choice(strides, p=np.array(weights) / sum(weights)))


def _draw_rows(
    rng: np.random.Generator, how: AlterationConfig, frames: int, stride: int, run: int
) -> NDArray[np.int64]:
    """Frames of the clip: even, or some lost and some repeated."""
    steps = np.full(frames - 1, stride)
    if rng.random() < how.uneven:
        steps = stride * rng.choice([0, 1, 2], frames - 1, p=(0.08, 0.84, 0.08))
    rows = np.concatenate([[0], np.cumsum(steps)])
    room = run - 1 - int(rows[-1])
    return np.asarray(np.clip(rows + (rng.integers(room + 1) if room > 0 else room), 0, run - 1))


def _draw_pairs(
    rng: np.random.Generator, count: int, stride: int, record: SceneRecord
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the pairs' frames: moments evenly over the recording, or over a part of it."""
    run, moment = record.run, record.moment
    moments = (len(record.frames) - run) // moment
    width = int(rng.integers(min(count, moments), moments + 1))
    begin = int(rng.integers(moments - width + 1))
    taken = np.linspace(begin, begin + width - 1, count).round().astype(np.int64)
    firsts = run + taken * moment + rng.integers(moment - stride, size=count)
    return firsts, firsts + stride


def _draw_place(
    rng: np.random.Generator, record: SceneRecord, side: int, how: AlterationConfig
) -> tuple[Floats, Floats]:
    """Turn, mirror, zoom and place of the clip, with some vessel in it and no px beyond the scene's edge."""
    whole = record.side
    turn = 0.5 * np.pi * rng.integers(4)
    if rng.random() < how.any_angle:
        free = turn + rng.uniform(0, 0.5 * np.pi)
        reach = abs(np.cos(free)) + abs(np.sin(free))
        turn = free if side * reach <= how.zoom[1] * whole else turn
    reach = abs(np.cos(turn)) + abs(np.sin(turn))
    least = max(how.zoom[0], side * reach / whole)
    zoom = float(np.exp(rng.uniform(np.log(least), np.log(max(how.zoom[1], least)))))
    cosine, sine = np.cos(turn) / zoom, np.sin(turn) / zoom
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([1.0 if rng.random() < 0.5 else -1.0, 1.0])
    half = 0.5 * side * reach / zoom
    pixel = int(rng.choice(record.pixels[record.inside]))
    anchor = np.array([pixel % whole, pixel // whole]) + rng.uniform(-0.7, 0.7, 2) * half
    low, high = min(half, whole / 2) - 0.5, max(whole - half, whole / 2) - 0.5
    centre = np.clip(anchor, low, high)
    return matrix, centre - matrix @ np.full(2, (side - 1) / 2)


def _visible(record: SceneRecord, side: int, matrix: Floats, corner: Floats) -> NDArray[np.int64]:
    """How many px of each vessel are seen in the clip, (V,)."""
    pixels, whole = record.pixels[record.inside], record.side
    places = (np.stack([pixels % whole, pixels // whole], 1) - corner) @ np.linalg.inv(matrix).T
    seen = ((places > -0.5) & (places < side - 0.5)).all(1)
    area = 1 / abs(np.linalg.det(matrix))
    counts = np.bincount(record.vessel[record.inside][seen], minlength=len(record.travel))
    return np.asarray((counts * area).astype(np.int64))
