"""Measure the vessels of a run and write tables, report and provenance: so far, at its end, and anew for one there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.config.flags import PARTIAL
from sam2flow_core.config.run import PartialSettings
from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.events import RunRequest, Stage
from sam2flow_core.engine.lock import FolderLock, lock_folder
from sam2flow_core.engine.provenance import (
    RECORDING,
    check_expected,
    describe_run,
    identify,
    read_provenance,
    request_in,
    stored_identity,
)
from sam2flow_core.engine.source import Source, open_source
from sam2flow_core.errors import OutputError, Sam2FlowError, StackError
from sam2flow_core.files import write_json
from sam2flow_core.messages import Message
from sam2flow_core.reports import write_report
from sam2flow_core.results import (
    PER_FRAME,
    PROVENANCE,
    REPORT,
    STORE_NAME,
    SUMMARY,
    Results,
    open_results,
    read_marker,
    remove_marker,
    write_line,
)
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack import Calibration, Stack, Timing
from sam2flow_core.stack.sources import Frame
from sam2flow_core.velocity import VesselMeasurement, measure_vessels, per_frame_table, summary_table
from sam2flow_core.velocity.centreline import Centreline
from sam2flow_core.velocity.sampling import ImageReader


@dataclass(frozen=True)
class Conclusion:
    """What tables, report and provenance of a run are made from.

    Attributes
    ----------
    request : RunRequest
    source : Source
    lock : FolderLock
    identity : mapping
    description : mapping
        Of the model.
    """

    request: RunRequest
    source: Source
    lock: FolderLock
    identity: Mapping[str, str]
    description: Mapping[str, Any]


class PartialTables:
    """Writes tables of the frames so far, at a cost that is a small share of the run's.

    Parameters
    ----------
    run : Conclusion
    write : callable
        Writes the tables of a run; returns of how many frames.
    settings : PartialSettings, optional
    """

    def __init__(
        self, run: Conclusion, write: Callable[[Conclusion], int], settings: PartialSettings | None = None
    ) -> None:
        self._run, self._write, self._settings = run, write, settings or PartialSettings()
        self._last = time.monotonic()
        self._cost = 0.0
        self._frames = 0
        self._answered = 0

    def due(self, frames_done: int) -> bool:
        """Whether it is time to write; to be asked after each chunk."""
        self._answered = frames_done
        wait = max(self._settings.after_s, self._expected() / self._settings.share)
        return time.monotonic() - self._last >= wait

    def write(self) -> int:
        """Write them; return of how many frames."""
        began = time.monotonic()
        self._frames = self._write(self._run)
        self._last = time.monotonic()
        self._cost = self._last - began
        return self._frames

    def write_at_the_end(self, failed: bool) -> None:
        """Write them for a run that is cut short, unless that would take long or fails.

        Where the run failed, the recording is compared first with what it was: of two recordings mixed there are none.
        """
        if self._expected() <= self._settings.most_at_end_s:
            with contextlib.suppress(Sam2FlowError, OSError):
                if failed:
                    self._run.source.stack.check_unchanged(self._run.identity[RECORDING])
                self.write()

    def _expected(self) -> float:
        """What writing them now would take: it grows with the frames."""
        return self._cost * self._answered / self._frames if self._frames else 0.0


_FEWEST = 2
"""Frames of a range from which on there is something to measure."""


def measure_run(
    results: Results,
    images: ImageReader,
    calibration: Calibration,
    timing: Timing,
    recorded: NDArray[np.int64],
    settings: VelocitySettings,
) -> list[VesselMeasurement]:
    """Return the measurement of each vessel in each range, the ranges of a vessel one after the other.

    The arrow of a vessel is that of its first range.

    Parameters
    ----------
    results : Results
    images : callable
        Frame index -> recorded frame (Y, X).
    calibration : Calibration
    timing : Timing
        Of the frames in `recorded`.
    recorded : ndarray of int
        Frames that the run goes through, ascending; those in `results` are among them.
    settings : VelocitySettings
    """
    found: list[VesselMeasurement] = []
    arrows: dict[int, Centreline] = {}
    for start, stop in results.ranges:
        tracks = [results.track(vessel, (start, stop)) for vessel in results.vessel_ids]
        frames = tracks[0].frames if tracks else np.zeros(0, np.int64)
        if len(frames) < _FEWEST:
            continue
        measured = measure_vessels(
            tracks, images, calibration, settings, results.header.video_id,
            timing.at(np.searchsorted(recorded, frames)), arrows,
        )  # fmt: skip
        arrows = {m.vessel_id: m.line for m in measured} | arrows
        part = f"frames {start} to {stop - 1}" if len(results.ranges) > 1 else ""
        found += [replace(m, part=part) for m in measured]
    order = list(results.vessel_ids)
    return sorted(found, key=lambda m: (order.index(m.vessel_id), int(m.frames[0])))


def diagram_of(measured: Sequence[VesselMeasurement], frames: NDArray[np.int64]) -> NDArray[np.float32]:
    """Space-time diagram (T, N) of one vessel over all frames of a run, along the line of its first range."""
    points = len(measured[0].centreline)
    image = np.full((len(frames), points), np.nan, np.float32)
    for each in measured:
        width = min(points, each.kymograph.shape[1])
        image[np.searchsorted(frames, each.frames), :width] = each.kymograph[:, :width]
    return image


_OVERVIEW_FRAMES = 24


def overview_image(stack: Stack, frames: NDArray[np.int64], shifts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the mean of some frames of the run, laid on the tissue of its first frame.

    Parameters
    ----------
    stack : Stack
    frames : ndarray of int, shape (T,)
        The frames of the run.
    shifts : ndarray, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px of each frame of the run.

    Returns
    -------
    ndarray, shape (Y, X)
    """
    chosen = np.unique(np.linspace(0, len(shifts) - 1, _OVERVIEW_FRAMES).astype(int))
    rows, columns = np.arange(stack.shape[1]), np.arange(stack.shape[2])
    total = np.zeros(stack.shape[1:], np.float32)
    for index in chosen:
        dy, dx = np.rint(shifts[index] - shifts[0]).astype(int)
        moved = np.ix_(np.clip(rows + dy, 0, rows[-1]), np.clip(columns + dx, 0, columns[-1]))
        total += stack.frame(int(frames[index]))[moved]
    return (total / len(chosen)).astype(np.float32)


