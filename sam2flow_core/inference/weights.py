"""Weights on disk: safetensors with the configuration in the header."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from sam2flow_core.config.model import COST_VOLUME, ModelConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.files import output_errors, whole_file, write_text
from sam2flow_core.inference.hub import CONFIG_FILE, SHIPPED, WEIGHTS_FILE, fetch, is_hub_name, require_model
from sam2flow_core.inference.official import SUFFIXES, Fate, fill, matching_config, read_official, release
from sam2flow_core.inference.pickled import fits, require_finite
from sam2flow_core.model.sam2flow import SAM2Flow, count_weights
from sam2flow_core.untrusted import one_line, read_object, read_regular

FORMAT = "sam2flow-1"
MODEL_TYPE = "sam2flow"
_FORMER_PARTS = {"flow.evidence_net.": "flow.cost_volume_net."}
"""Parts of the network under the names that they have in weights files that are already out."""


_DESIGN = "context_memory.design."
"""Weights that only one design of memory has."""


def todays_name(tensor: str) -> str:
    """Name of a tensor in today's network, of its name in a file.

    Examples
    --------
    >>> todays_name("flow.start.weight")
    'flow.start.weight'
    """
    for former, today in _FORMER_PARTS.items():
        tensor = tensor.replace(former, today)
    return tensor


def save_weights(path: Path, model: SAM2Flow, notes: dict[str, Any], kind: torch.dtype = torch.float16) -> None:
    """Write a network, half precision by default, with its configuration and notes (its origin) in the header."""
    tensors = {k: v.detach().cpu().to(kind).contiguous() for k, v in model.state_dict().items()}
    header = {"format": FORMAT, "config": json.dumps(model.config.to_dict()), "notes": json.dumps(notes)}
    with whole_file(path) as part:
        save_file(tensors, part, header)
        _put_in_order(part)


def _put_in_order(path: Path) -> None:
    """Sort the header of a safetensors file, which comes in any order: the same weights have the same SHA-256."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:
            file.seek(8)
            file.write(text.ljust(length))


def save_folder(folder: Path, model: SAM2Flow, notes: dict[str, Any]) -> None:
    """Write a network, full precision, as the Hugging Face hub keeps models: safetensors and a JSON configuration."""
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / WEIGHTS_FILE, model, notes, torch.float32)
    content = {"model_type": MODEL_TYPE, **model.config.to_dict(), "notes": notes}
    write_text(folder / CONFIG_FILE, json.dumps(content, indent=2) + "\n")


def read_header(path: Path) -> dict[str, Any]:
    """Configuration and notes of a file; raises `ModelError` where it is not one of ours."""
    require_model(path)
    try:
        with safe_open(path, "pt") as handle:
            header = handle.metadata() or {}
    except Exception:  # whatever the reader raises on a damaged file
        raise ModelError(
            "{path}: not a safetensors file; only files written by 'sam2flow train' can be used", path=path
        ) from None
    if header.get("format") != FORMAT:
        raise ModelError("{path}: a safetensors file, but not weights of SAM2Flow", path=path)
    try:
        return {"config": read_object(header.get("config", "")), "notes": read_object(header.get("notes", "{}"))}
    except ValueError as error:
        raise ModelError("{path}: its header is damaged ({reason}); fetch it anew", path=path, reason=error) from None


def load_model(name: str, overrides: dict[str, Any] | None = None) -> tuple[SAM2Flow, dict[str, Any]]:
    """Network and description of a preset in the box, of a file, a folder, or a model on the hub.

    Parameters
    ----------
    name : str
        ``tiny``; a file written by ``sam2flow train``; an official ``.pt`` file of SAM 2 or 2.1; a folder written by
        `save_folder`; or ``owner/model`` on the Hugging Face hub, the only case in which the network is used.
    overrides : dict, optional
        Fields of `ModelConfig` (dotted for its parts) to run the same weights differently, for ablations.

    Returns
    -------
    model : SAM2Flow
        In evaluation mode, float32.
    description : dict
        Preset, number of weights, SHA-256 of the file, notes.

    Examples
    --------
    >>> model, description = load_model("tiny")
    >>> description["preset"], model.config.use_flow
    ('tiny', True)
    """
    if name == SHIPPED:
        with as_file(files("sam2flow_resources").joinpath("tiny.safetensors")) as path:
            return _load(path, read_header(path), overrides)
    path = fetch(name) if is_hub_name(name) else Path(name)
    if path.is_dir():
        return _load(path / WEIGHTS_FILE, _read_folder(path), overrides)
    if path.suffix.lower() in SUFFIXES:
        model, description, _ = load_official(path, overrides)
        return model, description
    return _load(path, read_header(path), overrides)


