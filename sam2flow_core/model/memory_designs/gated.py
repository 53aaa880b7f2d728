"""Writing gated by quality, after SAMURAI (Yang et al., 2024).

A mask that is doubtful, of an object that may be gone, or not where the object's
motion leads, is not remembered; of what is, the best is read. No weights beside
the shared ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.memory_attention import SharedMemory
from sam2flow_core.model.memory_bank import Box, MemoryEntry, WritingRule, keep_recent
from sam2flow_core.model.memory_designs.recent import RecentMemory

_SEEN_NOISE = 0.05
"""Standard deviation of a measured box, in sides of the box."""
_PUSH = 0.02
"""Standard deviation of the velocity's change from frame to frame, in sides of the box."""


def predict_box(entries: Sequence[MemoryEntry], frame: int) -> Box | None:
    """Box that entries, in the order they were written, predict for a frame; None where none of them has one.

    Centre and size move independently of each other, so one covariance of place and velocity serves all four.
    """
    seen = [(e.frame, _centre_and_size(e.box)) for e in entries if e.box is not None]
    if not seen:
        return None
    before, first = seen[0]
    state = np.stack([first, np.zeros(4)])
    spread = np.diag([_SEEN_NOISE**2, (10 * _PUSH) ** 2])
    for time, measured in seen[1:]:
        state, spread = _advance(state, spread, abs(time - before))
        gain = spread[:, 0] / (spread[0, 0] + _SEEN_NOISE**2)
        state = state + gain[:, None] * (measured - state[0])
        spread = spread - np.outer(gain, spread[0])
        before = time
    x, y, width, height = _advance(state, spread, abs(frame - before))[0][0]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def box_iou(a: Box, b: Box) -> float:
    """IoU of two boxes."""
    width, height = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) + 1 for k in (0, 1))
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return shared / max(sum(areas) - shared, 1e-9)


def _centre_and_size(box: Box) -> NDArray[np.float64]:
    x0, y0, x1, y1 = box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0])


def _advance(
    state: NDArray[np.float64], spread: NDArray[np.float64], frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (2, 4) and covariance (2, 2) of place and velocity some frames later."""
    step = np.array([[1.0, frames], [0.0, 1.0]])
    return step @ state, step @ spread @ step.T + np.diag([0.0, frames * _PUSH**2])


class GatedMemory(RecentMemory):
    """Affinity, presence and motion decide what is written, affinity and presence together what is read."""

    looked_up_by_frame = False
    chooses = True

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.gates = config.memory

    def rule(self, least_quality: float) -> WritingRule:
        """Let through what passes all three gates."""
        keep = keep_recent(self.gates.gated_pool, least_quality)

        def gated(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
            return keep(entries, new) if new.prompted or self._passes(entries, new) else entries

        return gated

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Read the prompted entries and the best of the others; see `RecentMemory.read`."""
        return memory.recall(image, memory.recollect(self._best(entries, frame), frame))

    def choose(
        self, entries: list[MemoryEntry], frame: int, likeness: Callable[[MemoryEntry], float]
    ) -> list[MemoryEntry]:
        """The same entries that `read` reads; see `RecentMemory.choose`."""
        return self._best(entries, frame)

    def _best(self, entries: list[MemoryEntry], frame: int) -> list[MemoryEntry]:
        unprompted = [e for e in entries if not e.prompted]
        best = sorted(unprompted, key=lambda e: (-e.affinity * e.presence, abs(frame - e.frame)))[: self.recent]
        return [e for e in entries if e.prompted or any(e is b for b in best)]

    def _passes(self, entries: list[MemoryEntry], new: MemoryEntry) -> bool:
        gates = self.gates
        if new.box is None or new.affinity < gates.least_affinity or new.presence < gates.least_presence:
            return False
        expected = predict_box(entries, new.frame)
        return expected is None or box_iou(expected, new.box) >= gates.least_motion
