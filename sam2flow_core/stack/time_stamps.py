"""When each frame was taken, where a recording keeps a time stamp for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError, TiffFrame, TiffPage

from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.stack.micro_manager import elapsed_s, ndtiff_elapsed_s
from sam2flow_core.stack.ome import ome_pixels, ome_times
from sam2flow_core.stack.scanimage import timestamp_s

Times = NDArray[np.float64]

_LIMITS = CalibrationLimits()
_FAULTS = (TiffFileError, OSError, ValueError, IndexError, KeyError, TypeError)


def read_times(tif: TiffFile, pages: Sequence[TiffPage | TiffFrame | None], series: int, letter: str) -> Times | None:
    """Seconds at which the frames of an open TIFF file were taken.

    Read are OME's ``DeltaT``, Micro-Manager's ``ElapsedTime-ms`` and ScanImage's ``frameTimestamps_sec``. The last two
    stand in the header of each page, so this takes about 0.2 ms a frame.

    Parameters
    ----------
    tif : TiffFile
    pages : sequence of TiffPage or TiffFrame
        One for each frame; None for a frame whose file is missing.
    series : int
        Which of the images in the file is the recording.
    letter : str
        The axis that is read as time: T, Z or C.

    Returns
    -------
    ndarray of float64, shape (T,), or None
        NaN for a frame without a time stamp; None where there are none, or all are the same.
    """
    if tif.is_ndtiff:
        return _ndtiff_times(tif, pages)
    # a file whose first page has none has none at all: do not read the headers of the others
    if pages and _stamp(pages[0]) is not None:
        return telling([_stamp(page) for page in pages])
    pixels = ome_pixels(tif, series)
    return None if pixels is None else telling(ome_times(pixels, letter, len(pages)))


def page_time(page: TiffPage) -> float | None:
    """Seconds at which the frame on a page was taken, as its own header says."""
    elapsed = elapsed_s(page)
    return timestamp_s(page) if elapsed is None else elapsed


def telling(stamps: Sequence[float | None]) -> Times | None:
    """Time stamps as an array, NaN for None; None where fewer than two different ones are left."""
    times = np.array([np.nan if s is None else s for s in stamps], np.float64)
    return times if len(np.unique(times[np.isfinite(times)])) > 1 else None


def join_times(parts: Sequence[tuple[Times | None, int]]) -> Times | None:
    """Time stamps of the parts of one recording, given with the number of frames of each.

    None where a part has none, or where its clock starts anew.
    """
    times = [t for t, _ in parts if t is not None]
    if len(times) < len(parts):
        return None
    joined = np.concatenate(times)
    known = joined[np.isfinite(joined)]
    return joined if (np.diff(known) > 0).all() else None


def interval_problems(steps: Times, measured: float, declared: float | None) -> tuple[str, ...]:
    """Say where seconds from frame to frame differ from what is declared, jump, or run backwards."""
    problems: tuple[str, ...] = ()
    if declared and measured > 0 and abs(declared / measured - 1) > _LIMITS.agreement:
        problems += (f"frame interval is declared as {declared:.6g} s, the frames' own times say {measured:.6g} s",)
    late = int(np.count_nonzero(steps > 1.5 * measured)) if measured > 0 else 0
    if late:
        first = int(np.argmax(steps > 1.5 * measured))
        problems += (f"frame times jump {late} times, first after frame {first}: frames were dropped there",)
    back = np.flatnonzero(steps < 0)
    if measured > 0 and len(back):
        problems += (f"frame times run backwards {len(back)} times, first after frame {back[0]}: check their order",)
    return problems


def _ndtiff_times(tif: TiffFile, pages: Sequence[TiffPage | TiffFrame | None]) -> Times | None:
    try:
        elapsed = ndtiff_elapsed_s(Path(tif.filehandle.dirname))
    except _FAULTS:
        return None
    places = [None if p is None else (p.parent.filehandle.name, int(p.dataoffsets[0])) for p in pages]
    return telling([None if place is None else elapsed.get(place) for place in places])


def _stamp(page: TiffPage | TiffFrame | None) -> float | None:
    if page is None:
        return None
    handle = page.parent.filehandle
    closed = handle.closed  # a file of an OME set is open only while it is read
    try:
        if closed:
            handle.open()
        return page_time(page.aspage())
    except _FAULTS:
        return None
    finally:
        if closed:
            handle.close()