def load_official(path: Path, overrides: dict[str, Any] | None = None) -> tuple[SAM2Flow, dict[str, Any], list[Fate]]:
    """Network of an official ``.pt`` file of SAM 2 or 2.1.

    Parameters
    ----------
    path : Path
    overrides : dict, optional
        As for `load_model`.

    Returns
    -------
    model : SAM2Flow
    description : dict
        As those of `load_model`.
    fates : list of Fate
        What became of each tensor.

    Raises
    ------
    ModelError
        If the file is no checkpoint of SAM 2 or 2.1, or not a whole one.
    """
    with fits(path):
        tensors = read_official(path)
        config = matching_config(tensors)
        model = SAM2Flow(_overridden(config.to_dict(), overrides))
        fates = fill(model, tensors)
        return model.eval(), _describe(model, path, {"origin": release(tensors)}), fates


def _read_folder(folder: Path) -> dict[str, Any]:
    """Configuration and notes of a folder, as `read_header` gives those of a file."""
    try:
        content = read_object(read_regular(folder / CONFIG_FILE))
    except FileNotFoundError:
        raise ModelError(
            "{folder}: no model in this folder; {config_file} and {weights_file} should be there",
            folder=folder,
            config_file=CONFIG_FILE,
            weights_file=WEIGHTS_FILE,
        ) from None
    except (ValueError, OSError) as error:
        raise ModelError(
            "{file}: cannot be read ({reason})", file=folder / CONFIG_FILE, reason=one_line(str(error))
        ) from None
    if content.get("model_type") != MODEL_TYPE:
        raise ModelError(
            "{folder}: a model, but not of SAM2Flow; SAM 2 itself is read from its .pt file", folder=folder
        )
    read_header(folder / WEIGHTS_FILE)
    notes = content.get("notes")
    config = {key: value for key, value in content.items() if key not in ("model_type", "notes")}
    return {"config": config, "notes": notes if isinstance(notes, dict) else {}}


def _load(path: Path, header: dict[str, Any], overrides: dict[str, Any] | None) -> tuple[SAM2Flow, dict[str, Any]]:
    config = _overridden(header["config"], overrides)
    with fits(path):
        # Compared before the network is made: a configuration of a few bytes could ask for more memory than there is.
        with torch.device("meta"):
            whole = SAM2Flow(config).state_dict()
        with safe_open(path, "pt") as handle:
            names = {todays_name(name): name for name in handle.keys()}  # noqa: SIM118
            if config.mask.matching_widths:  # which does without the weights that a design has for tokens
                names = {name: n for name, n in names.items() if name in whole or not name.startswith(_DESIGN)}
                whole = {name: t for name, t in whole.items() if name in names or not name.startswith(_DESIGN)}
            wanted = {name: tuple(t.shape) for name, t in whole.items()}
            there = {name: tuple(handle.get_slice(former).get_shape()) for name, former in names.items()}
            if different := sorted(n for n in {*wanted, *there} if wanted.get(n) != there.get(n)):
                first = one_line(different[0])
                raise ModelError(
                    "{path}: the weights do not fit their configuration ({first} is the first)", path=path, first=first
                )
            tensors: dict[str, Tensor] = {name: handle.get_tensor(former).float() for name, former in names.items()}
        require_finite(path, tensors)
        model = SAM2Flow(config)
        model.load_state_dict({**model.state_dict(), **tensors})
    side = header["notes"].get("image_size")
    model.tuned_side = side if isinstance(side, int) else None
    return model.eval(), _describe(model, path, header["notes"])


def _overridden(data: dict[str, Any], overrides: dict[str, Any] | None) -> ModelConfig:
    # Through the records, so that settings which are newer than the file can be named too.
    data = ModelConfig.from_dict(data).to_dict()
    for key, value in (overrides or {}).items():
        place = data
        *parts, last = key.split(".")
        for part in parts:
            place = place[part]
        if last not in place:
            raise ModelError("no setting '{key}' in the model's configuration", key=key)
        place[last] = value
    return ModelConfig.from_dict(data)


def _describe(model: SAM2Flow, path: Path, notes: dict[str, Any]) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "preset": model.config.preset,
        "weights": count_weights(model),
        "sha256": digest,
        "configuration": model.config.to_dict(),
        "cost_volume": asdict(COST_VOLUME),
        "notes": notes,
    }


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA, then MPS, then CPU; raises `ModelError` for a device that is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(n for n in ("cuda", "mps", "cpu") if there[n])
    if not there.get(name.split(":")[0], False):
        raise ModelError("device '{name}' is not available on this computer; use --device auto", name=name)
    try:
        return torch.device(name)
    except RuntimeError:
        raise ModelError("device '{name}' is none; use --device auto, cpu, cuda or mps", name=one_line(name)) from None
