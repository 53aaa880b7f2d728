"""Every vessel segment of a recording, proposed without a click.

Seeds along all ways through the vessel field are answered as clicks there would be; of answers that overlap the one is
kept of which the strip decoder expects more (non-maximum suppression, as SAM's automatic masks).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.clicked_masks import decode_strips
from sam2flow_core.inference.masks import field_maps, recorded_places
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.inference.steps import FoundVessel, shared_pixels
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack.inspection import Picture
from sam2flow_core.tracing.field_map import FieldMap, Floats
from sam2flow_core.tracing.tracer import SeededWay, Trace, seeded_ways
from sam2flow_core.tracing.vessel_strip import LATERAL, VesselStrip, clicked, paint_part, straighten


def find_vessels(
    predictor: SAM2FlowPredictor, state: InferenceState, settings: FindingSettings | None = None
) -> list[FoundVessel]:
    """Propose every vessel segment of a recording, the surest first.

    Parameters
    ----------
    predictor : SAM2FlowPredictor
    state : InferenceState
        From its ``init_state``; nothing in it is changed but that its vessel field is made.
    settings : FindingSettings, optional

    Raises
    ------
    ModelError
        If the weights have no vessel field.

    Examples
    --------
    >>> from sam2flow_core import SAM2FlowPredictor
    >>> predictor = SAM2FlowPredictor.from_pretrained("tiny")
    >>> found = find_vessels(predictor, predictor.init_state("recording.tif"))  # doctest: +SKIP
    """
    return next(step for step in seek_vessels(predictor, state, settings) if isinstance(step, list))


def seek_vessels(
    predictor: SAM2FlowPredictor, state: InferenceState, settings: FindingSettings | None = None
) -> Iterator[float | list[FoundVessel]]:
    """Do what `find_vessels` does, a way through the field at a time.

    Parameters
    ----------
    predictor, state, settings
        As in `find_vessels`.

    Yields
    ------
    float or list of FoundVessel
        Which share of the field has been looked at, 0 to 1; at last the vessels.

    Raises
    ------
    ModelError
        If the weights have no vessel field.
    """
    settings = settings or FindingSettings()
    with torch.inference_mode():
        maps = field_maps(predictor.model, state, predictor.settings.tracing)
    if maps is None:
        raise ModelError("these weights have no vessel field, by which vessels are found without a click: use 'tiny'")
    for step in seek_segments(predictor.model, maps[0], settings):
        if isinstance(step, float):
            yield step
        else:
            found = [_found(s, maps[0].stride, state, settings) for s in step]
            yield _shown(found, state.frames.stack.picture, state.frames.video.factor, settings)


@dataclass(frozen=True)
class Segment:
    """A vessel as a seed in it was answered.

    Attributes
    ----------
    way : Trace
        Its part of the way that was followed, in cells, with the radius that its mask has.
    confidence : float
        Intersection over union that is expected.
    corner : tuple of int
        ``(top, left)`` of the mask, in cells.
    mask : ndarray (h, w)
    """

    way: Trace
    confidence: float
    corner: tuple[int, int]
    mask: NDArray[np.bool_]

    @property
    def length(self) -> float:
        """Arc length in cells."""
        return float(np.hypot(*np.diff(self.way.line, axis=0).T).sum())

    def shared(self, other: Segment) -> int:
        """Cells that lie in both masks."""
        return shared_pixels(self.corner, self.mask, other.corner, other.mask)


def seek_segments(model: SAM2Flow, field: FieldMap, settings: FindingSettings) -> Iterator[float | list[Segment]]:
    """Look for vessels between forks, ends and the frame; yields as `seek_vessels`, the surest first."""
    answers = list[Segment]()
    for way in seeded_ways(field, settings):
        with torch.inference_mode():  # not while somebody else has the thread
            answers += _answers(model, field, way, settings)
        yield way.share
    yield _surest(answers, settings)


def _surest(answers: list[Segment], settings: FindingSettings) -> list[Segment]:
    """Of answers that overlap the surest."""
    kept = list[Segment]()
    for segment in sorted(answers, key=lambda s: -s.confidence):
        if not any(_same(segment, other, settings) for other in kept):
            kept.append(segment)
    return kept


def _answers(model: SAM2Flow, field: FieldMap, seeded: SeededWay, settings: FindingSettings) -> Iterator[Segment]:
    """What the strip decoder makes of each seed on a way, where it is worth proposing."""
    none = np.zeros((0, 2))
    bare = straighten(field, seeded.way, none, none)
    for first in range(0, len(seeded.seeds), settings.together):
        seeds = seeded.seeds[first : first + settings.together]
        strips = [clicked(bare, seed[None], none, field.settings) for seed in seeds]
        for strip, (logits, quality) in zip(strips, decode_strips(model, strips), strict=True):
            way = _part_in(strip, logits)
            if quality >= settings.least_confidence and way is not None and _worth_it(way, field.size, settings):
                corner, painted = paint_part(strip, logits, field.shape)
                yield Segment(way, quality, corner, painted > 0)


def _part_in(strip: VesselStrip, logits: NDArray[np.float32]) -> Trace | None:
    """The piece of a strip's way round its click that lies in a mask, and half the mask's width there."""
    inside = logits > 0
    width = inside.sum(1) * (LATERAL[1] - LATERAL[0])
    (at,) = strip.clicks
    if not inside[at].any():
        return None
    gaps = np.flatnonzero(~inside.any(1))
    first = int(gaps[gaps < at].max(initial=-1)) + 1
    last = int(gaps[gaps > at].min(initial=len(inside)))
    if last - first < 2:
        return None
    return Trace(strip.line[first:last], 0.5 * (width * strip.radius)[first:last])


def _worth_it(way: Trace, size: Floats, settings: FindingSettings) -> bool:
    length, radius = np.hypot(*np.diff(way.line, axis=0).T).sum(), way.radius.mean()
    to_side = np.minimum(way.line, size - 1 - way.line).min(1)
    on_edge = to_side < np.maximum(settings.edge_px / FieldMap.stride, 0.5 * way.radius)
    return bool(length >= settings.least_widths * 2 * radius and on_edge.mean() <= settings.most_on_edge)


def _same(segment: Segment, surer: Segment, settings: FindingSettings) -> bool:
    both, mine = segment.shared(surer), int(segment.mask.sum())
    either = mine + int(surer.mask.sum()) - both
    return both > settings.same_vessel * either or both > settings.most_covered * mine


def _shown(vessels: list[FoundVessel], picture: Picture, factor: float, settings: FindingSettings) -> list[FoundVessel]:
    """What of vessels is shown: in the dark beyond a round stop the field is made up, and its rim is no vessel."""
    if picture.covered is None:
        return vessels
    away = distance_transform_edt(~picture.covered)
    shown = list[FoundVessel]()
    for vessel in vessels:
        places = np.rint(vessel.centreline - picture.origin).astype(int).clip(0, np.array(picture.shape) - 1)
        clear = away[places[:, 0], places[:, 1]]
        first, last = _longest(clear > 0)
        line = vessel.centreline[first:last]
        length = float(np.hypot(*np.diff(line, axis=0).T).sum())
        beside = clear[first:last] < max(settings.edge_px * factor, 0.25 * vessel.width_px)
        if length >= settings.least_widths * vessel.width_px and beside.mean() <= settings.most_on_edge:
            shown.append(replace(vessel, centreline=line, length_px=length) if len(line) < len(clear) else vessel)
    return shown


def _longest(true: NDArray[np.bool_]) -> tuple[int, int]:
    """First of the longest run that is true, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.r_[False, true, False])).reshape(-1, 2)
    return (0, 0) if not len(edges) else tuple(edges[np.diff(edges, axis=1).argmax()].tolist())


def _found(segment: Segment, stride: int, state: InferenceState, settings: FindingSettings) -> FoundVessel:
    """Of cells, px of the recorded frame that tissue coordinates begin with."""
    way, factor = segment.way, state.frames.video.factor
    return FoundVessel(
        confidence=segment.confidence,
        centreline=recorded_places(state, state.frames.start, way.line, stride),
        width_px=2 * stride * factor * float(way.radius.mean()),
        length_px=stride * factor * segment.length,
        clicked=settings.clicked,
    )
