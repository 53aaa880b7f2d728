"""The generator that runs in the worker thread: one thing at a time, previews between the frames of a long job."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from sam2flow_core.project import RunChoices
from sam2flow_napari.work.engine import Engine, Previews
from sam2flow_napari.work.inbox import Inbox
from sam2flow_napari.work.jobs import (
    Cancelled,
    Failed,
    Job,
    JobEvent,
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
    WarmJob,
)
from sam2flow_napari.work.tables import read_tables

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunEvent


class Clerk:
    """Does jobs. Lives as long as the dock; `serve` is started whenever there is something to do.

    Every error is caught and handed over: superqt would swallow a `RuntimeError`, which is what torch raises.
    """

    def __init__(self, inbox: Inbox, engine: Engine) -> None:
        self._inbox = inbox
        self._engine = engine
        self._previews: tuple[tuple[Path, RunChoices], Previews] | None = None

    def serve(self) -> Generator[JobEvent, None, None]:
        """Work until the inbox is empty or closed."""
        run: _OpenJob | None = None
        try:
            while not self._inbox.closed:
                if run is not None and self._inbox.cancelled():
                    run.close()
                    yield Cancelled(run.job.job_id)
                    run = None
                elif (preview := self._inbox.take_preview()) is not None:
                    yield from self._attempt(preview)
                elif run is not None:
                    event = run.next()
                    if event is None:
                        run = None
                    else:
                        yield event
                        if isinstance(event, Failed):
                            run = self._previews = None
                elif (job := self._inbox.take()) is None:
                    return
                elif isinstance(job, LongJob):
                    self._inbox.cancelled()  # a cancel that came too late for the one before
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
            # Whatever it has open may be what is broken: the next click opens it anew.
            self._previews = None
            yield Failed(job.job_id, error)
        else:
            if answer is not None:
                yield answer

    def _answer(self, job: Job) -> JobEvent | None:
        if isinstance(job, LoadJob):
            return Loaded(job.job_id, read_tables(job.folder))
        if isinstance(job, WarmJob):
            self._open_previews(job)
            return None
        job = cast(PreviewJob, job)
        return Masked(job.job_id, job.frame, self._open_previews(job).mask(job.frame, job.prompts, job.regions))

    def _open_previews(self, job: WarmJob | PreviewJob) -> Previews:
        key = (job.stack, job.choices)
        if self._previews is None or self._previews[0] != key:
            self._previews = (key, self._engine.previews(*key))
        return self._previews[1]


class _OpenJob:
    """A long job in progress."""

    def __init__(self, job: LongJob, engine: Engine) -> None:
        self.job = job
        self._events = _run(job, engine) if isinstance(job, RunJob) else _propagate(job, engine)

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


def _run(job: RunJob, engine: Engine) -> Generator[JobEvent, None, None]:
    with closing(engine.run(job.request)) as events:
        for event in events:
            yield RunProgress(job.job_id, event, _speeds(event))


def _propagate(job: PropagationJob, engine: Engine) -> Generator[JobEvent, None, None]:
    with closing(engine.propagate(job.request)) as steps:
        for frames_done in steps:
            yield PropagationProgress(job.job_id, frames_done)
    yield Propagated(job.job_id, job.request.out)


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
