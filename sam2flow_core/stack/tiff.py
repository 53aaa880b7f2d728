"""Frames of a TIFF, BigTIFF, OME-TIFF or ImageJ file, one at a time, and what the file says of its calibration."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from tifffile import FileHandle, TiffFile, TiffPage

from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.brightness import brightness_lookup
from sam2flow_core.stack.calibration import (
    Calibration,
    Source,
    frame_rate_from_tag,
    number,
    pixel_size_from_tag,
    resolve_calibration,
    seconds_per,
    um_per,
)
from sam2flow_core.stack.metadata import missing_files, ome_interval, ome_length, ome_pixels, ome_times, read_index
from sam2flow_core.stack.refusals import check_regular, refuse_damage
from sam2flow_core.stack.sources import AxisPlan, Frame, check_axes, plan_axes, wrong_number_of_axes
from sam2flow_core.stack.tiff_layout import TiffLayout, check_page, find_layout, open_tiff
from sam2flow_core.stack.timing import Times, interval_problems, read_times

_RESOLUTION_UNIT = {2: 25400.0, 3: 1e4, 4: 1e3, 5: 1.0}
# what stands in the place of a unit where the program knows none
_NO_UNIT = ("", "pixel", "pixels", "px")
_LIMITS = CalibrationLimits()
Found = tuple[Calibration, tuple[str, ...]]
_JPEG = (6, 7, 33007, 34892)
"""Numbers of JPEG as a compression: old, of today, and two makers' own (alternative, and lossy of DNG)."""
_NAMED = 3
"""Missing files that a message names."""
WHITE_IS_ZERO = "stored white-is-zero: bright and dark are exchanged against the screen"
_WHITE_IS_ZERO = 0


def read_calibration(tif: TiffFile, series: int = 0, letter: str = "T", frames: int = 0) -> Found:
    """Pixel size and frame rate of an open file, and what is wrong with its tags.

    Parameters
    ----------
    tif : TiffFile
    series : int
        Which of the images in the file is the recording.
    letter : str
        The axis that is read as time.
    frames : int
        Length of that axis.
    """
    ome, ome_problems = _from_ome(tif, series, letter, frames)
    imagej, imagej_problems = _from_imagej(tif)
    plain, plain_problems = _from_tags(tif)
    best = resolve_calibration(ome, imagej, plain)
    return best, ome_problems + imagej_problems + plain_problems


def significant_bits(tif: TiffFile, series: int = 0) -> int | None:
    """Bits per pixel that carry signal, where the file says so."""
    pixels = ome_pixels(tif, series)
    if pixels is not None and pixels.get("SignificantBits", "").isdigit():
        return int(pixels.get("SignificantBits", ""))
    bits = int(tif.pages.first.bitspersample)
    return bits if bits not in (16, 32, 64) else None


def _from_ome(tif: TiffFile, series: int, letter: str, frames: int) -> Found:
    pixels = ome_pixels(tif, series)
    if pixels is None:
        return Calibration(), ()
    (x, unknown), (y, _) = (ome_length(pixels, axis) for axis in "XY")
    interval, unknown_time = ome_interval(pixels)
    problems = _unknown_length(unknown, "OME") + _unknown_time(unknown_time, "OME") + _not_square(x, y)
    times = [t for t in ome_times(pixels, letter, frames) if t is not None]
    if len(times) > 2:
        steps = np.diff(times)
        measured = float(np.median(steps))
        problems += interval_problems(steps, measured, interval)
        interval = measured if measured > 0 else interval
    return _judge(x, y, 1 / interval if interval else None, "ome"), problems


def _from_imagej(tif: TiffFile) -> Found:
    meta: Mapping[str, Any] = tif.imagej_metadata or {}
    if not meta:
        return Calibration(), ()
    unit = str(meta.get("unit", ""))
    x = _pixel_side(tif.pages.first, "X", um_per(unit))
    y = _pixel_side(tif.pages.first, "Y", um_per(str(meta.get("yunit", unit))))
    problems = _unknown_length("" if um_per(unit) else unit, "ImageJ") + _not_square(x, y)
    rate, rate_problems = _imagej_rate(meta)
    return _judge(x, y, rate, "imagej"), problems + rate_problems


def _imagej_rate(meta: Mapping[str, Any]) -> tuple[float | None, tuple[str, ...]]:
    """Frame rate by ``finterval``; ``fps`` is the speed at which ImageJ plays the frames, not that of recording."""
    interval, fps = number(meta.get("finterval")), number(meta.get("fps"))
    if interval:
        unit = str(meta.get("tunit", "s"))
        seconds = seconds_per(unit)
        if seconds is None:
            return None, _unknown_time(unit, "ImageJ")
        rate = 1 / (interval * seconds)
        if fps and abs(fps / rate - 1) > _LIMITS.agreement:
            text = Message(
                "ImageJ tags disagree: finterval says {rate:g} Hz and is used, fps (speed of playing) {fps:g} Hz",
                rate=rate,
                fps=fps,
            )
            return rate, (text,)
        return rate, ()
    if fps:
        return None, (
            Message(
                "ImageJ plays this at fps={fps:g}: an animation speed, not used as the frame rate of recording", fps=fps
            ),
        )
    return None, ()


def _from_tags(tif: TiffFile) -> Found:
    page = tif.pages.first
    unit = _RESOLUTION_UNIT.get(int(page.tags.valueof("ResolutionUnit", default=1)))
    x, y = (_pixel_side(page, axis, unit) for axis in "XY")
    return _judge(x, y, None, "tiff"), _not_square(x, y)


