"""``report.html``: one recording on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.config.flags import FLAG_MEANINGS
from sam2flow_core.files import write_text
from sam2flow_core.reports.figures import draw_overview, draw_vessel
from sam2flow_core.reports.wording import (
    calibration_lines,
    fill,
    number,
    provenance_lines,
    quantity,
    recording_verdict,
    velocity_unit,
    vessel_title,
    vessel_verdict,
)
from sam2flow_core.velocity import VesselMeasurement, summary_table


def write_report(
    path: str | Path, measurements: Sequence[VesselMeasurement], overview: NDArray[Any], provenance: Mapping[str, Any]
) -> None:
    """Write the report of one recording: self-contained, loads nothing, reads without the program.

    Parameters
    ----------
    path : str or Path
    measurements : sequence of VesselMeasurement
        Of one recording.
    overview : ndarray, shape (Y, X)
        Mean or first frame to draw the vessels on.
    provenance : mapping
        As in ``provenance.json``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    table = summary_table(measurements)
    shown = [row for m in measurements for row in (m, *m.segments)]
    rows = [_vessel(m, table.iloc[k]) for k, m in enumerate(shown)]
    page = fill(
        "report.html",
        title=str(provenance.get("video_id") or (measurements[0].video_id if measurements else "")) or "recording",
        verdict=recording_verdict(measurements),
        overview=draw_overview(measurements, np.asarray(overview, float)),
        vessels=rows,
        calibration=calibration_lines(measurements, provenance),
        recording=provenance.get("recording", {}),
        partial=provenance.get("partial"),
        created=str(provenance.get("created", "")),
        provenance=provenance_lines(provenance),
        flags=FLAG_MEANINGS,
    )
    write_text(path, page)


def _vessel(m: VesselMeasurement, row: pd.Series) -> dict[str, Any]:
    factor, unit = velocity_unit(m)
    s = m.statistics
    known = m.diameter_px[np.isfinite(m.diameter_px)]
    pixel, length_unit = (m.pixel_size_um, "µm") if m.pixel_size_um else (1.0, "px")
    diameter = float(known.mean()) if len(known) else float("nan")
    shear = 8 * s.mean / diameter * (m.frame_rate_hz or float("nan"))
    return {
        "title": vessel_title(m),
        "grade": m.grade,
        "verdict": vessel_verdict(m),
        "figure": draw_vessel(m),
        "flags": m.flags,
        "facts": [
            ("mean velocity", quantity(s.mean * factor, unit)),
            ("95 % interval", f"{number(s.low * factor)} to {number(s.high * factor)} {unit}"),
            ("space-time diagram", quantity(s.kymograph_mean * factor, unit)),
            ("difference of the two", quantity(100 * s.method_difference, "%", 2)),
            ("diameter", quantity(diameter * pixel, length_unit)),
            ("length", quantity(m.line.length * pixel, length_unit)),
            ("lowest to highest", f"{number(s.minimum * factor)} to {number(s.maximum * factor)} {unit}"),
            ("pulsatility, resistivity index", f"{number(s.pulsatility, 2)}, {number(s.resistivity, 2)}"),
            ("pulse", quantity(m.spectrum.pulse_hz, "Hz")),
            ("volumetric flow", quantity(row["flow_pl_s"], "pL/s")),
            ("wall shear rate (8 v / d)", quantity(shear, "1/s")),
            ("cells", quantity(row["flux_cells_s"], "per s")),
            ("standing still", quantity(row["stasis_s"], "s")),
            ("balance at the fork", quantity(row["balance_pct"], "%", 2)),
            ("frames with a velocity", f"{s.valid_share:.0%} of {int(m.per_frame.asked.sum())}"),
        ],
    }
