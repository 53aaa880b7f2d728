"""Lay the crops of all vessels into the coordinates of the recorded frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.inference.steps import FrameFlow, VesselFlow


def touched_tiles(
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
    for index, frame in enumerate(frames):
        for vessel in sorted(frame.vessels, key=lambda v: v.vessel_id, reverse=True):
            _lay(vessel, rows, columns, flow[index], labels[index])
    return flow, labels


def _lay(
    vessel: VesselFlow, rows: slice, columns: slice, flow: NDArray[np.float16], labels: NDArray[np.uint16]
) -> None:
    (top, left), (h, w) = vessel.offset, vessel.mask.shape
    y0, y1 = max(top, rows.start), min(top + h, rows.stop)
    x0, x1 = max(left, columns.start), min(left + w, columns.stop)
    if y0 >= y1 or x0 >= x1:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    there = (slice(y0 - rows.start, y1 - rows.start), slice(x0 - columns.start, x1 - columns.start))
    mask = vessel.mask[inside]
    labels[there][mask] = vessel.vessel_id
    for channel in range(2):
        answer = np.nan if vessel.flow is None else vessel.flow[channel][inside][mask]
        flow[channel][there][mask] = answer
