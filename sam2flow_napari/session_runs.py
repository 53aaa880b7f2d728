"""What one session has the engine do, one at a time: runs (start, follow, cancel, go on, delete), masks carried on."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from sam2flow_core.config.run import DETAILS
from sam2flow_core.errors import OutputError, PromptError, Sam2FlowError, StackError
from sam2flow_core.project import KeptRun, SessionState, kept_runs, next_masks_file
from sam2flow_core.prompts import check_prompts
from sam2flow_napari.run_speed import RunSpeeds
from sam2flow_napari.session import Session
from sam2flow_napari.translation import told, tr
from sam2flow_napari.worker.jobs import (
    BatchJob,
    BatchProgress,
    Cancelled,
    Failed,
    Loaded,
    LoadJob,
    LongJob,
    Propagated,
    PropagationJob,
    PropagationProgress,
    RunJob,
    RunProgress,
)
from sam2flow_napari.worker.loop import Worker
from sam2flow_napari.worker.run_tables import SUMMARY, RunTables

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunRequest

_LARGEST = np.iinfo(np.uint16).max


class OneJob(QObject):
    """At most one long job of a kind; answers of earlier ones are dropped.

    Parameters
    ----------
    session : Session
    worker : Worker
    report : callable
        Shows an error to the user.
    parent : QObject, optional

    Signals
    -------
    running_changed(bool)
    stopping_began()
        It was cancelled, and ends after the present frame.
    """

    running_changed = Signal(bool)
    stopping_began = Signal()

    def __init__(
        self, session: Session, worker: Worker, report: Callable[[Exception], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._report = report
        self._job_id = 0
        self.stopping = False

    @property
    def running(self) -> bool:
        """Whether it is going on or waiting."""
        return self._job_id != 0

    def cancel(self) -> None:
        """Stop after the present frame."""
        if not self.running or self.stopping:
            return
        if self._job_id in self._worker.cancel_long():
            self._end()
        else:
            self.stopping = True
            self.stopping_began.emit()

    def fail(self, failure: Failed) -> bool:
        """Take a failure; return whether it was the present job's, which is over now."""
        if failure.job_id != self._job_id:
            return False
        self._end()
        return True

    def _begin(self, make: Callable[[int], LongJob]) -> None:
        self._job_id = self._worker.submit(make)
        gc.freeze()  # what has come since the recording was opened; see `Workbench`
        self.running_changed.emit(True)

    def _end(self) -> None:
        self._job_id, self.stopping = 0, False
        self.running_changed.emit(False)


class Propagation(OneJob):
    """At most one propagation at a time.

    Signals
    -------
    progressed(int)
        Number of frames done.
    finished(object)
        Path of the TIFF with the masks.
    """

    progressed = Signal(int)
    finished = Signal(object)

    def start(self, labels: NDArray[Any], frame: int) -> None:
        """Carry the labels (Y, X) of a frame to all others; refused with a notification where it cannot be."""
        if self.running:
            return
        try:
            self._start(labels, frame)
        except Sam2FlowError as error:
            self._report(error)

    def forget(self) -> None:
        """Stop (another recording is opened)."""
        if self.running:
            self._worker.cancel_long()
            self._end()

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present job's are dropped."""
        if isinstance(answer, PropagationProgress) and answer.job_id == self._job_id:
            self.progressed.emit(answer.frames_done)
        elif isinstance(answer, Propagated) and answer.job_id == self._job_id:
            self._end()
            self.finished.emit(answer.masks)
        elif isinstance(answer, Cancelled) and answer.job_id == self._job_id:
            show_info(tr("Cancelled: no masks were written."))
            self._end()

    def _start(self, labels: NDArray[Any], frame: int) -> None:
        from sam2flow_core.engine.propagation import PropagationRequest

        recording, folder, choices = self._session.recording, self._session.folder, self._session.run_choices
        if recording is None or folder is None:
            raise StackError(tr("no recording is open: open one first"))
        if not labels.any():
            raise PromptError(
                tr("no mask in frame {frame}: click on a vessel or paint one there first").format(frame=frame)
            )
        if labels.min() < 0 or labels.max() > _LARGEST:
            raise PromptError(tr("labels must lie between 0 and {largest}").format(largest=_LARGEST))
        folder.mkdir(parents=True, exist_ok=True)
        request = PropagationRequest(
            recording.path, labels.astype(np.uint16), frame, next_masks_file(folder), choices.model, choices.device
        )
        self._begin(lambda n: PropagationJob(n, request))


