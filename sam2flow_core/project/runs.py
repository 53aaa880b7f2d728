"""What a project gathers: runs, and masks that were carried through the frames."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path


@dataclass(frozen=True)
class KeptRun:
    """A run in a project, by the files that are there; none of them is read.

    Attributes
    ----------
    folder : Path
    unfinished : bool
        Whether it was cut short and can go on.
    readable : bool
        Whether it has tables, be they of the frames so far.
    written : float
        When its newest file was written, in seconds since 1970.
    """

    folder: Path
    unfinished: bool
    readable: bool
    written: float

    @property
    def finished(self) -> bool:
        """Whether it went to its end."""
        return self.readable and not self.unfinished


def kept_runs(project: Path) -> tuple[KeptRun, ...]:
    """Return the runs of a project, in the order of their names."""
    looked_at = (_look_at(folder) for folder in sorted(project.glob("run-*")) if folder.is_dir())
    return tuple(run for run in looked_at if run is not None)


def next_run_folder(project: Path) -> Path:
    """Return the first unused ``run-001``, ``run-002``, ... of a project, so that no run replaces another."""
    return _unused(project, "run-{:03d}")


def next_masks_file(project: Path) -> Path:
    """Return the first unused ``masks-001.tif``, ``masks-002.tif``, ... of a project."""
    return _unused(project, "masks-{:03d}.tif")


def next_comparison_file(project: Path) -> Path:
    """Return the first unused ``comparison-001.html``, ``comparison-002.html``, ... of a project."""
    return _unused(project, "comparison-{:03d}.html")


def next_line_folder(project: Path) -> Path:
    """Return the first unused ``line-001``, ``line-002``, ... of a project, for what a drawn line measured."""
    return _unused(project, "line-{:03d}")


def _unused(project: Path, name: str) -> Path:
    candidates = (project / name.format(number) for number in count(1))
    return next(path for path in candidates if not (path.exists() or path.is_symlink()))


def _look_at(folder: Path) -> KeptRun | None:
    """Return the run in a folder; None where there is none."""
    # Imported only here: zarr takes its time, and the window need not wait for it at its start.
    from sam2flow_core.results import LOCK_NAME, MARKER_NAME, PROVENANCE, STORE_NAME, SUMMARY

    there = {name: folder / name for name in (SUMMARY, PROVENANCE, STORE_NAME, MARKER_NAME, LOCK_NAME)}
    found = {name: path.lstat().st_mtime for name, path in there.items() if path.exists()}
    if not found:
        return None
    readable = {SUMMARY, PROVENANCE, STORE_NAME} <= set(found)
    return KeptRun(folder, MARKER_NAME in found, readable, max((folder.stat().st_mtime, *found.values())))
