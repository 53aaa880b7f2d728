"""Where the project of a recording lives."""

from __future__ import annotations

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

from sam2flow_core.project import SUFFIX


def project_folder(recording: Path) -> Path:
    """Return where the project of a recording lives.

    Beside it; in the user's own folder where that is read-only or belongs to the
    program (the sample).
    """
    beside = recording.with_name(recording.name + SUFFIX)
    if beside.is_dir() or (_writable(recording.parent) and not _ships_with_program(recording)):
        return beside
    key = hashlib.sha256(str(recording.resolve()).encode()).hexdigest()[:12]
    return Path.home() / ".sam2flow" / "projects" / f"{recording.stem}-{key}{SUFFIX}"


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
