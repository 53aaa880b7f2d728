"""Which pictures a TIFF file holds, in the order of time, and of no other recording than its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

from sam2flow_core.stack.axes import several_planes
from sam2flow_core.stack.micro_manager import PAGE_TAG, plane_counts, plane_of, read_index
from sam2flow_core.stack.ome_set import settle_ome
from sam2flow_core.stack.scanimage import page_counts

Page = TiffPage | TiffFrame

_NOTES_LOOKED_AT = 24
_PLANES_IN_OME = re.compile(r"\bSize([CZ])\s*=\s*[\"'](\d+)[\"']")


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
    return series


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
