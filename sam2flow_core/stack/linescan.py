"""A line scan: one line along a vessel, scanned again and again; rows are time, columns are places along the line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import LineScanLimits
from sam2flow_core.errors import StackError
from sam2flow_core.stack.axes import SingleFrameError
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.folder import PICTURE_SUFFIXES, read_picture
from sam2flow_core.stack.tiff import TiffSource

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
        raise StackError(f"{path}: a line scan is one TIFF, PNG or JPEG file whose rows are time")
    image, calibration, problems = _read(path)
    if image.ndim != 2:
        raise StackError(f"{path.name}: a line scan has rows and columns, this picture has the shape {image.shape}")
    if columns is not None:
        first, stop = columns
        if not 0 <= first < stop <= image.shape[1]:
            raise StackError(f"{path.name}: columns {first}:{stop} are not in the scan, which has 0:{image.shape[1]}")
        image = image[:, first:stop]
    rows, width = image.shape
    if rows < _LIMITS.least_rows or width < _LIMITS.least_columns:
        least = f"{_LIMITS.least_rows} rows and {_LIMITS.least_columns} columns"
        raise StackError(f"{path.name}: {rows} rows of {width} columns are too few to follow cells; at least {least}")
    if not np.isfinite(image).all():
        raise StackError(f"{path.name}: holds values that are no numbers; export the scan again")
    return LineScan(path.stem, image, Calibration(calibration.pixel_size_um), problems)


def _read(path: Path) -> tuple[NDArray[np.float32], Calibration, tuple[str, ...]]:
    if path.suffix.lower() in (".tif", ".tiff"):
        try:
            source = TiffSource(path)
        except SingleFrameError:
            pass
        else:
            rows = [np.asarray(source.read(t), np.float32) for t in range(source.shape[0])]
            note = (
                f"{len(rows)} pictures in the file: taken as one scan, the rows of each after those of the one before"
            )
            source.close()
            return np.concatenate(rows), source.calibration, (*source.problems, note)
    frame, calibration, problems = read_picture(path)
    return np.asarray(frame, np.float32), calibration, problems
