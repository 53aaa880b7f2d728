"""Read a run's results back: as a whole, and one vessel as it is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.errors import OutputError
from sam2flow_core.messages import Message
from sam2flow_core.results.layout import (
    ASKED,
    DIAGRAM,
    LINE,
    NO_PIXEL,
    PIXELS,
    REASONS,
    STORE_NAME,
    TEMPLATES,
    StoreHeader,
    damaged,
    folder_of,
    lost_chunk,
    open_store,
    padded,
)


class FrameArray(Protocol):
    """An array whose first axis is time, read a few frames at a time: numpy's, or one that lies on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, ...)``."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the frames of a slice, an index or an array of indices as a numpy array."""


class Packing:
    """Which pixels of a crop are kept, and the way back from them to the crop.

    Parameters
    ----------
    pixels : ndarray of int, shape (P,)
        Into the flattened crop; `NO_PIXEL` for what is none.
    size : tuple of int
        ``(h, w)`` of the crop.
    """

    def __init__(self, pixels: NDArray[np.int32], size: tuple[int, int]) -> None:
        self.size = size
        self._kept = np.flatnonzero(pixels != NO_PIXEL)
        self._pixels = pixels[self._kept]
        self._column = np.full(size[0] * size[1], NO_PIXEL, np.int64)
        self._column[self._pixels] = self._kept

    def laid_out(self, values: NDArray[Any]) -> NDArray[Any]:
        """Crops (..., h, w) of kept values (..., P)."""
        out = np.broadcast_to(self._beside(values), (*values.shape[:-1], len(self._column))).copy()
        out[..., self._pixels] = values[..., self._kept]
        return out.reshape(*values.shape[:-1], *self.size)

    def pixels(self, values: NDArray[Any], index: NDArray[np.int64]) -> NDArray[Any]:
        """Some pixels (..., Q) of the crop, ``index`` (Q,) into it, of kept values (..., P)."""
        column = self._column[index]
        there = column != NO_PIXEL
        if there.all():
            return values.take(column, axis=-1)
        out = np.broadcast_to(self._beside(values), (*values.shape[:-1], len(index))).copy()
        out[..., there] = values[..., column[there]]
        return out

    @property
    def kept(self) -> NDArray[np.int64]:
        """Which pixels are kept, in the order in which they are."""
        return np.asarray(self._pixels, np.int64)

    def _beside(self, values: NDArray[Any]) -> NDArray[Any]:
        """What the pixels have that are not kept, (..., 1): 0, but NaN where a frame has no answer at all."""
        nothing = np.zeros((*values.shape[:-1], 1), values.dtype)
        if len(self._kept) and np.issubdtype(values.dtype, np.floating):
            nothing[np.isnan(values[..., self._kept]).all(axis=-1)] = np.nan
        return nothing


_BYTES_AT_ONCE = 2**24


