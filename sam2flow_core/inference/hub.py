"""Weights from the Hugging Face hub; the only place that may reach for the network."""

from __future__ import annotations

import re
from pathlib import Path

from sam2flow_core.errors import ModelError, require_extra
from sam2flow_core.messages import Message

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
SHIPPED = "tiny"
"""Name of the weights that are in the box."""

_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_OFFICIAL = re.compile(r"facebook/(sam2(?:\.1)?-hiera-(?:tiny|small|base-plus|large))")


def is_hub_name(name: str) -> bool:
    """Whether a name can only mean the hub: ``owner/model``, nothing of the kind on disk, no suffix of a file."""
    file = name.endswith((".safetensors", ".pt", ".pth"))
    return bool(_NAME.fullmatch(name)) and not file and not Path(name).exists()


def require_model(name: str | Path) -> None:
    """Raise `ModelError` where there are no weights of a name, before anything is made or loaded.

    A name that may be one of the hub's is let through: only fetching it shows whether it is there.
    """
    path = Path(name)
    if str(name) != SHIPPED and not path.exists() and not is_hub_name(str(name)):
        raise ModelError("{path}: no such weights file; give 'tiny' or the path of a .safetensors file", path=path)


def require_here(name: str, said_by: object) -> None:
    """Raise `ModelError` where a model that a file names could only come from the hub.

    A file that came by mail must not make this computer fetch something; the user's own word can.
    """
    if is_hub_name(name):
        raise ModelError(
            "{said_by} asks for the model '{name}' of the Hugging Face hub: add --download if you want it fetched",
            said_by=said_by,
            name=name,
        )


def fetch(name: str) -> Path:
    """Folder (ours) or ``.pt`` file (SAM 2's) of a hub name, downloaded unless it was before.

    Raises
    ------
    ModelError
        If there is no network, or no such model.
    ExtraError
        If there is no ``huggingface_hub``.
    """
    require_extra("hub", f"'{name}', a model on the Hugging Face hub,")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # its retries, one line each; what came of them is said once, below
    try:
        if official := _OFFICIAL.fullmatch(name):
            return Path(hf_hub_download(name, official[1].replace("-", "_") + ".pt"))
        hf_hub_download(name, CONFIG_FILE)
        return Path(hf_hub_download(name, WEIGHTS_FILE)).parent
    except Exception as error:  # whatever its HTTP client raises, which changes between versions
        raise ModelError("'{name}' {why}", name=name, why=_why(error)) from None


def _why(error: Exception) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "LocalEntryNotFoundError" in kinds or "ConnectionError" in kinds or "TransportError" in kinds:
        return Message(
            "is no file or folder here, and the Hugging Face hub cannot be reached. Without network, "
            "copy the model's folder to this computer and give its path"
        )
    if "RepositoryNotFoundError" in kinds:
        return Message(
            "is no file or folder here, nor a model on the Hugging Face hub that may be read; check the spelling"
        )
    if "EntryNotFoundError" in kinds:
        return Message(
            "is on the Hugging Face hub, but without {config} and {weights}: not weights of SAM2Flow",
            config=CONFIG_FILE,
            weights=WEIGHTS_FILE,
        )
    return Message("could not be fetched from the Hugging Face hub ({kind})", kind=type(error).__name__)
