"""A vessel before its pictures are read: where it runs, how wide it is, what the model says flows in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.velocity.centreline import Centreline, majority_mask, resample, trace_branch, trace_centreline
from sam2flow_core.velocity.diameter import Footprint, Lumen, diameter_along, find_lumen, footprint
from sam2flow_core.velocity.sampling import LaneSampler
from sam2flow_core.velocity.series import LumenSeries, lumen_series

Others = Sequence[tuple[NDArray[np.bool_], VesselTrack]]
"""Majority mask and track of each other vessel."""


@dataclass(frozen=True)
class PreparedVessel:
    """A vessel, or a segment of one, before its images are read.

    Attributes
    ----------
    majority : ndarray of bool, shape (h, w)
        Of the whole vessel, also for a segment.
    seen : Footprint
    line : Centreline
        The arrow is the direction of the mean flow.
    diameter : ndarray, shape (N,)
        Of the mask, px.
    width : float
        Its median.
    lumen : Lumen
    flow : LumenSeries
    sampler : LaneSampler
    turned : bool
        Whether the arrow is against the line that the vessel, or the one it is a segment of, was traced along.
    """

    track: VesselTrack
    majority: NDArray[np.bool_]
    seen: Footprint
    line: Centreline
    diameter: NDArray[np.float64]
    width: float
    lumen: Lumen
    flow: LumenSeries
    sampler: LaneSampler
    turned: bool


def prepare(track: VesselTrack, settings: VelocitySettings, arrow: Centreline | None = None) -> PreparedVessel:
    """Find geometry and lumen, read the flow, turn the arrow along its mean, or as it was in an earlier range."""
    seen = footprint(track.mask)
    majority = majority_mask(seen.share)
    line = trace_centreline(majority, settings.geometry)
    if line is None:  # nothing to follow: three points in the middle of the crop carry the empty measurement
        middle = np.array(majority.shape) / 2
        line = resample(middle + np.array([[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]]))
    return _along(track, majority, seen, line, settings, arrow)


def segment_of(whole: PreparedVessel, first: int, last: int, settings: VelocitySettings) -> PreparedVessel:
    """Return the part of a vessel from one point of its line to another (not included), with an arrow of its own."""
    return _along(whole.track, whole.majority, whole.seen, whole.line.part(first, last), settings)


def branch_of(whole: PreparedVessel, settings: VelocitySettings) -> tuple[PreparedVessel, int] | None:
    """Return the longest branch in a vessel's mask, and the point of its line where it joins; None without one."""
    least = max(settings.flags.min_length_px, settings.flags.min_length_diameters * whole.width)
    if whole.line.branch_length < least:
        return None
    branch = trace_branch(whole.majority, whole.line, settings.geometry)
    if branch is None or branch.length < least:
        return None
    apart = np.hypot(*(branch.points[[0, -1], None] - whole.line.points).transpose(2, 0, 1))
    return _along(whole.track, whole.majority, whole.seen, branch, settings), int(apart.min(axis=0).argmin())


def _along(
    track: VesselTrack,
    majority: NDArray[np.bool_],
    seen: Footprint,
    line: Centreline,
    settings: VelocitySettings,
    arrow: Centreline | None = None,
) -> PreparedVessel:
    diameter = diameter_along(seen.share, line, settings.geometry.diameter_window_px)
    known = np.isfinite(diameter)
    usual = float(np.median(diameter[known])) if known.any() else 1.0
    lumen = find_lumen(seen.ever, line, np.where(known, diameter, usual))
    flow = lumen_series(track, lumen, len(line.points), settings.kymograph.band, settings.series)
    against = bool(np.isfinite(flow.mean).any() and np.nanmean(flow.mean) < 0)
    turned = against if arrow is None else line.runs_against(arrow)
    if turned:
        line, diameter, lumen, flow = line.reversed(), diameter[::-1], lumen.reversed(len(line.arc)), flow.reversed()
    band = settings.kymograph.band * usual / 2
    lanes = np.linspace(-band, band, settings.kymograph.lanes)
    sampler = LaneSampler(track, line, lanes, seen.ever)
    return PreparedVessel(track, majority, seen, line, diameter, usual, lumen, flow, sampler, turned)
