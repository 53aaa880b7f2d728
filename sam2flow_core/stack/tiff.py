"""Frames of a TIFF, BigTIFF, OME-TIFF or ImageJ file, one at a time."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from tifffile import FileHandle, TiffFile

from sam2flow_core.errors import StackError
from sam2flow_core.stack.axes import AxisPlan, check_axes, plan_axes
from sam2flow_core.stack.claims import check_regular
from sam2flow_core.stack.faults import refuse_damage
from sam2flow_core.stack.micro_manager import read_index
from sam2flow_core.stack.palette import brightness_lookup
from sam2flow_core.stack.sources import Frame
from sam2flow_core.stack.tiff_layout import TiffLayout, check_page, find_layout
from sam2flow_core.stack.tiff_metadata import read_calibration, significant_bits
from sam2flow_core.stack.tiff_series import open_tiff
from sam2flow_core.stack.time_stamps import Times, read_times

# tifffile reports every oddity to its logger; without a handler Python would print them to
# stderr beside our one line. What matters of them reaches the user as `problems` or an error.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

WHITE_IS_ZERO = "stored white-is-zero: bright and dark are exchanged against the screen"
_WHITE_IS_ZERO = 0


class TiffSource:
    """One TIFF file (or one OME-TIFF set that names its own files)."""

    def __init__(self, path: Path, axes: str | None = None) -> None:
        self._tif, problems = _open(path)
        self._held: FileHandle | None = None
        try:
            with refuse_damage(path.name, "this TIFF file cannot be read"):
                self._describe(path, axes, problems)
        except BaseException:
            self._tif.close()
            raise

    def _describe(self, path: Path, axes: str | None, opening_problems: tuple[str, ...]) -> None:
        layout = find_layout(self._tif, path.name)
        letters, shape = layout.axes, layout.shape
        if axes:
            letters, shape = _relabel(check_axes(axes, path.name), letters, shape, path.name)
        plan = plan_axes(shape, letters, path.name)
        if plan.time > min(plan.y, plan.x):
            raise StackError(f"{path.name}: time must come before Y and X in a TIFF file, not as in '{letters}'")
        if layout.readable < 2:
            raise StackError(f"{path.name}: truncated TIFF file, fewer than two frames are whole; copy it again")
        self._layout: TiffLayout = layout
        self._letter = letters[plan.time]
        self._plan: AxisPlan = plan
        self._name = path.name
        self._lock = Lock()
        self.shape = (layout.readable, shape[plan.y], shape[plan.x])
        self.dtype = np.dtype(layout.page.dtype).newbyteorder("=")
        self.micro_manager = read_index(self._tif)
        self._lookup, lookup_problems = brightness_lookup(layout.page, path.name)
        if self._lookup is not None:
            self.dtype = self._lookup.dtype
        self.paths = _files(layout, path)
        self.calibration, problems = read_calibration(self._tif, layout.index, self._letter, layout.readable)
        self.declared_bits = significant_bits(self._tif, layout.index)
        if layout.page.photometric == _WHITE_IS_ZERO:
            problems += (WHITE_IS_ZERO,)
        self.problems = opening_problems + plan.problems + layout.problems + lookup_problems + problems

    def read(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X)."""
        with refuse_damage(self._name, f"frame {t} cannot be read"), self._lock:
            frame = self._read_block(t) if self._layout.pages is None else self._read_page(t)
        if self._lookup is not None:
            frame = self._lookup[frame]
        return frame if self._plan.y < self._plan.x else np.ascontiguousarray(frame.T)

    def colours(self, t: int) -> None:
        """Nothing: frames in colour are refused (`coloured.ColourSource` takes them)."""

    def times(self) -> Times | None:
        """Seconds at which the frames were taken, where the file says so; read from the page headers when asked."""
        frames = self.shape[0]
        with self._lock:
            own = self._tif.pages
            pages = self._layout.pages or [own[t] for t in range(min(frames, len(own)))]
            found = pages[:frames] + [None] * (frames - len(pages))
            return read_times(self._tif, found, self._layout.index, self._letter)

    def close(self) -> None:
        """Close the file."""
        self._tif.close()
        if self._held is not None:
            self._held.close()

    def _read_block(self, t: int) -> Frame:
        page = self._layout.page
        stored = np.dtype(self._tif.byteorder + np.dtype(page.dtype).char)
        start = (self._layout.offset or 0) + t * page.nbytes
        data: Frame = self._tif.filehandle.read_array(stored, count=page.size, offset=start)
        return data.reshape(page.shape).squeeze().astype(self.dtype, copy=False)

    def _read_page(self, t: int) -> Frame:
        page: Any = (self._layout.pages or [])[t]
        if page is None:
            raise StackError(f"{self._name}: frame {t} is in a file that is missing")
        self._hold(page.parent.filehandle)
        check_page(page, t, self._layout.page, self._name)
        frame = page.asarray()
        return np.asarray(frame.squeeze(), dtype=np.dtype(page.dtype).newbyteorder("="))

    def _hold(self, handle: FileHandle) -> None:
        """Open one of the other files of a set, and close the one that was open before."""
        if handle is self._tif.filehandle or handle is self._held:
            return
        if self._held is not None:
            self._held.close()
        handle.open()
        self._held = handle


def _open(path: Path) -> tuple[TiffFile, tuple[str, ...]]:
    check_regular(path)
    try:
        return open_tiff(path)
    except FileNotFoundError:
        raise StackError(f"{path}: no such file") from None
    except PermissionError:
        raise StackError(f"{path}: no permission to read this file") from None
    except StackError:
        raise
    except Exception:  # whatever the reader raises on a file that lies
        if path.stat().st_size == 0:
            raise StackError(f"{path.name}: the file is empty") from None
        raise StackError(f"{path.name}: not a TIFF file; export the recording as TIFF (Fiji: File > Save As)") from None


def _relabel(axes: str, declared: str, shape: tuple[int, ...], name: str) -> tuple[str, tuple[int, ...]]:
    """Give the file's axes the user's names. Axes of length 1 may be named or left out."""
    long = [i for i, n in enumerate(shape) if n > 1]
    if any(declared[i] == "S" for i in long):
        return declared, shape
    named_short = {a for a, n in zip(declared, shape, strict=True) if n == 1}
    letters = axes if len(axes) == len(long) else "".join(a for a in axes if a not in named_short)
    if len(letters) != len(long):
        found = " x ".join(str(shape[i]) for i in long)
        raise StackError(f"{name}: axes '{axes}' name {len(axes)} axes, but the recording has {len(long)} ({found})")
    return letters, tuple(shape[i] for i in long)


def _files(layout: TiffLayout, path: Path) -> tuple[Path, ...]:
    """Files that the frames lie in; the opened one has to be among them."""
    if layout.pages is None:
        return (path,)
    names = dict.fromkeys(p.parent.filehandle.path for p in layout.pages if p is not None)
    files = tuple(Path(n) for n in names) or (path,)
    if len(files) == 1 and files[0].resolve() == path.resolve():
        return (path,)
    if not any(file.resolve() == path.resolve() for file in files):
        raise StackError(
            f"{path.name}: its metadata takes the frames from {files[0].name}, not from here: give it back the name"
            " it was written under, or move it into a folder of its own"
        )
    return files
