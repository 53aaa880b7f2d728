"""Pixel size and frame rate, each with where it came from and whether to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.errors import CalibrationError

Source = Literal["user", "ome", "imagej", "tiff", "video", "none"]
_ORDER: tuple[Source, ...] = ("user", "ome", "imagej", "tiff", "video", "none")
_LIMITS = CalibrationLimits()


@dataclass(frozen=True)
class Measured:
    """A value with its source.

    Attributes
    ----------
    value : float or None
        None when nothing is known.
    source : {'user', 'ome', 'imagej', 'tiff', 'video', 'none'}
    plausible : bool
        Whether it may be used. A user's value is used as given.
    """

    value: float | None = None
    source: Source = "none"
    plausible: bool = False

    @property
    def usable(self) -> float | None:
        """The value, or None where it is absent or not plausible."""
        return self.value if self.plausible else None


@dataclass(frozen=True)
class Calibration:
    """What turns px per frame into um per second.

    Attributes
    ----------
    pixel_size_um : Measured
        Side of a (square) pixel in um.
    frame_rate_hz : Measured
        Frames per second.
    """

    pixel_size_um: Measured = field(default_factory=Measured)
    frame_rate_hz: Measured = field(default_factory=Measured)

    @property
    def usable_pixel_size_um(self) -> float | None:
        """Pixel size in um, or None where it is absent or not plausible."""
        return self.pixel_size_um.usable

    @property
    def usable_frame_rate_hz(self) -> float | None:
        """Frame rate in Hz, or None where it is absent or not plausible."""
        return self.frame_rate_hz.usable

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing or not to be believed, in words."""
        return _problem(self.pixel_size_um, "pixel size", "um", "um per pixel") + _problem(
            self.frame_rate_hz, "frame rate", "Hz", "Hz"
        )

    def with_user(self, pixel_size_um: float | None = None, frame_rate_hz: float | None = None) -> Calibration:
        """Replace what the user gives; None keeps what the file says.

        Raises
        ------
        CalibrationError
            If a value is not a positive number, or cannot be that of a microscope.
        """
        pixel, rate = self.pixel_size_um, self.frame_rate_hz
        if pixel_size_um is not None:
            _check_possible(pixel_size_um, _LIMITS.possible_pixel_size_um, "pixel size", "um")
            pixel = Measured(float(pixel_size_um), "user", True)
        if frame_rate_hz is not None:
            _check_possible(frame_rate_hz, _LIMITS.possible_frame_rate_hz, "frame rate", "Hz")
            rate = Measured(float(frame_rate_hz), "user", True)
        return Calibration(pixel, rate)

    def with_interval(self, interval_s: float | None) -> Calibration:
        """Put the frame rate of time stamps in the place of one that a file declares; a user's stays."""
        rate = self.frame_rate_hz
        if interval_s is None or rate.source == "user":
            return self
        told = frame_rate_from_tag(1 / interval_s, "ome" if rate.source == "none" else rate.source)
        agree = rate.value is not None and abs(rate.value * interval_s - 1) <= _LIMITS.agreement
        return self if agree or not told.plausible else Calibration(self.pixel_size_um, told)


def resolve_calibration(*candidates: Calibration) -> Calibration:
    """Take each value from the best of several sources.

    The first plausible value in the order user, OME, ImageJ, TIFF, video wins; where none is
    plausible, the first that is present, so that it can be shown.
    """
    return Calibration(
        _best([c.pixel_size_um for c in candidates]),
        _best([c.frame_rate_hz for c in candidates]),
    )


def pixel_size_from_tag(value_um: float | None, source: Source, limits: CalibrationLimits = _LIMITS) -> Measured:
    """Judge a pixel size (um) that a file declares."""
    if value_um is None or not math.isfinite(value_um) or value_um <= 0:
        return Measured()
    low, high = limits.plausible_pixel_size_um
    return Measured(value_um, source, low <= value_um <= high and value_um != limits.placeholder)


def frame_rate_from_tag(value_hz: float | None, source: Source, limits: CalibrationLimits = _LIMITS) -> Measured:
    """Judge a frame rate (Hz) that a file declares."""
    if value_hz is None or not math.isfinite(value_hz) or value_hz <= 0:
        return Measured()
    low, high = limits.plausible_frame_rate_hz
    return Measured(value_hz, source, low <= value_hz <= high)


def _best(values: list[Measured]) -> Measured:
    present = sorted((v for v in values if v.value is not None), key=lambda v: _ORDER.index(v.source))
    return next((v for v in present if v.plausible), present[0] if present else Measured())


def _problem(measured: Measured, what: str, unit: str, given_in: str) -> tuple[str, ...]:
    if measured.value is None:
        return (f"no {what} in the file: give it in {given_in} to get velocities in um/s",)
    if not measured.plausible:
        return (f"{what} {measured.value:.4g} {unit} ({measured.source}) is not plausible and is not used: give it",)
    if measured.source == "video":
        return (
            f"{what} {measured.value:.4g} {unit} is that at which the video plays: give it if the camera had another",
        )
    return ()


def _check_possible(value: float, limits: tuple[float, float], what: str, unit: str) -> None:
    if not math.isfinite(value) or value <= 0:
        raise CalibrationError(f"{what} {value:g} {unit}: must be a number above 0")
    if not limits[0] <= value <= limits[1]:
        raise CalibrationError(
            f"{what} {value:g} {unit} cannot be that of a microscope ({limits[0]:g} to {limits[1]:g} {unit});"
            f" give it in {unit}"
        )
