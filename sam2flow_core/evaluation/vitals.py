"""How well heartbeat and cells are counted, from the rows of `judge_velocities`."""

from __future__ import annotations

import pandas as pd

LONG_S = 9.0
"""Shorter recordings do not resolve a heartbeat to 0.05 Hz."""


def vitals_figures(velocities: pd.DataFrame) -> pd.DataFrame:
    """Return one row for the pulse and one for the cells.

    Parameters
    ----------
    velocities : DataFrame
        From `judge_velocities`, all recordings below each other.

    Returns
    -------
    DataFrame
        ``what, vessels`` (where the truth has it), ``found %`` of them, ``error, median``, ``90th percentile``,
        ``largest`` and ``unit``; vessels in which cells cannot be told apart are not found, which is no error.
    """
    beating = velocities[(velocities.seconds >= LONG_S) & velocities.true_pulse_hz.notna()]
    flowing = velocities[velocities.true_cells_s > 0]
    pulse = (beating.pulse_hz - beating.true_pulse_hz).abs()
    cells = 100 * (flowing.cells_s / flowing.true_cells_s - 1).abs()
    rows = [_row(f"pulse, recordings over {LONG_S:.0f} s", pulse, "Hz"), _row("cells passing", cells, "%")]
    return pd.DataFrame(rows)


def _row(what: str, error: pd.Series, unit: str) -> dict[str, object]:
    found = error.dropna()
    return {
        "what": what,
        "vessels": len(error),
        "found %": 100 * len(found) / max(len(error), 1),
        "error, median": found.median(),
        "90th percentile": found.quantile(0.9),
        "largest": found.max(),
        "unit": unit,
    }
