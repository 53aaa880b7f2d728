"""The engine's side: ``python -m sam2flow_napari.worker.child``. Ends when its input does."""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, BinaryIO

from sam2flow_core.errors import Sam2FlowError
from sam2flow_napari.worker.engine_process import CloseRun, End, Fault, NextEvent, Value, receive, send
from sam2flow_napari.worker.jobs import BatchJob, FindJob, LineJob, PreviewJob, WarmJob

if TYPE_CHECKING:
    from sam2flow_core.engine.contract import Predictor
    from sam2flow_core.engine.events import RunRequest
    from sam2flow_core.engine.preview import Previewer, Reading


class Host:
    """Does what messages ask for."""

    def __init__(self) -> None:
        self._run: Generator[Any, None, None] | None = None
        self._previewer: Previewer | None = None

    def answer(self, message: object) -> Value | End:
        """Do what a message asks for and return the answer."""
        try:
            return self._answer(message)
        except Exception:
            # Whatever it has open may be what is broken: the next click opens it anew.
            self._previewer = None
            raise

    def _answer(self, message: object) -> Value | End:
        if isinstance(message, NextEvent):
            return self._next()
        if isinstance(message, CloseRun):
            self.close()
        elif isinstance(message, PreviewJob):
            return Value(_reading(self._open(message), message))
        elif isinstance(message, WarmJob):
            self._open(message)
        elif isinstance(message, LineJob):
            _measure_line(message)
        else:
            self._begin(message)
        return Value(None)

    def _open(self, job: WarmJob | PreviewJob | FindJob) -> Previewer:
        """Return what gives previews of a recording with these choices; any other is dropped."""
        from sam2flow_core.engine.preview import Previewer

        if self._previewer is None or (self._previewer.recording, self._previewer.choices) != (job.stack, job.choices):
            self._previewer = None  # its memory first
            self._previewer = Previewer(job.stack, job.choices)
        return self._previewer

    def _begin(self, request: object) -> None:
        from sam2flow_core.engine import RunRequest, run
        from sam2flow_core.engine.propagation import PropagationRequest, propagate

        if isinstance(request, FindJob):
            self._run = self._open(request).find(request.pixel_size_um)
        elif isinstance(request, PropagationRequest):
            self._run = propagate(request)
        elif isinstance(request, BatchJob):
            from sam2flow_core.engine.batch import run_in_turn

            predictor = self._loaded(request.requests[0]) if request.requests else None
            self._run = run_in_turn(request.requests, request.out, dict(request.groups), predictor)
        elif isinstance(request, RunRequest):
            predictor, stack = self._loaded(request), None
            if self._previewer is not None:
                stack = self._previewer.read_through(request.stack)
            self._run = run(request, predictor, known=stack)
        else:
            raise TypeError(f"a message of kind {type(request).__name__}")

    def _loaded(self, request: RunRequest) -> Predictor | None:
        """Return what previews have loaded already, where it is what a run asks for."""
        return self._previewer.predictor_for(request.model, request.device) if self._previewer is not None else None

    def close(self) -> None:
        """Stop the run, if there is one; the engine keeps what is finished."""
        if self._run is not None:
            self._run.close()
            self._run = None

    def _next(self) -> Value | End:
        if self._run is None:
            return End()
        try:
            return Value(next(self._run))
        except StopIteration:
            self._run = None
            return End()


def _reading(previewer: Previewer, job: PreviewJob) -> Reading:
    from sam2flow_core.engine.preview import Reading

    if job.number:
        return previewer.reading(job.frame, job.prompts, job.number, job.marked)
    # Whether there are others is looked for when somebody asks for them.
    return Reading(previewer.mask(job.frame, job.prompts, job.marked), job.prompts, 0, 1)


def _measure_line(job: LineJob) -> None:
    from sam2flow_core.engine.lines import run_drawn_line

    job.out.parent.mkdir(parents=True, exist_ok=True)
    run_drawn_line(job.stack, job.out, job.vertices, job.pixel_size_um, job.frame_rate_hz, job.stabilise)


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer messages until the input ends."""
    host = Host()
    try:
        while True:
            message = receive(source)
            try:
                answer: Value | End | Fault = host.answer(message)
            except Exception as error:
                answer = Fault(_portable(error))
            send(target, answer)
    except (EOFError, BrokenPipeError):
        # The window has gone: stop, and keep what is finished.
        pass
    finally:
        host.close()


def _portable(error: Exception) -> Exception:
    """Return an error that reads the same on the other side."""
    if isinstance(error, Sam2FlowError):
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            return Sam2FlowError(str(error))
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


def main() -> None:
    """Serve on the standard streams; what libraries print goes to the error stream."""
    logging.captureWarnings(True)  # they speak to programmers
    target = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, target)


if __name__ == "__main__":
    main()
