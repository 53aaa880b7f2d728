"""When the frames of a recording were taken: time stamps, frames that repeat, and frames that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError, TiffFrame, TiffPage

from sam2flow_core.config.stack import CalibrationLimits, TimingSettings
from sam2flow_core.messages import Message
from sam2flow_core.stack.elapsed import Changes, elapsed_steps, measure_changes
from sam2flow_core.stack.metadata import elapsed_s, ndtiff_elapsed_s, ome_pixels, ome_times, timestamp_s

Times = NDArray[np.float64]
_LIMITS = CalibrationLimits()
_FAULTS = (TiffFileError, OSError, ValueError, IndexError, KeyError, TypeError)
_APART = 64
"""Steps between frames of which nobody knows how far apart they are: more than any evidence reaches."""


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
        problems += (
            Message(
                "frame interval is declared as {declared:.6g} s, the frames' own times say {measured:.6g} s",
                declared=declared,
                measured=measured,
            ),
        )
    late = int(np.count_nonzero(steps > 1.5 * measured)) if measured > 0 else 0
    if late:
        first = int(np.argmax(steps > 1.5 * measured))
        problems += (
            Message(
                "frame times jump {late} times, first after frame {first}: frames were dropped there",
                late=late,
                first=first,
            ),
        )
    back = np.flatnonzero(steps < 0)
    if measured > 0 and len(back):
        problems += (
            Message(
                "frame times run backwards {count} times, first after frame {first}: check their order",
                count=len(back),
                first=back[0],
            ),
        )
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


@dataclass(frozen=True)
class Timing:
    """Time of each frame of a range, in steps of the usual time from one picture to the next.

    Attributes
    ----------
    clock : ndarray of int, shape (T,)
        Never falls. A frame that repeats the one before has its time; after a gap whose length is not sure the clock
        goes on further than any evidence reaches.
    missing : ndarray of int, shape (T - 1,)
        Frames that are missing after each frame, as far as can be told.
    interval_s : float or None
        The usual time between two pictures, where time stamps know it.
    passed : ndarray of int, shape (T - 1,), or None
        Where one range of frames ends and another begins, the recorded frames between that are passed over on
        purpose, and -1 elsewhere; None where there is but one range.
    """

    clock: NDArray[np.int64]
    missing: NDArray[np.int64]
    interval_s: float | None = None
    passed: NDArray[np.int64] | None = None

    @staticmethod
    def even(frames: int) -> Timing:
        """Every frame follows the one before by one step.

        Examples
        --------
        >>> Timing.even(4).position
        array([0, 1, 2, 3])
        """
        return Timing(np.arange(frames), np.zeros(max(frames - 1, 0), np.int64))

    @property
    def repeats(self) -> NDArray[np.bool_]:
        """Frames that show the picture of the one before, shape (T,)."""
        result: NDArray[np.bool_] = np.r_[False, np.diff(self.clock) == 0]
        return result

    @property
    def steady(self) -> NDArray[np.bool_]:
        """Pairs of neighbouring frames that are one step apart, shape (T - 1,): only these tell a velocity."""
        return np.asarray(np.diff(self.clock) == 1)

    @property
    def position(self) -> NDArray[np.int64]:
        """Time of each frame in steps, shape (T,), with gaps as long as they are thought to be."""
        passed = 0 if self.passed is None else np.maximum(self.passed, 0)
        result: NDArray[np.int64] = np.r_[0, np.cumsum(np.where(self.repeats[1:], 0, 1 + self.missing + passed))]
        return result

    @property
    def joints(self) -> NDArray[np.bool_]:
        """Steps from the end of one range of frames to the beginning of the next, shape (T - 1,)."""
        return np.zeros(len(self.missing), bool) if self.passed is None else np.asarray(self.passed >= 0)

    @property
    def passed_over(self) -> int:
        """How many recorded frames are passed over on purpose."""
        return 0 if self.passed is None else int(np.maximum(self.passed, 0).sum())

    @property
    def lost_share(self) -> float:
        """Share of the frames that are repeated or missing, of those there should be."""
        missing = int(self.missing.sum())
        return (int(self.repeats.sum()) + missing) / (len(self.clock) + missing)

    def at(self, places: NDArray[np.int64]) -> Timing:
        """Times of some of the frames alone, by their places, ascending; what lies between is passed over."""
        if len(places) == len(self.clock):
            return self
        follows = np.diff(places) == 1
        before = places[:-1]
        own = np.full(len(before), -1) if self.passed is None else self.passed[before]
        missing = np.where(follows, self.missing[before], 0)
        between = np.diff(self.position[places]) - 1
        passed = np.where(follows, own, np.maximum(between, 0))
        none = self.passed is None and bool(follows.all())
        return Timing(self.clock[places], missing, self.interval_s, None if none else passed)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user must know, in words; empty where every frame is in its place."""
        repeated, gaps, said = int(self.repeats.sum()), int((self.missing > 0).sum()), []
        if repeated:
            said.append(
                Message(
                    "{repeated} of {count} frames repeat the one before: such pairs are left out, and velocities hold "
                    "if the frame rate is that of the pictures that differ",
                    repeated=repeated,
                    count=len(self.clock),
                )
            )
        if gaps:
            missing = int(self.missing.sum())
            said.append(
                Message(
                    "frames are missing in 1 place, about {missing} in all: pairs across a gap are left out",
                    missing=missing,
                )
                if gaps == 1
                else Message(
                    "frames are missing in {gaps} places, about {missing} in all: pairs across a gap are left out",
                    gaps=gaps,
                    missing=missing,
                )
            )
        return tuple(said)


