"""The frozen records that a project is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sam2flow_core.config.run import STANDARD
from sam2flow_core.project.state import SessionState


@dataclass(frozen=True)
class CalibrationEdit:
    """What the user typed over the recording's own calibration; None = as recorded.

    Attributes
    ----------
    pixel_size_um : float or None
    frame_rate_hz : float or None
    """

    pixel_size_um: float | None = None
    frame_rate_hz: float | None = None


@dataclass(frozen=True)
class RunChoices:
    """The run settings on the dock.

    Attributes
    ----------
    start, stop : int
        Frame range, `stop` not included; ``stop = 0`` means the whole recording.
    model, device : str
    stabilise : bool
    working_resolution : float or None
        Recorded px to a px of the network; None = chosen by the pixel size or the pattern.
    detail : str
        Which pairs of frames are answered, as in `RunRequest`.
    further : tuple of (int, int)
        Ranges that are measured beside the first, each with rows of its own; `stop` is not 0 then.
    """

    start: int = 0
    stop: int = 0
    model: str = "tiny"
    device: str = "auto"
    stabilise: bool = True
    working_resolution: float | None = None
    detail: str = STANDARD
    further: tuple[tuple[int, int], ...] = ()

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """All ranges where there are several, ascending; else empty, as in `RunRequest`."""
        return tuple(sorted(((self.start, self.stop), *self.further))) if self.further else ()


@dataclass(frozen=True)
class Project:
    """All that is kept of a session.

    Attributes
    ----------
    recording : Path
        Absolute path of the recording.
    fingerprint : str
        `Stack.fingerprint` of the recording when its prompts were placed.
    state : SessionState
    edit : CalibrationEdit
    run : RunChoices
    results : str
        Name of the folder of the newest finished run inside the project, or empty.
    """

    recording: Path
    fingerprint: str
    state: SessionState = field(default_factory=SessionState)
    edit: CalibrationEdit = field(default_factory=CalibrationEdit)
    run: RunChoices = field(default_factory=RunChoices)
    results: str = ""
