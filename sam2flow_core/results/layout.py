"""The files of a run by name, names and shapes inside ``results.zarr``, and how a store is held to them when opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.errors import OutputError
from sam2flow_core.messages import Message
from sam2flow_core.untrusted import one_line

STORE_NAME = "results.zarr"
SUMMARY, PER_FRAME = "summary.csv", "per_frame.csv"
REPORT = "report.html"
PROVENANCE = "provenance.json"
MARKER_NAME = "resume.safetensors"
LOCK_NAME = "run.lock"
"""All that a run leaves in its folder; the last two only until it is finished."""
ASKED = "asked"
"""Whether flow from a frame to the next was asked for; older stores, which hold every pair, have no such array."""
LINE, DIAGRAM, REASONS, TEMPLATES = "centreline", "space_time", "reasons", "reason_templates"
"""What measuring adds to a vessel's group in the store."""
GO_ON = Message("; what is finished is kept, go on with --resume")
"""What a message ends with where writing failed in the middle of a run."""
SCHEMA_VERSION = 2
"""Layout 1, which is still read, keeps vessels as padded crops; 2 keeps their own pixels and says which these are."""
_PADDED = 1
EVERY_CHUNK = "every_chunk"
"""Attribute of stores in which zeros are written, too: what lacks a file has lost it, and does not stand still."""
PIXELS = "pixels"
"""Which pixels of its crop a vessel's arrays hold."""
NO_PIXEL = -1
"""What is read where a run was killed while pixels were added."""
_CHUNK_BYTES = 2**30  # what one chunk may unpack to; the writer stays far below
_LONGEST = 2**31


@dataclass(frozen=True)
class StoreHeader:
    """What ``results.zarr`` says of itself: its attributes.

    Attributes
    ----------
    shape : tuple of int
        ``(T, Y, X)`` of the recording.
    start, stop : int
        The frames of the run, `stop` not included.
    crops : dict of int to tuple of int
        Crop size ``(h, w)`` in px of each vessel.
    names : dict of int to str
    calibration : dict
        ``pixel_size_um`` and ``frame_rate_hz``, each with ``value``, ``source``, ``plausible``.
    video_id : str
    ranges : tuple of (int, int)
        Ranges of frames that were asked for; one from `start` to `stop` where it is empty.
    settings : dict
        `StoreSettings` that the store was made with; empty in stores from before they were kept.
    groups : dict of int to str
        What vessels are sorted by, of those that are.
    """

    shape: tuple[int, int, int]
    start: int
    stop: int
    crops: Mapping[int, tuple[int, int]]
    names: Mapping[int, str]
    calibration: Mapping[str, Any]
    video_id: str
    settings: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    ranges: tuple[tuple[int, int], ...] = ()

    def to_attributes(self) -> dict[str, Any]:
        """Return the header as JSON values."""
        attributes = asdict(self)
        attributes["shape"] = list(self.shape)
        attributes["ranges"] = [list(each) for each in self.ranges]
        attributes["crops"] = {str(vessel): list(size) for vessel, size in self.crops.items()}
        attributes["names"] = {str(vessel): name for vessel, name in self.names.items()}
        attributes["groups"] = {str(vessel): group for vessel, group in self.groups.items()}
        attributes["vessel_ids"] = sorted(self.crops)
        attributes["schema_version"] = SCHEMA_VERSION
        attributes[EVERY_CHUNK] = True
        return attributes

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> StoreHeader:
        """Read back what `to_attributes` gave."""
        frames, height, width = attributes["shape"]
        return cls(
            shape=(frames, height, width),
            start=attributes["start"],
            stop=attributes["stop"],
            crops={int(vessel): (h, w) for vessel, (h, w) in attributes["crops"].items()},
            names={int(vessel): name for vessel, name in attributes["names"].items()},
            calibration=attributes["calibration"],
            video_id=attributes["video_id"],
            settings=attributes.get("settings", {}),
            groups={int(vessel): group for vessel, group in attributes.get("groups", {}).items()},
            ranges=tuple((first, end) for first, end in attributes.get("ranges", ())),
        )