class StoredFrames:
    """A `FrameArray` that stays on disk until it is asked for.

    Holds some frames, ascending, of an array whose first axis is the recording's time.

    Parameters
    ----------
    array : zarr.Array (T, ..., h, w)
    frames : ndarray of int, shape (T,)
    dtype : type
        That is computed with.
    packing : Packing, optional
        Where the array holds some pixels of its frames, ``(T, ..., P)``; the others are 0.

    Attributes
    ----------
    shape : tuple of int
        ``(T, ..., h, w)`` of the frames of the run.
    """

    def __init__(
        self,
        array: zarr.Array[Any],
        frames: NDArray[np.int64],
        dtype: type[np.generic],
        packing: Packing | None = None,
    ) -> None:
        self._array, self._frames, self._dtype, self._packing = array, frames, dtype, packing
        self.shape = (len(frames), *(array.shape[1:] if packing is None else (*array.shape[1:-1], *packing.size)))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Return the frames of a slice, an index or an array of indices, in the type that is computed with."""
        time, *rest = key if isinstance(key, tuple) else (key,)
        steps = np.arange(self.shape[0])[time]
        if steps.ndim == 0:
            result: NDArray[Any] = self._whole(self._stored(int(self._frames[int(steps)])))[tuple(rest)]
            return result
        if not len(steps):
            return np.zeros((0, *self.shape[1:]), self._dtype)[(slice(None), *rest)]
        return np.concatenate([self._whole(part)[(slice(None), *rest)] for part in self._parts(steps)])

    def pixels(self, time: slice | NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[Any]:
        """Return some pixels (S, ..., P) of some frames; ``index`` (P,) is into the flattened crop."""
        steps = np.arange(self.shape[0])[time]
        if self._packing is None or steps.ndim == 0 or not len(steps):
            rows, columns = np.unravel_index(index, self.shape[-2:])
            return np.asarray(self[(time, Ellipsis, rows, columns)])
        return np.concatenate([self._packing.pixels(part, index).astype(self._dtype) for part in self._parts(steps)])

    @property
    def kept(self) -> NDArray[np.int64]:
        """Pixels of the flattened crop that may be anything but 0, shape (P,)."""
        return np.arange(prod(self.shape[-2:])) if self._packing is None else self._packing.kept

    def _whole(self, stored: NDArray[Any]) -> NDArray[Any]:
        values = stored.astype(self._dtype)
        return values if self._packing is None else self._packing.laid_out(values)

    def _parts(self, steps: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Frames at the given steps, chunk by chunk: unpacking one costs the same for one frame as for all in it.

        Of small chunks that follow each other several are asked for at a time: that costs as much as one.
        """
        places = self._frames[steps]
        chunks = places // self._array.chunks[0]
        together = max(_BYTES_AT_ONCE // (prod(self._array.chunks) * self._array.dtype.itemsize), 1)
        apart = (np.abs(np.diff(chunks)) > 1) | (np.diff(chunks // together) != 0)
        for group in np.split(places, np.flatnonzero(apart) + 1):
            first = int(group.min())
            chunk = self._stored(slice(first, int(group.max()) + 1))
            yield chunk if (np.diff(group) == 1).all() else chunk[group - first]

    def _stored(self, key: int | slice) -> NDArray[Any]:
        with damaged(folder_of(self._array)):
            return np.asarray(self._array[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self._dtype, copy=False)


@dataclass(frozen=True)
class VesselTrack:
    """One vessel over all frames of a run, in tissue-fixed crops.

    Attributes
    ----------
    vessel_id : int
    name : str
    frames : ndarray of int, shape (T,)
        Frame indices in the recording, ascending.
    offsets : ndarray of int, shape (T, 2)
        ``(y, x)`` of the crop's top-left pixel in each recorded frame.
    mask : FrameArray of bool, shape (T, h, w)
    flow : FrameArray of float32, shape (T - 1, 2, h, w)
        ``(dx, dy)`` px per frame relative to the tissue; zero outside the mask; NaN where the model gave no answer.
    scale : FrameArray of float32, shape (T - 1, h, w)
        Expected absolute error in px.
    shifts : ndarray of float, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px against the reference.
    mask_iou, object_score : ndarray of float, shape (T,)
        What the decoder makes of the mask, and of whether the vessel is there; the second decides nothing.
    round_trip : ndarray of float, shape (T - 1,)
        Forward-backward error in px; NaN in the steps that were not checked.
    group : str
        What the user sorts vessels by, such as their type.
    asked : ndarray of bool, shape (T - 1,), or None
        Steps whose flow was asked for; all of them where it is None.
    """

    vessel_id: int
    name: str
    frames: NDArray[np.int64]
    offsets: NDArray[np.int64]
    mask: FrameArray
    flow: FrameArray
    scale: FrameArray
    shifts: NDArray[np.float64]
    mask_iou: NDArray[np.float32]
    object_score: NDArray[np.float32]
    round_trip: NDArray[np.float32]
    group: str = ""
    asked: NDArray[np.bool_] | None = None

    @property
    def asked_steps(self) -> NDArray[np.bool_]:
        """Steps whose flow was asked for, shape (T - 1,)."""
        return np.ones(max(len(self.frames) - 1, 0), bool) if self.asked is None else self.asked


def take_pixels(frames: FrameArray, steps: slice | NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[Any]:
    """Return some pixels of some frames, shape (S, ..., P), without converting the rest of the crop.

    Parameters
    ----------
    frames : FrameArray (T, ..., h, w)
    steps : slice or ndarray of int, shape (S,)
    index : ndarray of int, shape (P,)
        Into the flattened crop.
    """
    if isinstance(frames, StoredFrames):
        return frames.pixels(steps, index)
    rows, columns = np.unravel_index(index, frames.shape[-2:])
    return np.asarray(frames[steps])[..., rows, columns]


def kept_pixels(frames: FrameArray) -> NDArray[np.int64]:
    """Return the pixels of the flattened crop that may be anything but 0: all of them, where that is not said."""
    return frames.kept if isinstance(frames, StoredFrames) else np.arange(prod(frames.shape[-2:]))


@dataclass(frozen=True)
class VesselLine:
    """A vessel's centreline and what passed along it.

    Attributes
    ----------
    vessel_id : int
    frames : ndarray of int, shape (T,)
        The recorded frames of the run, ascending.
    points : ndarray, shape (N, 2)
        ``(y, x)`` px of the vessel's crop, one per px of arc length, in the order of the arrow.
    offsets : ndarray, shape (T, 2)
        ``(y, x)`` of the crop in each recorded frame of the run.
    diagram : ndarray of float32, shape (T, N)
        Brightness along the line, frame by frame.
    reasons : tuple of str
        Why the vessel got its grade, in words.
    """

    vessel_id: int
    frames: NDArray[np.int64]
    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    diagram: NDArray[np.float32]
    reasons: tuple[str, ...] = ()

    def at(self, frame: int) -> NDArray[np.float64]:
        """Return the points in px of a recorded frame; of the nearest frame of the run where it is outside."""
        step = min(int(np.searchsorted(self.frames, frame)), len(self.offsets) - 1)
        return np.asarray(self.points + self.offsets[step], float)


class Results:
    """A run's ``results.zarr``, opened for reading; arrays load only what is asked of them.

    Attributes
    ----------
    header : StoreHeader
    flow : zarr.Array
        ``(T - 1, 2, Y, X)`` float16, ``(dx, dy)`` in px per frame, zero outside every vessel.
    labels : zarr.Array
        ``(T, Y, X)`` uint16, the vessel id of each pixel, 0 = background.
    """

    def __init__(self, header: StoreHeader, root: zarr.Group) -> None:
        self.header = header
        self._root = root
        self.flow = self._array("flow")
        self.labels = self._array("labels")

    @property
    def vessel_ids(self) -> tuple[int, ...]:
        """Ids of the vessels, ascending."""
        return tuple(sorted(self.header.crops))

    @property
    def frames(self) -> NDArray[np.int64]:
        """The recorded frames that are in the store, ascending: those of the run that are finished."""
        shifts = self._read("shifts", slice(self.header.start, self.header.stop))
        return np.flatnonzero(np.isfinite(shifts).all(axis=1)) + self.header.start

    @property
    def frames_done(self) -> int:
        """How many frames are in the store."""
        return len(self.frames)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Ranges of frames that were asked for: first frame and end."""
        return self.header.ranges or ((self.header.start, self.header.stop),)

    @property
    def shifts(self) -> NDArray[np.float64]:
        """Tissue displacement ``(dy, dx)`` in px of the finished frames, shape (T, 2)."""
        return self._of("shifts", self.frames)

    def answered(self, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether flow from each of some frames to the next was asked for."""
        if ASKED not in self._root:
            return np.ones(len(frames), bool)
        return self._of(ASKED, frames)

    @property
    def pairs(self) -> NDArray[np.int64]:
        """First frames of the pairs that are answered, ascending."""
        frames = self.frames
        steps = frames[:-1]
        pairs: NDArray[np.int64] = steps[(np.diff(frames) == 1) & self.answered(steps)]
        return pairs

    def check_complete(self) -> None:
        """Raise `OutputError` where files are missing: of what a vessel's arrays hold, or of frames that are done.

        Copied in part, or killed, a run may lack them, and an array without a file reads as zeros: blood at rest.
        """
        frames = self.frames
        if not len(frames):
            self._raise_missing("shifts")
        for vessel in self.vessel_ids:
            group = f"vessels/{vessel}"
            if not padded(self._root) and f"{group}/mask" in self._root:
                self._array(f"{group}/{PIXELS}")
            if (lost := lost_chunk(self._root, vessel, frames)) is not None:
                self._raise_missing(lost)

    def _raise_missing(self, name: str) -> NoReturn:
        raise OutputError(
            "{store_path}: a part of '{name}' is missing from these results; copy the folder anew, or run again",
            store_path=folder_of(self._root),
            name=name,
        )

    def track(self, vessel_id: int, within: tuple[int, int] | None = None) -> VesselTrack:
        """Return one vessel over the finished frames of the run; masks and flow stay on disk until they are read.

        Parameters
        ----------
        vessel_id : int
        within : (int, int), optional
            First frame and end of a range, where only its frames are wanted.
        """
        frames = self.frames
        if within is not None:
            frames = frames[(frames >= within[0]) & (frames < within[1])]
        steps = frames[:-1]
        asked = self.answered(steps) & (np.diff(frames) == 1)
        group = f"vessels/{vessel_id}"
        return VesselTrack(
            vessel_id=vessel_id,
            name=self.header.names.get(vessel_id, str(vessel_id)),
            frames=frames,
            offsets=self._of(f"{group}/offset", frames),
            mask=self._frames_of(vessel_id, "mask", frames, np.bool_),
            flow=self._frames_of(vessel_id, "flow", steps, np.float32),
            scale=self._frames_of(vessel_id, "scale", steps, np.float32),
            shifts=self._of("shifts", frames),
            mask_iou=self._of(f"{group}/mask_iou", frames),
            object_score=self._of(f"{group}/object_score", frames),
            round_trip=np.where(asked, self._of(f"{group}/round_trip", steps), np.nan).astype(np.float32),
            group=self.header.groups.get(vessel_id, ""),
            asked=asked,
        )

    def _frames_of(self, vessel_id: int, name: str, frames: NDArray[np.int64], dtype: type[np.generic]) -> FrameArray:
        """Crops of a vessel in some frames."""
        group = f"vessels/{vessel_id}"
        if padded(self._root):
            return StoredFrames(self._array(f"{group}/{name}"), frames, dtype)
        if f"{group}/{PIXELS}" not in self._root:  # nothing was written yet
            inner = (2,) if name == "flow" else ()
            return np.zeros((len(frames), *inner, *self.header.crops[vessel_id]), dtype)
        packing = Packing(self._read(f"{group}/{PIXELS}", slice(None)), self.header.crops[vessel_id])
        return StoredFrames(self._array(f"{group}/{name}"), frames, dtype, packing)

    def lines(self) -> tuple[VesselLine, ...]:
        """Return centreline and space-time diagram of each vessel; empty for a run that was never measured."""
        frames = self.frames
        with_lines = (vessel for vessel in self.vessel_ids if f"vessels/{vessel}/{DIAGRAM}" in self._root)
        return tuple(self._line(vessel, frames) for vessel in with_lines)

    def _line(self, vessel_id: int, frames: NDArray[np.int64]) -> VesselLine:
        group = f"vessels/{vessel_id}"
        diagram = self._read(f"{group}/{DIAGRAM}", slice(None))
        frames = frames[: len(diagram)]  # a run that goes on has more of them than were measured
        offsets = self._of(f"{group}/offset", frames)
        points = self._read(f"{group}/{LINE}", slice(None))
        return VesselLine(vessel_id, frames, points, offsets, diagram[: len(frames)], self._reasons(vessel_id))

    def _reasons(self, vessel_id: int) -> tuple[str, ...]:
        """Return why a vessel got its grade; results of earlier versions do not say it."""
        stored = self._array(f"vessels/{vessel_id}/{LINE}").attrs
        said = stored.get(TEMPLATES, stored.get(REASONS))
        return tuple(Message.from_json(reason) for reason in said) if isinstance(said, list) else ()

    def _array(self, name: str) -> zarr.Array[Any]:
        try:
            array = self._root[name]
        except KeyError:
            array = None
        if not isinstance(array, zarr.Array):
            raise OutputError(
                "{store_path}: '{name}' is missing from these results; run again",
                store_path=folder_of(self._root),
                name=name,
            )
        return array

    def _of(self, name: str, frames: NDArray[np.int64]) -> NDArray[Any]:
        """Values of some frames, of an array whose first axis is the recording's time."""
        if not len(frames):
            return self._read(name, slice(0, 0))
        first = int(frames[0])
        return self._read(name, slice(first, int(frames[-1]) + 1))[frames - first]

    def _read(self, name: str, key: slice) -> NDArray[Any]:
        with damaged(folder_of(self._root)):
            return np.asarray(self._array(name)[key])


def open_results(path: Path | str) -> Results:
    """Open the results of a run.

    Parameters
    ----------
    path : Path or str
        The run's folder, or its ``results.zarr``.

    Raises
    ------
    OutputError
        If there are none, a version of SAM2Flow wrote them that this one does not know, or they are damaged.

    Examples
    --------
    Six frames of the bundled recording, measured into a folder and read back:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sam2flow_core.engine import RunRequest, run
    >>> from sam2flow_core.engine.demo import sample_files
    >>> from sam2flow_core.prompts import read_prompts
    >>> recording, clicks = sample_files()
    >>> one = tuple(p for p in read_prompts(clicks) if p.vessel_id == 1)
    >>> with TemporaryDirectory() as folder:
    ...     request = RunRequest(recording, one, Path(folder) / "results", device="cpu", stop=6)
    ...     events = list(run(request))
    ...     results = open_results(request.out)
    ...     print(results.vessel_ids, results.frames_done, results.track(1).flow.shape[:2])
    (1,) 6 (5, 2)
    """
    path = Path(path)
    store = path if path.name == STORE_NAME else path / STORE_NAME
    header, root = open_store(store)
    return Results(header, root)
