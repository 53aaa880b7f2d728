"""A vessel before its pictures are read: where it runs, how wide it is, what the model says flows in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import KymographSettings, VelocitySettings
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.velocity.centreline import Centreline, majority_mask, resample, trace_branch, trace_centreline
from sam2flow_core.velocity.diameter import Footprint, Lumen, diameter_along, find_lumen, footprint
from sam2flow_core.velocity.sampling import LaneSampler, Surroundings
from sam2flow_core.velocity.series import LumenSeries, lumen_series

Others = Sequence[tuple[NDArray[np.bool_], VesselTrack]]
"""Majority mask and track of each other vessel."""


@dataclass(frozen=True)
class Course:
    """Where a vessel, or a segment of one, runs and how wide it is, by its masks alone.

    Attributes
    ----------
    majority : ndarray of bool, shape (h, w)
        Of the whole vessel, also for a segment.
    seen : Footprint
    line : Centreline
    diameter : ndarray, shape (N,)
        Of the mask, px.
    width : float
        Its median.
    sampler : LaneSampler
    """

    track: VesselTrack
    majority: NDArray[np.bool_]
    seen: Footprint
    line: Centreline
    diameter: NDArray[np.float64]
    width: float
    sampler: LaneSampler


@dataclass(frozen=True)
class PreparedVessel(Course):
    """A vessel, or a segment of one, before its images are read; the arrow is the direction of its mean flow.

    Attributes
    ----------
    lumen : Lumen
    flow : LumenSeries
    """

    lumen: Lumen
    flow: LumenSeries


def prepare(track: VesselTrack, settings: VelocitySettings, arrow: Centreline | None = None) -> PreparedVessel:
    """Find geometry and lumen, read the flow, turn the arrow along its mean, or as it was in an earlier range."""
    seen = footprint(track.mask)
    majority = majority_mask(seen.share)
    line = trace_centreline(majority, settings.geometry)
    if line is None:  # nothing to follow: three points in the middle of the crop carry the empty measurement
        middle = np.array(majority.shape) / 2
        line = resample(middle + np.array([[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]]))
    around = Surroundings(track, seen.ever)
    return with_flow(_course(track, majority, seen, line, around, settings), settings, arrow)


def segment_of(whole: Course, first: int, last: int, settings: VelocitySettings) -> Course:
    """Return the part of a vessel from one point of its line to another (not included), its arrow as the whole's."""
    return _course(
        whole.track, whole.majority, whole.seen, whole.line.part(first, last), whole.sampler.around, settings
    )


def branch_of(whole: Course, settings: VelocitySettings) -> tuple[Course, int] | None:
    """Return the longest branch in a vessel's mask, and the point of its line where it joins; None without one."""
    least = max(settings.flags.min_length_px, settings.flags.min_length_diameters * whole.width)
    if whole.line.branch_length < least:
        return None
    branch = trace_branch(whole.majority, whole.line, settings.geometry)
    if branch is None or branch.length < least:
        return None
    apart = np.hypot(*(branch.points[[0, -1], None] - whole.line.points).transpose(2, 0, 1))
    course = _course(whole.track, whole.majority, whole.seen, branch, whole.sampler.around, settings)
    return course, int(apart.min(axis=0).argmin())


def _course(
    track: VesselTrack,
    majority: NDArray[np.bool_],
    seen: Footprint,
    line: Centreline,
    around: Surroundings,
    settings: VelocitySettings,
) -> Course:
    diameter = diameter_along(seen, line, settings.geometry.diameter_window_px)
    known = np.isfinite(diameter)
    usual = float(np.median(diameter[known])) if known.any() else 1.0
    return Course(
        track, majority, seen, line, diameter, usual, _sampler(track, line, usual, around, settings.kymograph)
    )


def _sampler(
    track: VesselTrack, line: Centreline, width: float, around: Surroundings, settings: KymographSettings
) -> LaneSampler:
    band = settings.band * width / 2
    return LaneSampler(track, line, np.linspace(-band, band, settings.lanes), around)


def with_flow(course: Course, settings: VelocitySettings, arrow: Centreline | None = None) -> PreparedVessel:
    """Read the flow of a vessel or segment and turn its arrow along the mean, or as an earlier `arrow` was."""
    track, seen, line, diameter, sampler = course.track, course.seen, course.line, course.diameter, course.sampler
    lumen = find_lumen(seen, line, np.where(np.isfinite(diameter), diameter, course.width))
    flow = lumen_series(track, lumen, len(line.points), settings.kymograph.band, settings.series)
    against = bool(np.isfinite(flow.mean).any() and np.nanmean(flow.mean) < 0)
    if against if arrow is None else line.runs_against(arrow):
        line, diameter, lumen, flow = line.reversed(), diameter[::-1], lumen.reversed(len(line.arc)), flow.reversed()
        sampler = _sampler(track, line, course.width, sampler.around, settings.kymograph)
    return PreparedVessel(track, course.majority, seen, line, diameter, course.width, sampler, lumen, flow)