def join_timings(timings: Sequence[Timing], gaps: Sequence[int]) -> Timing:
    """Put the times of some ranges one after the other, with so many frames that are passed over between them.

    No evidence reaches from one range to the next, however close they are.
    """
    if len(timings) == 1:
        return timings[0]
    clock, missing, passed = timings[0].clock, [timings[0].missing], [np.full(len(timings[0].missing), -1)]
    for timing, gap in zip(timings[1:], gaps, strict=True):
        clock = np.r_[clock, clock[-1] + max(gap + 1, _APART) + timing.clock]
        missing += [np.zeros(1, np.int64), timing.missing]
        passed += [np.array([gap]), np.full(len(timing.missing), -1)]
    interval = next((t.interval_s for t in timings if t.interval_s is not None), None)
    return Timing(clock, np.concatenate(missing), interval, np.concatenate(passed))


def find_timing(
    read: Callable[[int], NDArray[Any]],
    start: int,
    stop: int,
    times_s: NDArray[np.float64] | None = None,
    settings: TimingSettings | None = None,
) -> Timing:
    """Find repeated and missing frames, from the pictures and from time stamps.

    Reads every frame of the range once. Frames that are lost evenly, every second one say, leave no trace in the
    pictures; without time stamps they pass.

    Parameters
    ----------
    read : callable
        Frame index -> picture (Y, X).
    start, stop : int
        Range of frames.
    times_s : ndarray, shape (stop - start,), optional
        When each frame was taken, s.
    settings : TimingSettings, optional
    """
    settings = settings or TimingSettings()
    if stop - start < settings.least_frames:
        return Timing.even(stop - start)
    parts = [
        _within(measure_changes(read, first, last, settings), settings)
        for first, last in _blocks(start, stop, settings.block_frames)
    ]
    steps = np.concatenate([s for s, _ in parts])
    missing = np.concatenate([m for _, m in parts])
    interval = None
    if times_s is not None and _tell(times_s):
        steps, missing, interval = _by_stamps(np.asarray(times_s, float), steps, missing, settings)
    return Timing(np.r_[0, np.cumsum(steps)], missing, interval)


def _blocks(start: int, stop: int, length: int) -> list[tuple[int, int]]:
    """Ranges of about ``length`` frames; each begins with the last frame of the one before."""
    edges = np.linspace(start, stop - 1, max(-(-(stop - start) // length), 1) + 1).round().astype(int)
    return [(int(a), int(b) + 1) for a, b in pairwise(edges)]


def _within(changes: Changes, settings: TimingSettings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps from each frame to the next and the frames missing between, by what changes in the pictures."""
    repeated = changes.repeated(settings)
    steps = np.where(repeated, 0, 1)
    missing = np.zeros(len(steps), np.int64)
    taken = np.flatnonzero(~repeated)
    told = changes.tells(taken, settings)
    found = elapsed_steps(changes, np.r_[0, taken + 1], settings) if told else None
    if found is not None:
        missing[taken] = found.steps - 1
        steps[taken] = np.where((found.steps > 1) & ~found.sure, _APART, found.steps)
    return steps, missing


def _tell(times_s: NDArray[np.float64]) -> bool:
    """Whether time stamps say more than the frame rate does: numbers that are written down evenly say nothing."""
    apart = np.diff(np.asarray(times_s, float))
    if not len(apart) or not np.isfinite(apart).all() or (apart < 0).any() or not (apart > 0).any():
        return False
    return bool(np.ptp(apart) > 1e-3 * np.median(apart[apart > 0]))


def _by_stamps(
    times_s: NDArray[np.float64], steps: NDArray[np.int64], missing: NDArray[np.int64], settings: TimingSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64], float | None]:
    """Steps and missing frames by time stamps, and the interval; where these are wild, the pictures are believed.

    Repeats stay those that the pictures show.
    """
    taken = np.flatnonzero(steps > 0)
    apart = np.diff(times_s[np.r_[0, taken + 1]])
    if not (apart > 0).any():
        return steps, missing, None
    interval = float(np.median(apart[apart > 0]))
    ratio = apart / interval
    whole = np.maximum(np.rint(ratio).astype(np.int64), 1)
    wild = np.abs(ratio - whole) > settings.stamp_tolerance
    if wild.mean() > settings.most_wild:
        return steps, missing, None
    steps[taken] = np.where(wild, steps[taken], np.minimum(whole, _APART))
    missing[taken] = np.where(wild, missing[taken], whole - 1)
    return steps, missing, interval