class Batch(OneJob):
    """At most one batch at a time: several recordings measured one after the other with the same settings.

    Signals
    -------
    progressed(object)
        A `BatchStep`.
    finished(object)
        Folder of the batch.
    """

    progressed = Signal(object)
    finished = Signal(object)

    def __init__(
        self, session: Session, worker: Worker, report: Callable[[Exception], None], parent: QObject | None = None
    ) -> None:
        super().__init__(session, worker, report, parent)
        self._out = Path()

    def start(self, requests: tuple[RunRequest, ...], out: Path, groups: tuple[tuple[str, str], ...]) -> None:
        """Measure recordings into a folder; a batch that was stopped there goes on."""
        if self.running or not requests:
            return
        self._out = out
        self._begin(lambda n: BatchJob(n, requests, out, groups))

    def forget(self) -> None:
        """Stop (the dock is closed); what is finished is kept."""
        if self.running:
            self._worker.cancel_long()
            self._end()

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present batch's are dropped."""
        if isinstance(answer, BatchProgress) and answer.job_id == self._job_id:
            if answer.step is None:
                self._end()
                self.finished.emit(self._out)
            else:
                self.progressed.emit(answer.step)
        elif isinstance(answer, Cancelled) and answer.job_id == self._job_id:
            show_info(tr("Batch stopped. What is finished is kept; started again into the same folder, it goes on."))
            self._end()


