"""Follow a vessel through the vessel field, from a place in it both ways to its ends.

Tracking in positions and orientations (as Bekkers et al., 2014, do in orientation scores): at a crossing
each vessel keeps its own orientation, and so its own way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d

from sam2flow_core.config.tracing import FollowSettings
from sam2flow_core.tracing.field_map import FieldMap, Floats


class Trace(NamedTuple):
    """A vessel's way.

    ``line`` is its centreline (K, 2), ``(row, column)`` in cells, ``radius`` (K,) in cells, ``chance`` (K,) that a
    vessel is there, and ``forward`` (K,) says from -1 to 1 how surely blood flows the way the line goes.
    """

    line: Floats
    radius: Floats
    chance: Floats
    forward: Floats

    def part(self, first: int, last: int) -> Trace:
        """Points from the first to before the last."""
        return Trace(*(x[first:last] for x in self))


class Start(NamedTuple):
    """A place ``(row, column)`` and orientation, radians, that a vessel runs through."""

    place: Floats
    angle: float


def starts(field: FieldMap, click: Floats, reach: float, most: int, settings: FollowSettings) -> list[Start]:
    """Vessels that a click ``(row, column)`` may mean within ``reach`` cells, the likeliest first."""
    found: list[tuple[float, Start]] = []
    steps = np.arange(-int(reach), int(reach) + 1)
    for step in np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2):
        away, here = float(np.hypot(*step)), click + step
        if away > reach or not field.holds(here):
            continue
        for angle in field.angles:
            seen = field.look(here, angle)
            if seen.chance > settings.least_chance:
                score = seen.chance - settings.off_click * away - settings.off_centre * abs(seen.offset)
                found.append((score, Start(here, float(angle + seen.turn))))
    chosen: list[Start] = []
    for _, start in sorted(found, key=lambda f: -f[0]):
        if len(chosen) < most and all(_apart(start.angle, c.angle, np.pi) > settings.apart for c in chosen):
            chosen.append(start)
    return chosen


def trace(field: FieldMap, start: Start, reach: float, settings: FollowSettings) -> Trace:
    """Follow the vessel that runs through a place in an orientation, up to ``reach`` cells each way."""
    start = _centred(field, start, settings)
    ahead, back = (follow(field, Start(start.place, start.angle + turn), reach, settings) for turn in (0.0, np.pi))
    return _one_way(joined(back, ahead), len(back.line) - 1, settings)


def joined(back: Trace, ahead: Trace) -> Trace:
    """One way of two that were followed from the same place in opposite directions."""
    back = back._replace(forward=-back.forward)
    return Trace(*(np.concatenate([b[:0:-1], a]) for b, a in zip(back, ahead, strict=True)))


def _one_way(whole: Trace, start: int, settings: FollowSettings) -> Trace:
    """The part of a way round its start in which blood flows in one direction: where it turns round, vessels meet."""
    flow = uniform_filter1d(whole.forward, settings.stretch, mode="nearest")
    here = flow[start]
    if abs(here) < settings.decided:
        return whole
    same, against = flow * np.sign(here) > 0, np.flatnonzero(flow * np.sign(here) < -settings.decided)
    first, last = 0, len(flow)
    if len(after := against[against > start]):
        last = int(np.flatnonzero(same[: after[0]])[-1]) + 1
    if len(before := against[against < start]):
        first = before[-1] + 1 + int(np.flatnonzero(same[before[-1] + 1 :])[0])
    return whole.part(first, last)


def _centred(field: FieldMap, start: Start, settings: FollowSettings) -> Start:
    place, angle = start
    for _ in range(4):
        seen = field.look(place, angle)
        if seen.chance < settings.least_chance:
            break
        angle += seen.turn
        place = place - settings.settle * seen.offset * seen.radius * left_of(angle)
    return Start(place, angle)


def follow(field: FieldMap, start: Start, reach: float, settings: FollowSettings) -> Trace:
    """Follow the vessel from a place ahead, in one direction, up to ``reach`` cells."""
    place, angle = start
    count = max(int(reach), 1)
    way, angles = Trace(np.zeros((count, 2)), np.zeros(count), np.zeros(count), np.zeros(count)), np.zeros(count)
    unseen, armed, number = 0, False, 0
    for number in range(count):
        seen = field.look(place, angle)
        unseen = unseen + 1 if seen.chance < settings.least_chance else 0
        if not unseen:
            angle += float(np.clip(seen.turn, -settings.turn, settings.turn))
            place = place - np.clip(settings.settle * seen.offset * seen.radius, -1.0, 1.0) * left_of(angle)
        way.line[number], angles[number] = place, angle
        way.radius[number], way.chance[number], way.forward[number] = seen.radius, min(seen.chance, 1.0), seen.forward
        # A click at a fork names one of its arms: the fork ends a vessel only once it has been left.
        armed = armed or seen.end < 0.5 * settings.end
        place = place + np.array([np.sin(angle), np.cos(angle)])
        met = _met(way.line[: number + 1], seen.radius, angles[: number + 1], settings)
        if (armed and seen.end > settings.end) or met or unseen > settings.gap or not field.holds(place):
            break
    return way.part(0, max(number + 1 - unseen, 1))


def left_of(angle: Floats | float) -> Floats:
    """Unit vectors (row, column) to the left of directions as seen on the screen, (2, ...)."""
    return np.array([-np.cos(angle), np.sin(angle)])


def _apart(one: Floats | float, other: float, period: float) -> Floats:
    """Angles between directions (period 2 pi) or orientations (period pi)."""
    return np.abs(np.mod(np.asarray(one) - other + period / 2, period) - period / 2)


def _met(line: Floats, radius: float, angles: Floats, settings: FollowSettings) -> bool:
    """Whether the vessel has come round to where it was."""
    past, here = line[: -settings.run_up : 2], line[-1]
    near = (np.abs(past - here) < max(settings.alongside * radius, 1.0)).all(1)
    turned = _apart(angles[: -settings.run_up : 2][near], angles[-1], 2 * np.pi)
    return bool((turned < settings.alongside).any())