def _judge(x: float | None, y: float | None, rate: float | None, source: Source) -> Calibration:
    pixel = pixel_size_from_tag(x, source)
    if _not_square(x, y):
        pixel = type(pixel)(pixel.value, pixel.source, False)
    return Calibration(pixel, frame_rate_from_tag(rate, source))


def _pixel_side(page: TiffPage, axis: str, um_per_unit: float | None) -> float | None:
    """Pixel side in um from XResolution or YResolution (pixels per unit)."""
    ratio = page.tags.valueof(f"{axis}Resolution")
    if um_per_unit is None or not ratio or not ratio[0] or not ratio[1]:
        return None
    return um_per_unit * float(ratio[1]) / float(ratio[0])


def _not_square(x: float | None, y: float | None) -> tuple[str, ...]:
    if not x or not y or abs(x / y - 1) <= _LIMITS.square_tolerance:
        return ()
    return (
        Message(
            "pixels are not square ({x:.4g} x {y:.4g} um): resample the recording, or give one pixel size", x=x, y=y
        ),
    )


def _unknown_length(unit: str, where: str) -> tuple[str, ...]:
    if unit.strip().lower() in _NO_UNIT:
        return ()
    return (
        Message(
            "pixel size in '{unit}' ({where}) is not used, the unit is not known: give it in um per pixel",
            unit=unit,
            where=where,
        ),
    )


def _unknown_time(unit: str, where: str) -> tuple[str, ...]:
    return (
        (
            Message(
                "time in '{unit}' ({where}) is not used, the unit is not known: give the frame rate in Hz",
                unit=unit,
                where=where,
            ),
        )
        if unit
        else ()
    )


# tifffile reports every oddity to its logger; without a handler Python would print them to
# stderr beside our one line. What matters of them reaches the user as `problems` or an error.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


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
            raise StackError(
                "{name}: time must come before Y and X in a TIFF file, not as in '{letters}'",
                name=path.name,
                letters=letters,
            )
        if layout.readable < 2:
            raise StackError(
                "{name}: truncated TIFF file, fewer than two frames are whole; copy it again", name=path.name
            )
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
        problems += _lossy(layout.page)
        self.problems = opening_problems + plan.problems + layout.problems + lookup_problems + problems

    def read(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X)."""
        with refuse_damage(self._name, f"frame {t} cannot be read"), self._lock:
            frame = self._read_block(t) if self._layout.pages is None else self._read_page(t)
        if self._lookup is not None:
            frame = self._lookup[frame]
        return frame if self._plan.y < self._plan.x else np.ascontiguousarray(frame.T)

    def colours(self, t: int) -> None:
        """Nothing: frames in colour are refused (`opening.ColourSource` takes them)."""

    def times(self) -> Times | None:
        """Seconds at which the frames were taken, where the file says so; read from the page headers when asked."""
        frames = self.shape[0]
        with self._lock:
            own = self._tif.pages
            pages = self._layout.pages or tuple(own[t] for t in range(min(frames, len(own))))
            found = (*pages[:frames], *[None] * (frames - len(pages)))
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
            raise StackError(
                "{name}: frame {t} is in a file that is missing{files}; put it back beside this one",
                name=self._name,
                t=t,
                files=_in_brackets(missing_files(self._tif)),
            )
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


def _lossy(page: TiffPage) -> tuple[str, ...]:
    """Say so where frames are compressed as photographs are; JPEG 2000 and its like can be without loss."""
    if int(page.compression) not in _JPEG:
        return ()
    return (
        Message("frames are compressed by JPEG, which has changed what they show: measure from the original recording"),
    )


def _in_brackets(names: tuple[str, ...]) -> str:
    return f" ({', '.join(names[:_NAMED])}{' ...' if len(names) > _NAMED else ''})" if names else ""


def _open(path: Path) -> tuple[TiffFile, tuple[str, ...]]:
    check_regular(path)
    try:
        return open_tiff(path)
    except FileNotFoundError:
        raise StackError("{path}: no such file", path=path) from None
    except PermissionError:
        raise StackError("{path}: no permission to read this file", path=path) from None
    except StackError:
        raise
    except Exception:  # whatever the reader raises on a file that lies
        if path.stat().st_size == 0:
            raise StackError("{name}: the file is empty", name=path.name) from None
        raise StackError(
            "{name}: not a TIFF file; export the recording as TIFF (Fiji: File > Save As)", name=path.name
        ) from None


def _relabel(axes: str, declared: str, shape: tuple[int, ...], name: str) -> tuple[str, tuple[int, ...]]:
    """Give the file's axes the user's names. Axes of length 1 may be named or left out."""
    long = [i for i, n in enumerate(shape) if n > 1]
    if any(declared[i] == "S" for i in long):
        return declared, shape
    named_short = {a for a, n in zip(declared, shape, strict=True) if n == 1}
    letters = axes if len(axes) == len(long) else "".join(a for a in axes if a not in named_short)
    lengths = tuple(shape[i] for i in long)
    if len(letters) != len(lengths):
        raise wrong_number_of_axes(axes, lengths, name)
    return letters, lengths


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
            "{name}: its metadata takes the frames from {name_2}, not from here: give it back the name it was "
            "written under, or move it into a folder of its own",
            name=path.name,
            name_2=files[0].name,
        )
    return files
