"""A vessel pulled straight: the field along its way and across it, and back from there to the picture.

In the strip every vessel runs the same way and is equally wide, however it bends, turns or is magnified in
the picture. So what a network learns of one vessel's walls and ends holds for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates

from sam2flow_core.config.tracing import StripSettings, TracingSettings
from sam2flow_core.model.strip_decoder import ACROSS, FIELD_CHANNELS, MOTION_CHANNELS, REACH, STRIP_CHANNELS
from sam2flow_core.tracing.field_map import FieldMap, Floats, arc_lengths, nearest_points
from sam2flow_core.tracing.strip_motion import strip_motion
from sam2flow_core.tracing.tracer import Trace, left_of

OUTSIDE = -8.0
"""Logit far from any vessel."""
_DENSE = 4
"""Places on the way from point to point that a picture's cells are assigned to."""

_SAID = range(FIELD_CHANNELS - 8, FIELD_CHANNELS - 4)
"""Channels that tell of the clicks."""

LATERAL = np.linspace(-REACH, REACH, ACROSS)
"""Places across a strip, radii to the left of the way."""


@dataclass(frozen=True)
class VesselStrip:
    """A strip of S points along a way, W across it.

    Attributes
    ----------
    line : ndarray (S, 2)
        Centreline, ``(row, column)`` in cells.
    radius : ndarray (S,)
        Cells.
    left : ndarray (S, 2)
        Unit vectors to the left of the way.
    features : ndarray (STRIP_CHANNELS, S, W)
        What the decoder sees.
    clicks : ndarray of int
        Points of the strip that are nearest to the positive clicks.
    pairs : ndarray (S, W, 2 P)
        What moves there in the first frames of P pairs, then in the second ones.
    """

    line: Floats
    radius: Floats
    left: Floats
    features: NDArray[np.float32]
    clicks: NDArray[np.intp]
    pairs: NDArray[np.float32]

    @property
    def places(self) -> Floats:
        """Places (S, W, 2) of the strip's points in the picture, cells."""
        return _places(self.line, self.radius, self.left)


def straighten(field: FieldMap, way: Trace, clicks: Floats, stops: Floats) -> VesselStrip:
    """Pull a vessel straight.

    Parameters
    ----------
    field : FieldMap
    way : Trace
    clicks, stops : ndarray (N, 2)
        Positive and negative clicks, ``(row, column)`` in cells.
    """
    settings = field.settings.strip
    line, radius, beyond = _resampled(*_extended(way, settings), settings)
    heading = np.gradient(gaussian_filter1d(line, settings.even_line, axis=0, mode="nearest"), axis=0)
    angles = np.arctan2(heading[:, 0], heading[:, 1])
    left = left_of(angles)
    places = _places(line, radius, left)
    seen = _as_seen_along(field, field.read(places), angles, radius)
    said = np.zeros((*seen.shape[:2], len(_SAID)))
    aside = np.broadcast_to(np.abs(LATERAL), said.shape[:2])
    around = [_wide(np.log(radius)), _wide(beyond.astype(float)), (~field.holds(places)).astype(float), aside]
    moves = np.zeros((*seen.shape[:2], MOTION_CHANNELS))
    features = np.concatenate([seen, said, np.stack(around, -1), moves], -1).transpose(2, 0, 1).astype(np.float32)
    assert len(features) == STRIP_CHANNELS
    pairs = field.read_pairs(places)
    bare = VesselStrip(line, radius, left, np.ascontiguousarray(features), np.zeros(0, np.intp), pairs)
    return clicked(bare, clicks, stops, field.settings)


def clicked(strip: VesselStrip, clicks: Floats, stops: Floats, settings: TracingSettings) -> VesselStrip:
    """The same strip with other clicks (N, 2), positive and negative: quicker than to pull it straight again."""
    at = np.array([np.hypot(*(strip.line - click).T).argmin() for click in clicks], np.intp)
    features = strip.features.copy()
    features[list(_SAID)] = _prompts(strip.line, strip.radius, strip.places, clicks, at, stops, settings.strip.far)
    features[FIELD_CHANNELS:] = strip_motion(strip.pairs, strip.line, strip.radius, LATERAL, at, settings.motion)
    return replace(strip, features=features, clicks=at)


