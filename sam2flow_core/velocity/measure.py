"""From a tracked vessel to its measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import StretchSettings, VelocitySettings
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.stack.timing import Timing
from sam2flow_core.velocity.activity import Activity, CrossSampler, Presence, contrast_beside, find_presence
from sam2flow_core.velocity.centreline import Centreline, majority_mask
from sam2flow_core.velocity.diagram import Reading, read_diagram
from sam2flow_core.velocity.diameter import footprint, frame_diameter
from sam2flow_core.velocity.flag_rules import (
    Evidence,
    along_words,
    edge_share,
    flags_by_frame,
    frame_flags,
    is_gap,
    overlap_share,
    vessel_flags,
)
from sam2flow_core.velocity.grade import Findings, find_views, grade_vessel
from sam2flow_core.velocity.prepared import Course, Others, PreparedVessel, prepare, with_flow
from sam2flow_core.velocity.pulse import spectrum
from sam2flow_core.velocity.records import CalibrationLike, CellCount, Series, SpaceTime, VesselMeasurement
from sam2flow_core.velocity.sampling import ImageReader, LaneSampler, sample_lanes
from sam2flow_core.velocity.segments import (
    Segments,
    are_apart,
    balanced,
    divided,
    find_cuts,
    merged,
    possible_segments,
    without_cuts,
)
from sam2flow_core.velocity.series import cross_profile, opposed_share, rejected_steps, smooth_series
from sam2flow_core.velocity.spans import Span, at_frames, by_time, joined, on_clock, span_clock, spans, trimmed
from sam2flow_core.velocity.stretches import (
    Step,
    Stretches,
    StretchTable,
    kept_of,
    longest_gap,
    read_stretches,
    step_along,
)
from sam2flow_core.velocity.uncertainty import frame_standard_error, summarise, with_interval
from sam2flow_core.velocity.wall_fit import fit_width

_Any = TypeVar("_Any")
_THREADS = 2  # vessels measured at once; numpy works without the interpreter's lock


@dataclass(frozen=True)
class _Recording:
    """What all vessels share."""

    images: ImageReader
    calibration: CalibrationLike
    timing: Timing
    settings: VelocitySettings
    video_id: str


@dataclass(frozen=True)
class _Read:
    """What the images of a vessel say: its space-time diagram, the speed along it, and its cross-sections.

    Attributes
    ----------
    space_time : SpaceTime
    cells : CellCount
    table : StretchTable
    stretches : Stretches
        By `table`, for a vessel of this width.
    gap : tuple of int
        First and last point (not included) of the longest part of the line along which nothing moves.
    activity : Activity
    """

    space_time: SpaceTime
    cells: CellCount
    table: StretchTable
    stretches: Stretches
    gap: tuple[int, int]
    activity: Activity

    @classmethod
    def of(
        cls,
        course: Course,
        diagram: tuple[SpaceTime, CellCount, StretchTable],
        activity: Activity,
        settings: StretchSettings,
    ) -> _Read:
        """Read the speed along a vessel or segment whose diagram is read."""
        space_time, cells, table = diagram
        stretches = read_stretches(table, course.width, settings)
        return cls(space_time, cells, table, stretches, longest_gap(table, stretches, settings), activity)


@dataclass(frozen=True)
class _LeftOut:
    """The end of a line behind which no blood is seen: the whole line, and the first and last point of that end."""

    line: Centreline
    gap: tuple[int, int]

    @classmethod
    def of(cls, line: Centreline, kept: tuple[int, int]) -> _LeftOut:
        """Of a line of which the points from one to another (not included) are kept."""
        return cls(line, (0, kept[0]) if kept[0] else (kept[1], len(line.points)))


def measure_vessel(
    track: VesselTrack,
    images: ImageReader,
    calibration: CalibrationLike,
    settings: VelocitySettings | None = None,
    video_id: str = "",
    others: Sequence[VesselTrack] = (),
    timing: Timing | None = None,
) -> VesselMeasurement:
    """Measure one vessel; `measure_vessels` reads the images once for many.

    Parameters
    ----------
    track : VesselTrack
    images : callable
        Frame index -> recorded frame, shape (Y, X).
    calibration : CalibrationLike
    settings : VelocitySettings, optional
    video_id : str
        Goes into the tables.
    others : sequence of VesselTrack
        The other vessels of the recording, to see overlaps.
    timing : Timing, optional
        Of the track's frames: which repeat the one before, where some are missing.

    Returns
    -------
    VesselMeasurement
    """
    settings = settings or VelocitySettings()
    recording = _Recording(images, calibration, timing or Timing.even(len(track.frames)), settings, video_id)
    rivals = [(majority_mask(footprint(other.mask).share), other) for other in others]
    return balanced(_measure([prepare(track, settings)], [rivals], recording), settings.forks)[0]


def measure_vessels(
    tracks: Sequence[VesselTrack],
    images: ImageReader,
    calibration: CalibrationLike,
    settings: VelocitySettings | None = None,
    video_id: str = "",
    timing: Timing | None = None,
    arrows: Mapping[int, Centreline] | None = None,
) -> list[VesselMeasurement]:
    """Measure all vessels of a recording, reading each frame once. See `measure_vessel`.

    Memory grows with the length of the vessels' lines and of the recording, not with their area.

    With `arrows`, the lines of an earlier range of the same recording by vessel, the arrow stays as it was there:
    blood that has turned round has a negative velocity.

    References
    ----------
    .. [1] T. N. Kim et al., "Line-Scanning Particle Image Velocimetry: An Optical Approach for Quantifying a Wide Range
       of Blood Flow Speeds in Live Animals", PLoS ONE 7(6), 2012, :doi:`10.1371/journal.pone.0038590` (the space-time
       diagram as an independent check).

    Examples
    --------
    A run that was made before, measured again from what it stored:

    >>> from sam2flow_core import open_stack
    >>> from sam2flow_core.results import open_results
    >>> results = open_results("results")  # doctest: +SKIP
    >>> stack = open_stack("recording.tif")  # doctest: +SKIP
    >>> tracks = [results.track(v) for v in results.vessel_ids]  # doctest: +SKIP
    >>> measured = measure_vessels(tracks, stack.frame, stack.calibration)  # doctest: +SKIP
    >>> [(m.vessel_id, m.grade) for m in measured]  # doctest: +SKIP
    """
    settings = settings or VelocitySettings()
    timing = timing or Timing.even(len(tracks[0].frames) if tracks else 0)
    with ThreadPoolExecutor(_THREADS) as pool:
        known = arrows or {}
        prepared = list(pool.map(lambda track: prepare(track, settings, known.get(track.vessel_id)), tracks))
    everyone = [(vessel.majority, vessel.track) for vessel in prepared]
    others = [everyone[:k] + everyone[k + 1 :] for k in range(len(everyone))]
    measured = _measure(prepared, others, _Recording(images, calibration, timing, settings, video_id))
    return balanced(measured, settings.forks)


def _measure(
    vessels: Sequence[PreparedVessel], others: Sequence[Others], recording: _Recording
) -> list[VesselMeasurement]:
    """Read all vessels, then how fast the segments are that some may fall into; finish what is one vessel."""
    readings = _read(vessels, others, recording)
    found = [
        _find_segments(vessel, reading, recording.settings) for vessel, reading in zip(vessels, readings, strict=True)
    ]
    suspected = [segments.suspected for segments in found]
    speeds = _by_vessel(_read_speeds([part for parts in suspected for part in parts], recording), suspected)
    apart = [
        are_apart(segments, mine, recording.settings) if mine else None
        for segments, mine in zip(found, speeds, strict=True)
    ]
    final = [
        (
            merged(vessels[k], found[k], speeds[k], recording.settings)
            if apart[k]
            else without_cuts(vessels[k], found[k], recording.settings)
        ).all
        for k in range(len(vessels))
    ]
    owner = [k for k, segments in enumerate(final) for _ in segments]
    with ThreadPoolExecutor(_THREADS) as pool:
        courses = [part for segments in final for part in segments]
        parts = list(pool.map(lambda course: with_flow(course, recording.settings), courses))
    read = _read(parts, [others[k] for k in owner], recording)
    segments_of = _by_vessel(list(zip(parts, read, strict=True)), final)

    def finish(k: int) -> VesselMeasurement:
        one = apart[k] is False
        if len(segments_of[k]) == 1:
            left_out = _LeftOut.of(vessels[k].line, (found[k].edges[0], found[k].edges[-1]))
            return _finish(*segments_of[k][0], others[k], recording, one, left_out)
        whole = _finish(vessels[k], readings[k], others[k], recording, one)
        if not segments_of[k]:
            return whole
        return divided(whole, [_finish(part, reading, others[k], recording) for part, reading in segments_of[k]])

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(finish, range(len(vessels))))


def _by_vessel(values: Sequence[_Any], found: Sequence[Sequence[Course]]) -> list[list[_Any]]:
    """Sort what belongs to the segments of all vessels, one after the other, by vessel."""
    rest = iter(values)
    return [list(islice(rest, len(segments))) for segments in found]


def _find_segments(vessel: PreparedVessel, reading: _Read, settings: VelocitySettings) -> Segments:
    """Return what a vessel may be cut into, by the speed along its length and its branches."""
    lengthwise = _mean_over_time(vessel.flow.lengthwise)
    pace = _pace(reading.space_time)
    first, last = _with_blood(vessel, reading, settings)
    table = reading.table.part(first, last)
    cuts = find_cuts(table, lengthwise[first:last], vessel.width, pace, settings.stretches)
    return possible_segments(vessel, [first + cut for cut in cuts], settings, (first, last))


def _with_blood(vessel: PreparedVessel, reading: _Read, settings: VelocitySettings) -> tuple[int, int]:
    """Return first and last point (not included) of a line without an end along which no blood is seen."""
    points, gap = len(vessel.line.points), reading.gap
    if not is_gap(gap[1] - gap[0], vessel.width, settings.flags):
        return 0, points
    first, last = kept_of(gap, points, settings.stretches)
    return (first, last) if last - first >= settings.flags.min_length_px else (0, points)


def _read(vessels: Sequence[PreparedVessel], others: Sequence[Others], recording: _Recording) -> list[_Read]:
    """Read the space-time diagrams of all vessels from the images, span by span, and their cross-sections."""
    if not vessels:
        return []
    sections = [
        CrossSampler(vessel.track, vessel.line, vessel.width, rivals, recording.settings.activity)
        for vessel, rivals in zip(vessels, others, strict=True)
    ]
    parts = spans(len(vessels[0].track.frames), recording.settings.kymograph)
    readings = _read_spans(vessels, sections, recording, parts)
    return [
        _Read.of(vessel, joined(mine, recording.settings.kymograph), section.activity(), recording.settings.stretches)
        for vessel, mine, section in zip(vessels, readings, sections, strict=True)
    ]


def _read_speeds(courses: Sequence[Course], recording: _Recording) -> list[SpaceTime]:
    """Read of some vessels or segments how fast they are, in the middle of a long recording."""
    if not courses:
        return []
    frames, most = len(courses[0].track.frames), recording.settings.stretches.confirming_frames
    first = max((frames - most) // 2, 0)
    middle = Span(first, min(first + most, frames), first, min(first + most, frames))
    readings = _read_spans(courses, (), recording, [middle], speed_only=True)
    return [joined(mine, recording.settings.kymograph)[0] for mine in readings]


def _read_spans(
    courses: Sequence[Course],
    sections: Sequence[CrossSampler],
    recording: _Recording,
    parts: Sequence[Span],
    speed_only: bool = False,
) -> list[list[Reading]]:
    """Read diagrams in one pass over the images, a span at a time; sections take their samples on the way."""
    settings, timing = recording.settings, recording.timing
    samplers = [course.sampler for course in courses]
    rate = recording.calibration.usable_frame_rate_hz
    readings: list[list[Reading]] = [[] for _ in courses]
    with ThreadPoolExecutor(_THREADS) as pool:
        for span in parts:
            sample_lanes(samplers, recording.images, span.first, span.last, sections)
            clock = span_clock(timing, span.first, span.last, settings.kymograph)

            def read(sampler: LaneSampler, clock: NDArray[np.int64] = clock) -> Reading:
                samples = on_clock(sampler.samples(), clock)
                reading = read_diagram(samples, rate, settings, speed_only)
                return at_frames(reading, clock)

            for mine, reading in zip(readings, pool.map(read, samplers), strict=True):
                mine.append(trimmed(reading, span))
    return readings


def _finish(
    vessel: PreparedVessel,
    reading: _Read,
    others: Others,
    recording: _Recording,
    one: bool = False,
    left_out: _LeftOut | None = None,
) -> VesselMeasurement:
    """Measure a vessel whose diagram is read; `one` where it is known that its speed does not step."""
    track, line = vessel.track, vessel.line
    calibration, timing, settings = recording.calibration, recording.timing, recording.settings
    diagram = reading.space_time
    beside = contrast_beside(reading.activity, vessel.width, settings.activity)
    tissue = float(np.median(np.hypot(*np.diff(track.shifts, axis=0).T))) if len(track.shifts) > 1 else 0.0
    diameter, diameter_error = _diameter(vessel, reading.activity, settings)
    presence = find_presence(diagram, beside, tissue, settings.presence)
    rate = calibration.usable_frame_rate_hz
    flow = vessel.flow
    unsteady = (~timing.steady | diagram.duplicate[1:]) & ~timing.joints
    reasons = rejected_steps(flow, track, unsteady, presence.lost, settings.series)
    per_frame, rejected = _series(vessel, diameter, reasons, presence, rate, timing.passed_over, settings)
    seen = find_views(per_frame.centre, diagram, settings)
    usual = float(np.nanmean(np.abs(per_frame.velocity))) if np.isfinite(per_frame.velocity).any() else 0.0
    relative_scale = float(np.nanmean(flow.scale)) / max(usual, settings.flags.floor_px_frame) if usual else 0.0
    # Where many frames are missing, some of the gaps pass unseen: the diagram's rows lie further apart than it knows.
    many_lost = timing.lost_share > settings.grade.lost[0]
    gain = 1.0 if many_lost else seen.gain(relative_scale, settings.trust)
    per_frame = per_frame.scaled(gain)
    evenly = by_time(per_frame.velocity, timing.position)
    waves = spectrum(evenly, rate, settings.series, per_frame.spacing)
    profile = cross_profile(flow, vessel.lumen, ~rejected[:-1], settings.series).scaled(gain)
    statistics = summarise(per_frame, diagram, evenly, waves.pulse_hz, rate, timing.lost_share, settings, gain)
    known = diameter[np.isfinite(diameter)]
    mean_diameter = float(known.mean()) if len(known) else vessel.width
    stretches, gap = reading.stretches, reading.gap
    lengthwise = _mean_over_time(flow.lengthwise[~rejected[:-1]])
    step = None if one else step_along(stretches, lengthwise, _pace(diagram), settings.stretches)
    evidence = Evidence(
        track=track,
        area=vessel.seen.area,
        line=line,
        diameter=mean_diameter,
        velocity=per_frame.velocity,
        rejected=reasons,
        space_time=diagram,
        presence=presence,
        step=step,
        gap=max(gap[1] - gap[0], len(left_out.line.points) - len(line.points) if left_out else 0),
        width_error=diameter_error,
        overlap=overlap_share(vessel.majority, track, others),
        edge=edge_share(line, mean_diameter, track.offsets[0], vessel.sampler.image_shape),
        method_difference=statistics.method_difference,
        calibrated=calibration.usable_pixel_size_um is not None and rate is not None,
    )
    by_flag = frame_flags(evidence, settings.flags)
    flags = vessel_flags(evidence, by_flag, settings.flags)
    seen_gap = gap if is_gap(gap[1] - gap[0], mean_diameter, settings.flags) else None
    along = along_words(line, calibration, step, seen_gap)
    if left_out is not None:
        along += along_words(left_out.line, calibration, None, left_out.gap)
    opposed = opposed_share(flow.lengthwise[~rejected[:-1]], settings.series.stasis_px_frame)
    views = seen.scaled(gain)
    findings = Findings(
        flags=flags,
        views=views,
        gain=gain,
        match=diagram.transit_match,
        lasting_error=statistics.lasting_error,
        valid_share=statistics.valid_share,
        lost_share=statistics.lost_share,
        opposed=opposed,
        beside=abs(statistics.mean) / max(abs(views.flow), 1e-9),
        mask=float(track.mask_iou[0]),
        presence=presence.chance,
        unsharp=float(by_flag["OUT_OF_FOCUS"].mean()),
        along=along,
        at_end=_at_end(step, gap, len(line.points), settings),
    )
    graded = grade_vessel(findings, settings)
    return VesselMeasurement(
        video_id=recording.video_id,
        vessel_id=track.vessel_id,
        name=track.name,
        group=track.group,
        frames=track.frames,
        position=track.frames[0] + timing.position if len(track.frames) else track.frames,
        pixel_size_um=calibration.usable_pixel_size_um,
        frame_rate_hz=rate,
        origin=(int(track.offsets[0, 0]), int(track.offsets[0, 1])),
        line=line,
        diameter_px=diameter,
        diameter_error=diameter_error,
        per_frame=replace(per_frame, flags=flags_by_frame(by_flag)),
        space_time=diagram,
        profile=profile,
        spectrum=waves,
        cells=reading.cells,
        statistics=with_interval(statistics, graded.grade, settings.trust),
        presence=presence.chance,
        flags=flags,
        grade=graded.grade,
        reasons=graded.reasons,
        along=along,
        doubts=graded.doubts,
        diagram_gain=gain,
        chance=graded.chance,
    )


def _diameter(
    vessel: PreparedVessel, activity: Activity, settings: VelocitySettings
) -> tuple[NDArray[np.float64], float]:
    """Return the diameter along the line, px, and its relative standard error; blank where nothing tells it.

    It keeps the shape that the mask has along the vessel; how wide it is all in all the pictures say as well.
    """
    known = vessel.diameter[np.isfinite(vessel.diameter)]
    width = float(known.mean()) if len(known) else float("nan")
    fitted = fit_width(activity, width, settings.activity)
    if not fitted.error <= settings.activity.blank_error:
        return np.full(len(vessel.diameter), np.nan), fitted.error
    return vessel.diameter * fitted.px / width, fitted.error


def _at_end(step: Step | None, gap: tuple[int, int], points: int, settings: VelocitySettings) -> bool:
    """Whether what was found along the length lies near an end of the line, which leads on beyond its vessel there."""
    near = settings.stretches.end_share * points
    step_there = step is None or min(step.place, points - step.place) <= near
    return step_there and (gap[1] <= near or gap[0] >= points - near or gap[1] <= gap[0])


def _pace(diagram: SpaceTime) -> float:
    """Mean speed by the diagram, px per frame, with the sign that most frames have; NaN where nothing is read."""
    read = diagram.velocity[np.isfinite(diagram.velocity)]
    return float(np.abs(read).mean() * np.sign(np.median(read))) if len(read) else float("nan")


def _mean_over_time(lengthwise: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean flow at each point of the line, shape (N,); NaN where there is none."""
    known = np.isfinite(lengthwise)
    number = known.sum(axis=0)
    total = np.where(known, lengthwise, 0).sum(axis=0, dtype=float)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _series(
    vessel: PreparedVessel,
    diameter: NDArray[np.float64],
    reasons: dict[str, NDArray[np.bool_]],
    presence: Presence,
    frame_rate_hz: float | None,
    passed: int,
    settings: VelocitySettings,
) -> tuple[Series, NDArray[np.bool_]]:
    """Reject, smooth and give every frame its error; also return the rejected frames, shape (T,).

    Between the frames lie so many that were `passed` over on purpose.
    """
    flow = vessel.flow
    rejected = np.append(np.any(list(reasons.values()), axis=0), True)
    asked = np.append(vessel.track.asked_steps, True)
    spacing = max(len(asked) - 1 + passed, 1) / max(int(asked[:-1].sum()), 1)
    sigma = settings.series.smoothing_s * frame_rate_hz if frame_rate_hz else 2.0

    def over_time(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return smooth_series(np.where(rejected, np.nan, np.append(values, np.nan)), sigma)

    velocity = over_time(flow.mean)
    frame_error = frame_standard_error(flow.scale, vessel.track.round_trip, vessel.line.length, settings.series)
    error = np.append(frame_error, np.nan)
    error = np.where(rejected, np.nan, error)
    relative = error / np.maximum(np.abs(velocity), settings.flags.floor_px_frame)
    series = Series(
        velocity=velocity,
        raw=np.append(flow.mean, np.nan),
        standard_error=error,
        centre=over_time(flow.centre),
        p10=over_time(flow.p10),
        p90=over_time(flow.p90),
        diameter=frame_diameter(vessel.seen.area, diameter),
        pixels=np.append(flow.pixels, 0),
        confidence=np.where(asked, np.nan_to_num(presence.chance * ~presence.lost / (1 + relative**2)), np.nan),
        motion=np.asarray(vessel.track.shifts, float),
        rejected=rejected,
        flags=((),) * len(rejected),
        asked=asked,
        spacing=spacing,
    )
    return series, rejected
