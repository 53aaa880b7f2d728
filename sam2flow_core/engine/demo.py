"""The bundled recording and its prompts."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from itertools import count
from pathlib import Path

from sam2flow_core import __version__
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.identity import MODEL, RECORDING
from sam2flow_core.engine.provenance import stored_identity
from sam2flow_core.errors import Sam2FlowError, StackError
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
    """Return a folder in `base` for the demo: ``sample-VERSION``, or ``sample-VERSION-2`` and so on.

    It is new, or holds the demo of this very installation: a demo never meets the run of another one.
    """
    name = f"sample-{__version__}"
    candidates = (base / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(folder for folder in candidates if not folder.exists() or _is_of_this_installation(folder))


def _is_of_this_installation(folder: Path) -> bool:
    if not any(folder.iterdir()):
        return True
    try:
        identity = stored_identity(folder)
    except Sam2FlowError:
        return False
    recording, _ = sample_files()
    bundled = {RECORDING: recording, MODEL: recording.with_name("tiny.safetensors")}
    return all(identity.get(key) == hashlib.sha256(path.read_bytes()).hexdigest() for key, path in bundled.items())


def sample_request(out: Path) -> RunRequest:
    """Return the run of the demo. It goes on where an earlier demo stood, or leaves its results as they are."""
    recording, prompts = sample_files()
    return RunRequest(stack=recording, prompts=read_prompts(prompts), out=out, resume=True)
