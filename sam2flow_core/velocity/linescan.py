"""Velocity over time along one line, by the readings of its space-time diagram and nothing else.

The line is that of a line scan, whose rows are the times, or one that was drawn on a recording.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.flags import FLAG_MEANINGS, GRADES
from sam2flow_core.config.velocity import LineScanSettings, VelocitySettings
from sam2flow_core.errors import PromptError
from sam2flow_core.messages import Message
from sam2flow_core.stack.timing import Timing
from sam2flow_core.velocity.centreline import Centreline, resample
from sam2flow_core.velocity.correlation import moving_pattern
from sam2flow_core.velocity.diagram import read_diagram
from sam2flow_core.velocity.pulse import spectrum
from sam2flow_core.velocity.records import (
    CalibrationLike,
    CellCount,
    CrossProfile,
    Series,
    SpaceTime,
    VesselMeasurement,
)
from sam2flow_core.velocity.sampling import ImageReader, LaneSampler, Samples, Surroundings, sample_lanes
from sam2flow_core.velocity.spans import at_frames, by_time, joined, on_clock, span_clock, spans, trimmed
from sam2flow_core.velocity.transit import transit_velocity
from sam2flow_core.velocity.uncertainty import summarise

_NAN = float("nan")
_SEED = 0
_TURNS_BACK = -0.87
"""Cosine of the sharpest bend of a line, 150 degrees."""


def measure_linescan(
    image: NDArray[np.float32],
    calibration: CalibrationLike,
    settings: VelocitySettings | None = None,
    video_id: str = "",
) -> VesselMeasurement:
    """Measure a line scan as one vessel, whose arrow points with the mean flow.

    Parameters
    ----------
    image : ndarray, shape (T, X)
        Brightness; rows are time, columns are px along the vessel.
    calibration : CalibrationLike
        The frame rate is that of the lines.
    settings : VelocitySettings, optional
    video_id : str
        Goes into the tables.

    Returns
    -------
    VesselMeasurement
        `per_frame` has a row for each line. ``statistics.kymograph_mean`` is the mean of the second reading.

    References
    ----------
    .. [1] T. N. Kim et al., "Line-Scanning Particle Image Velocimetry: An Optical Approach for Quantifying a Wide Range
       of Blood Flow Speeds in Live Animals", PLoS ONE 7(6), 2012, :doi:`10.1371/journal.pone.0038590`.
    .. [2] P. J. Drew, P. Blinder, G. Cauwenberghs, A. Y. Shih and D. Kleinfeld, "Rapid Determination of Particle
       Velocity from Space-Time Images Using the Radon Transform", J Comput Neurosci 29, 5-11, 2010,
       :doi:`10.1007/s10827-009-0159-1`.

    Examples
    --------
    A pattern that moves by two px a line, against the columns:

    >>> import numpy as np
    >>> from sam2flow_core.stack import Calibration
    >>> texture = np.convolve(np.random.default_rng(0).normal(size=1000), np.ones(6), "same")
    >>> scan = np.stack([texture[2 * t : 2 * t + 40] for t in range(200)]).astype(np.float32)
    >>> measured = measure_linescan(scan, Calibration().with_user(0.5, 1000.0))
    >>> round(measured.statistics.mean * measured.um_s_per_px_frame / 1000, 1), measured.grade
    (1.0, 'good')
    """
    points = np.stack([np.zeros(image.shape[1]), np.arange(image.shape[1], dtype=float)], axis=1)
    line = Centreline(points, np.tile([0.0, 1.0], (len(points), 1)), points[:, 1])
    nothing = np.full(len(image), _NAN)  # no tissue beside the line tells of the lamp
    scan = _Scan(Samples(image[None], nothing), line, np.arange(len(image)), Timing.even(len(image)), None)
    return _measure(scan, calibration, settings or VelocitySettings(), video_id)


def measure_drawn_line(
    vertices: NDArray[np.float64],
    images: ImageReader,
    frames: NDArray[np.int64],
    calibration: CalibrationLike,
    settings: VelocitySettings | None = None,
    video_id: str = "",
    shifts: NDArray[np.float64] | None = None,
    timing: Timing | None = None,
) -> VesselMeasurement:
    """Measure along a line that was drawn on a recording: the classical measurement, without mask and without flow.

    Parameters
    ----------
    vertices : ndarray, shape (K, 2)
        ``(y, x)`` px of the line's corners, two at least, on the tissue of the first of the frames.
    images : callable
        Frame index -> recorded frame, shape (Y, X).
    frames : ndarray of int, shape (T,)
        Frames to read, ascending.
    calibration : CalibrationLike
    settings : VelocitySettings, optional
    video_id : str
        Goes into the tables.
    shifts : ndarray, shape (T, 2), optional
        Tissue displacement ``(dy, dx)`` of each frame, px, from a `Stabiliser`; none without.
    timing : Timing, optional
        Of the frames: which repeat the one before, where some are missing.

    Returns
    -------
    VesselMeasurement
        Its arrow points with the mean flow; ``line`` has a point for each px, ``kymograph`` is the space-time diagram.

    Raises
    ------
    PromptError
        If the line is shorter than can be read.
    """
    settings = settings or VelocitySettings()
    vertices = np.asarray(vertices, float).reshape(-1, 2)
    length = float(np.hypot(*np.diff(vertices, axis=0).T).sum())
    least = settings.linescan.least_drawn_px
    if length < least:
        raise PromptError(
            "the line is {length:.0f} px long; draw at least {least:.0f} px along a vessel", length=length, least=least
        )
    ways = np.diff(vertices, axis=0)
    ways = ways[np.hypot(*ways.T) > 0]
    ways /= np.hypot(*ways.T)[:, None]
    if ((ways[1:] * ways[:-1]).sum(1) < _TURNS_BACK).any():
        raise PromptError(Message("the line turns back upon itself; draw it along a vessel in one direction"))
    line = resample(vertices)
    shifts = np.zeros((len(frames), 2)) if shifts is None else np.asarray(shifts, float)
    drawn = _Drawn(frames, np.rint(shifts).astype(np.int64), shifts)
    shape = np.asarray(images(int(frames[0]))).shape
    half = settings.linescan.drawn_width_px / 2
    around = Surroundings(drawn, _near(line, shape, settings))
    sampler = LaneSampler(drawn, line, np.linspace(-half, half, settings.linescan.drawn_lanes), around)
    sample_lanes([sampler], images, 0, len(frames))
    timing = timing or Timing.even(len(frames))
    return _measure(_Scan(sampler.samples(), line, frames, timing, shifts), calibration, settings, video_id)


@dataclass(frozen=True)
class _Drawn:
    """Where a drawn line lies in each frame, as `sampling.Placed` asks for it."""

    frames: NDArray[np.int64]
    offsets: NDArray[np.int64]
    shifts: NDArray[np.float64]


def _near(line: Centreline, shape: tuple[int, ...], settings: VelocitySettings) -> NDArray[np.bool_]:
    """The pixels that may belong to the vessel that a line was drawn on; the others tell of the lamp."""
    off = np.ones(shape, bool)
    rows, columns = np.rint(line.points).astype(int).clip(0, np.array(shape) - 1).T
    off[rows, columns] = False
    return np.asarray(ndimage.distance_transform_edt(off) <= settings.linescan.drawn_beside_px)


@dataclass(frozen=True)
class _Scan:
    """A line at all times; of a line scan nothing is known of the tissue's motion."""

    samples: Samples
    line: Centreline
    frames: NDArray[np.int64]
    timing: Timing
    shifts: NDArray[np.float64] | None

    def reversed(self) -> _Scan:
        """The same with the line the other way round."""
        lanes = np.ascontiguousarray(self.samples.lanes[..., ::-1])
        return replace(self, samples=replace(self.samples, lanes=lanes), line=self.line.reversed())


