"""The marker that lets a run go on after a crash exactly where it stood.

One file holds both the number of finished frames and the predictor's state
after them, so that the two can never disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sam2flow_core.errors import OutputError
from sam2flow_core.files import write_bytes
from sam2flow_core.results.layout import GO_ON, MARKER_NAME
from sam2flow_core.untrusted import one_line, read_object

if TYPE_CHECKING:
    import torch

Snapshot = dict[str, "torch.Tensor | int | float | bool"]


@dataclass(frozen=True)
class Marker:
    """Where an unfinished run stands.

    Attributes
    ----------
    frames_done : int
        Frames written, counted from the start of the run; 0 before the first chunk.
    identity : dict of str to str
        What decides the run's result, each as text a person can compare.
    """

    frames_done: int
    identity: Mapping[str, str]


def frozen(snapshot: Snapshot) -> Snapshot:
    """Return a copy that the predictor's further work cannot change, on the CPU."""
    import torch

    return {
        key: value.detach().cpu().contiguous().clone() if isinstance(value, torch.Tensor) else value
        for key, value in snapshot.items()
    }


def write_marker(folder: Path, marker: Marker, snapshot: Snapshot) -> None:
    """Write the marker and a `frozen` snapshot, replacing the ones before in a single step."""
    import torch
    from safetensors.torch import save

    tensors = {k: v for k, v in snapshot.items() if isinstance(v, torch.Tensor)}
    numbers = {k: v for k, v in snapshot.items() if not isinstance(v, torch.Tensor)}
    metadata = {
        "frames_done": str(marker.frames_done),
        "identity": json.dumps(dict(marker.identity)),
        "numbers": json.dumps(numbers),
    }
    write_bytes(folder / MARKER_NAME, save(tensors, metadata), GO_ON)


def read_marker(folder: Path) -> Marker | None:
    """Return where the run in `folder` stands; None if none is unfinished there."""
    path = folder / MARKER_NAME
    if not path.is_file():
        return None
    with _damage(path):
        metadata = _metadata(path)
        identity = read_object(metadata["identity"])
        marker = Marker(int(metadata["frames_done"]), {name: str(value) for name, value in identity.items()})
        if marker.frames_done < 0:
            raise ValueError("frames below none")
    return marker


def read_snapshot(folder: Path) -> Snapshot:
    """Return the predictor's state that belongs to the marker, bit for bit."""
    from safetensors.torch import load_file

    path = folder / MARKER_NAME
    with _damage(path):
        snapshot: Snapshot = dict(load_file(path))
        snapshot.update(read_object(_metadata(path)["numbers"]))
    return snapshot


def remove_marker(folder: Path) -> None:
    """Forget the marker: the run is finished."""
    (folder / MARKER_NAME).unlink(missing_ok=True)


def _metadata(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn whatever the block raises while it reads a marker into an `OutputError`."""
    try:
        yield
    except Exception as error:
        reason = one_line(str(error))
        raise OutputError(
            "{path}: cannot be read ({reason}); run again without --resume into a new folder", path=path, reason=reason
        ) from None
