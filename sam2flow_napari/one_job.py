"""What a run and the carrying of masks share: one at a time, and Cancel."""

from __future__ import annotations

import gc
from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from sam2flow_napari.session import Session
from sam2flow_napari.work import Desk, Failed
from sam2flow_napari.work.jobs import LongJob


class OneJob(QObject):
    """At most one long job of a kind; answers of earlier ones are dropped.

    Parameters
    ----------
    session : Session
    desk : Desk
    report : callable
        Shows an error to the user.
    parent : QObject, optional

    Signals
    -------
    running_changed(bool)
    """

    running_changed = Signal(bool)

    def __init__(
        self, session: Session, desk: Desk, report: Callable[[Exception], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._desk = desk
        self._report = report
        self._job_id = 0

    @property
    def running(self) -> bool:
        """Whether it is going on or waiting."""
        return self._job_id != 0

    def cancel(self) -> None:
        """Stop after the present frame."""
        if self.running and self._job_id in self._desk.cancel_long():
            self._end()

    def fail(self, failure: Failed) -> bool:
        """Take a failure; return whether it was the present job's, which is over now."""
        if failure.job_id != self._job_id:
            return False
        self._end()
        return True

    def _begin(self, make: Callable[[int], LongJob]) -> None:
        self._job_id = self._desk.submit(make)
        gc.freeze()  # what has come since the recording was opened; see `Workbench`
        self.running_changed.emit(True)

    def _end(self) -> None:
        self._job_id = 0
        self.running_changed.emit(False)