def _measure(scan: _Scan, calibration: CalibrationLike, settings: VelocitySettings, video_id: str) -> VesselMeasurement:
    rate = calibration.usable_frame_rate_hz
    diagram = _read(scan, rate, settings)
    if np.isfinite(first := _first(diagram, settings)[0]).any() and np.nanmean(first) < 0:
        scan = scan.reversed()
        diagram = _read(scan, rate, settings)
    velocity, quality = _first(diagram, settings)
    by_rows = velocity is diagram.velocity
    other = _second(scan.samples, diagram, velocity, settings)
    seen = _moves(scan.samples, diagram, settings)
    if not seen or not np.isfinite(velocity).any():
        velocity, other = (np.full(len(scan.frames), _NAN) for _ in range(2))
    velocity = np.where(empty := _without_streaks(diagram, settings.linescan), _NAN, velocity)
    series = _series(velocity, other, scan, settings)
    second = replace(diagram, velocity=other, quality=1.0 if np.isfinite(other).any() else 0.0, transit_quality=0.0)
    evenly = by_time(velocity, scan.timing.position)
    waves = spectrum(evenly, rate, settings.series)
    lost = scan.timing.lost_share
    statistics = summarise(series, second, evenly, waves.pulse_hz, rate, lost, settings)
    points = len(scan.line.points)
    flags = _flags(diagram, statistics.mean, statistics.method_difference, points, calibration, settings)
    found = _Found(
        seen,
        quality,
        statistics.method_difference,
        by_rows and points < settings.linescan.rows_columns,
        float(empty.mean()),
        flags,
    )
    grade, reasons = _grade(found, settings.linescan)
    return VesselMeasurement(
        video_id=video_id,
        vessel_id=1,
        name=video_id,
        frames=scan.frames,
        position=scan.frames[:1].sum() + scan.timing.position,
        pixel_size_um=calibration.usable_pixel_size_um,
        frame_rate_hz=rate,
        origin=(0, 0),
        line=scan.line,
        diameter_px=np.full(points, _NAN),
        diameter_error=_NAN,
        per_frame=series,
        space_time=diagram,
        profile=CrossProfile(np.zeros(0), np.zeros(0), np.zeros(0), _NAN, _NAN, _NAN, _NAN),
        spectrum=waves,
        cells=CellCount(_NAN, _NAN),
        statistics=statistics,
        presence=float(seen),
        flags=flags,
        grade=grade,
        reasons=reasons,
    )


