"""Which pictures a TIFF file holds, where its frames lie, and how many of them are whole."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.metadata import PAGE_TAG, page_counts, plane_counts, plane_of, read_index, settle_ome
from sam2flow_core.stack.refusals import check_ome_claim, check_page_claim
from sam2flow_core.stack.sources import several_planes

Page = TiffPage | TiffFrame
_NOTES_LOOKED_AT = 24
_PLANES_IN_OME = re.compile(r"\bSize([CZ])\s*=\s*[\"'](\d+)[\"']")
_DECLARED = ("shaped", "imagej", "ome")  # these say how many frames there are, whatever the list of pages says
_BYTEORDER: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}


def open_tiff(path: Path) -> tuple[TiffFile, tuple[str, ...]]:
    """Open a TIFF file so that its list of pictures names none of another recording.

    Returns
    -------
    tif : TiffFile
    problems : tuple of str
        What was left out, or read otherwise than the file declares it.
    """
    # tifffile would look for Micro-Manager's other files by the beginning of their names
    tif = TiffFile(path, is_mmstack=False)
    if read_index(tif) is not None:
        return tif, ()  # its own list of pictures is of this file alone
    try:
        xml, problems = settle_ome(tif, path)
    except BaseException:
        tif.close()
        raise
    if xml is None:
        return tif, problems
    tif.close()
    return TiffFile(path, is_mmstack=False, omexml=xml), problems


def image_series(tif: TiffFile, name: str) -> list[TiffPageSeries]:
    """Images in an open file, each a list of pages.

    Raises
    ------
    StackError
        If channels, slices or positions alternate among the pages.
    """
    first = tif.pages.first
    if first.is_scanimage:
        return [_scanimage(tif, name)]
    index = read_index(tif)
    if index is not None:
        _refuse_planes(index.counts, name)
        times = dict(zip(index.rows[:, 4].tolist(), index.time_points.tolist(), strict=True))
        pages = _pages(tif)
        if all(page.offset in times for page in pages):
            pages.sort(key=lambda page: times[page.offset])
        return [_as_time(tif, pages, "mmstack")]
    series = list(tif.series)
    if tif.is_ome and series and series[0].kind != "ome":
        _refuse_planes({"T": len(tif.pages)} | _ome_planes(tif), name)
    if series and series[0].kind not in ("ome", "imagej", "ndtiff") and PAGE_TAG in first.tags:
        noted = [plane_of(page) for page in _pages(tif)[:_NOTES_LOOKED_AT]]
        _refuse_planes({"T": len(tif.pages)} | plane_counts(noted), name)
    if _written_one_by_one(series):
        pictures = [s.keyframe for s in series if not _is_reduced(s)]
        for t, picture in enumerate(pictures):
            check_page(picture, t, pictures[0], name)
        odd = next((picture for picture in pictures if picture.hash != pictures[0].hash), None)
        if odd is not None:
            raise _stored_otherwise(odd, name)
        return [_as_time(tif, pictures, "uniform")]
    return series


def _written_one_by_one(series: Sequence[TiffPageSeries]) -> bool:
    """Whether each frame was handed to tifffile alone: it notes a shape in every page, and takes each for a picture."""
    pictures = [s for s in series if not _is_reduced(s)]
    return len(pictures) > 1 and all(s.kind == "shaped" and len(s.pages) == 1 for s in pictures)


def _scanimage(tif: TiffFile, name: str) -> TiffPageSeries:
    pages = _pages(tif)
    _refuse_planes(page_counts(tif.pages.first, len(pages)), name)
    return _as_time(tif, pages, "scanimage")


def _refuse_planes(counts: dict[str, int], name: str) -> None:
    if any(n > 1 for letter, n in counts.items() if letter != "T"):
        raise several_planes([(letter, n) for letter, n in counts.items() if n > 1], name)


def _ome_planes(tif: TiffFile) -> dict[str, int]:
    found = _PLANES_IN_OME.findall(tif.ome_metadata or "")
    return {letter: int(n) for letter, n in reversed(found)}


def _pages(tif: TiffFile) -> list[Page]:
    tif.pages.useframes = True
    tif.pages.set_keyframe(0)
    return [tif.pages[i] for i in range(len(tif.pages))]


def _as_time(tif: TiffFile, pages: Sequence[Page], kind: str) -> TiffPageSeries:
    first = tif.pages.first
    return TiffPageSeries(pages, (len(pages), *first.shape), np.dtype(first.dtype), "T" + first.axes, kind=kind)


@dataclass(frozen=True)
class TiffLayout:
    """The recording inside a TIFF file.

    Attributes
    ----------
    axes, shape : str, tuple of int
        All axes of the recording as declared.
    page : TiffPage
        The page that the others look like.
    readable : int
        Frames that are whole in the file, from the first.
    offset : int or None
        Byte position of the first frame where all lie end to end, uncompressed
        (all ImageJ files over 4 GB are so); None where frames are `pages`.
    pages : list of TiffPage, TiffFrame or None
        One for each frame, None where its file is missing; None where frames have an `offset`.
    problems : tuple of str
    index : int
        Which of the file's images the recording is.
    """

    axes: str
    shape: tuple[int, ...]
    page: TiffPage
    readable: int
    offset: int | None
    pages: tuple[TiffPage | TiffFrame | None, ...] | None
    problems: tuple[str, ...] = ()
    index: int = 0


def find_layout(tif: TiffFile, name: str) -> TiffLayout:
    """Describe the recording in an open TIFF file.

    Raises
    ------
    StackError
        If pages have different sizes, a layout no microscope writes, a size that cannot be, or a list without end.
    """
    check_ome_claim(tif, name)
    if _leads_back(tif):  # tifffile would go round in it for ever
        raise StackError(
            "{name}: damaged TIFF file, its list of pictures leads back to itself; export it again", name=name
        )
    try:
        series = image_series(tif, name)
        chain_broken = _chain_broken(tif)
    except StackError:
        raise
    except Exception:  # whatever the reader raises where the list of pages is cut off or lies
        series, chain_broken = [], True
    whole = [s for s in series if not _is_reduced(s)]
    if chain_broken and (not whole or max(len(s) for s in whole) < 2):
        return _contiguous_prefix(tif, name)
    if not whole:
        raise StackError("{name}: no pictures in this TIFF file", name=name)
    main = max([s for s in whole if _has_page_of(s, tif)] or whole, key=len)
    check_page_claim(main.keyframe, name)
    if main.keyframe.is_volumetric:
        raise StackError(
            "{name}: its {depth} pictures are stored as one volume (ImageDepth {depth}), which is not read; save it as "
            "a plain TIFF of one page per frame (Fiji: File > Save As > Tiff)",
            name=name,
            depth=main.keyframe.imagedepth,
        )
    axes, shape, merged = _merge_unnamed(main.get_axes(squeeze=False), main.get_shape(squeeze=False))
    problems = _others(main, whole, name) + _unlisted(tif, series) + merged
    contiguous = main.dataoffset is not None
    layout = _contiguous(tif, main, axes, shape) if contiguous else _paged(main, axes, shape, name)
    if chain_broken and main.kind not in _DECLARED:
        problems += _cut_problem(layout.readable, None)
    else:
        problems += layout.problems
    return replace(layout, problems=problems, index=series.index(main))


def _contiguous(tif: TiffFile, series: TiffPageSeries, axes: str, shape: tuple[int, ...]) -> TiffLayout:
    page = series.keyframe
    frames = prod(shape) // max(prod(page.shape), 1)
    offset = int(series.dataoffset or 0)
    readable = min(frames, (tif.filehandle.size - offset) // max(page.nbytes, 1))
    return TiffLayout(axes, shape, page, readable, offset, None, _cut_problem(readable, frames))


def _paged(series: TiffPageSeries, axes: str, shape: tuple[int, ...], name: str) -> TiffLayout:
    page = series.keyframe
    if len(series) * prod(page.shape) != prod(shape):
        raise StackError(
            "{name}: unusual layout {axes} {shape}; save it again as a plain TIFF with Fiji",
            name=name,
            axes=axes,
            shape=shape,
        )
    pages, problems = _from_first_there(series)
    frames = len(pages)
    _check_sizes(pages, page, name)
    readable = frames
    if not _is_whole(pages, frames - 1):
        # a cut file keeps its first pages, so the whole ones come before the others
        readable = bisect_left(range(frames), True, key=lambda t: not _is_whole(pages, t))
    return TiffLayout(axes, shape, page, readable, None, tuple(pages), problems + _cut_problem(readable, frames))


def _from_first_there(series: TiffPageSeries) -> tuple[list[TiffPage | TiffFrame | None], tuple[str, ...]]:
    """Leave out what is missing before the first frame that is there."""
    pages = list(series)
    first = next((t for t, page in enumerate(pages) if page is not None), 0)
    if not first:
        return pages, ()
    text = Message(
        "the first {first} of {count} frames lie in files that are missing: frame 0 here is frame {first} there",
        first=first,
        count=len(pages),
    )
    return pages[first:], (text,)


def _check_sizes(pages: list[TiffPage | TiffFrame | None], first: TiffPage, name: str) -> None:
    """Refuse pages of another size than the first; of compressed pages this shows only when they are read."""
    if not first.is_final:
        return
    for t, page in enumerate(pages):
        if page is not None and page.offset and sum(page.databytecounts) != first.nbytes:
            check_page(page, t, first, name)


def check_page(page: TiffPage | TiffFrame, t: int, first: TiffPage, name: str) -> None:
    """Raise `StackError` unless the page's own header gives it the size and type of the first one.

    tifffile takes this for granted, and would read other pages as if they were like the first.
    """
    if page.parent.filehandle.closed or (isinstance(page, TiffFrame) and page.is_virtual):
        return
    own = page.aspage()
    if own.shape != first.shape or own.dtype != first.dtype:
        raise StackError(
            "{name}: frames of different sizes or types: frame 0 is {first}, frame {t} is {own}",
            name=name,
            first=_look(first),
            t=t,
            own=_look(own),
        )
    check_page_claim(own, name)


def _contiguous_prefix(tif: TiffFile, name: str) -> TiffLayout:
    """Frames behind the first page of a file whose page list was cut off.

    ImageJ and tifffile write all pixels behind the first page and the other
    pages' headers at the end, so a copy that stopped early still holds frames.
    """
    try:
        page = tif.pages.first
    except Exception:  # as above
        page = None
    if not isinstance(page, TiffPage) or not page.is_final or page.nbytes == 0 or page.ndim != 2:
        raise StackError("{name}: truncated or damaged TIFF file; copy or export it again", name=name)
    check_page_claim(page, name)
    offset = page.dataoffsets[0]
    following = _next_page_offset(tif, page.offset)
    end = min(tif.filehandle.size, following) if following > offset else tif.filehandle.size
    readable = (end - offset) // page.nbytes
    declared = int((tif.imagej_metadata or {}).get("images", 0)) or None
    if declared:
        readable = min(readable, declared)
    if readable < 2:
        raise StackError(
            "{name}: truncated TIFF file, fewer than two frames are whole; copy or export it again", name=name
        )
    problems = _cut_problem(readable, declared)
    return TiffLayout("TYX", (readable, *page.shape), page, readable, offset, None, problems)


def _is_reduced(series: TiffPageSeries) -> bool:
    return bool(series.keyframe.is_reduced)


def _has_page_of(series: TiffPageSeries, tif: TiffFile) -> bool:
    """Whether some frames lie in the file that was opened: an OME set lists those of its other files as well."""
    return any(page is not None and page.parent is tif for page in series)


def _is_whole(pages: list[TiffPage | TiffFrame | None], t: int) -> bool:
    page: Any = pages[t]
    if page is None:
        return False
    handle = page.parent.filehandle
    ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))
    return len(page.dataoffsets) > 0 and max(ends) <= handle.size


def _stored_otherwise(odd: TiffPage | TiffFrame, name: str) -> StackError:
    return StackError(
        "{name}: frame {t} is stored otherwise than frame 0 (compression, tiles, colours); save it again as one stack",
        name=name,
        t=int(odd.index),
    )


def _others(main: TiffPageSeries, whole: list[TiffPageSeries], name: str) -> tuple[str, ...]:
    others = [s for s in whole if s is not main]
    if not others:
        return ()
    if main.kind == "generic":
        odd = others[0].keyframe
        check_page(odd, int(odd.index), main.keyframe, name)
        # Of frames that are stored in two ways only those of one would be read, every second one perhaps.
        raise _stored_otherwise(odd, name)
    return (Message("{count} more image series in the file are not read", count=len(others)),)


def _unlisted(tif: TiffFile, series: list[TiffPageSeries]) -> tuple[str, ...]:
    """Say so where the metadata list fewer pictures than there are."""
    listed = sum(len(s) for s in series)
    if len(series) > 1 or listed >= len(tif.pages):
        return ()
    return (
        Message(
            "metadata list {listed} of {count} pictures in the file: the others are not read",
            listed=listed,
            count=len(tif.pages),
        ),
    )


def _look(page: TiffPage) -> str:
    return f"{' x '.join(str(n) for n in page.shape)} {page.dtype}"


def _merge_unnamed(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...], tuple[str, ...]]:
    """Join leading unnamed axes into one: a file written in blocks of frames is still one recording."""
    lead = len(axes) - len(axes.lstrip("QI"))
    if lead < 2:
        return axes, tuple(shape), ()
    merged = ("Q" + axes[lead:], (prod(shape[:lead]), *shape[lead:]))
    blocks = [n for n in shape[:lead] if n > 1]
    if len(blocks) < 2:
        return *merged, ()
    by = " x ".join(str(n) for n in blocks)
    text = Message(
        "{by} pictures on axes without names: read as frames one after the other; save one if they are channels", by=by
    )
    return *merged, (text,)


def _cut_problem(readable: int, declared: int | None) -> tuple[str, ...]:
    if declared is not None and readable >= declared:
        return ()
    if declared:
        return (
            Message(
                "file is truncated: {readable} of {declared} frames are readable; copy or export it again to get the "
                "rest",
                readable=readable,
                declared=declared,
            ),
        )
    return (
        Message(
            "file is truncated: {readable} frames are readable; copy or export it again to get the rest",
            readable=readable,
        ),
    )


def _leads_back(tif: TiffFile) -> bool:
    """Whether the list of pages comes back to one that it has named before."""
    offset, seen = int(tif.pages.first.offset), set[int]()
    while 0 < offset < tif.filehandle.size:
        if offset in seen:
            return True
        seen.add(offset)
        offset = _next_page_offset(tif, offset)
    return False


def _chain_broken(tif: TiffFile) -> bool:
    """Whether the last page names a next one that is not there."""
    page: Any = tif.pages[len(tif.pages) - 1]
    return _next_page_offset(tif, page.offset) != 0


def _next_page_offset(tif: TiffFile, offset: int) -> int:
    handle, layout = tif.filehandle, tif.tiff
    handle.seek(offset)
    tags = int.from_bytes(handle.read(layout.tagnosize), _BYTEORDER[layout.byteorder])
    handle.seek(offset + layout.tagnosize + tags * layout.tagsize)
    return int.from_bytes(handle.read(layout.offsetsize), _BYTEORDER[layout.byteorder])
