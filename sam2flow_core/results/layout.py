"""The files of a run by name, and names and shapes inside ``results.zarr``: the one place that all share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from sam2flow_core.config.run import StoreSettings

STORE_NAME = "results.zarr"
SUMMARY, PER_FRAME = "summary.csv", "per_frame.csv"
REPORT = "report.html"
PROVENANCE = "provenance.json"
MARKER_NAME = "resume.safetensors"
LOCK_NAME = "run.lock"
"""All that a run leaves in its folder; the last two only until it is finished."""

ASKED = "asked"
"""Whether flow from a frame to the next was asked for; older stores, which hold every pair, have no such array."""
LINE, DIAGRAM, REASONS = "centreline", "space_time", "reasons"
"""What measuring adds to a vessel's group in the store."""

GO_ON = "; what is finished is kept, go on with --resume"
"""What a message ends with where writing failed in the middle of a run."""
SCHEMA_VERSION = 1


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
    for vessel, (h, w) in header.crops.items():
        group = root.create_group(f"vessels/{vessel}")
        make(group, "mask", (frames, h, w), "bool", (chunk, h, w), ("t", "y", "x"), False)
        make(group, "flow", (pairs, 2, h, w), "float16", (chunk, 2, h, w), ("t", "c", "y", "x"), np.nan)
        make(group, "scale", (pairs, h, w), "float16", (chunk, h, w), ("t", "y", "x"), np.nan)
        make(group, "offset", (frames, 2), "int64", (settings.index_frames, 2), ("t", "yx"), 0)
        make(group, "mask_iou", (frames,), "float32", (settings.index_frames,), ("t",), np.nan)
        make(group, "round_trip", (pairs,), "float32", (settings.index_frames,), ("t",), np.nan)
        make(group, "object_score", (frames,), "float32", (settings.index_frames,), ("t",), np.nan)
    return root


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
    ) -> None:
        group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=tuple(max(1, min(c, s)) for c, s in zip(chunks, shape, strict=True)),
            compressors=self._codec,
            dimension_names=axes,
            fill_value=fill,
        )