def _read(scan: _Scan, rate: float | None, settings: VelocitySettings) -> SpaceTime:
    readings = []
    lanes, background = scan.samples.lanes, scan.samples.background
    for span in spans(lanes.shape[1], settings.kymograph):
        part = Samples(lanes[:, span.first : span.last], background[span.first : span.last])
        clock = span_clock(scan.timing, span.first, span.last, settings.kymograph)
        reading = read_diagram(on_clock(part, clock), rate, settings)
        readings.append(trimmed(at_frames(reading, clock), span))
    return joined(readings, settings.kymograph)[0]


def _first(diagram: SpaceTime, settings: VelocitySettings) -> tuple[NDArray[np.float64], float]:
    """Return the reading to believe, and the share of its windows that agree.

    Transit times do not read short lines low as comparing rows does, nor do they lose blood that is fast for the line.
    Their windows are long, though: a pulse or a change of direction that rows and slopes both show may pass unseen.
    """
    if diagram.transit_quality >= settings.transit.readable and not _misses_changes(diagram, settings.linescan):
        return diagram.transit, diagram.transit_quality
    return diagram.velocity, diagram.quality


def _misses_changes(diagram: SpaceTime, settings: LineScanSettings) -> bool:
    """Whether the slopes confirm the velocity over time that rows show, and transit times say another one."""
    rows = diagram.velocity
    if diagram.quality < settings.quality[0] or not np.isfinite(rows).any():
        return False
    usual = float(np.nanmean(rows))
    if np.nanmean(np.abs(rows - usual)) < settings.missed_changes * np.nanmean(np.abs(rows)):
        return False  # nothing changes
    missed = _unlike(diagram.transit, rows)
    return missed > settings.missed_changes and _unlike(diagram.radon, rows) < missed / 2


