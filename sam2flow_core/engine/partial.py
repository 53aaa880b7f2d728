"""Tables of the frames so far, while a run goes on and where it is cut short."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sam2flow_core.config.run import PartialSettings
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.identity import RECORDING
from sam2flow_core.engine.lock import FolderLock
from sam2flow_core.engine.source import Source
from sam2flow_core.errors import Sam2FlowError


@dataclass(frozen=True)
class Conclusion:
    """What tables, report and provenance of a run are made from.

    Attributes
    ----------
    request : RunRequest
    source : Source
    lock : FolderLock
    identity : mapping
    description : mapping
        Of the model.
    """

    request: RunRequest
    source: Source
    lock: FolderLock
    identity: Mapping[str, str]
    description: Mapping[str, Any]


class PartialTables:
    """Writes tables of the frames so far, at a cost that is a small share of the run's.

    Parameters
    ----------
    run : Conclusion
    write : callable
        Writes the tables of a run; returns of how many frames.
    settings : PartialSettings, optional
    """

    def __init__(
        self, run: Conclusion, write: Callable[[Conclusion], int], settings: PartialSettings | None = None
    ) -> None:
        self._run, self._write, self._settings = run, write, settings or PartialSettings()
        self._last = time.monotonic()
        self._cost = 0.0
        self._frames = 0
        self._answered = 0

    def due(self, frames_done: int) -> bool:
        """Whether it is time to write; to be asked after each chunk."""
        self._answered = frames_done
        wait = max(self._settings.after_s, self._expected() / self._settings.share)
        return time.monotonic() - self._last >= wait

    def write(self) -> int:
        """Write them; return of how many frames."""
        began = time.monotonic()
        self._frames = self._write(self._run)
        self._last = time.monotonic()
        self._cost = self._last - began
        return self._frames

    def write_at_the_end(self, failed: bool) -> None:
        """Write them for a run that is cut short, unless that would take long or fails.

        Where the run failed, the recording is compared first with what it was: of two recordings mixed there are none.
        """
        if self._expected() <= self._settings.most_at_end_s:
            with contextlib.suppress(Sam2FlowError, OSError):
                if failed:
                    self._run.source.stack.check_unchanged(self._run.identity[RECORDING])
                self.write()

    def _expected(self) -> float:
        """What writing them now would take: it grows with the frames."""
        return self._cost * self._answered / self._frames if self._frames else 0.0
