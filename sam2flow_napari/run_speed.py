"""How fast runs were on this computer, so that the next one's end can be told before it begins."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.files import write_text
from sam2flow_core.untrusted import STRICT, read_json, read_regular

_KEPT = 40
_FEWEST_PAIRS = 4
"""Answered pairs of a run from which its speed is taken; the first ones are slower."""
_LARGEST_BYTES = 100_000


@dataclass(frozen=True)
class Speed:
    """How long a pair of frames took.

    Attributes
    ----------
    model, device : str
    px : float
        Of a frame as the network saw it.
    vessels : int
    seconds : float
        For a pair that is answered, with the frames between.
    """

    model: str
    device: str
    px: float
    vessels: int
    seconds: float


@dataclass(frozen=True)
class _File:
    __pydantic_config__ = STRICT

    runs: tuple[Speed, ...]


class RunSpeeds:
    """Measures runs and remembers them in a file of the user's own folder.

    Parameters
    ----------
    path : Path, optional
    clock : callable
        Seconds that pass.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path or Path.home() / ".sam2flow" / "speed.json"
        self._clock = clock
        self._began: float | None = None
        self._pairs = 0

    def expected(self, model: str, device: str, px: float, vessels: int) -> float | None:
        """Return the seconds that a pair of frames will take; None where no run like this is remembered.

        The run most like it counts: in pixels, by which the time grows, then in vessels.
        """
        alike = [run for run in self._read() if (run.model, run.device) == (model, device)]
        if not alike:
            return None
        nearest = min(alike, key=lambda r: (abs(math.log(r.px / px)), abs(math.log(r.vessels / max(vessels, 1)))))
        return nearest.seconds * px / nearest.px

    def begin(self) -> None:
        """A run begins."""
        self._began, self._pairs = None, 0

    def count(self, asked: bool) -> None:
        """A frame of the run is done; `asked` says whether its pair was answered."""
        if self._began is None:
            self._began = self._clock()  # the first pair waits for the model to be loaded
        elif asked:
            self._pairs += 1

    def end(self, model: str, device: str, px: float, vessels: int) -> None:
        """All frames of the run are done: remember how fast it was, if it was long enough to tell."""
        if self._began is None or self._pairs < _FEWEST_PAIRS:
            return
        seconds = (self._clock() - self._began) / self._pairs
        speed = Speed(model, device, float(px), max(vessels, 1), seconds)
        self._began = None
        others = [run for run in self._read() if (*asdict(run).values(),)[:4] != (*asdict(speed).values(),)[:4]]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text(self._path, json.dumps({"runs": [asdict(run) for run in (*others, speed)][-_KEPT:]}, indent=1))

    def _read(self) -> tuple[Speed, ...]:
        """Return what is remembered; a file that is damaged tells nothing."""
        try:
            runs = read_json(_File, read_regular(self._path, _LARGEST_BYTES)).runs
        except (OSError, ValueError, Sam2FlowError):
            return ()
        return tuple(run for run in runs if run.px > 0 and run.vessels > 0 and run.seconds > 0)