def _unlike(view: NDArray[np.float64], rows: NDArray[np.float64]) -> float:
    """Mean distance of a reading from the rows' over its mean speed, after the scale at which they are most alike.

    That readings differ by a factor all the time is no matter of time: on short lines rows read low.
    """
    both = np.isfinite(view) & np.isfinite(rows)
    if not both.any():
        return float("inf")
    view, rows = view[both], rows[both]
    scale = max(float(view @ rows) / max(float(rows @ rows), 1e-12), 0.0)
    return float(np.abs(view - scale * rows).mean() / max(float(np.abs(view).mean()), 1e-12))


def _without_streaks(diagram: SpaceTime, settings: LineScanSettings) -> NDArray[np.bool_]:
    """Return the lines, shape (T,), in a stretch of time in which nothing that moves is seen."""
    strength = ndimage.uniform_filter1d(np.nan_to_num(diagram.strength), settings.least_lines, mode="nearest")
    faint = strength < settings.least_strength * float(np.quantile(strength, 0.9))
    return np.asarray(ndimage.binary_opening(faint, np.ones(settings.least_lines)), bool)


def _second(
    samples: Samples, diagram: SpaceTime, velocity: NDArray[np.float64], settings: VelocitySettings
) -> NDArray[np.float64]:
    """Return a reading that shares no sum with the first; NaN where there is none.

    By rows (correlation, or the slope along which streaks add up), whichever is nearer. Where both are lower than
    transit times, as they are on a line too short for its streaks, the halves of the line are read each by itself, and
    the one that is further off counts.
    """
    nothing = np.full(len(velocity), _NAN)
    if not np.isfinite(velocity).any():
        return nothing
    usual = float(np.nanmean(velocity))

    def apart(view: NDArray[np.float64]) -> float:
        return abs(float(np.nanmean(view)) - usual)

    if velocity is diagram.velocity:
        return diagram.radon
    rows = diagram.velocity if diagram.quality >= settings.flags.min_kymograph_quality else nothing
    views = [view for view in (rows, diagram.radon) if np.isfinite(view).any()]
    nearest = min(views, key=apart, default=nothing)
    if views and not (apart(nearest) > settings.linescan.difference[0] * usual and np.nanmean(nearest) < usual):
        return nearest
    pattern = moving_pattern(samples, len(velocity), settings.kymograph)
    middle = pattern.shape[2] // 2
    halves = [transit_velocity(half, settings.transit) for half in (pattern[:, :, :middle], pattern[:, :, middle:])]
    if min(half.quality for half in halves) < settings.flags.min_kymograph_quality:
        return nearest
    return max((half.velocity for half in halves), key=apart)


def _moves(samples: Samples, diagram: SpaceTime, settings: VelocitySettings) -> bool:
    """Whether the correlation is above what the same lines give in random order."""
    order = np.random.default_rng(_SEED).permutation(min(samples.lanes.shape[1], settings.linescan.shuffled_lines))
    shuffled = Samples(samples.lanes[:, order], samples.background[order])
    pattern = moving_pattern(shuffled, len(order), settings.kymograph)
    least = settings.linescan.least_match
    by_transit = diagram.transit_match - transit_velocity(pattern, settings.transit).match > least
    by_rows = float(diagram.match.mean()) - diagram.floor > least
    return by_transit or by_rows


