"""A recording: frames on demand, calibration, and what was found wrong with it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.fingerprints import Witness, content_sha256, fingerprint, has_fingerprint
from sam2flow_core.stack.inspection import Inspection, Picture, inspect_frames, require_finite
from sam2flow_core.stack.plan import FramePlan, gaps_of
from sam2flow_core.stack.sources import Frame, FrameSource
from sam2flow_core.stack.timing import Times, Timing, find_timing, join_timings
from sam2flow_core.stack.video import VIDEO_SUFFIXES


class Frames(Protocol):
    """What gives frames: a stack."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, Y, X)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the frames."""

    def frame(self, t: int) -> NDArray[Any]:
        """Read a frame (Y, X)."""


class LazyFrames:
    """(T, Y, X) with NumPy's basic indexing; each index reads the frames it names and no others.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    ndim : int
    chunks : tuple of int
        ``(1, Y, X)``: what one read costs.
    """

    ndim = 3

    def __init__(self, stack: Frames) -> None:
        self._stack = stack
        self.shape = stack.shape
        self.dtype = stack.dtype
        self.chunks = (1, *stack.shape[1:])

    @property
    def size(self) -> int:
        """Number of pixels over all frames."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes that all frames would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        time, *inside = _expand(key)
        rest = tuple(inside)
        # NumPy checks and normalises the index for us
        frames = np.arange(self.shape[0])[time]
        if frames.ndim == 0:
            return np.asarray(self._stack.frame(int(frames))[rest])
        if frames.size == 0:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *rest)]
        return np.stack([self._stack.frame(int(t))[rest] for t in frames])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("frames lie on disk: reading them is a copy")
        return self[:].astype(dtype or self.dtype, copy=False)


def _expand(key: Any) -> tuple[Any, Any, Any]:
    """Spell out an index with `...` or fewer than three parts."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(p is None for p in parts):
        raise IndexError("a lazy stack takes no new axes; index it first")
    if any(p is Ellipsis for p in parts):
        at = next(i for i, p in enumerate(parts) if p is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (4 - len(parts))
    parts += [slice(None)] * (3 - len(parts))
    if len(parts) != 3:
        raise IndexError(f"too many indices for a (T, Y, X) stack: {len(parts)}")
    return parts[0], parts[1], parts[2]


class Stack:
    """A recording of shape (T, Y, X), read a frame at a time and from any thread.

    Made by `open_stack`. Use it as a context manager, or call `close`.

    Attributes
    ----------
    name : str
        File or folder name without its ending.
    shape : tuple of int
        ``(T, Y, X)``.
    dtype : numpy.dtype
        Of the frames, in native byte order.
    bit_depth : int
        Bits that carry signal: 12 for 12-bit data in 16-bit files.
    paths : tuple of Path
        The files, in the order of time; empty for an array.
    calibration : Calibration
        Pixel size and frame rate as the files declare them.
    picture : Picture
        The part of the frames that shows something: without margins, and without what was written over it.
    problems : tuple of str
        One line for each thing a user should know before trusting results.
    """

    def __init__(self, source: FrameSource, name: str, notes: tuple[str, ...] = ()) -> None:
        self._source = source
        self._witness = Witness(source.paths)
        self.name = name
        self.shape = source.shape
        self.dtype = source.dtype
        self.paths = source.paths
        self.calibration: Calibration = source.calibration
        self._inspection: Inspection = inspect_frames(source, name)
        self.bit_depth = self._inspection.bit_depth
        self.picture: Picture = self._inspection.picture
        self.problems = source.problems + self._inspection.problems + notes
        self._timings: dict[tuple[int, int], Timing] = {}
        self._content: str | None = None

    def problems_left(self, calibration: Calibration) -> tuple[str, ...]:
        """Problems of the recording, but for those that a calibration given by the user has mended."""
        mended = set(self.calibration.problems) - set(calibration.problems)
        return tuple(problem for problem in self.problems if problem not in mended)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Stack({self.name!r}, shape={self.shape}, dtype={self.dtype})"

    def frame(self, t: int) -> Frame:
        """Return frame ``t``.

        Returns
        -------
        ndarray, shape (Y, X)
            In the recording's own dtype; the caller may change it.

        Raises
        ------
        StackError
            If the frame cannot be read, or holds NaN or infinite pixels, or its file has changed since it was opened.
        IndexError
            If ``t`` is outside 0 to T - 1.
        """
        if not 0 <= t < self.shape[0]:
            raise IndexError(f"frame {t} is outside 0 to {self.shape[0] - 1}")
        try:
            frame = self._source.read(t)
        finally:
            # Also where it cannot be read: a file that somebody replaces looks like a damaged one.
            self._witness.check_frame(t, self.shape[0])
        require_finite(frame, t, self.name)
        return frame

    def colours(self, t: int) -> Frame | None:
        """Return frame ``t`` as it was recorded, RGB (Y, X, 3), for networks that know colours; None in grey ones.

        Raises the errors of `frame`.
        """
        if not 0 <= t < self.shape[0]:
            raise IndexError(f"frame {t} is outside 0 to {self.shape[0] - 1}")
        try:
            return self._source.colours(t)
        finally:
            self._witness.check_frame(t, self.shape[0])

    def seen(self, t: int) -> NDArray[np.float32]:
        """Return what frame ``t`` shows of the tissue, the box of `picture`, as float32 (h, w)."""
        return self.picture.cut(self.frame(t))

    @cached_property
    def times_s(self) -> Times | None:
        """Seconds at which the frames were taken, shape (T,), as the file's own time stamps say.

        Read are OME's ``DeltaT``, Micro-Manager's ``ElapsedTime-ms`` and ScanImage's ``frameTimestamps_sec``, as they
        stand: NaN for a frame without one, and nothing is put in order. None where the frames have no time stamps, or
        all the same. Read when first asked for: about 0.2 ms a frame.
        """
        return self._source.times()

    def timing(self, start: int, stop: int) -> Timing:
        """Which frames of a range repeat the one before, and where some are missing.

        Reads each frame of the range once, the first time it is asked.
        """
        if (start, stop) not in self._timings:
            times = None if self.times_s is None else self.times_s[start:stop]
            found = find_timing(self.seen, start, stop, times)
            if not self.paths:  # an array may change under our hands
                return found
            self._timings[start, stop] = found
        return self._timings[start, stop]

    def timing_of(self, plan: FramePlan) -> Timing:
        """`timing` of the ranges of a plan, one after the other."""
        return join_timings([self.timing(a, b) for a, b in plan.ranges], gaps_of(plan.ranges))

    def check_finite(self, start: int, stop: int) -> None:
        """Raise `StackError` if a frame in the range holds NaN or infinite pixels, before a long run meets it.

        Costs nothing for whole-number pixels; reads the range once for floating-point ones.
        """
        if self.dtype.kind == "f":
            for t in range(start, stop):
                self.frame(t)

    def as_array(self) -> LazyFrames:
        """Return an array-like (T, Y, X) that reads a frame when it is indexed, for a napari image layer."""
        return LazyFrames(self)

    def contrast_limits(self) -> tuple[float, float]:
        """Display limits from a few frames spread over the recording."""
        return self._inspection.contrast_limits

    def fingerprint(self) -> str:
        """Identity that is quick to take: shape, dtype, sizes and some blocks of every file, as hexadecimal digits."""
        return fingerprint(self._source)

    def has_fingerprint(self, earlier: str) -> bool:
        """Whether this is the recording whose `fingerprint` was taken earlier, perhaps by an earlier version."""
        return has_fingerprint(self._source, earlier)

    @property
    def files(self) -> tuple[tuple[str, int, int], ...]:
        """Name, size in bytes and time of writing (ns since 1970) of each file when it was opened."""
        return self._witness.files

    def check_unchanged(self, content: str) -> None:
        """Raise `StackError` if a file is not as it was when it was opened; `content` is its `sha256` of then."""
        self._witness.check_all(content, lambda: content_sha256(self._source))

    def sha256(self) -> str:
        """SHA-256 of the file; of several files, of their bytes end to end; of an array, of its frames.

        Reads everything, of files the first time it is asked: about a second for each 0.5 to 1.5 GB.
        """
        if self._content is None:
            content = content_sha256(self._source)
            if not self.paths:  # an array may change under our hands
                return content
            self._content = content
        return self._content

    def learn_from(self, other: Stack) -> None:
        """Take over what another opening of the same files has found out: their SHA-256, repeats and gaps.

        Nothing, where a file was touched in between or its frames are read along other axes.
        """
        same = bool(self.paths) and self._witness.same_as(other._witness) and self.shape == other.shape
        if same and np.array_equal(self.frame(0), other.frame(0)):
            self._content = self._content or other._content
            self._timings = {**other._timings, **self._timings}

    def close(self) -> None:
        """Close the files. Frames cannot be read afterwards."""
        self._source.close()

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def stack_name(path: Path) -> str:
    """Name of a recording without its ending; ``.ome.tif`` counts as one."""
    name = path.name
    for ending in (".ome.tif", ".ome.tiff", ".tif", ".tiff", ".btf", ".tf8", ".png", *VIDEO_SUFFIXES):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
