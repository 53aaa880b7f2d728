"""Checkpoints of SAM 2 and SAM 2.1 as published: read without running them, renamed, fill the matching preset.

The names are those of the published files (SAM 2, July 2024; SAM 2.1, September 2024).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sam2flow_core.config.model import PRESETS, ModelConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.pickled import load_pickled, require_finite
from sam2flow_core.model.sam2flow import SAM2Flow

UNUSED = {"no_mem_pos_enc": "SAM 2 itself does not use it: frames without memory get no_mem_embed only"}
"""Tensors of the files that have no place here, each with its reason."""
NEW_IN_2_1 = (
    "context_memory.no_obj_embed",
    "context_memory.obj_ptr_tpos_proj.weight",
    "context_memory.obj_ptr_tpos_proj.bias",
)
"""Our tensors that only SAM 2.1 has; all zero, they do what SAM 2 does without them."""
_PREFIXES = (
    (r"image_encoder\.trunk\.", "image_encoder.trunk."),
    (r"sam_prompt_encoder\.", "prompt_encoder."),
    (r"sam_mask_decoder\.", "mask_decoder."),
    (r"mask_downsample\.", "prompt_encoder.given_mask."),
    (r"memory_encoder\.mask_downsampler\.encoder\.", "context_memory.memory_encoder.mask_downsampler."),
    (r"memory_encoder\.fuser\.layers\.", "context_memory.memory_encoder.fuser."),
    (r"memory_encoder\.", "context_memory.memory_encoder."),
    (r"memory_attention\.", "context_memory."),
    (r"(?=obj_ptr_proj\.|obj_ptr_tpos_proj\.)", "context_memory."),
)
_WHOLE = {
    "maskmem_tpos_enc": "context_memory.maskmem_tpos_enc",
    "no_mem_embed": "context_memory.no_mem_embed",
    "no_obj_ptr": "context_memory.no_obj_ptr",
    "no_obj_embed_spatial": "context_memory.no_obj_embed",
}
_NECK = re.compile(r"image_encoder\.neck\.convs\.([0-3])\.conv\.(weight|bias)")
_TRUNK_MLP = re.compile(r"(image_encoder\.trunk\.blocks\.\d+\.mlp)\.layers\.([01])\.(.+)")
SUFFIXES = (".pt", ".pth")
_SIZES = {"small": "tiny", "medium": "small", "base": "base plus", "large": "large"}
"""Our presets and what SAM 2 calls them."""


def our_name(name: str) -> str | None:
    """Name in this network of a tensor of an official checkpoint; None for one that SAM 2 does not have."""
    if name in _WHOLE:
        return _WHOLE[name]
    if neck := _NECK.fullmatch(name):
        # SAM 2 counts the neck from the coarsest level, we from the finest.
        return f"image_encoder.neck.{3 - int(neck[1])}.{neck[2]}"
    if mlp := _TRUNK_MLP.fullmatch(name):
        return f"{mlp[1]}.fc{int(mlp[2]) + 1}.{mlp[3]}"
    for pattern, ours in _PREFIXES:
        if re.match(pattern, name):
            return re.sub(f"^{pattern}", ours, name, count=1)
    return None


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
