"""The summary in words: what a clinician reads in the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sam2flow_core.config.flags import FLAG_MEANINGS, FLAG_NAMES


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


def velocity_in_words(row: Mapping[str, Any]) -> str:
    """Return ``mean [low, high]`` in um/s, or a dash where the table is blank."""
    mean, low, high = (row.get(name) for name in ("v_mean_um_s", "v_ci_low_um_s", "v_ci_high_um_s"))
    if mean is None or pd.isna(mean):
        return "–"
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return f"{mean:.0f}"
    return f"{mean:.0f} [{low:.0f}, {high:.0f}]"
