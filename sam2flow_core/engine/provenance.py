"""``provenance.json``: what a result was made from and with; enough to make it again."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.folder import PROVENANCE
from sam2flow_core.engine.identity import RECORDING, without_machine
from sam2flow_core.engine.source import Source
from sam2flow_core.errors import OutputError
from sam2flow_core.prompts import Prompt
from sam2flow_core.regions import regions_from_json, regions_to_json
from sam2flow_core.results import Results, read_marker

FORMAT = 1
_LIBRARIES = ("sam2flow", "torch", "numpy", "scipy", "scikit-image", "tifffile", "zarr", "pandas")


def describe_run(
    request: RunRequest,
    source: Source,
    results: Results,
    identity: Mapping[str, str],
    description: Mapping[str, Any],
    velocity: VelocitySettings,
) -> dict[str, Any]:
    """Return the provenance of a finished run as JSON values."""
    import torch

    stack = source.stack
    shifts = results.shifts
    return {
        "format": FORMAT,
        "purpose": "for research use only; not a medical device",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recording": {
            "path": str(request.stack.absolute()),
            "name": request.stack.name,
            "files": [{"name": name, "bytes": size, "written_ns": written} for name, size, written in stack.files],
            "sha256": identity[RECORDING],
            "shape": list(stack.shape),
            "dtype": str(stack.dtype),
            "axes": request.stack_axes,
            "problems": [*stack.problems, *source.timing.notices],
        },
        "video_id": results.header.video_id,
        "calibration": asdict(source.timed_calibration),
        "frames": {"start": source.start, "stop": source.stop},
        "prompts": [asdict(p) for p in request.prompts],
        "regions": regions_to_json(request.regions),
        "names": {str(vessel): name for vessel, name in results.header.names.items()},
        "stabilisation": {"on": request.stabilise, "shifts_dy_dx_px": shifts.round(4).tolist()},
        "model": {"asked": request.model, **description},
        "device": {"asked": request.device, "used": description.get("device"), "threads": torch.get_num_threads()},
        "seed": velocity.series.seed,
        "settings": {"store": dict(results.header.settings), "velocity": asdict(velocity)},
        "software": {"python": platform.python_version(), "system": platform.platform()}
        | {name: version(name) for name in _LIBRARIES},
        "identity": dict(identity),
    }


def read_provenance(path: Path) -> dict[str, Any]:
    """Read a ``provenance.json``.

    Raises
    ------
    OutputError
        If it is none, or of a format that this version does not know.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise OutputError(f"{path}: cannot be read as a provenance file ({error})") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise OutputError(f"{path}: is no provenance of a run that this version of SAM2Flow can read")
    return record


def identity_in(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the identity of the run that a provenance tells of."""
    identity = dict(record["identity"])
    # The SHA-256, also of files from when an identity held a hash of some blocks.
    if "sha256" in record["recording"]:
        identity[RECORDING] = record["recording"]["sha256"]
    return identity


def stored_identity(out: Path) -> dict[str, str]:
    """Return the identity of the run that a folder holds, unfinished or finished; empty where it holds none.

    Raises
    ------
    OutputError
        If its files cannot be read.
    """
    marker = read_marker(out)
    if marker is not None:
        return dict(marker.identity)
    return identity_in(read_provenance(out / PROVENANCE)) if (out / PROVENANCE).is_file() else {}


def request_again(path: Path, out: Path, stack: Path | None = None, device: str | None = None) -> RunRequest:
    """Return the request that repeats the run of a ``provenance.json``.

    Parameters
    ----------
    path : Path
        The ``provenance.json``.
    out : Path
        Folder for the new results.
    stack : Path, optional
        Where the recording is now, if it has moved.
    device : str, optional
        Another device than the earlier run's.
    """
    record = read_provenance(path)
    calibration = record["calibration"]
    return RunRequest(
        stack=stack or Path(record["recording"]["path"]),
        prompts=tuple(Prompt(**p) for p in record["prompts"]),
        out=out,
        model=record["model"]["asked"],
        device=device or record["device"]["asked"],
        pixel_size_um=_from_user(calibration["pixel_size_um"]),
        frame_rate_hz=_from_user(calibration["frame_rate_hz"]),
        start=record["frames"]["start"],
        stop=record["frames"]["stop"],
        stabilise=record["stabilisation"]["on"],
        stack_axes=record["recording"]["axes"],
        video_id=record["video_id"],
        names=tuple((int(vessel), name) for vessel, name in record["names"].items()),
        threads=record["device"]["threads"],
        regions=regions_from_json(record.get("regions", ())),
        expected=without_machine(identity_in(record)),
    )


def _from_user(measured: Mapping[str, Any]) -> float | None:
    return measured["value"] if measured["source"] == "user" else None
