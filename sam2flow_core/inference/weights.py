"""Weights on disk: safetensors with the configuration in the header."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sam2flow_core.config.model import ModelConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.model.sam2flow import SAM2Flow, count_weights

FORMAT = "sam2flow-1"


def save_weights(path: Path, model: SAM2Flow, notes: dict[str, Any]) -> None:
    """Write a network, half precision, with its configuration and notes (how it was trained) in the header."""
    tensors = {k: v.detach().cpu().half().contiguous() for k, v in model.state_dict().items()}
    header = {"format": FORMAT, "config": json.dumps(model.config.to_dict()), "notes": json.dumps(notes)}
    beside = path.with_name(path.name + ".part")
    save_file(tensors, beside, header)
    beside.replace(path)


def read_header(path: Path) -> dict[str, Any]:
    """Configuration and notes of a file; raises `ModelError` where it is not one of ours."""
    if not path.is_file():
        raise ModelError(f"{path}: no such weights file; give 'tiny' or the path of a .safetensors file")
    try:
        with safe_open(path, "pt") as handle:
            header = handle.metadata() or {}
    except (SafetensorError, OSError):
        raise ModelError(
            f"{path}: not a safetensors file; only files written by 'sam2flow train' can be used"
        ) from None
    if header.get("format") != FORMAT:
        raise ModelError(f"{path}: a safetensors file, but not weights of SAM2Flow")
    return {"config": json.loads(header["config"]), "notes": json.loads(header["notes"])}


def load_model(name: str, overrides: dict[str, Any] | None = None) -> tuple[SAM2Flow, dict[str, Any]]:
    """Network and description of a preset in the box, or of a file.

    Parameters
    ----------
    name : str
        ``tiny`` or the path of a file written by ``sam2flow train``.
    overrides : dict, optional
        Fields of `ModelConfig` (dotted for its parts) to run the same weights differently, for ablations.

    Returns
    -------
    model : SAM2Flow
        In evaluation mode, float32.
    description : dict
        Preset, number of weights, SHA-256 of the file, notes.
    """
    if name == "tiny":
        with as_file(files("sam2flow_resources").joinpath("tiny.safetensors")) as path:
            return _load(path, overrides)
    return _load(Path(name), overrides)


def _load(path: Path, overrides: dict[str, Any] | None) -> tuple[SAM2Flow, dict[str, Any]]:
    header = read_header(path)
    data = header["config"]
    for key, value in (overrides or {}).items():
        place = data
        *parts, last = key.split(".")
        for part in parts:
            place = place[part]
        if last not in place:
            raise ModelError(f"no setting '{key}' in the model's configuration")
        place[last] = value
    model = SAM2Flow(ModelConfig.from_dict(data))
    with safe_open(path, "pt") as handle:
        tensors: dict[str, Tensor] = {k: handle.get_tensor(k).float() for k in handle.keys()}  # noqa: SIM118
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(f"{path}: the weights do not fit their configuration ({str(error).splitlines()[0]})") from None
    description = {
        "preset": model.config.preset,
        "weights": count_weights(model),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "notes": header["notes"],
    }
    return model.eval(), description


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA, then MPS, then CPU; raises `ModelError` for a device that is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(n for n in ("cuda", "mps", "cpu") if there[n])
    if not there.get(name.split(":")[0], False):
        raise ModelError(f"device '{name}' is not available on this computer; use --device auto")
    return torch.device(name)
