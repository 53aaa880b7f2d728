"""Open ``results.zarr``: what it says of itself is held to what the writer makes before anything is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, Literal

import zarr

from sam2flow_core.errors import OutputError
from sam2flow_core.results.layout import ASKED, DIAGRAM, LINE, SCHEMA_VERSION, StoreHeader
from sam2flow_core.untrusted import one_line

_CHUNK_BYTES = 2**30  # what one chunk may unpack to; the writer stays far below
_LONGEST = 2**31


def open_store(store: Path, mode: Literal["r", "r+"] = "r") -> tuple[StoreHeader, zarr.Group]:
    """Return the header and the root group of a ``results.zarr``.

    Raises
    ------
    OutputError
        If there is none, a version of SAM2Flow wrote it that this one does not know, or it is damaged.
    """
    with damaged(store):
        try:
            # Version 3 alone: stores of version 2 may name a codec that runs code.
            root = zarr.open_group(store, mode=mode, zarr_format=3)
        except (FileNotFoundError, NotADirectoryError):
            raise OutputError(
                f"{store.parent}: no results of a run there; give the folder that `sam2flow run --out` wrote"
            ) from None
        version = root.attrs.get("schema_version")
        if version != SCHEMA_VERSION:
            found = f"results of layout {one_line(str(version))}, this SAM2Flow reads {SCHEMA_VERSION}"
            raise OutputError(f"{store.parent}: {found}; update SAM2Flow")
        header = StoreHeader.from_attributes(root.attrs)
        _check_header(header)
        for name, shape in _shapes(header).items():
            _check_array(root, name, shape)
        if ASKED in root:
            _check_array(root, ASKED, (header.shape[0],))
        for vessel in header.crops:
            for name in (LINE, DIAGRAM):
                _check_length(root, f"vessels/{vessel}/{name}")
    return header, root


@contextmanager
def damaged(store: Path) -> Iterator[None]:
    """Turn whatever the block raises while it reads a store into an `OutputError`."""
    try:
        yield
    except OutputError:
        raise
    except Exception as error:
        reason = one_line(f"{type(error).__name__}: {error}")
        raise OutputError(f"{store}: these results are damaged ({reason}); run again") from None


def _check_header(header: StoreHeader) -> None:
    frames, height, width = header.shape
    numbers = (frames, height, width, header.start, header.stop, *(n for size in header.crops.values() for n in size))
    if any(type(n) is not int or not 0 <= n < _LONGEST for n in numbers):
        raise ValueError("its sizes are no whole numbers")
    if not header.start < header.stop <= frames or min(height, width) < 1:
        raise ValueError(f"frames {header.start} to {header.stop} of {frames}")
    ends = [n for pair in header.ranges for n in pair]
    if any(type(n) is not int for n in ends) or ends != sorted(ends) or (ends and ends[-1] > frames):
        raise ValueError(f"ranges {header.ranges} of {frames} frames")
    if any(not 1 <= vessel <= 65535 for vessel in header.crops):
        raise ValueError("ids of vessels run from 1 to 65535")
    texts = (*header.names.values(), header.video_id)
    if any(not isinstance(text, str) for text in texts) or not isinstance(header.calibration, Mapping):
        raise ValueError("its names are no text")
    for measured in header.calibration.values():
        value = measured["value"] if isinstance(measured, Mapping) else measured
        if not (value is None or (isinstance(value, int | float) and not isinstance(value, bool))):
            raise ValueError("its calibration is no number")


def _shapes(header: StoreHeader) -> dict[str, tuple[int, ...]]:
    """Arrays that every store has, as `create_store` makes them."""
    frames, height, width = header.shape
    pairs = max(frames - 1, 0)
    shapes: dict[str, tuple[int, ...]] = {
        "flow": (pairs, 2, height, width),
        "labels": (frames, height, width),
        "shifts": (frames, 2),
    }
    for vessel, (h, w) in header.crops.items():
        of_one = {
            "mask": (frames, h, w), "flow": (pairs, 2, h, w), "scale": (pairs, h, w), "offset": (frames, 2),
            "mask_iou": (frames,), "round_trip": (pairs,), "object_score": (frames,),
        }  # fmt: skip
        shapes.update({f"vessels/{vessel}/{name}": shape for name, shape in of_one.items()})
    return shapes


def _check_length(root: zarr.Group, name: str) -> None:
    """Raise `ValueError` where an array that only a concluded run has would not fit into memory."""
    array: Any = root.get(name)
    if array is not None and not (
        isinstance(array, zarr.Array) and array.ndim == 2 and array.size <= _CHUNK_BYTES // 8
    ):
        raise ValueError(f"{name} is no table of numbers")


def _check_array(root: zarr.Group, name: str, shape: tuple[int, ...]) -> None:
    array: Any = root[name]
    if not isinstance(array, zarr.Array) or array.shape != shape:
        raise ValueError(f"{name} has another shape than its run")
    if array.dtype.kind not in "biuf" or prod(array.chunks) * array.dtype.itemsize > _CHUNK_BYTES:
        raise ValueError(f"{name} holds no numbers, or too many at once")
