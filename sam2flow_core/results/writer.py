"""Write frames into ``results.zarr``, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.errors import OutputError
from sam2flow_core.files import output_errors
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.results.compose import compose_tile, touched_tiles
from sam2flow_core.results.layout import GO_ON, StoreHeader, create_store
from sam2flow_core.results.opening import open_store


class ResultsWriter:
    """Writes a run's frames; each call leaves the store readable.

    Writing the same frames again gives the same store, so that a run resumed
    from an earlier marker than its last written chunk ends as if undisturbed.
    """

    def __init__(self, path: Path, header: StoreHeader, root: zarr.Group) -> None:
        self.path = path
        self.header = header
        self._root = root
        self._arrays: dict[str, zarr.Array] = {}

    @classmethod
    def create(cls, path: Path, header: StoreHeader, settings: StoreSettings) -> ResultsWriter:
        """Start an empty store at `path`, replacing one that is there."""
        with output_errors(path):
            return cls(path, header, create_store(path, header, settings))

    @classmethod
    def reopen(cls, path: Path) -> ResultsWriter:
        """Go on writing to the store of an unfinished run."""
        with output_errors(path):
            return cls(path, *open_store(path, "r+"))

    def check(self) -> None:
        """Raise `OutputError` if the store was removed: zarr would go on writing into what is left of it."""
        with output_errors(self.path):
            if not (self.path / "zarr.json").is_file():
                raise OutputError(f"{self.path}: was removed while the run was writing there; stopped")

    def write(self, frames: Sequence[FrameFlow]) -> None:
        """Write consecutive frames.

        Raises
        ------
        OutputError
            If the disk is full or gone.
        """
        if not frames:
            return
        self.check()
        with output_errors(self.path, GO_ON):
            self._write_overview(frames)
            for vessel, size in self.header.crops.items():
                self._write_vessel(vessel, size, frames)
            # Last, because finite shifts are what says that a frame is there (see `Results.frames_done`).
            first = frames[0].frame
            self._array("shifts")[first : first + len(frames)] = np.array([f.shift for f in frames], dtype=np.float64)

    def _write_overview(self, frames: Sequence[FrameFlow]) -> None:
        flow, labels = self._array("flow"), self._array("labels")
        _, height, width = self.header.shape
        first = frames[0].frame
        for rows, columns in touched_tiles(frames, (height, width), (labels.chunks[1], labels.chunks[2])):
            tile_flow, tile_labels = compose_tile(frames, rows, columns)
            labels[first : first + len(frames), rows, columns] = tile_labels
            pairs = min(len(frames), flow.shape[0] - first)
            if pairs > 0:
                flow[first : first + pairs, :, rows, columns] = tile_flow[:pairs]

    def _write_vessel(self, vessel: int, size: tuple[int, int], frames: Sequence[FrameFlow]) -> None:
        answers = list(_answers(vessel, frames))
        first, count = frames[0].frame, len(frames)
        group = f"vessels/{vessel}"
        span = slice(first, first + count)
        self._array(f"{group}/mask")[span] = np.stack([_mask(a, size) for a in answers])
        self._array(f"{group}/offset")[span] = np.array([a.offset if a else (0, 0) for a in answers])
        self._array(f"{group}/mask_iou")[span] = np.array([a.mask_iou if a else 0.0 for a in answers], np.float32)
        self._array(f"{group}/object_score")[span] = np.array(
            [a.object_score if a else 0.0 for a in answers], np.float32
        )
        pairs = min(count, self.header.shape[0] - 1 - first)
        if pairs <= 0:
            return
        span = slice(first, first + pairs)
        flow = np.stack([_or_gap(a.flow if a else None, (2, *size)) for a in answers[:pairs]])
        scale = np.stack([_or_gap(a.scale if a else None, size) for a in answers[:pairs]])
        self._array(f"{group}/flow")[span] = flow
        self._array(f"{group}/scale")[span] = scale
        self._array(f"{group}/round_trip")[span] = np.array(
            [a.round_trip if a else np.nan for a in answers[:pairs]], np.float32
        )

    def _array(self, name: str) -> zarr.Array:
        # Kept open: to open an array costs as much as to write a small one.
        if name not in self._arrays:
            array = self._root[name]
            assert isinstance(array, zarr.Array)
            self._arrays[name] = array
        return self._arrays[name]


def _answers(vessel: int, frames: Sequence[FrameFlow]) -> Iterator[VesselFlow | None]:
    for frame in frames:
        yield next((v for v in frame.vessels if v.vessel_id == vessel), None)


def _mask(answer: VesselFlow | None, size: tuple[int, int]) -> NDArray[np.bool_]:
    return np.zeros(size, dtype=bool) if answer is None else answer.mask


def _or_gap(values: NDArray[np.float32] | None, shape: tuple[int, ...]) -> NDArray[np.float16]:
    """Return the values as float16; NaN, not zero, where there is no answer."""
    return np.full(shape, np.nan, np.float16) if values is None else values.astype(np.float16)
