"""Masks and flow of any frame, wherever they are: just answered, on disk, or previewed."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import OutputError
from sam2flow_core.stack.plan import begins_of, held_pair

if TYPE_CHECKING:
    from sam2flow_core.inference.steps import FrameFlow, VesselFlow
    from sam2flow_core.results import Results

LIVE_FRAMES = 48
"""Frames kept in memory during a run: more than the engine holds back before it writes a chunk."""


_LATEST_FRAMES = 4
"""Frames kept as they are drawn: each layer asks for the same one, and tracers for those before it."""


class FlowFrames:
    """What is known of the vessels in each frame of one recording.

    Parameters
    ----------
    shape : tuple of int
        ``(T, Y, X)`` of the recording.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        self._live: OrderedDict[int, FrameFlow] = OrderedDict()
        self._previews: dict[int, VesselFlow] = {}
        self._blocks = _Blocks()
        self._folder: Path | None = None
        self._done: range = range(0)
        self._asked: list[int] = []
        self._begins: list[int] = []
        self._latest: OrderedDict[int, tuple[NDArray[np.uint16], NDArray[np.float16]]] = OrderedDict()
        self._outdated: frozenset[int] = frozenset()

    @property
    def outdated(self) -> frozenset[int]:
        """Vessels whose results are not shown, because other clicks came after the run."""
        return self._outdated

    @property
    def vessel_ids(self) -> frozenset[int]:
        """Vessels that have a preview."""
        return frozenset(self._previews)

    # -- what comes in -----------------------------------------------------
    def start_run(self, folder: Path | None) -> None:
        """Forget earlier results; frames answered from now on are written to `folder`."""
        self._live.clear()
        self._done = range(0)
        self._asked, self._begins = [], []
        self._blocks.close()
        self._folder = folder
        self._latest.clear()

    def add(self, frame: FrameFlow) -> None:
        """Take a frame that the run has answered."""
        self._live[frame.frame] = frame
        while len(self._live) > LIVE_FRAMES:
            self._live.popitem(last=False)
        if frame.asked and (not self._asked or frame.frame > self._asked[-1]):
            self._asked.append(frame.frame)
        if not self._begins or frame.frame > self._done.stop:
            self._begins.append(frame.frame)
        first = self._done.start if len(self._done) else frame.frame
        self._done = range(min(first, frame.frame), max(self._done.stop, frame.frame + 1))
        self._latest.clear()

    def show_results(self, folder: Path, results: Results) -> None:
        """Take the results of a finished run."""
        self.start_run(folder)
        frames = results.frames
        self._done = range(int(frames[0]), int(frames[-1]) + 1) if len(frames) else range(0)
        self._asked, self._begins = frames[results.answered(frames)].tolist(), begins_of(frames).tolist()
        self._blocks.open(results)

    def preview(self, vessel: VesselFlow) -> None:
        """Show the mask that clicks gave, in every frame that has no result."""
        self._previews[vessel.vessel_id] = vessel
        self._latest.clear()

    def drop_preview(self, vessel_id: int) -> None:
        """Forget the mask of a vessel."""
        self._previews.pop(vessel_id, None)
        self._latest.clear()

    def set_outdated(self, vessel_ids: frozenset[int]) -> None:
        """Show the previews of these vessels, if they have one, in place of their results."""
        self._outdated = vessel_ids
        self._latest.clear()

    # -- what is shown -----------------------------------------------------
    def answered(self, t: int) -> bool:
        """Whether a run has answered frame `t`."""
        return t in self._done

    def labels(self, t: int) -> NDArray[np.uint16]:
        """Vessel id of each pixel, shape (Y, X)."""
        return self._frame(t)[0]

    def flow(self, t: int) -> NDArray[np.float16]:
        """Flow ``(dx, dy)`` in px per frame, shape (2, Y, X), zero where there is none."""
        return self._frame(t)[1]

    def mask_of(self, t: int, vessel_id: int) -> NDArray[np.bool_] | None:
        """Mask of one vessel in frame `t`, shape (Y, X), also where another one crosses; None where it has none."""
        preview = self._previews.get(vessel_id)
        live = self._live[t].vessels if t in self._live else ()
        found = next((v for v in live if v.vessel_id == vessel_id), None)
        if preview is not None and (vessel_id in self._outdated or t not in self._done):
            found = preview
        if found is None:
            return self._blocks.mask(t, vessel_id) if t in self._done and vessel_id not in self._outdated else None
        return self._compose(t, (found,))[0] > 0

    def flow_inside(
        self, t: int, hidden: frozenset[int]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
        """Flow in the vessels that are not hidden: index into the flattened frame, dx and dy, each of shape (P,).

        Vessels are a small part of a frame, and floats of sixteen bits are slow to compute with.
        """
        labels, flow = self._frame(t)
        inside = np.flatnonzero((labels > 0) & ~np.isin(labels, list(hidden)) if hidden else labels)
        dx, dy = flow.reshape(2, -1)[:, inside].astype(np.float32)
        return inside, dx, dy

    def _frame(self, t: int) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
        if t not in self._latest:
            labels, flow = self._find(t)
            flow[_unanswered(flow)] = 0
            self._latest[t] = (labels, flow)
            while len(self._latest) > _LATEST_FRAMES:
                self._latest.popitem(last=False)
        return self._latest[t]

    def _find(self, t: int) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
        held = self._held(t)
        if t in self._live and held in self._live:
            valid = (v for v in self._live[held].vessels if v.vessel_id not in self._outdated)
            return self._compose(t, (*valid, *self._corrections()))
        if t in self._done:
            stored, flow = self._stored(t), self._stored(held)
            if stored is not None and flow is not None:
                return self._corrected(t, stored[0], flow[1])
        return self._compose(t, tuple(self._previews.values()))

    def _held(self, t: int) -> int:
        """The frame whose flow is shown in frame `t`: itself, or the last one before whose pair was answered."""
        held = held_pair(t, self._asked, self._begins)
        return t if held is None else held

    def _corrections(self) -> tuple[VesselFlow, ...]:
        return tuple(vessel for vessel_id, vessel in self._previews.items() if vessel_id in self._outdated)

    def _corrected(
        self, t: int, labels: NDArray[np.uint16], flow: NDArray[np.float16]
    ) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
        """Lay the corrections over a frame of a run."""
        if not self._outdated:
            return labels, flow
        new = self._compose(t, self._corrections())[0]
        gone = np.isin(labels, list(self._outdated))
        return np.where(new > 0, new, np.where(gone, 0, labels)), np.where(gone | (new > 0), 0, flow)

    def _compose(self, t: int, vessels: tuple[VesselFlow, ...]) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
        from sam2flow_core.inference.steps import FrameFlow
        from sam2flow_core.results.writer import compose_tile

        frame = FrameFlow(t, (0.0, 0.0), vessels)
        flow, labels = compose_tile([frame], slice(0, self.shape[1]), slice(0, self.shape[2]))
        return labels[0], flow[0]

    def _stored(self, t: int) -> tuple[NDArray[np.uint16], NDArray[np.float16]] | None:
        if not self._blocks.is_open and self._folder is not None:
            from sam2flow_core.results import open_results

            try:
                self._blocks.open(open_results(self._folder))
            except OutputError:
                return None
        return self._blocks.frame(t)


def first_answered(results: Results) -> int:
    """The frame of a run that has the first answer; its first one where there is none."""
    pairs = results.pairs
    return int(pairs[0]) if len(pairs) else results.header.start


def _unanswered(flow: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Return where a flow is NaN, by its bits: many times faster than `numpy.isnan` on sixteen-bit floats."""
    return (flow.view(np.uint16) & 0x7FFF) > 0x7C00


class _Blocks:
    """Reads `Results` a chunk of frames at a time and keeps the newest two chunks."""

    def __init__(self) -> None:
        self._results: Results | None = None
        self._kept: OrderedDict[int, tuple[NDArray[np.uint16], NDArray[np.float16]]] = OrderedDict()

    @property
    def is_open(self) -> bool:
        return self._results is not None

    def open(self, results: Results) -> None:
        self._results = results
        self._kept.clear()

    def close(self) -> None:
        self._results = None
        self._kept.clear()

    def mask(self, t: int, vessel_id: int) -> NDArray[np.bool_] | None:
        if self._results is None or vessel_id not in self._results.vessel_ids:
            return None
        track = self._results.track(vessel_id, (t, t + 1))
        if not len(track.frames):
            return None
        mask = np.zeros(self._results.labels.shape[1:], bool)
        low, crop = track.offsets[0], np.asarray(track.mask[0])
        rows, columns = np.nonzero(crop)
        inside = ((rows + low[0] >= 0) & (rows + low[0] < len(mask))) & (
            (columns + low[1] >= 0) & (columns + low[1] < mask.shape[1])
        )
        mask[rows[inside] + low[0], columns[inside] + low[1]] = True
        return mask

    def frame(self, t: int) -> tuple[NDArray[np.uint16], NDArray[np.float16]] | None:
        if self._results is None:
            return None
        length = self._results.labels.chunks[0]
        number, place = divmod(t, length)
        if number not in self._kept:
            span = slice(number * length, (number + 1) * length)
            self._kept[number] = (np.asarray(self._results.labels[span]), np.asarray(self._results.flow[span]))
            while len(self._kept) > 2:
                self._kept.popitem(last=False)
        labels, flow = self._kept[number]
        if place < len(flow):
            return labels[place], flow[place].copy()
        # The last frame has no next one.
        return labels[place], np.zeros((2, *labels.shape[1:]), np.float16)