def create_store(path: Path, header: StoreHeader, settings: StoreSettings) -> zarr.Group:
    """Create ``results.zarr`` with all its arrays, empty.

    Arrays are as long as the recording, so that overlays lie on the raw stack
    without an offset; frames outside the run take no space.
    """
    root = zarr.create_group(path, overwrite=True, attributes=header.to_attributes())
    frames, height, width = header.shape
    pairs = max(frames - 1, 0)
    tile = (min(settings.tile, height), min(settings.tile, width))
    chunk = settings.chunk_frames
    make = _ArrayMaker(settings)
    make(root, "flow", (pairs, 2, height, width), "float16", (chunk, 2, *tile), ("t", "c", "y", "x"), 0)
    make(root, "labels", (frames, height, width), "uint16", (chunk, *tile), ("t", "y", "x"), 0)
    make(root, "shifts", (frames, 2), "float64", (settings.index_frames, 2), ("t", "yx"), np.nan)
    make(root, ASKED, (frames,), "bool", (settings.index_frames,), ("t",), True)
    for vessel in header.crops:
        group = root.create_group(f"vessels/{vessel}")
        make(group, "offset", (frames, 2), "int64", (settings.index_frames, 2), ("t", "yx"), 0)
        make(group, "mask_iou", (frames,), "float32", (settings.index_frames,), ("t",), np.nan)
        make(group, "round_trip", (pairs,), "float32", (settings.index_frames,), ("t",), np.nan)
        make(group, "object_score", (frames,), "float32", (settings.index_frames,), ("t",), np.nan)
    return root


def create_pixels(group: zarr.Group, frames: int, pixels: NDArray[np.int32], settings: StoreSettings) -> None:
    """Create the arrays of a vessel that hold its pixels (P,), which index into its flattened crop.

    Which these are is written last: where it is said, the others are there.
    """
    make, pairs, count = _ArrayMaker(settings), max(frames - 1, 0), len(pixels)
    chunk = settings.chunk_frames
    make(group, "mask", (frames, count), "bool", (chunk, count), ("t", "p"), False)
    make(group, "flow", (pairs, 2, count), "float16", (chunk, 2, count), ("t", "c", "p"), 0)
    make(group, "scale", (pairs, count), "float16", (chunk, count), ("t", "p"), 0)
    make(group, PIXELS, (count,), "int32", (count,), ("p",), NO_PIXEL)[:] = pixels


