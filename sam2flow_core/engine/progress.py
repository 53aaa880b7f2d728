"""A run's store and its marker, advanced together in the background."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.engine.lock import FolderLock
from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.results import STORE_NAME, Marker, ResultsWriter, StoreHeader, write_marker
from sam2flow_core.results.resume import Snapshot, frozen


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
