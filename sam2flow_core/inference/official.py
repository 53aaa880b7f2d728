"""Checkpoints of SAM as published: read without running them, renamed, fill the matching preset.

The names are those of the published files: SAM (April 2023), MobileSAM and TinySAM, SAM 2 (July 2024), SAM 2.1
(September 2024), SAM-I2V (June 2025).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sam2flow_core.config.model import IMAGE_SAMS, PRESETS, ModelConfig, upgraded_to_video
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.pickled import load_pickled, require_finite
from sam2flow_core.messages import Message
from sam2flow_core.model.sam2flow import SAM2Flow

UNUSED = {
    r"no_mem_pos_enc": "SAM 2 itself does not use it: frames without memory get no_mem_embed only",
    r"image_encoder\.(trunk_image\.)?(norm_head|head)\..+": "names photographs, which masks do without",
    r"image_encoder\.(trunk_image\.)?.+\.attention_bias_idxs": "a table of places, which is made anew",
}
"""Tensors of the files that have no place here, each with its reason."""
NEW_IN_2_1 = (
    "context_memory.no_obj_embed",
    "context_memory.obj_ptr_tpos_proj.weight",
    "context_memory.obj_ptr_tpos_proj.bias",
)
"""Our tensors that only SAM 2.1 has; all zero, they do what SAM 2 does without them."""
_RENAMED = (
    # SAM and SAM-I2V, image encoder
    (r"^image_encoder\.trunk_image\.", "image_encoder."),
    (r"^image_encoder\.neck\.([0-3])\.(weight|bias)$", r"image_encoder.trunk.neck.\1.\2"),
    (r"^image_encoder\.(?=patch_embed\.|pos_embed$|blocks\.|layers\.)", "image_encoder.trunk.vit."),
    (r"(\.vit\.blocks\.\d+\.mlp)\.lin([12])\.", r"\1.fc\2."),
    (r"\.vit\.layers\.(\d)\.downsample\.", lambda m: f".vit.stages.{int(m[1]) + 1}.downsample."),
    (r"\.vit\.layers\.", ".vit.stages."),
    (r"\.vit\.patch_embed\.seq\.([02])\.", lambda m: f".vit.patch_embed.conv{1 + int(m[1]) // 2}."),
    (r"(\.vit\..+)\.c\.weight$", r"\1.conv.weight"),
    (r"^image_encoder\.trunk_video\.", "image_encoder.integrator."),
    (r"\.temporal_stem\.", ".stem."),
    (r"\.input_linears\.(\d+)\.", r".stages.\1.project."),
    (r"\.integration2temporal_nets\.(\d+)\.fuse\.", r".stages.\1.to_time."),
    (r"\.temporal2integration_nets\.(\d+)\.fuse\.", r".stages.\1.to_image."),
    (r"\.integration_nets\.(\d+)\.layer\.", r".stages.\1.integrate."),
    (r"\.temporal_nets\.(\d+)\.lns\.(\d+)\.", r".stages.\1.along_time.\2.norm."),
    (r"\.temporal_nets\.(\d+)\.temporal_net\.(\d+)\.c_fc1_\d+\.", r".stages.\1.along_time.\2.plane."),
    (r"\.temporal_nets\.(\d+)\.temporal_net\.(\d+)\.c_fc2_\d+\.", r".stages.\1.along_time.\2.time."),
    # SAM 2, image encoder; it counts its neck from the coarsest level, we from the finest
    (r"^image_encoder\.neck\.convs\.([0-3])\.conv\.", lambda m: f"image_encoder.neck.{3 - int(m[1])}."),
    (r"(\.trunk\.blocks\.\d+\.mlp)\.layers\.([01])\.", lambda m: f"{m[1]}.fc{int(m[2]) + 1}."),
    # Prompts and masks
    (r"^sam_(?=prompt_encoder\.|mask_decoder\.)", ""),
    (r"^(mask_decoder\..+\.mlp)\.lin([12])\.", lambda m: f"{m[1]}.layers.{int(m[2]) - 1}."),
    (r"^mask_downsample\.", "prompt_encoder.given_mask."),
    # Memory
    (r"^memory_encoder\.mask_downsampler\.encoder\.", "memory_encoder.mask_downsampler."),
    (r"^memory_encoder\.fuser\.layers\.", "memory_encoder.fuser."),
    (r"^memory_attention\.", "context_memory."),
    (r"^(?=memory_encoder\.|obj_ptr_proj\.|obj_ptr_tpos_proj\.)", "context_memory."),
    (r"^(maskmem_tpos_enc|no_mem_embed|no_obj_ptr)$", r"context_memory.\1"),
    (r"^no_obj_embed_spatial$", "context_memory.no_obj_embed"),
    # What SAM-I2V makes of it
    (r"^memory_prompt_generator\.", "context_memory.design.generator."),
    (r"\.query_embedding_fg\.", ".queries."),
    (r"\.no_memory_prompt_embeddings_fg\.", ".without_memory."),
    (r"\.norm_fg_ca\.", ".cross_norm."),
    (r"\.norm_fg_sa\.", ".self_norm."),
    (r"(\.generator)\.norm1\.", r"\1.mlp_norm."),
    (r"(\.generator)\.linear([12])\.", lambda m: f"{m[1]}.mlp.layers.{int(m[2]) - 1}."),
)  # fmt: skip
"""How names of the published files become ours: each rule in turn, on what the rules before it made of the name."""
_PARTS = ("image_encoder.", "prompt_encoder.", "mask_decoder.", "context_memory.")
SUFFIXES = (".pt", ".pth")
_SIZES = {"small": "tiny", "medium": "small", "base": "base plus", "large": "large"}
"""Our presets and what SAM 2 calls them."""
_RELEASES = {
    "mobile-sam": "MobileSAM or TinySAM",
    "sam-vit-b": "SAM vit_b",
    "sam-vit-l": "SAM vit_l",
    "sam-vit-h": "SAM vit_h",
    "mobile-sam-video": "SAM-I2V",
}


def our_name(name: str) -> str | None:
    """Name in this network of a tensor of an official checkpoint; None for one that no SAM has."""
    for pattern, ours in _RENAMED:
        name = re.sub(pattern, ours, name, count=1)
    return name if name.startswith(_PARTS) else None


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
    # SAM itself and what is made like it are the table of weights themselves.
    tensors = content if any(str(name).startswith("image_encoder.") for name in content) else content.get("model")
    if not isinstance(tensors, Mapping) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise ModelError("{path}: no checkpoint of SAM 2: it has no table of weights called 'model'", path=path)
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
        "no size of SAM 2 has an image encoder of {count} blocks and width {embed}; tiny, small, "
        "base plus and large can be used",
        count=len(blocks),
        embed=embed,
    )


def masks_only(preset: str) -> ModelConfig:
    """A preset as SAM 2 is: no adapters, no flow."""
    config = PRESETS[preset]
    return replace(config, image=replace(config.image, adapter_dim=0), use_flow=False)


def matching_config(tensors: Mapping[str, Tensor]) -> ModelConfig:
    """Configuration of the network that these tensors are of; raises `ModelError` for none."""
    if any(name.startswith("image_encoder.trunk_image.") for name in tensors):
        return upgraded_to_video(IMAGE_SAMS["mobile-sam"])
    if any(name.startswith("image_encoder.layers.") for name in tensors):
        return IMAGE_SAMS["mobile-sam"]
    if any(name.startswith("image_encoder.blocks.") for name in tensors):
        return _matching_vit(tensors)
    return masks_only(matching_preset(tensors))


def _matching_vit(tensors: Mapping[str, Tensor]) -> ModelConfig:
    _, rows, columns, width = tensors.get("image_encoder.pos_embed", torch.zeros(0, 0, 0, 0)).shape
    for config in IMAGE_SAMS.values():
        if config.image.trunk == "vit" and config.image.embed_dim == width:
            return replace(config, image=replace(config.image, global_pos_size=(rows, columns)))
    raise ModelError(
        "no size of SAM has an image encoder of width {width}; vit_b, vit_l and vit_h can be used", width=width
    )


def release(tensors: Mapping[str, Tensor]) -> str:
    """``SAM 2.1 base plus`` and the like."""
    config = matching_config(tensors)
    if config.image.trunk != "hiera":
        return _RELEASES[config.preset]
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
    for pattern, reason in UNUSED.items():
        if re.fullmatch(pattern, name):
            return Fate(name, shape, "", reason)
    ours = our_name(name)
    if ours is None or ours not in own:
        return Fate(name, shape, "", "no SAM has a tensor of this name")
    if own[ours].shape != tensor.shape:
        return Fate(name, shape, "", Message("its place has the shape {shape}", shape=tuple(own[ours].shape)))
    own[ours].copy_(tensor)
    return Fate(name, shape, ours)


def _check_complete(own: Mapping[str, Tensor], filled: set[str]) -> None:
    ours_alone = ("flow.", "image_encoder.adapters.")
    missing = [name for name in own if name not in filled and not name.startswith(ours_alone)]
    if missing:
        raise ModelError(
            "the checkpoint lacks {count} tensors that masks depend on, {missing} the first; it is not complete",
            count=len(missing),
            missing=missing[0],
        )
