"""What a run and the carrying of masks share: one at a time, and Cancel."""

from __future__ import annotations

import gc
from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from sam2flow_napari.session import Session
from sam2flow_napari.worker.jobs import Failed, LongJob
from sam2flow_napari.worker.worker import Worker


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
    """

    running_changed = Signal(bool)

    def __init__(
        self, session: Session, worker: Worker, report: Callable[[Exception], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._report = report
        self._job_id = 0

    @property
    def running(self) -> bool:
        """Whether it is going on or waiting."""
        return self._job_id != 0

    def cancel(self) -> None:
        """Stop after the present frame."""
        if self.running and self._job_id in self._worker.cancel_long():
            self._end()

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
        self._job_id = 0
        self.running_changed.emit(False)