def lost_chunk(root: zarr.Group, vessel: int, frames: NDArray[np.int64]) -> str | None:
    """Return an array of a vessel, or of all, that lacks a file of some of the frames; None where all are there.

    Of stores from before zeros were written it cannot be told.
    """
    if not root.attrs.get(EVERY_CHUNK) or not len(frames):
        return None
    group = f"vessels/{vessel}"
    shifts = root["shifts"]
    assert isinstance(shifts, zarr.Array)
    pairs = frames[frames < shifts.shape[0] - 1]
    of_frames = {"shifts": frames, ASKED: frames, f"{group}/offset": frames, f"{group}/mask_iou": frames}
    of_frames |= {f"{group}/object_score": frames, f"{group}/round_trip": pairs}
    if f"{group}/{PIXELS}" in root:
        of_frames |= {f"{group}/mask": frames, f"{group}/flow": pairs, f"{group}/scale": pairs}
    for name, steps in of_frames.items():
        array = root.get(name)
        if isinstance(array, zarr.Array) and not _holds(array, np.unique(steps // array.chunks[0])):
            return name
    pixels = root.get(f"{group}/{PIXELS}")
    if isinstance(pixels, zarr.Array) and not _holds(pixels, np.arange(-(-pixels.shape[0] // pixels.chunks[0]))):
        return f"{group}/{PIXELS}"
    return None


def _holds(array: zarr.Array[Any], chunks: NDArray[np.int64]) -> bool:
    """Whether there is a file for each of some chunks along the first axis, the first along the others."""
    folder = folder_of(array)
    rest = (0,) * (array.ndim - 1)
    return all((folder / array.metadata.encode_chunk_key((int(k), *rest))).is_file() for k in chunks)


def add_pixels(group: zarr.Group, pixels: NDArray[np.int32]) -> None:
    """Make room for more pixels; ``pixels`` (P,) are those from before and then the new ones."""
    for name in ("mask", "flow", "scale", PIXELS):
        array = group[name]
        assert isinstance(array, zarr.Array)
        array.resize((*array.shape[:-1], len(pixels)))
        if name == PIXELS:
            array[:] = pixels


def padded(root: zarr.Group) -> bool:
    """Whether a store keeps vessels as padded crops, as stores of layout 1 do."""
    return root.attrs.get("schema_version") == _PADDED


class _ArrayMaker:
    """Create arrays that share a compressor."""

    def __init__(self, settings: StoreSettings) -> None:
        self._codec = BloscCodec(cname="zstd", clevel=settings.zstd_level, shuffle="shuffle")

    def __call__(
        self,
        group: zarr.Group,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        chunks: tuple[int, ...],
        axes: tuple[str, ...],
        fill: float,
    ) -> zarr.Array[Any]:
        return group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=tuple(max(1, min(c, s)) for c, s in zip(chunks, shape, strict=True)),
            compressors=self._codec,
            dimension_names=axes,
            fill_value=fill,
            overwrite=True,
            config={"write_empty_chunks": True},
        )


def folder_of(node: zarr.Group | zarr.Array[Any]) -> Path:
    """Return the folder in which a group or an array lies."""
    return Path(str(node.store_path).removeprefix("file://"))


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
            if store.is_dir() and any(store.iterdir()):
                raise ValueError("its zarr.json is missing") from None
            raise OutputError(
                "{parent}: no results of a run there; give the folder that `sam2flow run --out` wrote",
                parent=store.parent,
            ) from None
        version = root.attrs.get("schema_version")
        if version not in (_PADDED, SCHEMA_VERSION):
            found = Message(
                "results of layout {version}, this SAM2Flow reads {current}",
                version=one_line(str(version)),
                current=SCHEMA_VERSION,
            )
            raise OutputError("{parent}: {found}; update SAM2Flow", parent=store.parent, found=found)
        header = StoreHeader.from_attributes(root.attrs)
        _check_header(header)
        if mode != "r" and version == _PADDED:
            raise OutputError(
                "{parent}: an earlier SAM2Flow began this run; run again into a new folder", parent=store.parent
            )
        for name, shape in _shapes(header, padded(root)).items():
            _check_array(root, name, shape)
        if not padded(root):
            for vessel in header.crops:
                _check_pixels(root, f"vessels/{vessel}", header, vessel)
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
        raise OutputError(
            "{store}: these results are damaged ({reason}); run again", store=store, reason=reason
        ) from None


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


def _shapes(header: StoreHeader, as_crops: bool) -> dict[str, tuple[int, ...]]:
    """Arrays that every store has, as `create_store` makes them; `as_crops` in layout 1."""
    frames, height, width = header.shape
    pairs = max(frames - 1, 0)
    shapes: dict[str, tuple[int, ...]] = {
        "flow": (pairs, 2, height, width),
        "labels": (frames, height, width),
        "shifts": (frames, 2),
    }
    for vessel, (h, w) in header.crops.items():
        of_one: dict[str, tuple[int, ...]] = {
            "offset": (frames, 2), "mask_iou": (frames,), "round_trip": (pairs,), "object_score": (frames,),
        }  # fmt: skip
        if as_crops:
            of_one |= {"mask": (frames, h, w), "flow": (pairs, 2, h, w), "scale": (pairs, h, w)}
        shapes.update({f"vessels/{vessel}/{name}": shape for name, shape in of_one.items()})
    return shapes


def _check_pixels(root: zarr.Group, group: str, header: StoreHeader, vessel: int) -> None:
    """Raise `ValueError` where a vessel's pixels do not fit its crop, or its arrays do not fit them."""
    found: Any = root.get(f"{group}/{PIXELS}")
    if found is None:  # nothing was written yet
        return
    frames, (h, w) = header.shape[0], header.crops[vessel]
    if not isinstance(found, zarr.Array) or found.ndim != 1 or found.dtype != np.int32 or found.shape[0] > h * w:
        raise ValueError(f"{group} has other pixels than its crop")
    pixels = np.asarray(found[:])
    known = pixels[pixels != NO_PIXEL]
    if len(known) and (known.min() < 0 or known.max() >= h * w or len(np.unique(known)) < len(known)):
        raise ValueError(f"{group} has other pixels than its crop")
    pairs = max(frames - 1, 0)
    for name, shape in {"mask": (frames,), "flow": (pairs, 2), "scale": (pairs,)}.items():
        array: Any = root[f"{group}/{name}"]
        # Killed while pixels were added, a run leaves room for more of them than are named.
        held = array.shape[-1] if isinstance(array, zarr.Array) and array.ndim else 0
        if not len(pixels) <= held <= h * w:
            raise ValueError(f"{group}/{name} has another shape than its run")
        _check_array(root, f"{group}/{name}", (*shape, held))


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
