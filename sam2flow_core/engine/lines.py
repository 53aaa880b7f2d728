"""One line, of a line scan or drawn on a recording: read, measured, and written as a run is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import LineScanLimits
from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.lock import FolderState, claim_folder
from sam2flow_core.engine.provenance import software
from sam2flow_core.errors import PromptError, StackError
from sam2flow_core.files import output_errors, write_json
from sam2flow_core.messages import Message
from sam2flow_core.reports import write_report
from sam2flow_core.results import PER_FRAME, PROVENANCE, REPORT, SUMMARY
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack import Stabiliser, Stack, open_stack
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.folder import PICTURE_SUFFIXES, read_picture
from sam2flow_core.stack.sources import SingleFrameError
from sam2flow_core.stack.tiff import TiffSource
from sam2flow_core.velocity import (
    VesselMeasurement,
    measure_drawn_line,
    measure_linescan,
    per_frame_table,
    summary_table,
)

_LIMITS = LineScanLimits()


@dataclass(frozen=True)
class LineScan:
    """A line scan in memory.

    Attributes
    ----------
    name : str
    image : ndarray of float32, shape (T, X)
        Brightness; rows are time.
    calibration : Calibration
        The pixel size of the file, where it says one to be believed. No file says how long a line took: what it calls
        a frame rate is that of whole pictures.
    problems : tuple of str
    """

    name: str
    image: NDArray[np.float32]
    calibration: Calibration
    problems: tuple[str, ...]


def open_linescan(path: str | Path, columns: tuple[int, int] | None = None) -> LineScan:
    """Read a line scan from a TIFF, PNG or JPEG file.

    A file of several pictures is taken as one scan that was cut into pieces: the rows of the second follow those of
    the first.

    Parameters
    ----------
    path : str or Path
    columns : tuple of int, optional
        The part of the line that lies on the vessel: first column, and the one to stop before.

    Raises
    ------
    StackError
        If it cannot be read, is too small to show a streak, or does not have those columns.
    """
    path = Path(path).expanduser()
    if path.is_dir() or path.suffix.lower() not in PICTURE_SUFFIXES:
        raise StackError("{path}: a line scan is one TIFF, PNG or JPEG file whose rows are time", path=path)
    if not path.exists():
        raise StackError("{path}: no such file", path=path)
    image, calibration, problems = _read(path)
    if image.ndim != 2:
        raise StackError(
            "{name}: a line scan has rows and columns, this picture has the shape {shape}",
            name=path.name,
            shape=image.shape,
        )
    if columns is not None:
        first, stop = columns
        if not 0 <= first < stop <= image.shape[1]:
            raise StackError(
                "{name}: columns {first}:{stop} are not in the scan, which has 0:{width}",
                name=path.name,
                first=first,
                stop=stop,
                width=image.shape[1],
            )
        image = image[:, first:stop]
    rows, width = image.shape
    if rows < _LIMITS.least_rows or width < _LIMITS.least_columns:
        least = f"{_LIMITS.least_rows} rows and {_LIMITS.least_columns} columns"
        raise StackError(
            "{name}: {rows} rows of {width} columns are too few to follow cells; at least {least}",
            name=path.name,
            rows=rows,
            width=width,
            least=least,
        )
    if not np.isfinite(image).all():
        raise StackError("{name}: holds values that are no numbers; export the scan again", name=path.name)
    return LineScan(path.stem, image, Calibration(calibration.pixel_size_um), problems)


def _read(path: Path) -> tuple[NDArray[np.float32], Calibration, tuple[str, ...]]:
    if path.suffix.lower() in (".tif", ".tiff"):
        try:
            source = TiffSource(path)
        except SingleFrameError:
            pass
        else:
            rows = [_brightness(source.read(t), path) for t in range(source.shape[0])]
            note = Message(
                "{count} pictures in the file: taken as one scan, the rows of each after those of the one before",
                count=len(rows),
            )
            source.close()
            return np.concatenate(rows), source.calibration, (*source.problems, note)
    frame, calibration, problems = read_picture(path)
    return _brightness(frame, path), calibration, problems


def _brightness(frame: NDArray[Any], path: Path) -> NDArray[np.float32]:
    if frame.dtype.kind not in "buif":
        raise StackError(
            f"{path.name}: pixels of type {frame.dtype} are no brightness; export the scan in 8 or 16 bits"
        )
    return np.asarray(frame, np.float32)


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
        recording = {
            "rows": scan.image.shape[0],
            "columns": list(columns or (0, scan.image.shape[1])),
            "problems": list(scan.problems),
        }
        lock.check()
        _write(out, path, measured, scan.image[:_SHOWN_ROWS], calibration, settings, recording)
    return measured, scan.problems


def run_drawn_line(
    path: Path,
    out: Path,
    vertices: Sequence[tuple[float, float]],
    pixel_size_um: float | None = None,
    frame_rate_hz: float | None = None,
    stabilise: bool = True,
) -> tuple[VesselMeasurement, tuple[str, ...]]:
    """Measure along a line that was drawn on a recording and write tables, report and provenance.

    Parameters
    ----------
    path : Path
        A recording.
    out : Path
        Folder for the results.
    vertices : sequence of (y, x)
        Corners of the line in px of the first frame.
    pixel_size_um, frame_rate_hz : float, optional
        Instead of what the recording says.
    stabilise : bool
        Whether the line follows the tissue.

    Returns
    -------
    measurement : VesselMeasurement
    notices : tuple of str

    Raises
    ------
    StackError, CalibrationError, PromptError
        If the recording cannot be read, a value cannot be meant, or the line lies outside or is too short.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    settings = VelocitySettings()
    with open_stack(path) as stack, claim_folder(out, resume=False) as (state, lock):
        assert state is FolderState.EMPTY
        frames, height, width = stack.shape
        for y, x in vertices:
            if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
                raise PromptError(
                    "the line's point {y:g},{x:g} (y,x) lies outside the frame of {height} x {width} px",
                    y=y,
                    x=x,
                    height=height,
                    width=width,
                )
        stack.check_finite(0, frames)
        timing = stack.timing(0, frames)
        calibration = stack.calibration.with_user(pixel_size_um, frame_rate_hz).with_interval(timing.interval_s)
        measured = measure_drawn_line(
            np.array(vertices, float), stack.frame, np.arange(frames), calibration, settings, stack.name,
            _shifts(stack) if stabilise else None, timing,
        )  # fmt: skip
        notices = (*stack.problems_left(calibration), *timing.notices)
        recording = {
            "frames": frames,
            "line": [list(vertex) for vertex in vertices],
            "stabilised": stabilise,
            "problems": list(notices),
        }
        lock.check()
        _write(out, path, measured, stack.seen(0), calibration, settings, recording)
    return measured, notices


