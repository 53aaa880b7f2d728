"""Why a recording cannot be read: faults in words, and claims of its own size judged before decoding.

A header of a few bytes can claim a picture of many gigabytes. Whoever believes it runs out of memory, or waits for
hours; so a claim is measured against what a microscope makes and against what the file holds.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from xml.etree import ElementTree

from tifffile import TiffFile, TiffPage

from sam2flow_core.config.stack import ClaimLimits
from sam2flow_core.errors import Sam2FlowError, StackError

_GONE = (errno.ENOENT, errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ETIMEDOUT)
_LONGEST = 200  # characters: some libraries put a whole header into their message
_LIMITS = ClaimLimits()
_OME_COUNTS = ("PlaneCount", "NumPlanes", "IFD", "FirstT", "FirstZ", "FirstC")


def read_fault(error: Exception) -> str:
    """Say what to mend: a drive or share that was there when the recording was opened and is gone, or the file."""
    if isinstance(error, OSError) and error.errno in _GONE:
        return "the drive or file share has vanished; connect it again"
    return f"{error}; the file may be damaged"


@contextmanager
def refuse_damage(name: str, what: str) -> Iterator[None]:
    """Turn whatever the block raises while it reads a file into a `StackError` that says what could not be read.

    The libraries that read pictures trust what a file says of itself, so a damaged one can make them raise anything.

    Parameters
    ----------
    name : str
        Of the file.
    what : str
        What was being read, such as ``"frame 3 cannot be read"``.
    """
    try:
        yield
    except Sam2FlowError:
        raise
    except Exception as error:
        raise StackError("{name}: {what}: {fault}", name=name, what=what, fault=_one_line(read_fault(error))) from error


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def check_regular(path: Path) -> None:
    """Raise `StackError` for what is no file: reading a pipe or a device may never end."""
    if path.exists() and not path.is_file():
        raise StackError("{path}: is no ordinary file; copy the recording into a file first", path=path)


def check_frame_claim(height: int, width: int, pixel_bytes: int, stored: int | None, name: str) -> None:
    """Raise `StackError` for a frame that no camera makes, or that what is stored of it cannot hold.

    Parameters
    ----------
    height, width : int
        As claimed, px.
    pixel_bytes : int
        Bytes of a pixel with all its samples.
    stored : int or None
        Bytes that the file holds of the frame, compressed or not, where that is known.
    name : str
        Of the file, for the message.
    """
    size = height * width * pixel_bytes
    claim = f"{name}: claims frames of {height} x {width} px ({size / 1e9:.3g} GB each)"
    if min(height, width, pixel_bytes) < 0 or size > _LIMITS.frame_bytes:
        raise StackError("{claim}, more than any microscope makes; the file is damaged, export it again", claim=claim)
    if stored is not None and size > _LIMITS.unquestioned_bytes and size > _LIMITS.compression * max(stored, 1):
        raise StackError(
            "{claim}, but holds only {stored} bytes of one; the file is damaged, export it again",
            claim=claim,
            stored=stored,
        )


def check_page_claim(page: TiffPage, name: str) -> None:
    """Raise `StackError` unless the size of a TIFF page, and that of its tiles or strips, can be meant."""
    pixel = max(1, page.dtype.itemsize if page.dtype is not None else page.bitspersample // 8)
    samples = max(1, page.samplesperpixel) * max(1, page.imagedepth)
    check_frame_claim(page.imagelength, page.imagewidth, pixel * samples, sum(page.databytecounts), name)
    # Strips are cut to the picture's height when they are decoded, tiles are not cut.
    if page.is_tiled and prod(page.chunks) * pixel > _LIMITS.frame_bytes:
        raise StackError(
            "{name}: claims tiles of {count} pixels; the file is damaged, export it again",
            name=name,
            count=prod(page.chunks),
        )


def check_ome_claim(tif: TiffFile, name: str) -> None:
    """Raise `StackError` where the OME metadata claim more planes than a file can hold, or name files elsewhere.

    The reader lays out a list of all planes before it looks at the first one.
    """
    text = tif.ome_metadata
    if not text:
        return
    try:
        elements = list(ElementTree.fromstring(text).iter())
    except ElementTree.ParseError:
        return  # read as a file without metadata
    for element in elements:
        tag = element.tag.rpartition("}")[2]
        if tag == "Pixels":
            planes = prod(_count(element.get(f"Size{axis}", "1")) for axis in "TZC")
            _check_planes(planes, name)
        elif tag == "TiffData":
            _check_planes(max(_count(element.get(key, "0")) for key in _OME_COUNTS), name)
        elif tag == "UUID" and "/" in (other := element.get("FileName", "").replace("\\", "/")):
            raise StackError(
                "{name}: its OME metadata name a file in another folder ({other}); export it again",
                name=name,
                other=other,
            )
        elif tag.startswith("Along") and "Start" in element.attrib:
            start, end, step = (_number(element.get(key, "1")) for key in ("Start", "End", "Step"))
            _check_planes(abs(end - start) / abs(step) if step else float("inf"), name)


def _check_planes(planes: float, name: str) -> None:
    if not planes <= _LIMITS.planes:
        raise StackError(
            "{name}: its OME metadata claim {planes:.3g} planes; the file is damaged, export it again",
            name=name,
            planes=planes,
        )


def _count(text: str) -> float:
    number = _number(text)
    return float("inf") if number < 0 else number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
