"""Stream frames from the predictor into the store so that a crash costs at most one chunk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.engine.contract import Predictor, give_prompts
from sam2flow_core.engine.events import FrameDone, PartialDone, RunEvent, RunRequest, Started
from sam2flow_core.engine.finishing import PartialTables
from sam2flow_core.engine.lock import FolderLock
from sam2flow_core.engine.source import Source
from sam2flow_core.errors import OutputError, Sam2FlowError
from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.results import (
    STORE_NAME,
    Marker,
    ResultsWriter,
    StoreHeader,
    read_marker,
    read_snapshot,
    write_marker,
)
from sam2flow_core.results.resume import Snapshot, frozen
from sam2flow_core.untrusted import one_line


class Progress:
    """Writes chunks while the predictor goes on; a context whose end waits for the last one.

    A chunk is written first and the marker that speaks of it after. Killed in
    between, the run goes on from the marker before and writes the same chunk
    again. One chunk is under way at most, so that memory stays bounded when the
    disk is slower than the predictor.

    Attributes
    ----------
    frames_done : int
        Frames handed over so far, counted from the start of the run.
    """

    def __init__(self, lock: FolderLock, writer: ResultsWriter, identity: Mapping[str, str], frames_done: int) -> None:
        self.frames_done = frames_done
        self._lock = lock
        self._writer = writer
        self._identity = identity
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sam2flow-writer")
        self._under_way: Future[None] | None = None

    @classmethod
    def begin(
        cls, lock: FolderLock, header: StoreHeader, identity: Mapping[str, str], settings: StoreSettings
    ) -> Progress:
        """Start with an empty store, or with that of the same run in less detail.

        The marker comes first: from here on the folder holds an unfinished run.
        """
        write_marker(lock.folder, Marker(0, identity), {})
        path = lock.folder / STORE_NAME
        writer = ResultsWriter.reopen_for(path, header) or ResultsWriter.create(path, header, settings)
        return cls(lock, writer, identity, 0)

    @classmethod
    def go_on(cls, lock: FolderLock, marker: Marker) -> Progress:
        """Go on with the run that `marker` speaks of."""
        return cls(lock, ResultsWriter.reopen(lock.folder / STORE_NAME), marker.identity, marker.frames_done)

    def check(self) -> None:
        """Raise `OutputError` if what comes next could not be kept: nothing is computed in vain."""
        self._lock.check()
        self._writer.check()
        if self._under_way is not None and self._under_way.done():
            self._wait()

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self._lock.folder

    def settle(self) -> None:
        """Wait until all that was handed over is written."""
        self._wait()

    def keep(self, frames: list[FrameFlow], snapshot: Snapshot) -> None:
        """Write frames, and the predictor's state after them.

        Raises
        ------
        OutputError
            If these or the frames before could not be written; nothing is handed over then.
        """
        self._wait()
        self.frames_done += len(frames)
        self._under_way = self._thread.submit(self._write, frames, frozen(snapshot), self.frames_done)

    def keep_frames_only(self, frames: list[FrameFlow]) -> None:
        """Write frames that a resumed run will answer again."""
        self._wait()
        self._lock.check()
        self._writer.write(frames)

    def _write(self, frames: list[FrameFlow], snapshot: Snapshot, frames_done: int) -> None:
        # Checked before each: into a folder that was removed, zarr would write as if it had never been there.
        self._lock.check()
        self._writer.write(frames)
        self._lock.check()
        write_marker(self._lock.folder, Marker(frames_done, self._identity), snapshot)

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if kind is None or kind is GeneratorExit:
            self._wait()


def stream_frames(
    request: RunRequest,
    source: Source,
    lock: FolderLock,
    predictor: Predictor,
    identity: Mapping[str, str],
    settings: StoreSettings,
    tables: PartialTables | None = None,
    anew: bool = False,
) -> Iterator[RunEvent]:
    """Answer every frame that is still to be answered, and keep the answers.

    Closing the generator keeps the frames that were yielded. Now and then `tables` of the frames so far are written.
    With `anew` a run of less detail in the folder is gone through again: its answers stay until better ones come.
    """
    state = predictor.init_state(
        source.stack, stabilise=request.stabilise, plan=source.plan, working_resolution=source.resolution.factor
    )
    give_prompts(predictor, state, request.prompts)
    marker = None if anew else read_marker(request.out)
    if marker is None or marker.frames_done == 0:
        header = _header(request, source, state.crops, settings)
        progress = Progress.begin(lock, header, identity, settings)
    else:
        _restore(request, source, predictor, state, marker)
        progress = Progress.go_on(lock, marker)
    with progress:
        yield Started(source.frames_total, progress.frames_done, (*lock.notices, *source.notices))
        if progress.frames_done < source.frames_total:
            yield from _answer(source, predictor, state, progress, settings, tables)


def _restore(request: RunRequest, source: Source, predictor: Predictor, state: Any, marker: Marker) -> None:
    snapshot = read_snapshot(request.out)
    try:
        if marker.frames_done > source.frames_total:
            raise ValueError(f"{marker.frames_done} of {source.frames_total} frames")
        predictor.restore(state, snapshot)
    except Exception as error:  # whatever a state raises that is another's, or damaged
        reason = one_line(f"{type(error).__name__}: {error}")
        raise OutputError(
            "{out}: the state of its unfinished run is damaged ({reason}); run again into a new folder",
            out=request.out,
            reason=reason,
        ) from None


def _answer(
    source: Source,
    predictor: Predictor,
    state: Any,
    progress: Progress,
    settings: StoreSettings,
    tables: PartialTables | None,
) -> Iterator[FrameDone | PartialDone]:
    clock = _Clock(source.frames_total - progress.frames_done)
    frames_done = progress.frames_done
    pending: list[FrameFlow] = []
    answers = predictor.stream(state)
    while (result := _next(answers, progress, pending)) is not None:
        progress.check()
        pending.append(result)
        frames_done += 1
        # Chunks end where the store's chunks end, whatever the first frame, so that each is compressed once.
        if (result.frame + 1) % settings.chunk_frames == 0 or source.plan.ends(result.frame):
            progress.keep(pending, predictor.snapshot(state))
            pending = []
            if tables is not None and tables.due(frames_done) and frames_done < source.frames_total:
                progress.settle()
                yield PartialDone(progress.folder, tables.write(), source.frames_total)
        try:
            yield FrameDone(result, frames_done, source.frames_total, clock.seconds_left())
        except GeneratorExit:
            if pending:
                progress.keep(pending, predictor.snapshot(state))
            raise


def _next(answers: Iterator[FrameFlow], progress: Progress, pending: list[FrameFlow]) -> FrameFlow | None:
    try:
        return next(answers, None)
    except Sam2FlowError:
        # The recording broke. Its good frames are kept, but the predictor's state is half-way: no new marker.
        progress.keep_frames_only(pending)
        raise


def _header(
    request: RunRequest, source: Source, crops: Mapping[int, tuple[int, int]], settings: StoreSettings
) -> StoreHeader:
    names = dict(request.names)
    return StoreHeader(
        shape=source.stack.shape,
        start=source.start,
        stop=source.stop,
        crops=dict(crops),
        names={vessel: names.get(vessel, str(vessel)) for vessel in crops},
        groups={vessel: group for vessel, group in request.groups if vessel in crops},
        calibration=asdict(source.timed_calibration),
        video_id=request.video_id or source.stack.name,
        settings=asdict(settings),
        ranges=source.ranges,
    )


class _Clock:
    """Time remaining from the pace of the frames so far in this session."""

    def __init__(self, frames: int) -> None:
        self._left = frames
        self._done = 0
        self._began = time.monotonic()

    def seconds_left(self) -> float:
        self._left -= 1
        self._done += 1
        return self._left * (time.monotonic() - self._began) / self._done
