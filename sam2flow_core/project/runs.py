"""The runs inside a project."""

from __future__ import annotations

from pathlib import Path


def next_run_folder(project: Path) -> Path:
    """Return the first unused ``run-001``, ``run-002``, ... of a project, so that no run replaces another."""
    taken = {path.name for path in project.glob("run-*")} if project.is_dir() else set()
    number = 1
    while f"run-{number:03d}" in taken:
        number += 1
    return project / f"run-{number:03d}"
