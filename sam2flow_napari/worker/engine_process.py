"""The engine's process as the window sees it, and the pipe between the two: one message, one answer, as pickles.

Messages are jobs for previews (`WarmJob`, `PreviewJob`), requests for a run or for carrying masks (`RunRequest`,
`PropagationRequest`), which begin it, and then `NextEvent` until the answer is `End`, or `CloseRun`. They go over the
standard streams.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from sam2flow_core.config.run import THREAD_VARIABLES
from sam2flow_core.errors import Sam2FlowError
from sam2flow_napari.worker.jobs import BatchJob, FindJob, LineJob, PreviewJob, WarmJob

if TYPE_CHECKING:
    from sam2flow_core.engine.batch import BatchStep
    from sam2flow_core.engine.events import RunEvent, RunRequest
    from sam2flow_core.engine.field_findings import Findings
    from sam2flow_core.engine.preview import Reading
    from sam2flow_core.engine.propagation import PropagationRequest

GRACE_S = 3.0
"""Seconds that an engine whose window has gone may go on: a frame takes less, the measuring of many vessels more."""
_CHILD = "sam2flow_napari.worker.child"
_GONE = (
    "the computation ended unexpectedly, perhaps for want of memory; your clicks are saved: try fewer frames or vessels"
)


@dataclass(frozen=True)
class NextEvent:
    """Go on with what was begun; answered by `Value(event)`, or by `End`."""


@dataclass(frozen=True)
class CloseRun:
    """Stop it; answered by `Value(None)`."""


@dataclass(frozen=True)
class Value:
    """The answer."""

    value: Any


@dataclass(frozen=True)
class End:
    """The run has no more events."""


@dataclass(frozen=True)
class Fault:
    """The error that ended it."""

    error: Exception


def send(stream: BinaryIO, message: object) -> None:
    """Write a message."""
    pickle.dump(message, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read a message.

    Raises
    ------
    EOFError
        If the other process has gone.
    """
    return pickle.load(stream)


class EngineProcess:
    """`sam2flow_core.engine` in a process that is started when it is first needed.

    To be used from one thread at a time; each call waits for its answer without
    holding the interpreter's lock.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, request: RunRequest) -> Generator[RunEvent, None, None]:
        """Do a run; closing the generator stops it and keeps what is finished.

        Raises
        ------
        Sam2FlowError
            As the engine does, and if its process has ended.
        """
        yield from self._follow(request)

    def propagate(self, request: PropagationRequest) -> Generator[int, None, None]:
        """Carry masks through the frames; gives the number of frames done, and leaves no file if it is closed."""
        yield from self._follow(request)

    def find(self, job: FindJob) -> Generator[float | Findings, None, None]:
        """Propose every vessel; gives the share that is done, 0 to 1, and at last the findings."""
        yield from self._follow(job)

    def batch(self, job: BatchJob) -> Generator[BatchStep, None, None]:
        """Measure several recordings; closing the generator stops the one in hand and keeps what is finished."""
        yield from self._follow(job)

    def _follow(self, request: RunRequest | PropagationRequest | FindJob | BatchJob) -> Generator[Any, None, None]:
        self._start()
        self._ask(request)
        ended = False
        try:
            while True:
                answer = self._ask(NextEvent())
                if isinstance(answer, End):
                    ended = True
                    return
                yield answer
        finally:
            if not ended and self._alive():
                self._ask(CloseRun())

    def warm(self, job: WarmJob) -> None:
        """Open a recording for previews."""
        self._start()
        self._ask(job)

    def mask(self, job: PreviewJob) -> Reading:
        """Return the mask of one vessel in one frame; the recording is opened where it is not yet."""
        self._start()
        answer: Reading = self._ask(job)
        return answer

    def line(self, job: LineJob) -> None:
        """Measure along a drawn line; tables and report are in its folder then."""
        self._start()
        self._ask(job)

    def hurry(self) -> None:
        """Give what the process is at a few seconds to end; a run that is killed keeps what it has finished."""
        if self._process is not None:
            timer = threading.Timer(GRACE_S, self._process.kill)
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        """Let the process end; it stops its run and keeps what is finished."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        if self._alive():
            return
        # Not `multiprocessing`: it would run the user's own script, window and all, a second time.
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        # Threads that spin while they wait would take the processor from the window.
        environment = THREAD_VARIABLES | dict(os.environ)
        self._process = subprocess.Popen(
            [sys.executable, "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            creationflags=hidden,
            env=environment,
        )

    def _ask(self, message: object) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise Sam2FlowError(_GONE)
        try:
            send(process.stdin, message)  # type: ignore[arg-type]
            answer = receive(process.stdout)  # type: ignore[arg-type]
        except (EOFError, OSError):
            self._process = None
            raise Sam2FlowError(_GONE) from None
        if isinstance(answer, Fault):
            raise answer.error
        return answer if isinstance(answer, End) else answer.value