def paint(strip: VesselStrip, logits: Floats | NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Logits (h, w) of a picture from those of a strip (S, W); `OUTSIDE` beyond it.

    Each cell belongs to the point of the centreline that is nearest to it.
    """
    (top, left), part = paint_part(strip, logits, shape)
    picture = np.full(shape, OUTSIDE, np.float32)
    picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    return picture


def paint_part(
    strip: VesselStrip, logits: Floats | NDArray[np.float32], shape: tuple[int, int]
) -> tuple[tuple[int, int], NDArray[np.float32]]:
    """As `paint`, without what lies beyond the strip: ``(top, left)`` of the part, and its logits."""
    along = np.linspace(0, len(strip.line) - 1, _DENSE * len(strip.line))
    centre = np.stack([np.interp(along, np.arange(len(strip.line)), x) for x in strip.line.T], 1)
    margin = int(np.ceil(REACH * strip.radius.max())) + 2
    top, left = np.clip(np.floor(centre.min(0)).astype(int) - margin, 0, np.array(shape) - 1)
    bottom, right = np.clip(np.ceil(centre.max(0)).astype(int) + margin, 1, np.array(shape))
    # With a border round it, for ways that leave the picture.
    bordered = (bottom - top + 2 * margin, right - left + 2 * margin)
    away, nearest = nearest_points(centre - (top, left) + margin, bordered)
    inner = (slice(margin, -margin), slice(margin, -margin))
    at = along[nearest[inner]]
    point = np.rint(at).astype(np.intp)
    row, column = np.nonzero(away[inner] < REACH * strip.radius[point] + 1)
    point, at = point[row, column], at[row, column]
    aside = ((np.stack([row + top, column + left], 1) - strip.line[point]) * strip.left[point]).sum(1)
    lateral = aside / strip.radius[point]
    across = (lateral + REACH) * (ACROSS - 1) / (2 * REACH)
    found = map_coordinates(np.asarray(logits, np.float32), [at, across], order=1, mode="nearest")
    part = np.full((bottom - top, right - left), OUTSIDE, np.float32)
    part[row, column] = np.where(np.abs(lateral) <= REACH, found, OUTSIDE)
    return (int(top), int(left)), part


def _wide(along: Floats) -> Floats:
    """What is known along a strip, at each of its points."""
    return np.broadcast_to(along[:, None], (len(along), ACROSS))


def _places(line: Floats, radius: Floats, left: Floats) -> Floats:
    return line[:, None] + left[:, None] * (LATERAL[None, :, None] * radius[:, None, None])


def _extended(way: Trace, settings: StripSettings) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Centreline and radius evened out, and straight on beyond both ends; True where it is."""
    radius = np.exp(gaussian_filter1d(np.log(way.radius), settings.even_radius, mode="nearest"))
    line = gaussian_filter1d(way.line, settings.even_line, axis=0, mode="nearest")
    span = min(4, len(line) - 1)
    before = _straight_on(line[0], line[span], settings.beyond * radius[0])[::-1]
    after = _straight_on(line[-1], line[-1 - span], settings.beyond * radius[-1])
    beyond = np.ones(len(before) + len(line) + len(after), bool)
    beyond[len(before) : len(before) + len(line)] = False
    widths = np.concatenate([np.full(len(before), radius[0]), radius, np.full(len(after), radius[-1])])
    return np.concatenate([before, line, after]), widths, beyond


def _straight_on(end: Floats, inner: Floats, reach: float) -> Floats:
    """Places (N, 2) a cell apart beyond an end."""
    ahead = end - inner
    length = float(np.hypot(*ahead))
    ahead = ahead / length if length > 1e-6 else np.array([0.0, 1.0])
    return end + np.arange(1, int(np.ceil(reach)) + 1)[:, None] * ahead


def _resampled(
    line: Floats, radius: Floats, beyond: NDArray[np.bool_], settings: StripSettings
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Points a part of the radius apart."""
    length = np.hypot(*np.diff(line, axis=0).T)
    step = np.clip(settings.step * radius, *settings.steps)
    travelled = np.r_[0, np.cumsum(2 * length / (step[1:] + step[:-1]))]
    count = int(np.clip(np.floor(travelled[-1]) + 1, settings.shortest, settings.longest))
    at = np.linspace(0, travelled[-1], count)
    points = np.stack([np.interp(at, travelled, x) for x in line.T], 1)
    return points, np.interp(at, travelled, radius), np.interp(at, travelled, beyond) > 0.5


def _as_seen_along(field: FieldMap, values: NDArray[np.float32], angles: Floats, radius: Floats) -> Floats:
    """What the field says at the points of a strip (S, W, channels), told in directions relative to the way."""
    n = field.count
    all_round, ahead = field.angles, np.zeros(1)
    chance = _turned(values[..., :n], angles, all_round, False)
    forward = _turned(values[..., 3 * n : 4 * n], angles, all_round, True)
    offset = _turned(values[..., n : 2 * n], angles, ahead, True)
    wider = _turned(values[..., 2 * n : 3 * n], angles, ahead, False) - np.log(radius)[:, None, None]
    return np.asarray(np.concatenate([chance, forward, offset, wider, values[..., 4 * n :]], -1), np.float64)


def _turned(values: NDArray[np.float32], angles: Floats, relative: Floats, signed: bool) -> Floats:
    """Values (S, W, R) at ``relative`` (R,) directions from the way, of values in each orientation (S, W, N).

    Between two orientations it is their mean by distance. ``signed`` values change sign when they are told of the
    opposite direction.
    """
    count = values.shape[-1]
    turn = (angles[:, None] + relative) * count / np.pi
    low = np.floor(turn).astype(np.intp)

    def at(orientation: NDArray[np.intp]) -> Floats:
        index = np.broadcast_to((orientation % count)[:, None], (*values.shape[:2], orientation.shape[1]))
        sign = np.where(orientation // count % 2, -1.0, 1.0)[:, None] if signed else 1.0
        return np.asarray(np.take_along_axis(values, index, 2) * sign, np.float64)

    share = (turn - low)[:, None]
    return np.asarray((1 - share) * at(low) + share * at(low + 1), float)


def _prompts(
    line: Floats, radius: Floats, places: Floats, clicks: Floats, at: NDArray[np.intp], stops: Floats, far: float
) -> list[Floats]:
    """What the clicks say at the points of a strip: they themselves, how far away, and what lies between them."""
    spread = 0.4 * radius[:, None] + 0.5
    positive, negative = (
        np.max([np.exp(-0.5 * (np.hypot(*np.moveaxis(places - c, -1, 0)) / spread) ** 2) for c in given], axis=0)
        if len(given)
        else np.zeros(places.shape[:2])
        for given in (clicks, stops)
    )
    arc = arc_lengths(line)
    away = np.min([np.abs(arc - arc[k]) for k in at], axis=0) / radius if len(at) else np.full(len(line), far)
    between = np.zeros(len(line))
    if len(at):
        between[at.min() : at.max() + 1] = 1
    return [positive, negative, _wide(np.minimum(away, far) / 10), _wide(between)]
