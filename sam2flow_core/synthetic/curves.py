"""Random centrelines: smooth planar curves of bounded curvature. Points are (y, x) in px, one px apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def bending(rng: np.random.Generator, count: int, greatest: float) -> NDArray[np.float64]:
    """Draw a smooth curvature function (1/px) of ``count`` steps that never exceeds ``greatest``."""
    s = np.arange(count)
    waves = rng.normal(size=3)[:, None] * np.sin(
        2 * np.pi * (s[None] / rng.uniform(80, 500, 3)[:, None] + rng.random(3)[:, None])
    )
    result: NDArray[np.float64] = greatest * np.tanh(0.6 * waves.sum(0))
    return result


def walk(start: Points, heading: float, curvature: NDArray[np.float64]) -> Points:
    """Follow a curvature function from ``start`` (y, x) with ``heading`` (angle of the tangent from the x axis)."""
    angle = heading + np.concatenate([[0.0], np.cumsum(curvature)])
    middle = 0.5 * (angle[1:] + angle[:-1])
    steps = np.stack([np.sin(middle), np.cos(middle)], 1)
    return np.concatenate([start[None], start + np.cumsum(steps, 0)])


def inside(points: Points, size: tuple[int, int], margin: float) -> NDArray[np.bool_]:
    """Say which points lie in the frame grown by ``margin`` px."""
    high = np.array(size, float) + margin
    return np.asarray(((points > -margin) & (points < high)).all(1))


def until_outside(points: Points, size: tuple[int, int], margin: float) -> Points | None:
    """Cut a curve where it first leaves the grown frame; None if it never does."""
    out = np.flatnonzero(~inside(points, size, margin))
    return points[: out[0] + 1] if out.size else None


def touches_itself(points: Points, width: float) -> bool:
    """Say whether two distant parts of a curve come closer than ``width`` px."""
    stride = max(1, int(width / 4))
    p = points[::stride]
    gap = np.linalg.norm(p[:, None] - p[None], axis=-1)
    along = stride * np.abs(np.arange(len(p))[:, None] - np.arange(len(p))[None])
    return bool((gap[along > 1.8 * width] < width).any())


def leaving(
    rng: np.random.Generator, start: Points, heading: float, size: tuple[int, int], greatest: float, margin: float
) -> Points:
    """Draw a curve from ``start`` that leaves the grown frame, with curvature up to ``greatest``."""
    reach = int(3 * (max(size) + margin))
    for attempt in range(6):
        curve = until_outside(walk(start, heading, bending(rng, reach, greatest * 0.7**attempt)), size, margin)
        if curve is not None and not touches_itself(curve, 0.6 / greatest):
            return curve
    straight = until_outside(walk(start, heading, np.zeros(reach)), size, margin)
    assert straight is not None  # a straight line leaves every frame
    return straight


def crossing(rng: np.random.Generator, size: tuple[int, int], greatest: float, margin: float) -> Points:
    """Draw a curve that enters and leaves the frame through a random inner point."""
    inner = np.array(size) * rng.uniform(0.15, 0.85, 2)
    heading = rng.uniform(0, 2 * np.pi)
    for attempt in range(6):
        bound = greatest * 0.7**attempt
        ahead = leaving(rng, inner, heading, size, bound, margin)
        behind = leaving(rng, inner, heading + np.pi, size, bound, margin)
        curve = np.concatenate([behind[:0:-1], ahead])
        if not touches_itself(curve, 0.6 / greatest):
            return curve
    return np.concatenate(
        [
            leaving(rng, inner, heading + np.pi, size, 1e-6, margin)[:0:-1],
            leaving(rng, inner, heading, size, 1e-6, margin),
        ]
    )


def hairpin(rng: np.random.Generator, size: tuple[int, int], radius: float, margin: float) -> Points:
    """Draw a capillary loop: two limbs side by side and a half turn between them."""
    tip = np.array(size) * rng.uniform(0.25, 0.75, 2)
    heading = rng.uniform(0, 2 * np.pi)
    turn = radius * rng.uniform(1.6, 3.0)
    count = int(np.pi * turn)
    reach = int(3 * (max(size) + margin))
    weave = bending(rng, reach, 0.15 / turn)
    limb = walk(tip, heading, weave)
    cut = until_outside(limb, size, margin)
    limb = limb if cut is None else cut
    cap = walk(tip, heading + np.pi, np.full(count, np.pi / count) * rng.choice([-1, 1]))
    # The second limb is the first one moved across by the width of the turn, so the two never meet.
    other = limb - tip + cap[-1]
    far = until_outside(np.concatenate([other, walk(other[-1], heading, np.zeros(reach))[1:]]), size, margin)
    return np.concatenate([limb[:0:-1], cap[:-1], other if far is None else far])


def beside(points: Points, offset: float | NDArray[np.float64]) -> Points:
    """Return the curve that runs ``offset`` px (a number, or one for each point) to the left of another one."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    left = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    return resample(points + np.broadcast_to(offset, len(points))[:, None] * left)


def resample(points: Points, step: float = 1.0) -> Points:
    """Resample a curve at equal arc length of about ``step`` px."""
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    even = np.linspace(0, s[-1], max(2, round(s[-1] / step) + 1))
    return np.stack([np.interp(even, s, points[:, 0]), np.interp(even, s, points[:, 1])], 1)
