"""The output folder of a run: what is there already, and whether the run may write."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

from sam2flow_core.engine.lock import FolderLock, lock_folder
from sam2flow_core.errors import OutputError
from sam2flow_core.files import is_part, output_errors, remove_parts
from sam2flow_core.results import (
    LOCK_NAME,
    MARKER_NAME,
    PER_FRAME,
    PROVENANCE,
    REPORT,
    STORE_NAME,
    SUMMARY,
    read_marker,
)

# Letters of the longest name that zarr makes inside a store, while it writes a chunk.
_DEEPEST = 120


class FolderState(Enum):
    """What a folder holds."""

    EMPTY = auto()
    UNFINISHED = auto()
    FINISHED = auto()


@contextmanager
def claim_folder(out: Path, resume: bool) -> Iterator[tuple[FolderState, FolderLock]]:
    """Make the output folder ready and keep others out of it, or say why this run must not write there.

    Raises
    ------
    OutputError
        If the folder cannot be written, another run writes there, it holds files that are no run's, or holds
        a run while `resume` is off.
    """
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    with lock_folder(out) as lock:
        with output_errors(out):
            remove_parts(out)
            _check_depth(out)
            state = _look(out)
        _refuse_what_is_there(out, state, resume)
        yield state, lock


def remove_run(folder: Path) -> None:
    """Delete what a run has written into its folder, and the folder if nothing else is in it.

    Raises
    ------
    OutputError
        If a run is going on there, the folder is none of a run, or it cannot be deleted.
    """
    if folder.is_symlink():
        raise OutputError(f"{folder}: is a link to another folder; delete it there")
    with lock_folder(folder), output_errors(folder):
        remove_parts(folder)
        if not _is_of_a_run(folder):
            raise OutputError(f"{folder}: holds no run; nothing was deleted")
        for name in (MARKER_NAME, PROVENANCE, SUMMARY, PER_FRAME, REPORT):
            (folder / name).unlink(missing_ok=True)
        if (folder / STORE_NAME).is_symlink():
            (folder / STORE_NAME).unlink()
        elif (folder / STORE_NAME).is_dir():
            shutil.rmtree(folder / STORE_NAME)
    with suppress(OSError):  # the user's own files stay, and their folder with them
        folder.rmdir()


def _is_of_a_run(folder: Path) -> bool:
    mine = {MARKER_NAME, PROVENANCE, SUMMARY, PER_FRAME, REPORT, STORE_NAME}
    names = {path.name for path in folder.iterdir()} - {LOCK_NAME}
    return not names or bool(names & mine)


def _check_depth(out: Path) -> None:
    """Raise `OSError` if paths as deep as those in `STORE_NAME` are too long for the system."""
    Path(tempfile.mkdtemp(prefix=".sam2flow-", suffix=".part" + "x" * _DEEPEST, dir=out)).rmdir()


def _refuse_what_is_there(out: Path, state: FolderState, resume: bool) -> None:
    if state is FolderState.FINISHED and not resume:
        raise OutputError(f"{out}: holds a finished run, which is not overwritten; choose another folder")
    if state is FolderState.UNFINISHED and not resume:
        raise OutputError(f"{out}: holds an unfinished run; add --resume to go on with it, or choose another folder")


def _look(out: Path) -> FolderState:
    if (out / STORE_NAME).is_symlink():
        # Zarr would empty what it leads to.
        raise OutputError(f"{out / STORE_NAME}: is a symbolic link; remove it, or choose another folder")
    if read_marker(out) is not None:
        return FolderState.UNFINISHED
    if (out / PROVENANCE).is_file() and (out / STORE_NAME).is_dir():
        return FolderState.FINISHED
    foreign = [p.name for p in out.iterdir() if p.name != LOCK_NAME and not is_part(p)]
    if foreign:
        raise OutputError(f"{out}: is not empty (holds '{sorted(foreign)[0]}'); choose an empty or a new folder")
    return FolderState.EMPTY
