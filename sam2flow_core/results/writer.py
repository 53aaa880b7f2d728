"""Write frames into ``results.zarr``, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.errors import OutputError
from sam2flow_core.files import output_errors
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.messages import Message
from sam2flow_core.results.layout import (
    ASKED,
    DIAGRAM,
    GO_ON,
    LINE,
    NO_PIXEL,
    PIXELS,
    REASONS,
    TEMPLATES,
    StoreHeader,
    add_pixels,
    create_pixels,
    create_store,
    open_store,
)

_Span = tuple[slice, ...]
_Shown = tuple[NDArray[np.int64], NDArray[np.int64]]


class ResultsWriter:
    """Writes a run's frames; each call leaves the store readable.

    Writing the same frames again gives the same store, so that a run resumed
    from an earlier marker than its last written chunk ends as if undisturbed.
    """

    def __init__(self, path: Path, header: StoreHeader, root: zarr.Group) -> None:
        self.path = path
        self.header = header
        self._root = root
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self._pixels: dict[int, NDArray[np.int32]] = {}
        self._chunks: dict[str, tuple[int, NDArray[Any]]] = {}
        self._tells_asked = ASKED in root

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

    @classmethod
    def reopen_for(cls, path: Path, header: StoreHeader) -> ResultsWriter | None:
        """Go on in a store that was made for the same run, in another detail; None where there is none.

        What is in it stays until it is written again.
        """
        try:
            found = cls.reopen(path)
        except OutputError:
            return None
        same = (found.header.shape, found.header.crops, found.header.ranges, found.header.settings)
        return found if same == (header.shape, header.crops, header.ranges, header.settings) else None

    def check(self) -> None:
        """Raise `OutputError` if the store was removed: zarr would go on writing into what is left of it."""
        with output_errors(self.path):
            if not (self.path / "zarr.json").is_file():
                raise OutputError("{path}: was removed while the run was writing there; stopped", path=self.path)

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
            if self._tells_asked:
                self._write_small(ASKED, first, np.array([f.asked for f in frames]))
            self._write_small("shifts", first, np.array([f.shift for f in frames], dtype=np.float64))

    def _write_overview(self, frames: Sequence[FrameFlow]) -> None:
        flow, labels = self._array("flow"), self._array("labels")
        _, height, width = self.header.shape
        first = frames[0].frame
        for rows, columns in _touched_tiles(frames, (height, width), (labels.chunks[1], labels.chunks[2])):
            tile_flow, tile_labels = compose_tile(frames, rows, columns)
            labels[first : first + len(frames), rows, columns] = tile_labels
            pairs = min(len(frames), flow.shape[0] - first)
            if pairs > 0:
                flow[first : first + pairs, :, rows, columns] = tile_flow[:pairs]

    def _write_vessel(self, vessel: int, size: tuple[int, int], frames: Sequence[FrameFlow]) -> None:
        answers = list(_answers(vessel, frames))
        first, count = frames[0].frame, len(frames)
        group = f"vessels/{vessel}"
        unseen = vessel not in self._pixels and f"{group}/{PIXELS}" not in self._root
        pixels = self._pixels_of(vessel, size, answers)
        if unseen and len(pixels):
            self._fill(group, first)
        values: dict[str, NDArray[Any]] = {}
        small: dict[str, NDArray[Any]] = {
            "offset": np.array([a.offset if a else (0, 0) for a in answers]),
            "mask_iou": np.array([a.mask_iou if a else 0.0 for a in answers], np.float32),
            "object_score": np.array([a.object_score if a else 0.0 for a in answers], np.float32),
        }
        if len(pixels):
            values["mask"] = _packed_masks(answers, pixels)
        if (pairs := min(count, self.header.shape[0] - 1 - first)) > 0:
            small["round_trip"] = np.array([a.round_trip if a else np.nan for a in answers[:pairs]], np.float32)
            if len(pixels):
                values["flow"], values["scale"] = _packed_flow(answers[:pairs], pixels)
        for name, there in small.items():
            self._write_small(f"{group}/{name}", first, there)
        for name, there in values.items():
            self._array(f"{group}/{name}")[first : first + len(there)] = there

    def _write_small(self, name: str, first: int, values: NDArray[Any]) -> None:
        """Write some frames of an array of few numbers a frame, whose chunks are long.

        The last chunk is kept in memory and written whole: to write a part of one, zarr reads and unpacks it first.
        """
        array = self._array(name)
        length, done = array.chunks[0], 0
        while done < len(values):
            start = (first + done) // length * length
            if name not in self._chunks or self._chunks[name][0] != start:
                self._chunks[name] = start, np.array(array[start : start + length])
            chunk = self._chunks[name][1]
            here = first + done - start
            count = min(len(values) - done, length - here)
            chunk[here : here + count] = values[done : done + count]
            array[start : start + len(chunk)] = chunk
            done += count

    def _fill(self, group: str, stop: int) -> None:
        """Write that a vessel was not seen before a frame, so that no frame of it is without a file."""
        for name in ("mask", "flow", "scale"):
            array = self._array(f"{group}/{name}")
            step = array.chunks[0]
            for first in range(self.header.start // step * step, min(stop, array.shape[0]), step):
                array[first : min(first + step, stop)] = 0

    def _pixels_of(self, vessel: int, size: tuple[int, int], answers: Sequence[VesselFlow | None]) -> NDArray[np.int32]:
        """Return the pixels of its crop that a vessel has been seen in so far, after making room for new ones."""
        known = self._pixels.get(vessel)
        if known is None and f"vessels/{vessel}/{PIXELS}" in self._root:
            known = np.asarray(self._array(f"vessels/{vessel}/{PIXELS}")[:], np.int32)
        fresh = np.zeros(size[0] * size[1], bool)
        for mask in {id(a.mask): a.mask for a in answers if a}.values():
            fresh |= mask.ravel()
        if known is not None:
            fresh[known[known != NO_PIXEL]] = False
        more = np.flatnonzero(fresh).astype(np.int32)
        if known is None:
            known = more
            if not len(known):  # not seen yet
                return known
            create_pixels(self._group(vessel), self.header.shape[0], known, self._settings())
        elif len(more):
            known = np.concatenate([known, more])
            add_pixels(self._group(vessel), known)
            self._arrays.clear()  # they know their old shapes
        self._pixels[vessel] = known
        return known

    def _group(self, vessel: int) -> zarr.Group:
        group = self._root[f"vessels/{vessel}"]
        assert isinstance(group, zarr.Group)
        return group

    def _settings(self) -> StoreSettings:
        """How the store was laid out."""
        usual, said = StoreSettings(chunk_frames=self._array("labels").chunks[0]), self.header.settings
        return replace(usual, **{name: said[name] for name in ("chunk_frames", "zstd_level") if name in said})

    def _array(self, name: str) -> zarr.Array[Any]:
        # Kept open: to open an array costs as much as to write a small one.
        if name not in self._arrays:
            array = self._root[name]
            assert isinstance(array, zarr.Array)
            self._arrays[name] = array.with_config({"write_empty_chunks": True})
        return self._arrays[name]


def write_line(
    store: Path,
    vessel_id: int,
    points: NDArray[np.floating],
    diagram: NDArray[np.floating],
    reasons: tuple[str, ...] = (),
) -> None:
    """Add centreline, space-time diagram and reasons to a vessel's group in ``results.zarr``, in place of earlier ones.

    Raises
    ------
    OutputError
        If the disk is full or gone.
    """
    templates = [reason.to_json() if isinstance(reason, Message) else reason for reason in reasons]
    said: dict[str, Any] = {REASONS: [str(reason) for reason in reasons], TEMPLATES: templates}
    with output_errors(store, GO_ON):
        group = zarr.open_group(store, mode="r+")
        for name, values, axes in ((LINE, points, ("n", "yx")), (DIAGRAM, diagram, ("t", "n"))):
            group.create_array(
                f"vessels/{vessel_id}/{name}",
                data=np.ascontiguousarray(values, np.float32),
                chunks=values.shape,
                dimension_names=axes,
                overwrite=True,
                attributes=said if name == LINE else None,
            )


def _touched_tiles(
    frames: Sequence[FrameFlow], shape: tuple[int, int], tile: tuple[int, int]
) -> Iterator[tuple[slice, slice]]:
    """Give the tiles of a frame of `shape` (Y, X) that a vessel's crop touches in any of the frames.

    Only these are composed, so that memory and time follow the vessels and not
    the size of the frame.
    """
    height, width = shape
    tile_h, tile_w = tile
    touched: set[tuple[int, int]] = set()
    for vessel in (v for f in frames for v in f.vessels):
        (top, left), (h, w) = vessel.offset, vessel.mask.shape
        rows = range(max(top, 0) // tile_h, -(-min(top + h, height) // tile_h))
        columns = range(max(left, 0) // tile_w, -(-min(left + w, width) // tile_w))
        touched.update((r, c) for r in rows for c in columns)
    for row, column in sorted(touched):
        yield (
            slice(row * tile_h, min((row + 1) * tile_h, height)),
            slice(column * tile_w, min((column + 1) * tile_w, width)),
        )


def compose_tile(
    frames: Sequence[FrameFlow], rows: slice, columns: slice
) -> tuple[NDArray[np.float16], NDArray[np.uint16]]:
    """Return flow ``(n, 2, h, w)`` and labels ``(n, h, w)`` of one tile of n frames.

    Where vessels overlap in projection the lower vessel id is shown; the
    vessel's own group keeps what is hidden here. Flow is zero outside every
    vessel and NaN inside a vessel without an answer.
    """
    size = (rows.stop - rows.start, columns.stop - columns.start)
    flow = np.zeros((len(frames), 2, *size), np.float16)
    labels = np.zeros((len(frames), *size), np.uint16)
    before: list[tuple[int, tuple[int, int], int]] = []
    shown: list[_Shown] = []
    for index, frame in enumerate(frames):
        # The lowest id last, over the others.
        vessels = sorted(frame.vessels, key=lambda v: v.vessel_id, reverse=True)
        places = [(v.vessel_id, v.offset, id(v.mask)) for v in vessels]
        if index and places == before:
            labels[index] = labels[index - 1]
        else:
            _lay_labels(vessels, rows, columns, labels[index])
            shown = [_shown(vessel, rows, columns, labels[index]) for vessel in vessels]
        before = places
        for vessel, (there, inside) in zip(vessels, shown, strict=True):
            for channel, tile in enumerate(flow[index].reshape(2, -1)):
                tile[there] = np.nan if vessel.moves is None else vessel.moves[channel].take(inside)
    return flow, labels


def _lay_labels(vessels: Sequence[VesselFlow], rows: slice, columns: slice, labels: NDArray[np.uint16]) -> None:
    for vessel in vessels:
        if (overlap := _overlap(vessel, rows, columns)) is not None:
            there, inside = overlap
            labels[there][vessel.mask[inside]] = vessel.vessel_id


def _shown(vessel: VesselFlow, rows: slice, columns: slice, labels: NDArray[np.uint16]) -> _Shown:
    """Pixels of a labelled tile that show a vessel, as indices into it flattened, and the same ones among its mask's.

    Masks stay for many frames: pixels are looked up once, and each frame's flow is moved without asking every pixel.
    """
    if (overlap := _overlap(vessel, rows, columns)) is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    there, inside = overlap
    y, x = np.nonzero(labels[there] == vessel.vessel_id)
    tile, crop = (
        np.ravel_multi_index((y + part[0].start, x + part[1].start), shape)
        for part, shape in ((there, labels.shape), (inside, vessel.mask.shape))
    )
    return np.asarray(tile, np.int64), vessel.rows[crop]


def _overlap(vessel: VesselFlow, rows: slice, columns: slice) -> tuple[_Span, _Span] | None:
    """Where a vessel's crop lies in a tile, and that part of the crop; None where they do not touch."""
    (top, left), (h, w) = vessel.offset, vessel.mask.shape
    y0, y1 = max(top, rows.start), min(top + h, rows.stop)
    x0, x1 = max(left, columns.start), min(left + w, columns.stop)
    if y0 >= y1 or x0 >= x1:
        return None
    there = (slice(y0 - rows.start, y1 - rows.start), slice(x0 - columns.start, x1 - columns.start))
    return there, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _answers(vessel: int, frames: Sequence[FrameFlow]) -> Iterator[VesselFlow | None]:
    for frame in frames:
        yield next((v for v in frame.vessels if v.vessel_id == vessel), None)


