"""The worker: its thread, what waits for it, and previews between the frames of a long job."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from itertools import count
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from sam2flow_core.errors import Sam2FlowError
from sam2flow_napari.worker.engine_process import EngineProcess
from sam2flow_napari.worker.jobs import (
    BatchJob,
    BatchProgress,
    Cancelled,
    Failed,
    FindJob,
    FindProgress,
    Found,
    Job,
    JobEvent,
    LineDone,
    LineJob,
    Loaded,
    LoadJob,
    LongJob,
    Masked,
    PreviewJob,
    Propagated,
    PropagationJob,
    PropagationProgress,
    RunJob,
    RunProgress,
    Warmed,
    WarmJob,
)
from sam2flow_napari.worker.run_tables import RunTables, read_line, read_tables

if TYPE_CHECKING:
    from sam2flow_core.engine.batch import BatchStep
    from sam2flow_core.engine.events import RunEvent, RunRequest
    from sam2flow_core.engine.field_findings import Findings
    from sam2flow_core.engine.preview import Reading
    from sam2flow_core.engine.propagation import PropagationRequest


class JobQueue:
    """Jobs in their order; tables of earlier runs first, then previews, of one vessel only the newest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._loads: deque[LoadJob] = deque()
        self._previews: dict[int, PreviewJob] = {}
        self._cancel = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the worker should stop at once."""
        return self._closed

    @property
    def has_work(self) -> bool:
        """Whether anything waits."""
        with self._lock:
            return not self._closed and bool(self._jobs or self._previews or self._loads)

    def put(self, job: Job) -> None:
        """Add a job."""
        with self._lock:
            if isinstance(job, PreviewJob):
                self._previews.pop(job.vessel_id, None)
                self._previews[job.vessel_id] = job
            elif isinstance(job, LoadJob):
                self._loads.append(job)
            else:
                self._jobs.append(job)

    def drop_previews(self) -> None:
        """Forget the previews that wait (another recording was opened)."""
        with self._lock:
            self._previews.clear()

    def take_first(self) -> PreviewJob | LoadJob | None:
        """Return what comes before everything else: tables to read, which takes no engine; the oldest preview."""
        with self._lock:
            if self._loads:
                return self._loads.popleft()
            return self._previews.pop(next(iter(self._previews))) if self._previews else None

    def take(self) -> Job | None:
        """Return the next job."""
        with self._lock:
            return self._jobs.popleft() if self._jobs else None

    def cancel_long(self) -> tuple[LongJob, ...]:
        """Ask for the end of the long job in progress; return those that were still waiting and are dropped."""
        with self._lock:
            self._cancel = True
            waiting = tuple(j for j in self._jobs if isinstance(j, LongJob))
            self._jobs = deque(j for j in self._jobs if not isinstance(j, LongJob))
            return waiting

    def cancelled(self) -> bool:
        """Return whether the long job in progress should end, and forget it."""
        with self._lock:
            cancel, self._cancel = self._cancel, False
            return cancel

    def close(self) -> None:
        """Ask the worker to stop."""
        with self._lock:
            self._closed = True
            self._jobs.clear()
            self._loads.clear()
            self._previews.clear()


class Engine(Protocol):
    """What does the work. Used from the worker thread alone, but for `hurry`."""

    def run(self, request: RunRequest) -> Generator[RunEvent, None, None]:
        """Do a run, an event at a time; closing it stops the run and keeps what is finished."""
        ...

    def propagate(self, request: PropagationRequest) -> Generator[int, None, None]:
        """Carry masks through the frames; gives the number of frames done. Closing it leaves no file."""
        ...

    def find(self, job: FindJob) -> Generator[float | Findings, None, None]:
        """Propose every vessel; gives the share that is done, 0 to 1, and at last the findings."""
        ...

    def batch(self, job: BatchJob) -> Generator[BatchStep, None, None]:
        """Measure several recordings; closing it stops the one in hand and keeps what is finished."""
        ...

    def warm(self, job: WarmJob) -> None:
        """Open a recording for previews; after an error it is opened anew."""
        ...

    def mask(self, job: PreviewJob) -> Reading:
        """Return the mask of one vessel in one frame; the recording is opened where it is not yet."""
        ...

    def line(self, job: LineJob) -> None:
        """Measure along a drawn line; tables and report are in its folder then."""
        ...

    def hurry(self) -> None:
        """Come to an end soon, whatever it is at; called while it works, from another thread, before `close`."""
        ...

    def close(self) -> None:
        """Let go of what it holds; not called while it works."""
        ...


class WorkerLoop:
    """Does jobs. Lives as long as the dock; `serve` is started whenever there is something to do.

    Every error is caught and handed over: superqt would swallow a `RuntimeError`, which is what torch raises.
    """

    def __init__(self, jobs: JobQueue, engine: Engine) -> None:
        self._queue = jobs
        self._engine = engine

    def serve(self) -> Generator[JobEvent, None, None]:
        """Work until the queue is empty or closed."""
        run: _OpenJob | None = None
        try:
            while not self._queue.closed:
                if run is not None and self._queue.cancelled():
                    run.close()
                    yield Cancelled(run.job.job_id)
                    run = None
                elif (first := self._queue.take_first()) is not None:
                    yield from self._attempt(first)
                elif run is not None:
                    event = run.next()
                    if event is None:
                        run = None
                    else:
                        yield event
                        if isinstance(event, Failed):
                            run = None
                elif (job := self._queue.take()) is None:
                    return
                elif isinstance(job, LongJob):
                    self._queue.cancelled()  # a cancel that came too late for the one before
                    run = _OpenJob(job, self._engine)
                else:
                    yield from self._attempt(job)
        finally:
            if run is not None:
                run.close()

    def _attempt(self, job: Job) -> Iterator[JobEvent]:
        try:
            answer = self._answer(job)
        except Exception as error:
            yield Failed(job.job_id, error)
        else:
            if answer is not None:
                yield answer

    def _answer(self, job: Job) -> JobEvent | None:
        if isinstance(job, LoadJob):
            return Loaded(job.job_id, read_tables(job.folder))
        if isinstance(job, WarmJob):
            # Here, so that the window need not wait for them at its first use of either.
            import pydantic  # noqa: F401

            import sam2flow_core.engine  # noqa: F401

            self._engine.warm(job)
            return Warmed(job.job_id)
        if isinstance(job, LineJob):
            self._engine.line(job)
            return LineDone(job.job_id, job.out, *read_line(job.out))
        job = cast(PreviewJob, job)
        return Masked(job.job_id, job.frame, self._engine.mask(job))


class _OpenJob:
    """A long job in progress."""

    def __init__(self, job: LongJob, engine: Engine) -> None:
        self.job = job
        self._events = _events(job, engine)

    def next(self) -> JobEvent | None:
        """Return the next event; None at the end."""
        try:
            return next(self._events)
        except StopIteration:
            return None
        except Exception as error:
            return Failed(self.job.job_id, error)

    def close(self) -> None:
        """Stop; the engine keeps what is finished."""
        self._events.close()


def _events(job: LongJob, engine: Engine) -> Generator[JobEvent, None, None]:
    if isinstance(job, RunJob):
        return _run(job, engine)
    if isinstance(job, BatchJob):
        return _batch(job, engine)
    return _propagate(job, engine) if isinstance(job, PropagationJob) else _find(job, engine)


def _batch(job: BatchJob, engine: Engine) -> Generator[JobEvent, None, None]:
    with closing(engine.batch(job)) as steps:
        for step in steps:
            yield BatchProgress(job.job_id, step)
    yield BatchProgress(job.job_id, None)


def _find(job: FindJob, engine: Engine) -> Generator[JobEvent, None, None]:
    with closing(engine.find(job)) as steps:
        for step in steps:
            yield FindProgress(job.job_id, step) if isinstance(step, float) else Found(job.job_id, step)


def _run(job: RunJob, engine: Engine) -> Generator[JobEvent, None, None]:
    with closing(engine.run(job.request)) as events:
        for event in events:
            yield RunProgress(job.job_id, event, _speeds(event), _tables_so_far(event))


def _propagate(job: PropagationJob, engine: Engine) -> Generator[JobEvent, None, None]:
    with closing(engine.propagate(job.request)) as steps:
        for frames_done in steps:
            yield PropagationProgress(job.job_id, frames_done)
    yield Propagated(job.job_id, job.request.out)


def _tables_so_far(event: RunEvent) -> RunTables | None:
    """Read the tables of an unfinished run; what cannot be read yet does not stop it."""
    from sam2flow_core.engine.events import PartialDone

    if isinstance(event, PartialDone) and event.frames_done:
        with suppress(Sam2FlowError, OSError):
            return read_tables(event.out)
    return None


def _speeds(event: RunEvent) -> tuple[tuple[int, float], ...]:
    result = getattr(event, "result", None)
    vessels = result.vessels if result is not None else ()
    speeds = []
    for vessel in vessels:
        if vessel.flow is not None and vessel.mask.any():
            dx, dy = vessel.flow[:, vessel.mask]
            speed = np.hypot(dx, dy)
            known = speed[np.isfinite(speed)]
            speeds.append((vessel.vessel_id, float(np.median(known)) if known.size else float("nan")))
    return tuple(speeds)


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
