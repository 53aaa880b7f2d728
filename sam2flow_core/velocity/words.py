"""Findings along a vessel in words that say where."""

from __future__ import annotations

from sam2flow_core.velocity.centreline import Centreline
from sam2flow_core.velocity.records import CalibrationLike
from sam2flow_core.velocity.stretches import Step


def along_words(
    line: Centreline, calibration: CalibrationLike, step: Step | None, gap: tuple[int, int] | None
) -> tuple[str, ...]:
    """Say where along the arrow speed steps or blood is missing.

    Parameters
    ----------
    line : Centreline
    calibration : CalibrationLike
    step : Step or None
        In px per frame.
    gap : tuple of int or None
        First and last point of the line.
    """
    pixel, rate = calibration.usable_pixel_size_um, calibration.usable_frame_rate_hz
    length, long = (pixel, "µm") if pixel else (1.0, "px")
    speed, fast = (pixel * rate, "µm/s") if pixel and rate else (1.0, "px/frame")
    whole = f"of {line.length * length:.0f} {long} along the arrow"
    found = []
    if step is not None:
        before, after = step.before * speed, step.after * speed
        what = "blood runs against itself" if before * after < 0 else "the speed steps"
        place = f"at {line.arc[min(step.place, len(line.arc) - 1)] * length:.0f} {whole}"
        speeds = f"{before:.3g} before, {after:.3g} {fast} after"
        found.append(f"{place} {what}: {speeds}; two vessels, or a fork, under one name?")
    if gap is not None:
        first, last = (line.arc[min(point, len(line.arc) - 1)] * length for point in gap)
        found.append(f"from {first:.0f} to {last:.0f} {whole} no blood is seen: does the line leave the vessel?")
    return tuple(found)
