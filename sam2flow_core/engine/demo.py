"""The bundled recording and its prompts."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

from sam2flow_core import __version__
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import StackError
from sam2flow_core.prompts import read_prompts


def sample_files() -> tuple[Path, Path]:
    """Return the bundled recording and its ``prompts.csv``.

    Raises
    ------
    StackError
        If the installation is not whole.
    """
    folder = Path(str(files("sam2flow_resources")))
    recording, prompts = folder / "sample.tif", folder / "sample_prompts.csv"
    if not (recording.is_file() and prompts.is_file()):
        raise StackError("the bundled recording is missing from this installation; install sam2flow again")
    return recording, prompts


def sample_folder(base: Path) -> Path:
    """Return a folder in `base` that is another one once the bundled files or the version have changed.

    So a demo never meets the run of an older installation.
    """
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(
        p for p in Path(str(files("sam2flow_resources"))).iterdir() if p.suffix != ".py" and p.is_file()
    ):
        digest.update(path.read_bytes())
    return base / digest.hexdigest()[:8]


def sample_request(out: Path) -> RunRequest:
    """Return the run of the demo. It goes on where an earlier demo stood, or leaves its results as they are."""
    recording, prompts = sample_files()
    return RunRequest(stack=recording, prompts=read_prompts(prompts), out=out, resume=True)