class Runs(OneJob):
    """At most one run at a time, those that are kept, and the tables of the one on show.

    Signals
    -------
    kept_changed()
        A run was added or deleted, or has become another one on show.
    started(object)
        Folder of the run.
    progressed(object)
        A `RunProgress`.
    tables_changed(object)
        `RunTables`, or None when there are no results.
    """

    kept_changed = Signal()
    started = Signal(object)
    progressed = Signal(object)
    tables_changed = Signal(object)

    def __init__(
        self, session: Session, worker: Worker, report: Callable[[Exception], None], parent: QObject | None = None
    ) -> None:
        super().__init__(session, worker, report, parent)
        self._load_id = 0
        self._measured: RunRequest | None = None
        self.tables: RunTables | None = None
        self._speeds = RunSpeeds()

    def expected(self) -> tuple[int, float | None]:
        """Return how many pairs of frames a run would answer now, and in how many seconds, as far as that is known."""
        from sam2flow_core.engine.source import plan_frames

        recording, choices = self._session.recording, self._session.run_choices
        if recording is None:
            return 0, None
        ranges = choices.ranges or ((choices.start, choices.stop or recording.shape[0]),)
        pairs = len(plan_frames(ranges, choices.detail, recording.calibration.usable_frame_rate_hz).answered)
        seconds = self._speeds.expected(*self._load(self._session.state))
        return pairs, None if seconds is None else pairs * seconds

    def _load(self, state: SessionState) -> tuple[str, str, float, int]:
        """What decides how long a pair takes: model, device, pixels that the network sees, vessels."""
        assert self._session.recording is not None
        choices, (_, height, width) = self._session.preview_choices, self._session.recording.shape
        vessels = sum(state.is_shown(vessel) for vessel in state.vessel_ids)
        return choices.model, choices.device, height * width / (choices.working_resolution or 1.0) ** 2, vessels

    @property
    def kept(self) -> tuple[KeptRun, ...]:
        """The runs of the project, in their order; the one that goes on is among them."""
        folder = self._session.folder
        return kept_runs(folder) if folder is not None and folder.is_dir() else ()

    @property
    def shown(self) -> Path | None:
        """Folder of the run that is on show, goes on, or is being read."""
        return self._measured.out if self._measured is not None else None

    def outdated(self, state: SessionState) -> frozenset[int]:
        """Vessels that are marked otherwise in `state` than in the run on screen, or that only one of them knows."""
        if self._measured is None:
            return frozenset()
        measured = SessionState(prompts=self._measured.prompts)
        ids = {prompt.vessel_id for each in (measured, state) for prompt in each.prompts}
        return frozenset(v for v in ids if measured.prompts_of(v) != state.prompts_of(v))

    def start(self) -> None:
        """Start a run with the session's prompts and settings; refused with a notification where it cannot be."""
        if self.running:
            return
        try:
            request = self._request()
        except Sam2FlowError as error:
            self._report(error)
        else:
            self._begin_run(request)

    def go_on(self, folder: Path) -> None:
        """Go on with a run that was cut short, with the marks and settings that it began with.

        One that has not written tables is asked for with the session's, which the engine compares with the run's.
        """
        if self.running:
            return
        try:
            self._begin_run(self._request_to_go_on(folder))
        except Sam2FlowError as error:
            self._report(error)

    def refine(self) -> None:
        """Answer more pairs of frames of the run on show, in the detail that is chosen now."""
        if self.running or not self.can_refine:
            return
        try:
            self._begin_run(self._request_to_go_on(self.tables.folder, self._session.run_choices.detail))  # type: ignore[union-attr]
        except Sam2FlowError as error:
            self._report(error)

    @property
    def can_refine(self) -> bool:
        """Whether more pairs of frames are asked for now than the finished run on show has answered."""
        if self.tables is None or self.running:
            return False
        asked, chosen = self.tables.request.detail, self._session.run_choices.detail
        coarse = DETAILS.index(asked) if asked in DETAILS else 1  # a whole number: what standard came to
        return chosen in DETAILS and DETAILS.index(chosen) > coarse

    def delete(self, folder: Path) -> None:
        """Delete a run with all that it measured; refused with a notification where it cannot be.

        In place of the run on show comes the newest that is left.
        """
        from sam2flow_core.engine.lock import remove_run

        if self.running and folder == self.shown:
            return
        was_shown = folder == self.shown
        if was_shown:
            self._show_nothing()
        try:
            remove_run(folder)
        except (Sam2FlowError, OSError) as error:
            self._report(error)
        self._session.forget_run(folder)
        self.kept_changed.emit()
        if was_shown:
            self.load_newest()

    def _begin_run(self, request: RunRequest) -> None:
        self._load_id = 0
        self._set_tables(None)
        self._speeds.begin()
        self._measured = request
        self.started.emit(request.out)
        self._begin(lambda n: RunJob(n, request))
        self.kept_changed.emit()

    def _show_nothing(self) -> None:
        self._load_id, self._measured = 0, None
        # Told also where there were no tables yet: a run that went on has shown its rows and curves so far.
        self.tables = None
        self.tables_changed.emit(None)

    def load(self, folder: Path) -> None:
        """Read the tables of a finished run."""
        self._load_id = self._worker.submit(lambda n: LoadJob(n, folder))

    def load_newest(self) -> None:
        """Read the tables of the newest finished run; where none is, of the newest that was cut short."""
        cut_short = (run.folder for run in reversed(self.kept) if run.readable)
        folder = self._session.results or next(cut_short, None)
        if folder is not None:
            self.load(folder)

    def forget(self) -> None:
        """Stop the run and let go of the results (another recording is opened)."""
        if self.running:
            self._worker.cancel_long()
            self._end()
        self._show_nothing()
        self.kept_changed.emit()

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present run's are dropped."""
        if isinstance(answer, RunProgress) and answer.job_id == self._job_id:
            self._on_progress(answer)
        elif isinstance(answer, Cancelled) and answer.job_id == self._job_id:
            show_info(tr("Run cancelled. What was finished is kept in the project folder."))
            self._end()
            self._load_what_there_is()
            self.kept_changed.emit()
        elif isinstance(answer, Loaded) and answer.job_id == self._load_id:
            self._measured = answer.tables.request
            self._set_tables(answer.tables)
            self.kept_changed.emit()

    def _on_progress(self, progress: RunProgress) -> None:
        from sam2flow_core.engine.events import Finished, FrameDone

        self.progressed.emit(progress)
        if isinstance(progress.event, FrameDone) and self._measured is not None:
            self._speeds.count(progress.event.result.asked)
            if progress.event.frames_done == progress.event.frames_total:
                self._speeds.end(*self._load(SessionState(prompts=self._measured.prompts)))
        if isinstance(progress.event, Finished):
            self._session.finish_run(progress.event.out)
            if progress.event.notices:
                # In one: of two that come together, napari leaves the first over the picture for good.
                show_info("\n".join(told(notice) for notice in progress.event.notices))
            self._end()
            self.load(progress.event.out)

    def fail(self, failure: Failed) -> bool:
        """Take a failure; return whether it was the present run's, whose tables so far are read."""
        ours = super().fail(failure)
        if ours:
            self._load_what_there_is()
            self.kept_changed.emit()
        return ours

    def _load_what_there_is(self) -> None:
        """Read the tables that a run which was cut short has left, if it got so far."""
        if self._measured is not None and (self._measured.out / SUMMARY).is_file():
            self.load(self._measured.out)

    def _request(self) -> RunRequest:
        from sam2flow_core.engine import request_of_project

        project, folder, recording = self._session.project, self._session.folder, self._session.recording
        if project is None or folder is None or recording is None:
            raise StackError(tr("no recording is open: open one first"))
        request = request_of_project(project, folder)
        check_prompts(request.prompts, recording.shape)
        return request

    def _request_to_go_on(self, folder: Path, detail: str | None = None) -> RunRequest:
        from sam2flow_core.engine import request_to_go_on
        from sam2flow_core.results import PROVENANCE

        recording = self._session.recording
        if recording is None:
            raise StackError(tr("no recording is open: open one first"))
        if not folder.is_dir():
            raise OutputError(tr("{folder}: is no longer there").format(folder=folder))
        if not (folder / PROVENANCE).is_file():
            return replace(self._request(), out=folder, resume=True)
        return request_to_go_on(folder, recording.path, detail)

    def _set_tables(self, tables: RunTables | None) -> None:
        if tables is not self.tables:
            self.tables = tables
            self.tables_changed.emit(tables)
