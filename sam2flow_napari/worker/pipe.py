"""The pipe between window and engine: one message, one answer, as pickles over the standard streams.

Messages are jobs for previews (`WarmJob`, `PreviewJob`), requests for a run or for carrying masks (`RunRequest`,
`PropagationRequest`), which begin it, and then `NextEvent` until the answer is `End`, or `CloseRun`.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, BinaryIO


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
