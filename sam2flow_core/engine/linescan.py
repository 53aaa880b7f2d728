"""One line scan: read, measured, and written as a run is."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.folder import FolderState, claim_folder
from sam2flow_core.engine.provenance import software
from sam2flow_core.files import output_errors, write_text
from sam2flow_core.reports import write_report
from sam2flow_core.results import PER_FRAME, PROVENANCE, REPORT, SUMMARY
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack.linescan import open_linescan
from sam2flow_core.velocity import VesselMeasurement, per_frame_table, summary_table
from sam2flow_core.velocity.linescan import measure_linescan

FORMAT = "sam2flow linescan"
_SHOWN_ROWS = 600


def run_linescan(
    path: Path,
    out: Path,
    pixel_size_um: float | None = None,
    line_rate_hz: float | None = None,
    columns: tuple[int, int] | None = None,
) -> tuple[VesselMeasurement, tuple[str, ...]]:
    """Measure a line scan and write tables, report and provenance.

    Parameters
    ----------
    path : Path
        TIFF, PNG or JPEG; rows are time.
    out : Path
        Folder for the results.
    pixel_size_um, line_rate_hz : float, optional
        Without either there are velocities in px per line alone.
    columns : tuple of int, optional
        The part of the line that lies on the vessel.

    Returns
    -------
    measurement : VesselMeasurement
    notices : tuple of str

    Raises
    ------
    StackError, CalibrationError
        If the scan cannot be read, or a value cannot be meant.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    scan = open_linescan(path, columns)
    calibration = scan.calibration.with_user(pixel_size_um, line_rate_hz)
    settings = VelocitySettings()
    with claim_folder(out, resume=False) as (state, lock):
        assert state is FolderState.EMPTY
        measured = measure_linescan(scan.image, calibration, settings, video_id=scan.name)
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        provenance = {
            "format": FORMAT,
            "purpose": "for research use only; not a medical device",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "recording": {
                "path": str(path.absolute()),
                "name": path.name,
                "sha256": digest,
                "rows": scan.image.shape[0],
                "columns": list(columns or (0, scan.image.shape[1])),
                "problems": list(scan.problems),
            },
            "video_id": scan.name,
            "calibration": asdict(calibration),
            "settings": {"velocity": asdict(settings)},
            "software": software(),
        }
        lock.check()
        with output_errors(out):
            write_csv(out / SUMMARY, summary_table([measured]), "%.7g")
            write_csv(out / PER_FRAME, per_frame_table([measured]), "%.7g")
            write_report(out / REPORT, [measured], scan.image[:_SHOWN_ROWS], provenance)
            write_text(out / PROVENANCE, json.dumps(provenance, indent=1))
    return measured, scan.problems
