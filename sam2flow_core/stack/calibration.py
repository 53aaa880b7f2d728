"""Pixel size and frame rate with where they came from and whether to believe them; units as programs write them."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.errors import CalibrationError
from sam2flow_core.messages import Message

_UM = {
    1.0: ("um", "u", "micron", "micrometer", "micrometre", "micro m", "micro meter", "micro metre", "mu m", "?m",
          "mikrometer", "mikron", "micromètre", "micrómetro", "micra"),
    1e-6: ("pm", "picometer", "picometre"),
    1e-4: ("å", "angstrom", "ångström"),
    1e-3: ("nm", "nanometer", "nanometre"),
    1e3: ("mm", "millimeter", "millimetre"),
    1e4: ("cm", "centimeter", "centimetre"),
    1e6: ("m", "meter", "metre"),
    25400.0: ("in", "inch", "inche", '"'),
}  # fmt: skip
_SECONDS = {
    1.0: ("s", "sec", "second", "sekunde", "sekunden", "seconde", "segundo"),
    1e-3: ("ms", "msec", "millisec", "millisecond", "millisekunden", "milliseconde", "milisegundo"),
    1e-6: ("us", "usec", "microsec", "microsecond", "?s"),
    1e-9: ("ns", "nsec", "nanosec", "nanosecond"),
    60.0: ("min", "minute", "minuten", "minuto"),
    3600.0: ("h", "hr", "hrs", "hour"),
    86400.0: ("d", "day"),
}
_UM_PER = {name: um for um, names in _UM.items() for name in names}
_SECONDS_PER = {name: seconds for seconds, names in _SECONDS.items() for name in names}
# mega is not milli; everything else is the same in capitals
_MEGA = re.compile(r"M[ms]$|[Mm]ega")
_ESCAPED = re.compile(r"\\+[uU]?(?:\+|x)?([0-9a-fA-F]{2,4})(?=[a-zA-Z]|$)")
_PER_PIXEL = re.compile(r"\s*(?:/|per)\s*(?:px|pixel)$")


def um_per(unit: str) -> float | None:
    """Micrometres in one of a unit of length; None where the unit is not known.

    Examples
    --------
    >>> um_per("nm"), um_per("µm"), um_per("furlong")
    (0.001, 1.0, None)
    """
    return _find(unit, _UM_PER)


def seconds_per(unit: str) -> float | None:
    """Seconds in one of a unit of time; None where the unit is not known.

    Examples
    --------
    >>> seconds_per("ms"), seconds_per("min")
    (0.001, 60.0)
    """
    return _find(unit, _SECONDS_PER)


def number(value: Any) -> float | None:
    """Return what a tag holds as a finite number, or None.

    Examples
    --------
    >>> number("0.65"), number("none"), number("inf")
    (0.65, None, None)
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if isfinite(found) else None


def _find(unit: str, table: dict[str, float]) -> float | None:
    text = _read(unit)
    if _MEGA.match(text):
        return None
    text = _PER_PIXEL.sub("", text.casefold()).strip(" .[]()").replace("-", " ")
    singular = text[:-1] if len(text) > 3 and text.endswith("s") else text
    return table.get(text, table.get(singular))


def _read(unit: str) -> str:
    r"""Undo what programs do to a micro sign.

    It comes as ``\u00b5`` or ``&micro;`` spelled out, as UTF-8 that was read as Latin-1 (once or twice), as either of
    two characters that look alike, or as a question mark where it was lost.
    """
    text = html.unescape(_ESCAPED.sub(lambda m: chr(int(m[1], 16)), str(unit).strip("\0 \t\r\n\"'")))
    for _ in range(3):
        again = _decoded_again(text)
        if again is None or again == text:
            break
        text = again
    text = text.replace("\ufffd", "?").replace("Å", "å")
    return unicodedata.normalize("NFKC", text).replace("μ", "u")


def _decoded_again(text: str) -> str | None:
    for encoding in ("latin-1", "cp1252"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return None


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
        return _problem(self.pixel_size_um, _PIXEL_SIZE, "um", Message("um per pixel")) + _problem(
            self.frame_rate_hz, _FRAME_RATE, "Hz", "Hz"
        )

    def with_user(self, pixel_size_um: float | None = None, frame_rate_hz: float | None = None) -> Calibration:
        """Replace what the user gives; None keeps what the file says.

        Raises
        ------
        CalibrationError
            If a value is not a positive number, or cannot be that of a microscope.

        Examples
        --------
        >>> known = Calibration().with_user(pixel_size_um=0.65)
        >>> known.usable_pixel_size_um, known.usable_frame_rate_hz
        (0.65, None)
        """
        pixel, rate = self.pixel_size_um, self.frame_rate_hz
        if pixel_size_um is not None:
            _check_possible(pixel_size_um, _LIMITS.possible_pixel_size_um, _PIXEL_SIZE, "um")
            pixel = Measured(float(pixel_size_um), "user", True)
        if frame_rate_hz is not None:
            _check_possible(frame_rate_hz, _LIMITS.possible_frame_rate_hz, _FRAME_RATE, "Hz")
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

    Examples
    --------
    >>> tag = Calibration(pixel_size_from_tag(0.5, "tiff"), frame_rate_from_tag(160.0, "imagej"))
    >>> resolve_calibration(tag, Calibration().with_user(0.65)).pixel_size_um
    Measured(value=0.65, source='user', plausible=True)
    """
    return Calibration(
        _best([c.pixel_size_um for c in candidates]),
        _best([c.frame_rate_hz for c in candidates]),
    )


def pixel_size_from_tag(value_um: float | None, source: Source, limits: CalibrationLimits = _LIMITS) -> Measured:
    """Judge a pixel size (um) that a file declares.

    Examples
    --------
    >>> pixel_size_from_tag(72.0, "tiff").usable is None
    True
    """
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


_PIXEL_SIZE, _FRAME_RATE = Message("pixel size"), Message("frame rate")


def _problem(measured: Measured, what: Message, unit: str, given_in: str) -> tuple[str, ...]:
    if measured.value is None:
        return (
            Message(
                "no {what} in the file: give it in {given_in} to get velocities in um/s", what=what, given_in=given_in
            ),
        )
    value = Message("{what} {value:.4g} {unit}", what=what, value=measured.value, unit=unit)
    if not measured.plausible:
        source = measured.source
        return (Message("{value} ({source}) is not plausible and is not used: give it", value=value, source=source),)
    if measured.source == "video":
        return (Message("{value} is that at which the video plays: give it if the camera had another", value=value),)
    return ()


def _check_possible(value: float, limits: tuple[float, float], what: str, unit: str) -> None:
    if not math.isfinite(value) or value <= 0:
        raise CalibrationError("{what} {value:g} {unit}: must be a number above 0", what=what, value=value, unit=unit)
    if not limits[0] <= value <= limits[1]:
        raise CalibrationError(
            "{what} {value:g} {unit} cannot be that of a microscope ({least:g} to {most:g} {unit}); give it in {unit}",
            what=what,
            value=value,
            unit=unit,
            least=limits[0],
            most=limits[1],
        )
