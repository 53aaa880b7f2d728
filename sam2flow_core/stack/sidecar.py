"""Hints from a text file that lies beside a recording."""

from __future__ import annotations

import re
from pathlib import Path

from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.units import um_per

_LARGEST_BYTES = 200_000
_NUMBER = r"(\d+(?:\.\d+)?)"
_RATE = re.compile(rf"(?:frame[ _]?rate|\bfps)\b\W{{0,6}}(?:\((?:hz|fps)\))?\W{{0,4}}{_NUMBER}", re.IGNORECASE)
_PIXEL = re.compile(
    rf"\bpixel[ _]?size(?:[ _]?um)?\b\W{{0,6}}(?:\([^)\d]{{1,12}}\))?\W{{0,4}}{_NUMBER}[ \t]*([^\s\d,;}}\"]*)",
    re.IGNORECASE,
)


def sidecar_hints(recording: Path, name: str, calibration: Calibration) -> tuple[str, ...]:
    """Say what a text file of the same name tells of a value that the recording itself does not.

    It is shown and not used: such notes are free text, and may belong to another recording.
    """
    wanted = [
        (what, pattern, unit)
        for what, pattern, unit, known in (
            ("pixel size", _PIXEL, "um", calibration.usable_pixel_size_um),
            ("frame rate", _RATE, "Hz", calibration.usable_frame_rate_hz),
        )
        if known is None
    ]
    hints = []
    for path in _texts(recording, name) if wanted else ():
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # a note that cannot be read is no note
        for what, pattern, unit in wanted:
            found = pattern.search(text)
            if found:
                given = found[2] if found.re is _PIXEL and um_per(found[2]) else unit
                hints.append(f"{path.name} says {what} {found[1]} {given}: give it if it is right")
    return tuple(hints)


def _texts(recording: Path, name: str) -> list[Path]:
    folder = recording if recording.is_dir() else recording.parent
    names = [f"{name}.txt", f"{name}_metadata.txt", f"{name}.json", "metadata.txt" if recording.is_dir() else ""]
    paths = [folder / n for n in names if n] + ([folder.parent / f"{name}.txt"] if recording.is_dir() else [])
    return [p for p in paths if p.is_file() and p.stat().st_size <= _LARGEST_BYTES]
