"""The GUI side of the worker."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from sam2flow_napari.worker.engine_process import EngineProcess
from sam2flow_napari.worker.jobs import Job
from sam2flow_napari.worker.loop import Engine, JobQueue, WorkerLoop


class Worker(QObject):
    """Takes jobs, has them done one after the other in one worker thread, and emits what comes of them.

    Parameters
    ----------
    engine : Engine, optional
        What does the work; `EngineProcess` if not given.

    Signals
    -------
    answered(object)
        A `JobEvent`, in the GUI thread.
    closed()
        The worker has stopped for good.
    """

    answered = Signal(object)
    closed = Signal()

    def __init__(self, engine: Engine | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue = JobQueue()
        self._engine = engine or EngineProcess()
        self._loop = WorkerLoop(self._queue, self._engine)
        self._numbers = count(1)
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether the worker thread is alive."""
        return self._working

    def submit(self, make: Callable[[int], Job]) -> int:
        """Queue the job that `make` gives for a fresh job id, and return the id."""
        job_id = next(self._numbers)
        self._queue.put(make(job_id))
        self._start()
        return job_id

    def cancel_long(self) -> tuple[int, ...]:
        """Stop the long job in progress at its next event; return the ids of those that never started."""
        return tuple(job.job_id for job in self._queue.cancel_long())

    def drop_previews(self) -> None:
        """Forget the previews that wait."""
        self._queue.drop_previews()

    def close(self) -> None:
        """Have the worker stop after its present event. What a run has finished is kept by the engine."""
        self._queue.close()
        if self._working:
            self._engine.hurry()
        else:
            self._end()

    def _start(self) -> None:
        if self._working or not self._queue.has_work:
            return
        self._working = True
        worker = create_worker(self._loop.serve, _start_thread=False)
        worker.yielded.connect(self._on_event)
        worker.finished.connect(self._on_finished)
        worker.start()

    def _on_event(self, event: object) -> None:
        if not self._queue.closed:
            self.answered.emit(event)

    def _on_finished(self) -> None:
        self._working = False
        if self._queue.closed:
            self._end()
        # Something may have come in while the worker was on its way out.
        self._start()

    def _end(self) -> None:
        self._engine.close()
        self.closed.emit()
