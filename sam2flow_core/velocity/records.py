"""What the measurement of one vessel consists of. Velocities are px per frame; the tables turn them into um/s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.velocity.centreline import Centreline

Floats = NDArray[np.float64]
_NAN = float("nan")


class CalibrationLike(Protocol):
    """The two numbers that turn px per frame into um/s, each None where it is unknown or not to be believed."""

    @property
    def usable_pixel_size_um(self) -> float | None:
        """Pixel size in um."""

    @property
    def usable_frame_rate_hz(self) -> float | None:
        """Frames per second."""


@dataclass(frozen=True)
class Series:
    """The vessel frame by frame; arrays of shape (T,), NaN in gaps, the last frame has no flow.

    Attributes
    ----------
    velocity : ndarray
        Lumen mean along the arrow, px per frame.
    raw : ndarray
        The same before smoothing over time, rejected frames included.
    standard_error : ndarray
        Of `velocity`, px per frame, without the error of the calibration.
    centre : ndarray
        Flow alone, over the band that the space-time diagram samples, px per frame.
    p10, p90 : ndarray
        Percentiles over the lumen pixels, px per frame.
    diameter : ndarray
        px.
    pixels : ndarray of int
        Lumen pixels with a flow.
    confidence : ndarray
        0 to 1.
    motion : ndarray, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px against the reference.
    rejected : ndarray of bool
        Frames whose velocity is not used.
    asked : ndarray of bool
        Frames from which flow to the next was asked for; a run may answer some pairs only.
    spacing : float
        Recorded frames from one such pair to the next, on average.
    flags : tuple of tuple of str
        Flags of each frame.
    """

    velocity: Floats
    raw: Floats
    standard_error: Floats
    centre: Floats
    p10: Floats
    p90: Floats
    diameter: Floats
    pixels: NDArray[np.int64]
    confidence: Floats
    motion: Floats
    rejected: NDArray[np.bool_]
    flags: tuple[tuple[str, ...], ...]
    asked: NDArray[np.bool_]
    spacing: float

    def scaled(self, gain: float) -> Series:
        """Return the velocities multiplied; `centre` stays what the flow says."""
        names = ("velocity", "raw", "p10", "p90")
        scaled: dict[str, Any] = {name: gain * getattr(self, name) for name in names}
        return replace(self, **scaled)


@dataclass(frozen=True)
class SpaceTime:
    """Space-time diagram and what is read from it without the flow.

    Attributes
    ----------
    image : ndarray, shape (T, N)
        Brightness along the middle of the vessel (x: arc length in px, y: frame), constant parts removed.
    velocity : ndarray, shape (T,)
        By correlation, px per frame from each frame to the next, along the arrow; NaN where it cannot be read.
    radon : ndarray, shape (T,)
        The same by the slope that the slant stack (Radon transform) finds.
    transit : ndarray, shape (T,)
        The same by the time from one cross-section to another.
    transit_quality, transit_match : float
        Share of its windows that agree with the path through them, and mean correlation on that.
    quality : float
        0 to 1: the share of windows whose own best match lies on the path through all of them.
    contrast_to_noise : float
        Standard deviation of the moving pattern over that of the noise.
    spacing : float
        Distance in px at which the pattern repeats; NaN where it does not.
    periodicity : float
        Correlation at that distance, 0 to 1.
    duplicate : ndarray of bool, shape (T,)
        Frames that repeat the one before.
    sharpness : ndarray, shape (T,)
        Against the median of the recording.
    saturated : float
        Share of samples at the recording's largest or smallest value.
    match : ndarray, shape (T,)
        Correlation on the path through the diagram, -1 to 1.
    floor, floor_spread : float
        Mean of `match` and its standard deviation over time, of the same frames in random order.
    strength : ndarray, shape (T,)
        Of the moving pattern without the noise of the camera, in units of the pattern's variance.
    """

    image: NDArray[np.float32]
    velocity: Floats
    radon: Floats
    quality: float
    contrast_to_noise: float
    spacing: float
    periodicity: float
    duplicate: NDArray[np.bool_]
    sharpness: Floats
    saturated: float
    match: Floats
    floor: float
    floor_spread: float
    strength: Floats
    transit: Floats
    transit_quality: float
    transit_match: float


@dataclass(frozen=True)
class CrossProfile:
    """Velocity across the vessel and its fit ``v(r) = v0 (1 - a |r / R|^n)``.

    Attributes
    ----------
    position : ndarray, shape (B,)
        Signed distance from the centreline as a share of the radius.
    velocity, spread : ndarray, shape (B,)
        Mean over time and length, and its standard deviation over time, px per frame.
    centre : float
        v0, px per frame.
    blunting, exponent : float
        a and n.
    ratio : float
        k = v0 / mean over a round cross-section, 2 for a parabola, 1 for a plug. NaN without a fit.
    """

    position: Floats
    velocity: Floats
    spread: Floats
    centre: float
    blunting: float
    exponent: float
    ratio: float

    def scaled(self, gain: float) -> CrossProfile:
        """Return the velocities multiplied."""
        return replace(self, velocity=gain * self.velocity, spread=gain * self.spread, centre=gain * self.centre)


@dataclass(frozen=True)
class Spectrum:
    """Power of the velocity over frequency.

    Attributes
    ----------
    frequency, power : ndarray, shape (F,)
        Hz and normalised power (Lomb-Scargle); empty without a frame rate.
    pulse_hz, snr : float
        NaN where no peak stands out.
    """

    frequency: Floats
    power: Floats
    pulse_hz: float
    snr: float


@dataclass(frozen=True)
class CellCount:
    """Cells that pass, NaN where they cannot be told apart.

    Attributes
    ----------
    flux_per_frame : float
        Cells per frame.
    spacing : float
        Mean distance of neighbouring cells, px.
    """

    flux_per_frame: float
    spacing: float


@dataclass(frozen=True)
class Statistics:
    """The vessel over the whole run: px per frame, frames, shares of 1; NaN where unknown."""

    valid_share: float = 0.0
    mean: float = _NAN
    median: float = _NAN
    sd: float = _NAN
    low: float = _NAN
    high: float = _NAN
    minimum: float = _NAN
    maximum: float = _NAN
    pulsatility: float = _NAN
    pulsatility_low: float = _NAN
    pulsatility_high: float = _NAN
    resistivity: float = _NAN
    reversal_share: float = _NAN
    stasis_frames: float = _NAN
    longest_stasis_frames: float = _NAN
    kymograph_mean: float = _NAN
    method_difference: float = _NAN
    lasting_error: float = _NAN
    lost_share: float = 0.0


@dataclass(frozen=True)
class Doubts:
    """What speaks against a velocity, each from 0 (nothing) to 1.

    Attributes
    ----------
    apart : float
        How far the velocity is from the second nearest of the three readings of the space-time diagram: two of them
        have to bear it out.
    weak : float
        How little the pattern is like itself on its way.
    error : float
        The error that the network, and the way back to the frame before, let expect; less where the space-time
        diagram bears the flow out.
    slow : float
        How slow the blood is: what stands still beside it weighs more.
    """

    apart: float
    weak: float
    error: float
    slow: float


@dataclass(frozen=True)
class VesselMeasurement:
    """One measured vessel.

    Attributes
    ----------
    frames : ndarray of int, shape (T,)
        Indices in the recording.
    position : ndarray of int, shape (T,)
        The same by time, in steps of the frame rate: a repeated frame has the time of the one before, missing ones
        count.
    origin : tuple of int
        ``(y, x)`` of the crop in the first frame: add it to `centreline` to draw on that frame.
    line : Centreline
        The arrow is the direction of the mean flow.
    diameter_px : ndarray, shape (N,)
        Along the centreline, NaN where it cannot be fitted.
    diameter_error : float
        Relative standard error of the diameter.
    presence : float
        Chance that there is a vessel, 0 to 1, by what moves along the line and beside it.
    flags : tuple of str
    grade : str
        ``good``, ``fair``, ``poor`` or ``unusable``.
    reasons : tuple of str
        In words.
    doubts : Doubts or None
    diagram_gain : float
        What the flow was multiplied by because two readings of the diagram agree with each other; 1 where it was not.
    chance : float
        That the velocity is within 15 % of the truth, by the doubts.
    along : tuple of str
        Those of the reasons that speak of a place along the length.
    group : str
        What the user sorts vessels by, such as their type.
    segments : tuple of VesselMeasurement
        What the vessel was cut into because its speed or direction steps; its own velocities are blank then.
    segment : int
        Number of a segment, from 1; 0 for a whole vessel.
    balance : float
        At a fork, what flows in less what flows out, over the larger of the two; NaN away from forks.
    joint : tuple of int
        Segments whose flows add up to that of the whole; empty where no sum means anything.
    part : str
        Which part of the recording this is, in words, where there are several.
    """

    video_id: str
    vessel_id: int
    name: str
    frames: NDArray[np.int64]
    position: NDArray[np.int64]
    pixel_size_um: float | None
    frame_rate_hz: float | None
    origin: tuple[int, int]
    line: Centreline
    diameter_px: Floats
    diameter_error: float
    per_frame: Series
    space_time: SpaceTime
    profile: CrossProfile
    spectrum: Spectrum
    cells: CellCount
    statistics: Statistics
    presence: float
    flags: tuple[str, ...]
    grade: str
    reasons: tuple[str, ...]
    doubts: Doubts | None = None
    diagram_gain: float = 1.0
    chance: float = _NAN
    along: tuple[str, ...] = ()
    group: str = ""
    segments: tuple[VesselMeasurement, ...] = ()
    segment: int = 0
    balance: float = _NAN
    joint: tuple[int, ...] = ()
    part: str = ""

    @property
    def label(self) -> str:
        """The vessel's number; ``1.2`` for its second segment."""
        return f"{self.vessel_id}.{self.segment}" if self.segment else str(self.vessel_id)

    @property
    def units(self) -> tuple[VesselMeasurement, ...]:
        """What has one velocity: the vessel itself, or its segments."""
        return self.segments or (self,)

    @property
    def centreline(self) -> Floats:
        """Points ``(y, x)`` in px of the crop, shape (N, 2), in the order of the arrow."""
        return self.line.points

    @property
    def kymograph(self) -> NDArray[np.float32]:
        """Space-time diagram, shape (T, N); x: arc length in px, y: frame."""
        return self.space_time.image

    @property
    def kymograph_velocity(self) -> Floats:
        """Velocity read from the space-time diagram, px per frame, shape (T,)."""
        return self.space_time.velocity

    @property
    def um_s_per_px_frame(self) -> float:
        """Factor from px per frame to um/s; NaN without calibration."""
        if self.pixel_size_um is None or self.frame_rate_hz is None:
            return float("nan")
        return self.pixel_size_um * self.frame_rate_hz

    @property
    def time_s(self) -> Floats:
        """Time of each frame in s from the start of the recording; NaN without a frame rate."""
        rate = float("nan") if self.frame_rate_hz is None else self.frame_rate_hz
        return np.asarray(self.position, float) / rate
