"""A recording that is open, and its project that is saved by itself, on another thread."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sam2flow_core.project import SUFFIX, CalibrationEdit, Project, write_project

if TYPE_CHECKING:
    from sam2flow_core.stack import Calibration, Stack


@dataclass(frozen=True)
class Spacing:
    """How data coordinates (t, y, x) become world coordinates.

    Attributes
    ----------
    pixel_size_um, frame_rate_hz : float or None
        None where unknown or not plausible; that axis then stays in pixels (frames).
    """

    pixel_size_um: float | None = None
    frame_rate_hz: float | None = None

    @property
    def scale(self) -> tuple[float, float, float]:
        """World units per frame and per pixel."""
        seconds = 1.0 / self.frame_rate_hz if self.frame_rate_hz else 1.0
        um = self.pixel_size_um or 1.0
        return seconds, um, um

    @property
    def units(self) -> tuple[str, str, str]:
        """Unit of each axis, in names that pint knows."""
        length = "um" if self.pixel_size_um else "pixel"
        return ("s" if self.frame_rate_hz else "pixel"), length, length

    @property
    def speed_factor(self) -> float:
        """Speed units per px/frame."""
        if self.pixel_size_um and self.frame_rate_hz:
            return self.pixel_size_um * self.frame_rate_hz
        return 1.0

    @property
    def speed_unit(self) -> str:
        """``um/s``, or ``px/frame`` where the calibration is not complete."""
        return "um/s" if self.pixel_size_um and self.frame_rate_hz else "px/frame"


@dataclass(frozen=True)
class Recording:
    """A recording on screen.

    Attributes
    ----------
    path : Path
        What the user opened: a file, or a folder of frames.
    stack : Stack
    edit : CalibrationEdit
    """

    path: Path
    stack: Stack
    edit: CalibrationEdit = field(default_factory=CalibrationEdit)

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, Y, X)``."""
        return self.stack.shape

    @property
    def calibration(self) -> Calibration:
        """The file's calibration with the user's values over it."""
        return self.stack.calibration.with_user(self.edit.pixel_size_um, self.edit.frame_rate_hz)

    @property
    def spacing(self) -> Spacing:
        """Scale and units of layers that lie on the recording."""
        calibration = self.calibration
        return Spacing(calibration.pixel_size_um.usable, calibration.frame_rate_hz.usable)

    def edited(self, edit: CalibrationEdit) -> Recording:
        """Return the recording with another calibration.

        Raises
        ------
        CalibrationError
            If a value cannot be that of a microscope.
        """
        self.stack.calibration.with_user(edit.pixel_size_um, edit.frame_rate_hz)
        return replace(self, edit=edit)


def open_recording(path: str | Path, edit: CalibrationEdit | None = None) -> Recording:
    """Open a recording lazily.

    Raises
    ------
    StackError
        If it cannot be read as a (T, Y, X) stack.
    """
    from sam2flow_core.stack import open_stack

    path = Path(path)
    return Recording(path, open_stack(path), edit or CalibrationEdit())


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
