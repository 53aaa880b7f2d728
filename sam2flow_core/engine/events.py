"""What the faces (command line, plugin, batch) exchange with the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sam2flow_core.config.run import EVERY
from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.prompts import AnyPrompt


@dataclass(frozen=True)
class RunRequest:
    """Everything that decides a run's result. Paths and numbers only, so that it can be pickled and stored.

    Attributes
    ----------
    stack : Path
        The recording: a file or a folder of frames.
    prompts : tuple of Prompt
    out : Path
        Folder for the results.
    model : str
        ``"tiny"`` or a checkpoint file.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    pixel_size_um, frame_rate_hz : float or None
        What the user says instead of what the recording declares.
    start, stop : int
        Frames to answer, `stop` not included; None = to the end.
    stabilise : bool
        Take the tissue's own motion out of the flow.
    resume : bool
        Go on with an unfinished run in `out`; a finished one is left as it is.
    stack_axes : str or None
        The axes of the recording where the file is wrong about them, such as ``"TYX"``.
    video_id : str or None
        Goes into the tables; the recording's name by default.
    names : tuple of (int, str)
        Names of vessels, by vessel id.
    groups : tuple of (int, str)
        What they are sorted by, such as their type, by vessel id.
    threads : int or None
        CPU threads; None = up to 4. Their number decides the last bits of a result.
    working_resolution : float or None
        Recorded px to a px of the network; None = chosen from the pixel size or the pattern (`choose_resolution`).
    detail : str
        Which pairs of frames are answered: ``"quick"``, ``"standard"``, ``"every"``, or a whole number N for one of N
        (see `DetailSettings`).
    ranges : tuple of (int, int)
        Several ranges of frames, each with rows of its own in the tables, in place of `start` and `stop`.
    pulse_hz : float or None
        Heart rate, where it is known; standard detail answers enough pairs of each beat.
    expected : tuple of (str, str)
        What has to be equal to an earlier run (see `identify`); empty unless that run is repeated.
    """

    stack: Path
    prompts: tuple[AnyPrompt, ...]
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
    threads: int | None = None
    working_resolution: float | None = None
    detail: str = EVERY
    ranges: tuple[tuple[int, int], ...] = ()
    pulse_hz: float | None = None
    expected: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Started:
    """Input, output and model are ready. `frames_done` is over 0 when the run goes on; `notices` are problems found."""

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
    """What happens now, in words, where it is not counted in frames: 'loading the model', 'measuring vessel 2 of 4'."""

    name: str


@dataclass(frozen=True)
class PartialDone:
    """Tables, report and provenance of the frames so far are in the folder, marked as partial."""

    out: Path
    frames_done: int
    frames_total: int


@dataclass(frozen=True)
class Finished:
    """All files are in place."""

    out: Path
    summary_csv: Path
    per_frame_csv: Path
    report_html: Path
    notices: tuple[str, ...] = ()


RunEvent = Started | FrameDone | Stage | PartialDone | Finished
