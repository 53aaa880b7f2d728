"""What the two processes say to each other: one message, one answer, as pickles over the standard streams."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import Prompt
from sam2flow_core.regions import Region

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunRequest
    from sam2flow_core.engine.propagation import PropagationRequest


@dataclass(frozen=True)
class OpenRun:
    """Begin a run; answered by `Value(None)`."""

    request: RunRequest


@dataclass(frozen=True)
class OpenPropagation:
    """Begin to carry masks through the frames, in place of a run; answered by `Value(None)`."""

    request: PropagationRequest


@dataclass(frozen=True)
class NextEvent:
    """Go on with what was begun; answered by `Value(event)`, or by `End`."""


@dataclass(frozen=True)
class CloseRun:
    """Stop it; answered by `Value(None)`."""


@dataclass(frozen=True)
class OpenPreviews:
    """Open a recording for previews; answered by `Value(None)`."""

    stack: Path
    choices: RunChoices


@dataclass(frozen=True)
class Mask:
    """Ask for a mask; answered by `Value(vessel_flow)`."""

    frame: int
    prompts: tuple[Prompt, ...]
    regions: tuple[Region, ...] = ()


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