def _shifts(stack: Stack) -> NDArray[np.float64]:
    """Displacement (dy, dx) of the tissue in each frame, px, shape (T, 2)."""
    stabiliser = Stabiliser()
    stabiliser.prime(stack.frame(t) for t in range(len(stack)))
    shifts = [stabiliser.register(stack.frame(t)) for t in range(len(stack))]
    return np.array([(shift.dy, shift.dx) for shift in shifts])


def _write(
    out: Path,
    path: Path,
    measured: VesselMeasurement,
    picture: NDArray[Any],
    calibration: Calibration,
    settings: VelocitySettings,
    recording: dict[str, Any],
) -> None:
    provenance = {
        "format": FORMAT,
        "purpose": "for research use only; not a medical device",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recording": {"path": str(path.absolute()), "name": path.name, "sha256": _digest(path), **recording},
        "video_id": measured.video_id,
        "calibration": asdict(calibration),
        "settings": {"velocity": asdict(settings)},
        "software": software(),
    }
    with output_errors(out):
        write_csv(out / SUMMARY, summary_table([measured]), "%.7g")
        write_csv(out / PER_FRAME, per_frame_table([measured]), "%.7g")
        write_report(out / REPORT, [measured], picture, provenance)
        write_json(out / PROVENANCE, provenance)


def _digest(path: Path) -> str | None:
    if path.is_dir():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
