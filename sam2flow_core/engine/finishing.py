"""Finish a run: measure the vessels, write tables, report and provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from sam2flow_core.config.flags import PARTIAL
from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.events import Stage
from sam2flow_core.engine.identity import RECORDING
from sam2flow_core.engine.measuring import diagram_of, measure_run
from sam2flow_core.engine.overview import overview_image
from sam2flow_core.engine.partial import Conclusion
from sam2flow_core.engine.provenance import describe_run
from sam2flow_core.files import write_text
from sam2flow_core.reports import write_report
from sam2flow_core.results import (
    PER_FRAME,
    PROVENANCE,
    REPORT,
    STORE_NAME,
    SUMMARY,
    Results,
    open_results,
    remove_marker,
    write_line,
)
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack.sources import Frame
from sam2flow_core.velocity import VesselMeasurement, per_frame_table, summary_table

_FEWEST_FRAMES = 8
"""Frames from which on there is something to tell."""


def finish_run(run: Conclusion) -> Iterator[Stage]:
    """Turn the finished frames of a run into its tables, report and provenance.

    The marker of an unfinished run goes last: stopped anywhere before, the run
    finishes again when it is resumed.
    """
    out = run.request.out
    results = open_results(out)
    yield Stage(f"measuring {len(results.vessel_ids)} vessels")
    measurements = _measure(run, results)
    yield Stage("writing tables and report")
    run.source.stack.check_unchanged(run.identity[RECORDING])
    _write(run, results, measurements, {})
    remove_marker(out)


def write_partial(run: Conclusion) -> int:
    """Write tables, report and provenance of the frames so far, marked as partial; return how many they are.

    The marker stays: the folder goes on holding an unfinished run.
    """
    results = open_results(run.request.out)
    done = results.frames_done
    if done < _FEWEST_FRAMES:
        return 0
    measurements = [_partial(m) for m in _measure(run, results)]
    if measurements:
        _write(run, results, measurements, {"partial": {"frames_done": done, "frames_total": run.source.frames_total}})
    return done


def _measure(run: Conclusion, results: Results) -> list[VesselMeasurement]:
    def frame(t: int) -> Frame:
        run.lock.check()
        return run.source.stack.frame(t)

    run.lock.check()
    source = run.source
    return measure_run(results, frame, source.timed_calibration, source.timing, source.plan.frames, _settings(run))


def _settings(run: Conclusion) -> VelocitySettings:
    return VelocitySettings().at_scale(run.source.resolution.factor)


def _partial(m: VesselMeasurement) -> VesselMeasurement:
    return replace(m, flags=(*m.flags, PARTIAL), segments=tuple(_partial(segment) for segment in m.segments))


def _write(
    run: Conclusion, results: Results, measurements: Sequence[VesselMeasurement], more: Mapping[str, Any]
) -> None:
    out, frames = run.request.out, results.frames
    run.lock.check()
    _write_table(out / SUMMARY, summary_table(measurements))
    _write_table(out / PER_FRAME, per_frame_table(measurements))
    for _, parts in groupby(measurements, key=lambda m: m.vessel_id):
        measured = list(parts)
        line, reasons = measured[0].centreline, dict.fromkeys(r for m in measured for r in m.reasons)
        write_line(out / STORE_NAME, measured[0].vessel_id, line, diagram_of(measured, frames), tuple(reasons))
    provenance = describe_run(run.request, run.source, results, run.identity, run.description, _settings(run))
    provenance |= more
    overview = overview_image(run.source.stack, frames, results.shifts)
    write_report(out / REPORT, measurements, overview, provenance)
    run.lock.check()
    write_text(out / PROVENANCE, json.dumps(provenance, indent=1))


def _write_table(path: Path, table: pd.DataFrame) -> None:
    # More digits than any measurement has, fewer than a page can bear.
    write_csv(path, table, "%.7g")
