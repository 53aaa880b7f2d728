"""What the window asks for and what comes back: frozen records that carry the id of the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import AnyPrompt

if TYPE_CHECKING:
    import pandas as pd

    from sam2flow_core.engine.batch import BatchStep
    from sam2flow_core.engine.events import RunEvent, RunRequest
    from sam2flow_core.engine.field_findings import Findings
    from sam2flow_core.engine.preview import Reading
    from sam2flow_core.engine.propagation import PropagationRequest
    from sam2flow_core.inference.steps import VesselFlow
    from sam2flow_napari.worker.run_tables import RunTables


@dataclass(frozen=True)
class WarmJob:
    """Open a recording for previews, so that the first click is answered soon."""

    job_id: int
    stack: Path
    choices: RunChoices


@dataclass(frozen=True)
class PreviewJob:
    """Show the mask that the prompts of one vessel give in one frame; the record goes to the engine as it is.

    Attributes
    ----------
    job_id : int
    stack : Path
    choices : RunChoices
    vessel_id, frame : int
    prompts : tuple of Prompt, BoxPrompt or MaskPrompt
        All that is marked of the vessel.
    marked : frozenset of int
        Vessels that are marked beside it: the answer says whether it is one of them.
    number : int
        0 = the mask of the prompts; 1, 2, ... = the next ones that the clicks of the frame may mean.
    """

    job_id: int
    stack: Path
    choices: RunChoices
    vessel_id: int
    frame: int
    prompts: tuple[AnyPrompt, ...]
    marked: frozenset[int] = frozenset()
    number: int = 0


@dataclass(frozen=True)
class RunJob:
    """Do a run."""

    job_id: int
    request: RunRequest


@dataclass(frozen=True)
class PropagationJob:
    """Carry masks through the frames."""

    job_id: int
    request: PropagationRequest


@dataclass(frozen=True)
class FindJob:
    """Propose every vessel of a recording; the record goes to the engine as it is.

    Attributes
    ----------
    job_id : int
    stack : Path
    choices : RunChoices
    pixel_size_um : float or None
        For the densities; None where it is not known.
    """

    job_id: int
    stack: Path
    choices: RunChoices
    pixel_size_um: float | None


@dataclass(frozen=True)
class BatchJob:
    """Measure several recordings one after the other; the record goes to the engine as it is.

    Attributes
    ----------
    job_id : int
    requests : tuple of RunRequest
    out : Path
        Folder of the batch.
    groups : tuple of (str, str)
        Group of each ``video_id`` that has one.
    """

    job_id: int
    requests: tuple[RunRequest, ...]
    out: Path
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LoadJob:
    """Read the tables of a finished run."""

    job_id: int
    folder: Path


@dataclass(frozen=True)
class LineJob:
    """Measure along a drawn line in all frames, into a folder; the record goes to the engine as it is.

    Attributes
    ----------
    job_id : int
    stack, out : Path
    vertices : tuple of (float, float)
        Corners ``(y, x)`` of the line, px.
    pixel_size_um, frame_rate_hz : float or None
        What the user says instead of what the recording declares.
    stabilise : bool
    """

    job_id: int
    stack: Path
    out: Path
    vertices: tuple[tuple[float, float], ...]
    pixel_size_um: float | None
    frame_rate_hz: float | None
    stabilise: bool


LongJob = RunJob | PropagationJob | FindJob | BatchJob
"""What goes on for minutes, shows its progress and can be cancelled."""
Job = WarmJob | PreviewJob | LongJob | LoadJob | LineJob


@dataclass(frozen=True)
class Masked:
    """What a `PreviewJob` is answered with: a mask in its frame, and the prompts that name it."""

    job_id: int
    frame: int
    reading: Reading

    @property
    def vessel(self) -> VesselFlow:
        """The mask."""
        return self.reading.vessel


@dataclass(frozen=True)
class RunProgress:
    """An event of a `RunJob`.

    Attributes
    ----------
    job_id : int
    event : RunEvent
    speeds : tuple of (int, float)
        Vessel id and median speed in px per frame, where the event is a frame.
    tables : RunTables, optional
        Of the frames so far, where the event is that they have been written.
    """

    job_id: int
    event: RunEvent
    speeds: tuple[tuple[int, float], ...] = ()
    tables: RunTables | None = None


@dataclass(frozen=True)
class PropagationProgress:
    """Number of frames that a `PropagationJob` has done."""

    job_id: int
    frames_done: int


@dataclass(frozen=True)
class Propagated:
    """The file that a `PropagationJob` has written."""

    job_id: int
    masks: Path


@dataclass(frozen=True)
class FindProgress:
    """Which share of the field a `FindJob` has looked at, 0 to 1."""

    job_id: int
    share: float


@dataclass(frozen=True)
class Found:
    """What a `FindJob` has found."""

    job_id: int
    findings: Findings


@dataclass(frozen=True)
class BatchProgress:
    """How far a `BatchJob` is; None at its end."""

    job_id: int
    step: BatchStep | None


@dataclass(frozen=True)
class Warmed:
    """A `WarmJob` that is done: the model is loaded."""

    job_id: int


@dataclass(frozen=True)
class Loaded:
    """The tables of a `LoadJob`."""

    job_id: int
    tables: RunTables


@dataclass(frozen=True)
class LineDone:
    """What a `LineJob` has measured.

    Attributes
    ----------
    job_id : int
    out : Path
    words : str
        Velocity with its interval, and grade.
    per_frame : DataFrame
    """

    job_id: int
    out: Path
    words: str
    per_frame: pd.DataFrame


@dataclass(frozen=True)
class Cancelled:
    """A `LongJob` that stopped because the user wanted it; what a run had finished is on disk."""

    job_id: int


@dataclass(frozen=True)
class Failed:
    """A job that ended in an error."""

    job_id: int
    error: Exception


JobEvent = (
    Masked
    | LineDone
    | RunProgress
    | PropagationProgress
    | Propagated
    | FindProgress
    | Found
    | BatchProgress
    | Warmed
    | Loaded
    | Cancelled
    | Failed
)
