"""What the faces (command line, plugin, batch) exchange with the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.prompts import Prompt


@dataclass(frozen=True)
class RunRequest:
    """Everything that decides a run's result. Paths and numbers only, so that it can be pickled and stored."""

    stack: Path
    prompts: tuple[Prompt, ...]
    out: Path
    model: str = "tiny"
    device: str = "auto"
    pixel_size_um: float | None = None
    frame_rate_hz: float | None = None
    start: int = 0
    stop: int | None = None
    stabilise: bool = True
    resume: bool = False
    stack_axes: str | None = None
    video_id: str | None = None
    names: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Started:
    """The run has opened its input. `frames_done` is over 0 when it resumes."""

    frames_total: int
    frames_done: int
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class FrameDone:
    """One frame is answered (and is on disk once its chunk is full)."""

    result: FrameFlow
    frames_done: int
    frames_total: int
    seconds_left: float


@dataclass(frozen=True)
class Stage:
    """A named stage that is not counted in frames: 'reading', 'measuring', 'writing report'."""

    name: str


@dataclass(frozen=True)
class Finished:
    """All files are in place."""

    out: Path
    summary_csv: Path
    per_frame_csv: Path
    report_html: Path
    notices: tuple[str, ...] = ()


RunEvent = Started | FrameDone | Stage | Finished
