"""Finish a run: measure the vessels, write tables, report and provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.events import RunRequest, Stage
from sam2flow_core.engine.identity import RECORDING
from sam2flow_core.engine.lock import FolderLock
from sam2flow_core.engine.measuring import diagram_of, measure_run
from sam2flow_core.engine.overview import overview_image
from sam2flow_core.engine.provenance import describe_run
from sam2flow_core.engine.source import Source
from sam2flow_core.files import write_text
from sam2flow_core.reports import write_report
from sam2flow_core.results import (
    PER_FRAME,
    PROVENANCE,
    REPORT,
    STORE_NAME,
    SUMMARY,
    open_results,
    remove_marker,
    write_line,
)
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack.sources import Frame
from sam2flow_core.velocity import per_frame_table, summary_table


def finish_run(
    request: RunRequest, source: Source, lock: FolderLock, identity: Mapping[str, str], description: Mapping[str, Any]
) -> Iterator[Stage]:
    """Turn the finished frames of a run into its tables, report and provenance.

    The marker of an unfinished run goes last: stopped anywhere before, the run
    finishes again when it is resumed.
    """
    results = open_results(request.out)
    settings = VelocitySettings().at_scale(source.resolution.factor)
    yield Stage(f"measuring {len(results.vessel_ids)} vessels")
    lock.check()

    def frame(t: int) -> Frame:
        lock.check()
        return source.stack.frame(t)

    measurements = measure_run(results, frame, source.timed_calibration, source.timing, source.plan.frames, settings)
    yield Stage("writing tables and report")
    source.stack.check_unchanged(identity[RECORDING])
    lock.check()
    _write_table(request.out / SUMMARY, summary_table(measurements))
    _write_table(request.out / PER_FRAME, per_frame_table(measurements))
    frames = results.frames
    for _, parts in groupby(measurements, key=lambda m: m.vessel_id):
        measured = list(parts)
        line, reasons = measured[0].centreline, dict.fromkeys(r for m in measured for r in m.reasons)
        diagram = diagram_of(measured, frames)
        write_line(request.out / STORE_NAME, measured[0].vessel_id, line, diagram, tuple(reasons))
    provenance = describe_run(request, source, results, identity, description, settings)
    overview = overview_image(source.stack, frames, results.shifts)
    write_report(request.out / REPORT, measurements, overview, provenance)
    lock.check()
    write_text(request.out / PROVENANCE, json.dumps(provenance, indent=1))
    remove_marker(request.out)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    # More digits than any measurement has, fewer than a page can bear.
    write_csv(path, table, "%.7g")
