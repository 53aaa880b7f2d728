"""Writing the project away from the thread that answers the mouse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sam2flow_core.project import Project, write_project


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
