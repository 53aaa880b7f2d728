"""Where a vessel falls into segments: where speed or direction steps along it, and where it forks.

A step that the length of a vessel shows is a suspicion. Both sides are read again, each by itself, and only where
they then differ as well is the vessel cut: what one reading of stretches makes of noise, two readings do not.

What flows into a fork flows out of it: the balance of the vessels, or segments, that meet is checked here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array

from sam2flow_core.config.flags import FLAG_MEANINGS, GRADES
from sam2flow_core.config.velocity import ForkSettings, StretchSettings, VelocitySettings
from sam2flow_core.messages import Message
from sam2flow_core.velocity.prepared import Course, branch_of, segment_of
from sam2flow_core.velocity.records import CellCount, Series, SpaceTime, Statistics, VesselMeasurement
from sam2flow_core.velocity.stretches import StretchTable, read_stretches, step_along
from sam2flow_core.velocity.uncertainty import Z95

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
    along : tuple of Course
        In the order of the line; empty where nothing suggests a cut. One alone is what a line keeps that leaves its
        vessel at an end.
    branch : Course or None
        The longest branch that leaves the line within the mask.
    edges : tuple of int
        Points of the whole's line between which the segments lie, its ends among them.
    joint : int or None
        The one of them at which the branch leaves, unless that is too near another.
    """

    along: tuple[Course, ...]
    branch: Course | None
    edges: tuple[int, ...] = ()
    joint: int | None = None

    @property
    def all(self) -> list[Course]:
        """The segments of the line, and the branch."""
        return [*self.along, *([self.branch] if self.branch else [])]

    @property
    def suspected(self) -> list[Course]:
        """Those that may flow differently: two at the least."""
        return self.all if len(self.all) > 1 else []


def possible_segments(
    whole: Course, cuts: Sequence[int], settings: VelocitySettings, ends: tuple[int, int] | None = None
) -> Segments:
    """Cut a vessel at the given points of its line, and where a branch leaves it, unless that is near another cut.

    Of the line only the points between `ends` are kept, which are all of them by default.
    """
    found, joint = branch_of(whole, settings), None
    first, last = ends or (0, len(whole.line.points))
    edges = [first, *cuts, last]
    if found is not None:
        apart = min(abs(found[1] - edge) for edge in edges)
        if apart >= max(settings.stretches.least_length_px, settings.stretches.length_diameters * whole.width):
            joint = found[1]
            edges = sorted([*edges, joint])
    if len(edges) == 2:
        return _uncut(whole, (first, last), settings)
    return _between(whole, tuple(edges), found[0] if found is not None else None, joint, settings)


def without_cuts(whole: Course, segments: Segments, settings: VelocitySettings) -> Segments:
    """Return what is left of segments whose cuts nothing bears out: none, or the part that holds blood."""
    return _uncut(whole, (segments.edges[0], segments.edges[-1]), settings) if segments.edges else segments


def _uncut(whole: Course, ends: tuple[int, int], settings: VelocitySettings) -> Segments:
    if ends == (0, len(whole.line.points)):
        return Segments((), None)
    return Segments((segment_of(whole, *ends, settings),), None, ends)


def _between(
    whole: Course,
    edges: tuple[int, ...],
    branch: Course | None,
    joint: int | None,
    settings: VelocitySettings,
) -> Segments:
    along = [segment_of(whole, first, last, settings) for first, last in pairwise(edges)]
    return Segments(tuple(along), branch, edges, joint)


def merged(whole: Course, segments: Segments, diagrams: Sequence[SpaceTime], settings: VelocitySettings) -> Segments:
    """Return segments without the cuts that their own readings do not bear out: neighbours that flow alike are one.

    A segment that cannot be read by itself is no reason for a cut either, and joins its neighbours.
    """
    speeds = [_speed(diagram, settings) for diagram in diagrams]
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
    speeds = [_speed(diagram, settings) for diagram in diagrams]
    if segments.branch is not None and abs(speeds.pop()) > settings.flags.floor_px_frame:
        return True  # blood leaves or enters here, whatever the speed along the line
    steps = [abs(b - a) / max(abs(a), abs(b), 1e-9) for a, b in pairwise(speeds)]
    told = [step for step in steps if np.isfinite(step)]
    if any(step > settings.stretches.confirmed_step for step in told):
        return True
    return None if len(told) < len(steps) else False


def _speed(diagram: SpaceTime, settings: VelocitySettings) -> float:
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
    return speed


def divided(whole: VesselMeasurement, segments: Sequence[VesselMeasurement]) -> VesselMeasurement:
    """Return a vessel with its segments; a mean over blood that flows differently means nothing and is left blank.

    Parameters
    ----------
    whole : VesselMeasurement
    segments : sequence of VesselMeasurement
        Measured each by itself, in the order of the line, a branch last.
    """
    numbered = tuple(replace(segment, segment=k) for k, segment in enumerate(segments, start=1))
    before = ", ".join(segment.label for segment in numbered[:-1])
    labels = Message("{before} and {last}", before=before, last=numbered[-1].label)
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
        reasons=(Message("measured in segments: {labels}", labels=labels), *whole.along),
    )


