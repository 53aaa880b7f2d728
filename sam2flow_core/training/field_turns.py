"""The statistics of a recording with its true field, turned, mirrored and run backwards: sixteen views of each.

To film and to summarise a clip costs as much as to learn from it; what was summarised is seen anew from another side
without either.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sam2flow_core.model.motion_statistics import MOTION_CHANNELS
from sam2flow_core.model.vessel_field import DIRECTIONS, ORIENTATIONS, VesselField

_SCALES = 3
_QUARTER = DIRECTIONS // 4


class FieldLesson(NamedTuple):
    """What the network of the vessel field is taught with.

    Attributes
    ----------
    statistics : Tensor (B, 20, h, w)
        Its input; h and w are equal.
    field : VesselField
        The true one, (B, ...).
    """

    statistics: Tensor
    field: VesselField


def turned(lesson: FieldLesson, turns: int, mirror: bool) -> FieldLesson:
    """Quarter turns as `torch.rot90` makes them, then right and left swapped."""
    for _ in range(turns):
        lesson = _quarter(lesson)
    return _mirrored(lesson) if mirror else lesson


def backwards(lesson: FieldLesson) -> FieldLesson:
    """The recording from its end to its start: blood flows the other way, lumens stay where they are."""
    field = lesson.field._replace(runs=lesson.field.runs.roll(ORIENTATIONS, 1))
    return FieldLesson(_with_signs(lesson.statistics, (1, 1, -1, -1, 1, 1)), field)


def _quarter(lesson: FieldLesson) -> FieldLesson:
    """A quarter turn takes ``(dx, dy)`` to ``(dy, -dx)``, and each direction to the fourth before it."""
    statistics, field = _rotated(lesson.statistics), VesselField(*(_rotated(x) for x in lesson.field))
    shape = statistics.shape
    motion = statistics[:, :MOTION_CHANNELS].unflatten(1, (_SCALES, -1))[:, :, [0, 1, 3, 2, 4, 5]].flatten(1, 2)
    statistics = torch.cat([motion, statistics[:, MOTION_CHANNELS:]], 1).view(shape)
    # The first four orientations come to lie beyond half a turn, seen from the other of their two directions.
    sign = torch.ones(ORIENTATIONS, 1, 1).to(field.offset)
    sign[:_QUARTER] = -1
    field = field._replace(
        runs=field.runs.roll(-_QUARTER, 1),
        offset=(field.offset * sign).roll(-_QUARTER, 1),
        log_radius=field.log_radius.roll(-_QUARTER, 1),
    )
    return FieldLesson(_with_signs(statistics, (-1, -1, 1, -1, 1, 1)), field)


def _mirrored(lesson: FieldLesson) -> FieldLesson:
    """Right and left swapped: each direction is taken to as far on the other side of the y axis."""
    field = VesselField(*(x.flip(-1) for x in lesson.field))
    across = [(ORIENTATIONS - d) % DIRECTIONS for d in range(DIRECTIONS)]
    alike = [(ORIENTATIONS - o) % ORIENTATIONS for o in range(ORIENTATIONS)]
    # Left becomes right; along the x axis so does the first of the two directions, and what was left stays it.
    sign = -torch.ones(ORIENTATIONS, 1, 1).to(field.offset)
    sign[0] = 1
    field = field._replace(
        runs=field.runs[:, across], offset=(field.offset * sign)[:, alike], log_radius=field.log_radius[:, alike]
    )
    return FieldLesson(_with_signs(lesson.statistics.flip(-1), (1, -1, -1, 1, 1, 1)), field)


def _rotated(maps: Tensor) -> Tensor:
    return torch.rot90(maps, 1, (-2, -1))


def _with_signs(statistics: Tensor, signs: tuple[int, ...]) -> Tensor:
    """Statistics with the six channels of each scale multiplied."""
    rest = (1,) * (statistics.shape[1] - MOTION_CHANNELS)
    return statistics * torch.tensor([*signs * _SCALES, *rest]).to(statistics)[:, None, None]
