"""Runs of one session: start, follow, cancel, and the tables of the newest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, Signal

from sam2flow_core.errors import Sam2FlowError, StackError
from sam2flow_core.project import SessionState
from sam2flow_core.prompts import check_prompts
from sam2flow_napari.one_job import OneJob
from sam2flow_napari.session import Session
from sam2flow_napari.worker.jobs import Cancelled, Failed, Loaded, LoadJob, RunJob, RunProgress
from sam2flow_napari.worker.run_tables import SUMMARY, RunTables
from sam2flow_napari.worker.worker import Worker

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunRequest


class Runs(OneJob):
    """At most one run at a time, and the tables of the newest.

    Signals
    -------
    started(object)
        Folder of the run.
    progressed(object)
        A `RunProgress`.
    tables_changed(object)
        `RunTables`, or None when there are no results.
    """

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
            return
        self._load_id = 0
        self._set_tables(None)
        self._measured = request
        self.started.emit(request.out)
        self._begin(lambda n: RunJob(n, request))

    def load(self, folder: Path) -> None:
        """Read the tables of a finished run."""
        self._load_id = self._worker.submit(lambda n: LoadJob(n, folder))

    def forget(self) -> None:
        """Stop the run and let go of the results (another recording is opened)."""
        if self.running:
            self._worker.cancel_long()
            self._end()
        self._load_id = 0
        self._measured = None
        self._set_tables(None)

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present run's are dropped."""
        if isinstance(answer, RunProgress) and answer.job_id == self._job_id:
            self._on_progress(answer)
        elif isinstance(answer, Cancelled) and answer.job_id == self._job_id:
            show_info("Run cancelled. What was finished is kept in the project folder.")
            self._end()
            self._load_what_there_is()
        elif isinstance(answer, Loaded) and answer.job_id == self._load_id:
            self._measured = answer.tables.request
            self._set_tables(answer.tables)

    def _on_progress(self, progress: RunProgress) -> None:
        from sam2flow_core.engine.events import Finished

        self.progressed.emit(progress)
        if isinstance(progress.event, Finished):
            self._session.finish_run(progress.event.out)
            for notice in progress.event.notices:
                show_info(notice)
            self._end()
            self.load(progress.event.out)

    def fail(self, failure: Failed) -> bool:
        """Take a failure; return whether it was the present run's, whose tables so far are read."""
        ours = super().fail(failure)
        if ours:
            self._load_what_there_is()
        return ours

    def _load_what_there_is(self) -> None:
        """Read the tables that a run which was cut short has left, if it got so far."""
        if self._measured is not None and (self._measured.out / SUMMARY).is_file():
            self.load(self._measured.out)

    def _request(self) -> RunRequest:
        from sam2flow_core.engine import request_of_project

        project, folder, recording = self._session.project, self._session.folder, self._session.recording
        if project is None or folder is None or recording is None:
            raise StackError("no recording is open: open one first")
        request = request_of_project(project, folder)
        check_prompts(request.prompts, recording.shape)
        return request

    def _set_tables(self, tables: RunTables | None) -> None:
        if tables is not self.tables:
            self.tables = tables
            self.tables_changed.emit(tables)
