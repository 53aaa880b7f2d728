"""What a project gathers: runs, and masks that were carried through the frames."""

from __future__ import annotations

from itertools import count
from pathlib import Path


def next_run_folder(project: Path) -> Path:
    """Return the first unused ``run-001``, ``run-002``, ... of a project, so that no run replaces another."""
    return _unused(project, "run-{:03d}")


def next_masks_file(project: Path) -> Path:
    """Return the first unused ``masks-001.tif``, ``masks-002.tif``, ... of a project."""
    return _unused(project, "masks-{:03d}.tif")


def _unused(project: Path, name: str) -> Path:
    candidates = (project / name.format(number) for number in count(1))
    return next(path for path in candidates if not (path.exists() or path.is_symlink()))
