"""Where the project of a recording lives, and writing it away from the thread that answers the mouse."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from sam2flow_core.project import SUFFIX, Project, write_project

_LONGEST_BYTES = 240  # of a name: file systems take 255
_LONGEST_STEM = 50


def project_folder(recording: Path) -> Path:
    """Return where the project of a recording lives.

    Beside it; in the user's own folder where that is read-only or belongs to the
    program (the sample).
    """
    beside = recording.with_name(recording.name + SUFFIX)
    if len(os.fsencode(beside.name)) > _LONGEST_BYTES:
        return _in_home(recording)
    if beside.is_dir() or (_writable(recording.parent) and not _ships_with_program(recording)):
        return beside
    return _in_home(recording)


def _in_home(recording: Path) -> Path:
    key = hashlib.sha256(os.fsencode(recording.resolve())).hexdigest()[:12]
    return Path.home() / ".sam2flow" / "projects" / f"{recording.stem[:_LONGEST_STEM]}-{key}{SUFFIX}"


def _writable(folder: Path) -> bool:
    # The mode as well as the right: an administrator could write into a folder that somebody has marked read-only.
    return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


def _ships_with_program(path: Path) -> bool:
    package = find_spec("sam2flow_resources")
    return (
        package is not None
        and package.origin is not None
        and path.resolve().is_relative_to(Path(package.origin).resolve().parent)
    )


class Autosaver:
    """Writes the newest project; a write that is overtaken while it waits is left out.

    Parameters
    ----------
    folder : Path
        Project folder.
    on_error : callable
        Called with the exception, in the writing thread.
    """

    def __init__(self, folder: Path, on_error: Callable[[Exception], None]) -> None:
        self.folder = folder
        self._on_error = on_error
        self._lock = threading.Lock()
        self._newest: Project | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sam2flow-autosave")

    def save(self, project: Project) -> None:
        """Have `project` written soon."""
        with self._lock:
            waiting = self._newest is not None
            self._newest = project
        if not waiting:
            try:
                self._pool.submit(self._write)
            except RuntimeError:  # the program ends, and threads start no more
                self._write()

    def wait(self) -> None:
        """Return once what was to be saved is on disk; further projects may follow."""
        self._pool.submit(lambda: None).result()

    def close(self) -> None:
        """Return once everything is on disk."""
        self._pool.shutdown(wait=True)

    def _write(self) -> None:
        with self._lock:
            project, self._newest = self._newest, None
        if project is None:
            return
        try:
            write_project(self.folder, project)
        except Exception as error:
            self._on_error(error)
