"""Frozen requests to the worker and what it answers; both carry the id of the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sam2flow_core.prompts import Prompt
from sam2flow_core.regions import Region

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunEvent, RunRequest
    from sam2flow_core.inference.steps import VesselFlow
    from sam2flow_napari.work.tables import RunTables


@dataclass(frozen=True)
class WarmJob:
    """Open a recording for previews, so that the first click is answered soon."""

    job_id: int
    stack: Path
    model: str
    device: str


@dataclass(frozen=True)
class PreviewJob:
    """Show the mask that the prompts of one vessel give in one frame."""

    job_id: int
    stack: Path
    model: str
    device: str
    vessel_id: int
    frame: int
    prompts: tuple[Prompt, ...]
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True)
class RunJob:
    """Do a run."""

    job_id: int
    request: RunRequest


@dataclass(frozen=True)
class LoadJob:
    """Read the tables of a finished run."""

    job_id: int
    folder: Path


Job = WarmJob | PreviewJob | RunJob | LoadJob


@dataclass(frozen=True)
class Masked:
    """The mask of a `PreviewJob` in its frame."""

    job_id: int
    frame: int
    vessel: VesselFlow


@dataclass(frozen=True)
class RunProgress:
    """An event of a `RunJob`.

    Attributes
    ----------
    job_id : int
    event : RunEvent
    speeds : tuple of (int, float)
        Vessel id and median speed in px per frame, where the event is a frame.
    """

    job_id: int
    event: RunEvent
    speeds: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Loaded:
    """The tables of a `LoadJob`."""

    job_id: int
    tables: RunTables


@dataclass(frozen=True)
class Cancelled:
    """A `RunJob` that stopped because the user wanted it; what was finished is on disk."""

    job_id: int


@dataclass(frozen=True)
class Failed:
    """A job that ended in an error."""

    job_id: int
    error: Exception


JobEvent = Masked | RunProgress | Loaded | Cancelled | Failed
