"""What else the clicks of a vessel may mean: the vessel that it crosses, on past a fork, or to a fork and no further.

Each reading is told in clicks: those that were given and one more, which a person who meant it would have added. So a
reading that is chosen is kept, run and written to tables as any other clicks are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import AmbiguitySettings
from sam2flow_core.inference.clicked_masks import Floats32, decode_strips
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.strip_decoder import ACROSS, FIELD_CHANNELS
from sam2flow_core.tracing.clicked_ways import clicked_ways
from sam2flow_core.tracing.field_map import FieldMap, Floats
from sam2flow_core.tracing.vessel_strip import VesselStrip, straighten

_END = 18
"""Channel of a strip that tells of ends (`STRIP_CHANNELS`): after chance and direction of eight orientations each,
offset and radius."""
_ANY = 19
"""That of any vessel."""
_BEYOND = FIELD_CHANNELS - 3
"""That of where the way is out of sight."""


class FurtherClick(NamedTuple):
    """A place ``(row, column)`` in cells, and whether the vessel that is meant is there (1) or not (0)."""

    place: Floats
    label: int


def further_clicks(model: SAM2Flow, field: FieldMap, clicks: Floats, stops: Floats) -> list[FurtherClick]:
    """Clicks of which each would name another vessel than the given ones do, or another part of it.

    Parameters
    ----------
    model : SAM2Flow
    field : FieldMap
    clicks, stops : ndarray (N, 2)
        Positive and negative clicks, ``(row, column)`` in cells.
    """
    ways = clicked_ways(field, clicks, model.config.mask.tracing_reach)
    if not ways.ways or ways.together:
        return []
    strips = [straighten(field, way, held, stops) for way, held in zip(ways.ways, ways.clicks, strict=True)]
    answers = decode_strips(model, strips)
    best = int(np.argmax([quality for _, quality in answers]))
    settings = field.settings.ambiguity
    further = [
        FurtherClick(place, 1)
        for k, (logits, _) in enumerate(answers)
        if k != best and (place := _away_from(strips[best], strips[k], logits)) is not None
    ]
    strip, logits = strips[best], answers[best][0]
    inside = np.flatnonzero((logits > 0).any(1))
    if len(inside):
        further += _past_ends(field, strip, (int(inside[0]), int(inside[-1])), settings)
        further += _to_forks(strip, (int(inside[0]), int(inside[-1])), settings)
    return further


def _away_from(chosen: VesselStrip, other: VesselStrip, logits: Floats32) -> Floats | None:
    """The place in another vessel's mask that is furthest from the chosen one; None where they are one vessel."""
    points = np.flatnonzero(logits[:, ACROSS // 2] > 0)
    if not len(points):
        return None
    away = np.array([np.hypot(*(chosen.line - place).T).min() for place in other.line[points]])
    furthest = int(away.argmax())
    return other.line[points[furthest]] if away[furthest] > 2 * chosen.radius.mean() else None


def _past_ends(
    field: FieldMap, strip: VesselStrip, inside: tuple[int, int], settings: AmbiguitySettings
) -> Iterator[FurtherClick]:
    """Beyond each end of a mask, where the way goes on in sight."""
    middle = strip.features[:, :, ACROSS // 2]
    seen = (middle[_BEYOND] < 0.5) & (middle[_ANY] > 0.5) & field.holds(strip.line)
    along = _widths(strip)
    for end, sign in ((inside[0], -1), (inside[1], 1)):
        ahead = np.arange(end, -1 if sign < 0 else len(along), sign)
        hidden = np.flatnonzero(~seen[ahead[1:]])
        ahead = ahead[: int(hidden[0]) + 1 if len(hidden) else len(ahead)]
        room = abs(along[ahead[-1]] - along[end])
        if room >= settings.least_past:
            at = np.abs(np.abs(along[ahead] - along[end]) - min(settings.past, room / 2)).argmin()
            yield FurtherClick(strip.line[ahead[at]], 1)


def _to_forks(strip: VesselStrip, inside: tuple[int, int], settings: AmbiguitySettings) -> Iterator[FurtherClick]:
    """Behind the surest end that the field sees in a mask, on each side of the clicks."""
    ends: NDArray[np.float32] = strip.features[_END, :, ACROSS // 2]
    along = _widths(strip)
    for first, last, sign in ((inside[0], strip.clicks.min(), -1), (strip.clicks.max(), inside[1], 1)):
        between = np.arange(first, last + 1)
        clear = np.minimum(along[between] - along[first], along[last] - along[between]) >= settings.clear
        between = between[clear]
        if len(between) and ends[between].max() > settings.end:
            fork = int(between[ends[between].argmax()])
            stop = np.abs(along - (along[fork] + sign * settings.behind)).argmin()
            yield FurtherClick(strip.line[stop], 0)


def _widths(strip: VesselStrip) -> NDArray[np.float64]:
    """Arc length along a strip in widths of its vessel."""
    step = np.hypot(*np.diff(strip.line, axis=0).T) / (strip.radius[1:] + strip.radius[:-1])
    return np.asarray(np.r_[0.0, np.cumsum(step)])
