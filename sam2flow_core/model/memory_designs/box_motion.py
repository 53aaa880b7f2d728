"""Where an object's box should be by the way it moved so far: a Kalman filter of constant velocity (Kalman, 1960)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.model.memory_bank import Box, MemoryEntry

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