_FEWEST_FRAMES = 8
"""Frames from which on there is something to tell."""


def finish_run(run: Conclusion) -> Iterator[Stage]:
    """Turn the finished frames of a run into its tables, report and provenance.

    The marker of an unfinished run goes last: stopped anywhere before, the run
    finishes again when it is resumed.
    """
    out = run.request.out
    results = open_results(out)
    yield Stage(Message("measuring {count} vessels", count=len(results.vessel_ids)))
    measurements = _measure(run, results)
    yield Stage(Message("writing tables and report"))
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
    write_json(out / PROVENANCE, provenance)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    # More digits than any measurement has, fewer than a page can bear.
    write_csv(path, table, "%.7g")


def remeasure(folder: Path, stack: Path | None = None) -> tuple[int, int]:
    """Write tables, report and provenance of a run's frames again; return how many these are, and how many asked for.

    Parameters
    ----------
    folder : Path
        Of the run.
    stack : Path, optional
        Its recording, if it has moved.

    Raises
    ------
    OutputError
        If the folder holds no run, or one that had not yet written anything to read.
    StackError
        If the recording is gone, or here is another recording, calibration or choice of frames than the run's.
    """
    results = open_results(folder)
    if not (folder / PROVENANCE).is_file() and read_marker(folder) is None:
        raise OutputError(
            "{folder}: provenance.json is missing, which says how the run there was asked for; run again", folder=folder
        )
    if not (folder / PROVENANCE).is_file():
        raise OutputError(
            "{folder}: the run there was cut short before its first tables; go on with sam2flow run --resume",
            folder=folder,
        )
    results.check_complete()
    request = request_in(folder, stack)
    if not request.stack.exists():
        raise StackError(
            "{recording}: the recording of this run has moved; give its path (--stack)", recording=request.stack
        )
    description = {k: v for k, v in read_provenance(folder / PROVENANCE)["model"].items() if k != "asked"}
    with open_source(request) as source, lock_folder(folder) as lock:
        identity = stored_identity(folder)
        # Flow of one recording measured on the frames of another looks like any other table.
        here = identify(request, source, source.stack.sha256(), description, request.threads or 1)
        check_expected(here, dict(request.expected))
        conclusion = Conclusion(request, source, lock, identity, description)
        if read_marker(folder) is not None:
            return write_partial(conclusion), source.frames_total
        for _ in finish_run(conclusion):
            pass
        return source.frames_total, source.frames_total
