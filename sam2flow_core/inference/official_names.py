"""Names of the tensors in SAM 2's checkpoints, and where each belongs in this network.

The names are those of the published files (SAM 2, July 2024; SAM 2.1, September 2024).
"""

from __future__ import annotations

import re

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
