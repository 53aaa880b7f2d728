"""Checkpoints of SAM 2 and SAM 2.1 as published: read without running them, fill the matching preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sam2flow_core.config.model import PRESETS, ModelConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.official_names import NEW_IN_2_1, UNUSED, our_name
from sam2flow_core.inference.pickled import load_pickled, require_finite
from sam2flow_core.model.sam2flow import SAM2Flow

SUFFIXES = (".pt", ".pth")

_SIZES = {"small": "tiny", "medium": "small", "base": "base plus", "large": "large"}
"""Our presets and what SAM 2 calls them."""


@dataclass(frozen=True)
class Fate:
    """What became of one tensor.

    Attributes
    ----------
    name : str
        In the checkpoint; empty for a tensor of ours that the checkpoint lacks.
    shape : tuple of int
    ours : str
        Where it went; empty if it was left out.
    reason : str
        Why it was left out or set to zero.
    """

    name: str
    shape: tuple[int, ...]
    ours: str
    reason: str = ""

    @property
    def kind(self) -> str:
        """``loaded``, ``renamed``, ``left out``, or ``zero`` for what only SAM 2.1 has."""
        if not self.name:
            return "zero"
        if not self.ours:
            return "left out"
        return "loaded" if self.name == self.ours else "renamed"


def read_official(path: Path) -> dict[str, Tensor]:
    """Tensors of a ``.pt`` file as published; nothing but weights is let in, and no code in it is run.

    Raises
    ------
    ModelError
        If the file is missing, holds anything but weights, or is no checkpoint of the SAM 2 family.
    """
    content = load_pickled(path)
    tensors = content.get("model")
    if not isinstance(tensors, Mapping) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise ModelError(f"{path}: no checkpoint of SAM 2: it has no table of weights called 'model'")
    found = {str(name): tensor for name, tensor in tensors.items()}
    require_finite(path, found)
    return found


def matching_preset(tensors: Mapping[str, Tensor]) -> str:
    """Name of the preset whose image encoder has the shape of these tensors; raises `ModelError` for none."""
    blocks = {m[1] for n in tensors if (m := re.match(r"image_encoder\.trunk\.blocks\.(\d+)\.", n))}
    embed = tensors.get("image_encoder.trunk.patch_embed.proj.bias", torch.zeros(0)).numel()
    for name in _SIZES:
        image = PRESETS[name].image
        if (image.embed_dim, sum(image.stages)) == (embed, len(blocks)):
            return name
    raise ModelError(
        f"no size of SAM 2 has an image encoder of {len(blocks)} blocks and width {embed}; "
        "tiny, small, base plus and large can be used"
    )


def masks_only(preset: str) -> ModelConfig:
    """A preset as SAM 2 is: no adapters, no flow."""
    config = PRESETS[preset]
    return replace(config, image=replace(config.image, adapter_dim=0), use_flow=False)


def release(tensors: Mapping[str, Tensor]) -> str:
    """``SAM 2.1 base plus`` and the like."""
    version = "2.1" if "no_obj_embed_spatial" in tensors else "2"
    return f"SAM {version} {_SIZES[matching_preset(tensors)]}"


@torch.no_grad()
def fill(model: SAM2Flow, tensors: Mapping[str, Tensor]) -> list[Fate]:
    """Fill a network in place and account for every tensor.

    Parameters
    ----------
    model : SAM2Flow
        Of the matching preset. What SAM 2 does not have (adapters, flow) stays as it is.
    tensors : mapping
        From `read_official`.

    Returns
    -------
    list of Fate
        One for each tensor of the checkpoint in its order, then those that were set to zero.

    Raises
    ------
    ModelError
        If a tensor that masks depend on is missing.
    """
    own = model.state_dict()
    fates = [_place(name, tensor, own) for name, tensor in tensors.items()]
    filled = {f.ours for f in fates}
    for name in NEW_IN_2_1:
        if name in own and name not in filled:
            own[name].zero_()
            fates.append(Fate("", tuple(own[name].shape), name, "new in SAM 2.1; at zero it does what SAM 2 does"))
            filled.add(name)
    _check_complete(own, filled)
    return fates


def _place(name: str, tensor: Tensor, own: Mapping[str, Tensor]) -> Fate:
    shape = tuple(tensor.shape)
    if name in UNUSED:
        return Fate(name, shape, "", UNUSED[name])
    ours = our_name(name)
    if ours is None or ours not in own:
        return Fate(name, shape, "", "SAM 2 has no tensor of this name")
    if own[ours].shape != tensor.shape:
        return Fate(name, shape, "", f"its place has the shape {tuple(own[ours].shape)}")
    own[ours].copy_(tensor)
    return Fate(name, shape, ours)


def _check_complete(own: Mapping[str, Tensor], filled: set[str]) -> None:
    ours_alone = ("flow.", "image_encoder.adapters.")
    missing = [name for name in own if name not in filled and not name.startswith(ours_alone)]
    if missing:
        raise ModelError(
            f"the checkpoint lacks {len(missing)} tensors that masks depend on, {missing[0]} the first; "
            "it is not complete"
        )