def _series(
    velocity: NDArray[np.float64], other: NDArray[np.float64], scan: _Scan, settings: VelocitySettings
) -> Series:
    apart = np.abs(velocity - other)
    known = np.isfinite(apart)
    usual = np.abs(velocity) * settings.linescan.reading_error
    scatter = ndimage.uniform_filter1d(np.where(known, apart, 0.0), 31, mode="nearest")
    error = np.where(np.isfinite(velocity), np.hypot(usual, scatter), _NAN)
    nothing = np.full(len(velocity), _NAN)
    rejected = ~np.isfinite(velocity)
    rejected[-1] = True
    return Series(
        velocity=velocity,
        raw=velocity,
        standard_error=error,
        centre=velocity,
        p10=nothing,
        p90=nothing,
        diameter=nothing,
        pixels=np.zeros(len(velocity), np.int64),
        confidence=np.nan_to_num(1 / (1 + (error / np.maximum(np.abs(velocity), 1e-9)) ** 2)),
        motion=np.zeros((len(velocity), 2)) if scan.shifts is None else scan.shifts,
        rejected=rejected,
        flags=((),) * len(velocity),
        asked=np.ones(len(velocity), bool),
        spacing=1.0,
    )


def _flags(
    diagram: SpaceTime,
    mean: float,
    difference: float,
    points: int,
    calibration: CalibrationLike,
    settings: VelocitySettings,
) -> tuple[str, ...]:
    limits = settings.flags
    raised = {
        "LOW_CONTRAST": not diagram.contrast_to_noise >= limits.min_contrast_to_noise,
        "SATURATED": diagram.saturated > settings.linescan.clipped_share,
        "TOO_SHORT": points < settings.linescan.short_columns or abs(mean) > settings.linescan.fast_lines * points,
        "MASK_LOST": not np.isfinite(mean),
        "METHOD_DISAGREE": abs(difference) > limits.method_difference,
        "UNCALIBRATED": calibration.usable_pixel_size_um is None or calibration.usable_frame_rate_hz is None,
    }
    return tuple(flag for flag in FLAG_MEANINGS if raised.get(flag))


@dataclass(frozen=True)
class _Found:
    """What the grade is made of.

    Attributes
    ----------
    seen : bool
        Whether anything moves.
    quality : float
        Share of the windows that agree.
    difference : float
        Of the two readings.
    low : bool
        Whether only a reading that is low on short lines could be read.
    empty : float
        Share of the lines in which nothing moves.
    flags : tuple of str
    """

    seen: bool
    quality: float
    difference: float
    low: bool
    empty: float
    flags: tuple[str, ...]


def _grade(scan: _Found, settings: LineScanSettings) -> tuple[str, tuple[str, ...]]:
    if not scan.seen:
        return GRADES[3], (
            Message("no streaks stand out from the noise: nothing moves along this line, or too fast to be seen"),
        )
    agreement = Message("two readings of the streaks agree within {apart:.0%}", apart=abs(scan.difference))
    found: list[tuple[int, str]] = []
    if not np.isfinite(scan.difference):
        found.append((2, Message("no second reading of the streaks confirms the first")))
    elif abs(scan.difference) > settings.difference[0]:
        level = sum(abs(scan.difference) > limit for limit in settings.difference)
        found.append((level, Message("two readings of the streaks differ by {apart:.0%}", apart=abs(scan.difference))))
    if scan.quality < settings.quality[0]:
        level = sum(scan.quality < limit for limit in settings.quality)
        found.append((level, Message("only {share:.0%} of the windows agree", share=scan.quality)))
    found += [(1, FLAG_MEANINGS[flag]) for flag in scan.flags if flag in ("LOW_CONTRAST", "SATURATED", "TOO_SHORT")]
    if scan.empty > settings.most_empty:
        share = Message(
            "for {share:.0%} of the time no streaks are seen: blood stood still, or no cells passed; not "
            "part of the mean",
            share=scan.empty,
        )
        found.append((1, share))
    if scan.low:
        found.append((2, Message("only comparing rows can be read, and on a line this short that reads low")))
    if not found:
        return GRADES[0], (agreement, Message("{share:.0%} of the windows agree", share=scan.quality))
    ordered = sorted(found, key=lambda finding: -finding[0])
    return GRADES[ordered[0][0]], tuple(text for _, text in ordered)
