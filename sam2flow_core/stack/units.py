"""Numbers and units of length and time as programs write them."""

from __future__ import annotations

import html
import re
import unicodedata
from math import isfinite
from typing import Any

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
    """Micrometres in one of a unit of length; None where the unit is not known."""
    return _find(unit, _UM_PER)


def seconds_per(unit: str) -> float | None:
    """Seconds in one of a unit of time; None where the unit is not known."""
    return _find(unit, _SECONDS_PER)


def number(value: Any) -> float | None:
    """Return what a tag holds as a finite number, or None."""
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