def _blank(series: Series) -> Series:
    gap = np.full(len(series.velocity), _NAN)
    return replace(series, velocity=gap, raw=gap, standard_error=gap, centre=gap, p10=gap, p90=gap, confidence=gap)


_FLAG = "UNBALANCED"


@dataclass(frozen=True)
class _End:
    """One end of a vessel or segment: (y, x) px, width in px, and flow into the fork there, px^3 per frame."""

    unit: int
    place: tuple[float, float]
    width: float
    flow: float
    error: float


def balanced(
    measurements: Sequence[VesselMeasurement], settings: ForkSettings | None = None
) -> list[VesselMeasurement]:
    """Return measurements with the balance of the forks at which they end.

    At a fork at least three ends meet, of vessels or of segments, and blood flows in and out. The flow of each is
    pi d^2 / 4 times its mean velocity. Where in and out differ by more than their errors allow, all that meet there
    are flagged: a width or a velocity is wrong, or one more vessel leaves there that nobody marked.

    Parameters
    ----------
    measurements : sequence of VesselMeasurement
        Of one recording.
    settings : ForkSettings, optional
    """
    settings = settings or ForkSettings()
    units = [unit for vessel in measurements for unit in vessel.units]
    forks = _forks([end for k, unit in enumerate(units) for end in _ends(k, unit)], settings)
    for fork in forks:
        into, out = sum(e.flow for e in fork if e.flow > 0), -sum(e.flow for e in fork if e.flow < 0)
        balance = (into - out) / max(into, out)
        error = float(np.sqrt(sum(end.error**2 for end in fork))) / max(into, out)
        fails = abs(balance) > max(settings.imbalance, Z95 * error)
        for number in {end.unit for end in fork}:
            units[number] = _with_balance(units[number], balance, fails)
    rest = iter(units)
    found = []
    for vessel in measurements:
        mine = tuple(next(rest) for _ in vessel.units)
        found.append(_with_segments(vessel, mine, forks, units) if vessel.segments else mine[0])
    return found


def _ends(number: int, unit: VesselMeasurement) -> list[_End]:
    mean = unit.statistics.mean
    known = unit.diameter_px[np.isfinite(unit.diameter_px)]
    if not np.isfinite(mean) or not len(known):
        return []
    width = float(known.mean())
    ratio = unit.profile.centre / unit.profile.ratio / mean if np.isfinite(unit.profile.ratio) else 1.0
    flow = np.pi / 4 * width**2 * mean * ratio
    velocity_error = (unit.statistics.high - unit.statistics.low) / 2 / Z95 / max(abs(mean), 1e-9)
    if np.isnan(velocity_error):
        velocity_error = 1.0  # without an interval, it may be off by all that it is
    error = abs(flow) * float(np.hypot(velocity_error, 2 * unit.diameter_error))
    places = [tuple(unit.centreline[k] + np.array(unit.origin)) for k in (0, -1)]
    return [
        _End(number, (float(y), float(x)), width, sign * flow, error)
        for (y, x), sign in zip(places, (-1, 1), strict=True)
    ]


def _forks(ends: list[_End], settings: ForkSettings) -> list[list[_End]]:
    """Return the ends that lie together, three or more of different vessels, with blood that comes and goes."""
    if len(ends) < 3:
        return []
    places, widths = np.array([end.place for end in ends]), np.array([end.width for end in ends])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    near = apart <= settings.reach_widths * np.maximum(widths[:, None], widths) + settings.reach_px
    owner = np.array([end.unit for end in ends])
    near &= owner[:, None] != owner
    number, label = csgraph.connected_components(csr_array(near), directed=False)
    groups = [[end for end, mine in zip(ends, label, strict=True) if mine == k] for k in range(number)]
    return [
        group
        for group in groups
        if len({end.unit for end in group}) == len(group) >= 3
        and any(end.flow > 0 for end in group)
        and any(end.flow < 0 for end in group)
    ]


def _with_balance(unit: VesselMeasurement, balance: float, fails: bool) -> VesselMeasurement:
    """Keep the worse of two forks."""
    flags = (*unit.flags, _FLAG) if fails and _FLAG not in unit.flags else unit.flags
    ordered = tuple(flag for flag in FLAG_MEANINGS if flag in flags)
    worse = not abs(unit.balance) > abs(balance)
    return replace(unit, flags=ordered, balance=balance if worse else unit.balance)


def _with_segments(
    vessel: VesselMeasurement,
    segments: tuple[VesselMeasurement, ...],
    forks: list[list[_End]],
    units: list[VesselMeasurement],
) -> VesselMeasurement:
    """Give a vessel its segments back; their flows add up where they are the arms of one fork of its own."""
    own = [
        [(units[end.unit].segment, end.flow) for end in fork]
        for fork in forks
        if all(units[end.unit].vessel_id == vessel.vessel_id for end in fork)
    ]
    if len(own) != 1:
        return replace(vessel, segments=segments)
    joint = tuple(segment for segment, flow in own[0] if flow > 0)
    balance = next(unit.balance for unit in segments if unit.segment == own[0][0][0])
    return replace(vessel, segments=segments, joint=joint, balance=balance)
