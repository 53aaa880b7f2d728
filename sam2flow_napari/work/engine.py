"""What the worker asks of the engine."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import Prompt
from sam2flow_core.regions import Region

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunEvent, RunRequest
    from sam2flow_core.engine.propagation import PropagationRequest
    from sam2flow_core.inference.steps import VesselFlow


class Previews(Protocol):
    """An opened recording that answers clicks."""

    def mask(self, frame_idx: int, prompts: tuple[Prompt, ...], regions: tuple[Region, ...] = ()) -> VesselFlow:
        """Return the mask of one vessel in one frame."""
        ...


class Engine(Protocol):
    """What does the work."""

    def run(self, request: RunRequest) -> Generator[RunEvent, None, None]:
        """Do a run, an event at a time; closing it stops the run and keeps what is finished."""
        ...

    def propagate(self, request: PropagationRequest) -> Generator[int, None, None]:
        """Carry masks through the frames; gives the number of frames done. Closing it leaves no file."""
        ...

    def previews(self, stack: Path, choices: RunChoices) -> Previews:
        """Open a recording for previews."""
        ...

    def hurry(self) -> None:
        """Come to an end soon, whatever it is at; called while it works, from another thread, before `close`."""
        ...

    def close(self) -> None:
        """Let go of what it holds; not called while it works."""
        ...
