"""The engine's side: ``python -m sam2flow_napari.process.child``. Ends when its input does."""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, BinaryIO

from sam2flow_core.errors import Sam2FlowError
from sam2flow_napari.process.messages import (
    CloseRun,
    End,
    Fault,
    Mask,
    NextEvent,
    OpenPreviews,
    OpenPropagation,
    OpenRun,
    Value,
    receive,
    send,
)

if TYPE_CHECKING:
    from sam2flow_core.engine.preview import Previewer


class Host:
    """Does what messages ask for."""

    def __init__(self) -> None:
        self._run: Generator[Any, None, None] | None = None
        self._previewer: Previewer | None = None

    def answer(self, message: object) -> Value | End:
        """Do what a message asks for and return the answer."""
        if isinstance(message, NextEvent):
            return self._next()
        if isinstance(message, Mask):
            assert self._previewer is not None
            return Value(self._previewer.mask(message.frame, message.prompts, message.regions))
        if isinstance(message, OpenRun):
            from sam2flow_core.engine import run

            request = message.request
            known = self._previewer.predictor_for(request.model, request.device) if self._previewer else None
            self._run = run(request, known)
        elif isinstance(message, OpenPropagation):
            from sam2flow_core.engine.propagation import propagate

            self._run = propagate(message.request)
        elif isinstance(message, OpenPreviews):
            from sam2flow_core.engine.preview import Previewer

            self._previewer = None  # its memory first
            self._previewer = Previewer(message.stack, message.choices)
        elif isinstance(message, CloseRun):
            self.close()
        return Value(None)

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
