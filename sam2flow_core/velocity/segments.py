"""Where a vessel falls into segments: where speed or direction steps along it, and where it forks.

A step that the length of a vessel shows is a suspicion. Both sides are read again, each by itself, and only where
they then differ as well is the vessel cut: what one reading of stretches makes of noise, two readings do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.flags import GRADES
from sam2flow_core.config.velocity import StretchSettings, VelocitySettings
from sam2flow_core.velocity.prepared import PreparedVessel, branch_of, segment_of
from sam2flow_core.velocity.records import CellCount, Series, SpaceTime, Statistics, VesselMeasurement
from sam2flow_core.velocity.stretches import StretchTable, read_stretches, step_along

_NAN = float("nan")
_OF_A_MEAN = ("ALIASED", "NEAR_FLOOR", "TOO_SHORT", "WIDTH_DOUBT", "METHOD_DISAGREE")
"""Flags that speak of a velocity or a width which the whole does not have."""


def find_cuts(
    table: StretchTable, lengthwise: NDArray[np.float64], width: float, pace: float, settings: StretchSettings
) -> tuple[int, ...]:
    """Return the points of a vessel's line at which its speed steps, ascending.

    Parameters
    ----------
    table : StretchTable
    lengthwise : ndarray, shape (N,)
        Mean flow at each point of the line, px per frame.
    width : float
        Diameter, px.
    pace : float
        Speed that the table holds multiples of, px per frame.
    settings : StretchSettings
    """
    cuts: list[int] = []
    todo = [(0, len(table.product))]
    while todo and len(cuts) < settings.most_segments - 1:
        first, last = todo.pop(0)
        part = table.part(first, last)
        step = step_along(read_stretches(part, width, settings), lengthwise[first:last], pace, settings)
        if step is None:
            continue
        cuts.append(first + step.place)
        todo += [(first, cuts[-1]), (cuts[-1], last)]
    return tuple(sorted(cuts))


@dataclass(frozen=True)
class Segments:
    """What a vessel may be cut into.

    Attributes
    ----------
    along : list of PreparedVessel
        In the order of the line; empty where nothing suggests a cut.
    branch : PreparedVessel or None
        The longest branch that leaves the line within the mask.
    edges : tuple of int
        Points of the whole's line between which the segments lie, its ends among them.
    joint : int or None
        The one of them at which the branch leaves, unless that is too near another.
    """

    along: tuple[PreparedVessel, ...]
    branch: PreparedVessel | None
    edges: tuple[int, ...] = ()
    joint: int | None = None

    @property
    def all(self) -> list[PreparedVessel]:
        """The segments of the line, and the branch."""
        return [*self.along, *([self.branch] if self.branch else [])]


def possible_segments(whole: PreparedVessel, cuts: Sequence[int], settings: VelocitySettings) -> Segments:
    """Cut a vessel at the given points of its line, and where a branch leaves it, unless that is near another cut."""
    found, joint = branch_of(whole, settings), None
    edges = [0, *cuts, len(whole.line.points)]
    if found is not None:
        apart = min(abs(found[1] - edge) for edge in edges)
        if apart >= max(settings.stretches.least_length_px, settings.stretches.length_diameters * whole.width):
            joint = found[1]
            edges = sorted([*edges, joint])
    if len(edges) == 2:
        return Segments((), None)
    return _between(whole, tuple(edges), found[0] if found is not None else None, joint, settings)


def _between(
    whole: PreparedVessel,
    edges: tuple[int, ...],
    branch: PreparedVessel | None,
    joint: int | None,
    settings: VelocitySettings,
) -> Segments:
    along = [segment_of(whole, first, last, settings) for first, last in pairwise(edges)]
    return Segments(tuple(along), branch, edges, joint)


def merged(
    whole: PreparedVessel, segments: Segments, diagrams: Sequence[SpaceTime], settings: VelocitySettings
) -> Segments:
    """Return segments without the cuts that their own readings do not bear out: neighbours that flow alike are one.

    A segment that cannot be read by itself is no reason for a cut either, and joins its neighbours.
    """
    speeds = [_speed(part, diagram, settings) for part, diagram in zip(segments.all, diagrams, strict=True)]
    moving = segments.branch is not None and abs(speeds.pop()) > settings.flags.floor_px_frame
    steps = [abs(b - a) / max(abs(a), abs(b), 1e-9) for a, b in pairwise(speeds)]
    first, *inner, last = segments.edges
    kept = [
        edge
        for edge, step in zip(inner, steps, strict=True)
        if step > settings.stretches.confirmed_step or (moving and edge == segments.joint)
    ]
    branch = segments.branch if moving else None
    if len(kept) == len(inner) and branch is segments.branch:
        return segments
    return _between(whole, (first, *kept, last), branch, segments.joint if moving else None, settings)


def are_apart(segments: Segments, diagrams: Sequence[SpaceTime], settings: VelocitySettings) -> bool | None:
    """Whether segments flow differently, each read by itself; None where that cannot be said.

    Parameters
    ----------
    segments : Segments
    diagrams : sequence of SpaceTime
        Of `Segments.all`.
    settings : VelocitySettings
    """
    speeds = [_speed(part, diagram, settings) for part, diagram in zip(segments.all, diagrams, strict=True)]
    if segments.branch is not None and abs(speeds.pop()) > settings.flags.floor_px_frame:
        return True  # blood leaves or enters here, whatever the speed along the line
    steps = [abs(b - a) / max(abs(a), abs(b), 1e-9) for a, b in pairwise(speeds)]
    told = [step for step in steps if np.isfinite(step)]
    if any(step > settings.stretches.confirmed_step for step in told):
        return True
    return None if len(told) < len(steps) else False


def _speed(part: PreparedVessel, diagram: SpaceTime, settings: VelocitySettings) -> float:
    """Mean velocity of a segment by its diagram, px per frame, along the arrow of the vessel it was cut from.

    NaN where the diagram is hard to read, too short, or its two readings contradict each other.
    """
    known = np.isfinite(diagram.velocity)
    if diagram.quality < settings.flags.min_kymograph_quality or known.sum() < settings.flags.min_frames - 1:
        return float("nan")
    speed = float(diagram.velocity[known].mean())
    both = known & np.isfinite(diagram.transit)
    if diagram.transit_quality >= settings.transit.readable and both.any():
        other = float(diagram.transit[both].mean())
        if abs(other - float(diagram.velocity[both].mean())) > settings.flags.method_difference * max(
            abs(other), settings.flags.floor_px_frame
        ):
            return float("nan")
    return speed * (-1 if part.turned else 1)


def divided(whole: VesselMeasurement, segments: Sequence[VesselMeasurement]) -> VesselMeasurement:
    """Return a vessel with its segments; a mean over blood that flows differently means nothing and is left blank.

    Parameters
    ----------
    whole : VesselMeasurement
    segments : sequence of VesselMeasurement
        Measured each by itself, in the order of the line, a branch last.
    """
    numbered = tuple(replace(segment, segment=k) for k, segment in enumerate(segments, start=1))
    labels = ", ".join(segment.label for segment in numbered[:-1]) + f" and {numbered[-1].label}"
    return replace(
        whole,
        segments=numbered,
        per_frame=_blank(whole.per_frame),
        statistics=Statistics(lost_share=whole.statistics.lost_share),
        profile=replace(whole.profile, centre=_NAN, blunting=_NAN, exponent=_NAN, ratio=_NAN),
        spectrum=replace(whole.spectrum, pulse_hz=_NAN, snr=_NAN),
        cells=CellCount(_NAN, _NAN),
        flags=tuple(flag for flag in whole.flags if flag not in _OF_A_MEAN),
        grade=GRADES[2],
        reasons=(f"measured in segments: {labels}", *whole.along),
    )


def _blank(series: Series) -> Series:
    gap = np.full(len(series.velocity), _NAN)
    return replace(series, velocity=gap, raw=gap, standard_error=gap, centre=gap, p10=gap, p90=gap, confidence=gap)
