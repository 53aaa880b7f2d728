"""The output folder of a run: what is there already, and whether the run may write."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from sam2flow_core.errors import OutputError
from sam2flow_core.files import output_errors
from sam2flow_core.results import STORE_NAME, read_marker

PROVENANCE = "provenance.json"
SUMMARY = "summary.csv"
PER_FRAME = "per_frame.csv"
REPORT = "report.html"


class FolderState(Enum):
    """What a folder holds."""

    EMPTY = auto()
    UNFINISHED = auto()
    FINISHED = auto()


def claim_folder(out: Path, resume: bool) -> FolderState:
    """Make the output folder ready, or say why this run must not write there.

    Raises
    ------
    OutputError
        If the folder cannot be written, holds files that are no run's, or holds
        a run while `resume` is off.
    """
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        _probe(out)
        state = _look(out)
    if state is FolderState.FINISHED and not resume:
        raise OutputError(f"{out}: holds a finished run, which is not overwritten; choose another folder")
    if state is FolderState.UNFINISHED and not resume:
        raise OutputError(f"{out}: holds an unfinished run; add --resume to go on with it, or choose another folder")
    return state


def _probe(out: Path) -> None:
    probe = out / ".write-test"
    probe.touch()
    probe.unlink()


def _look(out: Path) -> FolderState:
    if read_marker(out) is not None:
        return FolderState.UNFINISHED
    if (out / PROVENANCE).is_file() and (out / STORE_NAME).is_dir():
        return FolderState.FINISHED
    foreign = [p.name for p in out.iterdir()]
    if foreign:
        raise OutputError(f"{out}: is not empty (holds '{sorted(foreign)[0]}'); choose an empty or a new folder")
    return FolderState.EMPTY
