"""The summary in words: what a clinician reads in the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sam2flow_core.config.flags import FLAG_MEANINGS, FLAG_NAMES, GRADES


def flags_in_words(flags: Any) -> str:
    """Return the flags of a table cell in words."""
    return "; ".join(_words(flags, FLAG_MEANINGS))


def flags_in_short(flags: Any) -> str:
    """Return the flags of a table cell in a word or two each."""
    return ", ".join(_words(flags, FLAG_NAMES))


def _words(flags: Any, meanings: Mapping[str, str]) -> list[str]:
    if not isinstance(flags, str):
        return []
    names = flags.replace(";", " ").replace(",", " ").replace("|", " ").split()
    return [meanings.get(name, name.lower().replace("_", " ")) for name in names]


_ROWS = (
    ("v_mean_um_s", "Velocity", "um/s"),
    ("v_ci_low_um_s", "95 % interval from", "um/s"),
    ("v_ci_high_um_s", "to", "um/s"),
    ("v_min_um_s", "Slowest", "um/s"),
    ("v_max_um_s", "Fastest", "um/s"),
    ("kymo_v_um_s", "By the space-time diagram", "um/s"),
    ("diameter_mean_um", "Diameter", "um"),
    ("length_um", "Length", "um"),
    ("flow_pl_s", "Volume flow", "pl/s"),
    ("flux_cells_s", "Cells", "per s"),
    ("pulse_hz", "Pulse", "Hz"),
    ("stasis_s", "At rest", "s"),
    ("valid_pct", "Frames with a velocity", "%"),
)


def row_in_words(row: Mapping[Any, Any]) -> str:
    """Return a row of the summary as lines of words, with units and three digits; what is blank is left out."""
    lines = [
        f"{title}: {float(row[name]):.3g} {unit}"
        for name, title, unit in _ROWS
        if isinstance(row.get(name), int | float) and not pd.isna(row[name])
    ]
    if notes := flags_in_words(row.get("flags")):
        lines.append(f"Notes: {notes}")
    return "\n".join(lines)


def verdict_in_words(grades: Sequence[Any]) -> str:
    """Return in one line how many vessels can be believed, as the report says it."""
    if not grades:
        return "No vessel was measured."
    count = Counter(str(grade) for grade in grades)
    parts = ", ".join(f"{count[grade]} {grade}" for grade in GRADES if count[grade])
    return f"{count[GRADES[0]]} of {len(grades)} vessels can be believed as they stand ({parts})."


def velocity_in_words(row: Mapping[str, Any]) -> str:
    """Return ``mean [low, high]`` in um/s, or a dash where the table is blank."""
    mean, low, high = (row.get(name) for name in ("v_mean_um_s", "v_ci_low_um_s", "v_ci_high_um_s"))
    if mean is None or pd.isna(mean):
        return "–"
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return f"{mean:.0f}"
    return f"{mean:.0f} [{low:.0f}, {high:.0f}]"
