"""Numbers and findings as a clinician reads them, and the templates that they fill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from sam2flow_core.stack import describe_factor
from sam2flow_core.velocity import GRADES, VesselMeasurement

_SOURCES = {
    "user": "entered by the user",
    "ome": "OME metadata of the file",
    "imagej": "ImageJ metadata of the file",
    "tiff": "TIFF tags of the file",
    "video": "rate at which the video plays",
    "none": "unknown",
}


def fill(template: str, **values: object) -> str:
    """Return a template of this package with `values` in it; names typed by users cannot become markup."""
    environment = Environment(
        loader=PackageLoader("sam2flow_core.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def velocity_unit(measurement: VesselMeasurement) -> tuple[float, str]:
    """Return what turns px per frame into the unit to show, and that unit: um/s where it is known."""
    factor = measurement.um_s_per_px_frame
    return (factor, "µm/s") if np.isfinite(factor) else (1.0, "px/frame")


def number(value: float, digits: int = 3) -> str:
    """Return a number to so many significant digits, or a dash for a gap."""
    if not np.isfinite(value):
        return "–"
    if abs(value) < 1e-4:
        return "0"
    decimals = max(digits - 1 - int(np.floor(np.log10(abs(value)))), 0)
    return f"{value:.{decimals}f}"


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """Return a number with its unit, or a dash alone for a gap."""
    return f"{number(value, digits)} {unit}" if np.isfinite(value) else number(value)


def interval_in_words(low: float, high: float, unit: str = "", digits: int = 3) -> str:
    """Return two ends with their unit, or a dash alone for a gap."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return number(np.nan)
    return f"{number(low, digits)} to {number(high, digits)} {unit}".rstrip()


def own_name(name: str, vessel_id: int) -> str:
    """Return the name that somebody gave a vessel; empty where it is called by its number.

    Examples
    --------
    >>> own_name("Vessel 3", 3), own_name("arteriole", 3)
    ('', 'arteriole')
    """
    name = name.strip()
    return "" if name.lower() in ("", str(vessel_id), f"vessel {vessel_id}") else name


def vessel_title(measurement: VesselMeasurement) -> str:
    """Return the vessel's number, with its name where it has one of its own."""
    own, group = own_name(measurement.name, measurement.vessel_id), measurement.group.strip()
    plain = f"Vessel {measurement.label}"
    title = f"{plain}: {own}" if own else plain
    title = f"{title} ({group})" if group else title
    return f"{title}, {measurement.part}" if measurement.part else title


def vessel_verdict(measurement: VesselMeasurement) -> str:
    """Return velocity, interval, grade and reasons in one line."""
    factor, unit = velocity_unit(measurement)
    s = measurement.statistics
    reasons = "; ".join(measurement.reasons)
    if measurement.segments:
        return f"No velocity of its own: {reasons}."
    if not np.isfinite(s.mean):
        return f"No velocity ({measurement.grade}): {reasons}."
    low, high = s.low * factor, s.high * factor
    told = f"95 % interval {interval_in_words(low, high)}" if np.isfinite(low) else "no interval"
    return f"{number(s.mean * factor)} {unit} ({told}), {measurement.grade}: {reasons}."


def recording_verdict(measurements: Sequence[VesselMeasurement]) -> str:
    """Return in one line how many vessels can be believed."""
    if not measurements:
        return "No vessel was measured."
    units = [unit for m in measurements for unit in m.units]
    count = Counter(unit.grade for unit in units)
    parts = ", ".join(f"{count[grade]} {grade}" for grade in GRADES if count[grade])
    what = "vessels and segments" if len(units) > len(measurements) else "vessels"
    return f"{count['good']} of {len(units)} {what} can be believed as they stand ({parts})."


def calibration_lines(measurements: Sequence[VesselMeasurement], provenance: Mapping[str, Any]) -> list[str]:
    """Return pixel size and frame rate with their sources, and whether they were used."""
    stored = provenance.get("calibration", {})
    used = {
        "pixel_size_um": measurements[0].pixel_size_um if measurements else None,
        "frame_rate_hz": measurements[0].frame_rate_hz if measurements else None,
    }
    lines = []
    for key, title, unit in (("pixel_size_um", "Pixel size", "µm"), ("frame_rate_hz", "Frame rate", "Hz")):
        said = stored.get(key, {})
        value = said.get("value") if used[key] is None else used[key]
        source = _SOURCES.get(str(said.get("source", "none")), str(said.get("source")))
        if value is None:
            lines.append(f"{title}: unknown, so that no velocity in µm/s is given")
        elif used[key] is None:
            lines.append(f"{title}: {value:g} {unit} ({source}) is not plausible and was not used")
        else:
            lines.append(f"{title}: {value:g} {unit} ({source})")
    if (worked := provenance.get("working_resolution")) is not None:
        lines.append(f"Worked on: frames {describe_factor(worked['factor'])} ({worked['reason']})")
    return lines


def provenance_lines(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return every fact of a provenance as a path and a value; long lists are counted, not printed."""
    lines: list[tuple[str, str]] = []

    def walk(prefix: str, value: object) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        elif isinstance(value, (list, tuple)) and len(str(value)) > 200:
            lines.append((prefix, f"{len(value)} entries, see provenance.json"))
        else:
            lines.append((prefix, str(value)))

    walk("", provenance)
    return lines