def _packed_masks(answers: Sequence[VesselFlow | None], pixels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Masks (T, P) of a vessel at its pixels; the same mask serves many frames and is read once."""
    known = {id(a.mask): _packed(a.mask, pixels) for a in {id(a.mask): a for a in answers if a}.values()}
    nowhere = np.zeros(len(pixels), bool)
    return np.stack([known[id(a.mask)] if a else nowhere for a in answers])


def _packed_flow(
    answers: Sequence[VesselFlow | None], pixels: NDArray[np.int32]
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Flow (T, 2, P) of a vessel and its expected error (T, P) at its pixels; NaN, not zero, without an answer."""
    flow = np.full((len(answers), 2, len(pixels)), np.nan, np.float16)
    scale = np.full((len(answers), len(pixels)), np.nan, np.float16)
    rows = {id(a.mask): _packed(a.rows + 1, pixels) - 1 for a in {id(a.mask): a for a in answers if a}.values()}
    for index, answer in enumerate(answers):
        if answer is not None and answer.moves is not None:
            flow[index], scale[index] = np.split(_at(answer.moves, rows[id(answer.mask)]), [2])
    flow[..., pixels < 0], scale[..., pixels < 0] = 0, 0
    return flow, scale


def _at(moves: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Moves (3, P) of some pixels of the mask by their place among them; 0 for those that are none."""
    if (rows >= 0).all():
        return moves.take(rows, axis=1)
    return np.concatenate([np.zeros((len(moves), 1), np.float32), moves], 1).take(rows + 1, axis=1)


def _packed(values: NDArray[Any], pixels: NDArray[np.int32]) -> NDArray[Any]:
    """Some pixels (..., P) of a crop (..., h, w); 0 for those that are none."""
    found = values.reshape(*values.shape[:-2], -1).take(np.maximum(pixels, 0), axis=-1)
    return found if (pixels >= 0).all() else np.where(pixels >= 0, found, 0)
