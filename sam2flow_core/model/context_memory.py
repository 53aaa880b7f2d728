"""Context memory: what each vessel looked like, and where it was.

What all designs of memory share: the encoder, the attention and the object
pointers of SAM 2 (Ravi et al., 2024). What is written and what is read is the
design's business (`memory_designs`). A bank belongs to one vessel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.layers import MLP, ChannelNorm, age_position, axial_rotations, grid_position
from sam2flow_core.model.memory_bank import MemoryAttention, MemoryAttentionLayer, MemoryBank, MemoryEntry, MemoryTokens
from sam2flow_core.model.memory_designs import build_design


class Fuser(nn.Module):
    """ConvNeXt block (Liu et al., 2022)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = ChannelNorm(dim)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.full((dim,), 1e-6 if dim > 128 else 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, dim, h, w), same shape."""
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        result: Tensor = x + y.permute(0, 3, 1, 2)
        return result


class ContextMemoryEncoder(nn.Module):
    """Image features and a mask to a memory entry."""

    def __init__(self, dim: int, memory_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 1
        for _ in range(4):
            layers += [nn.Conv2d(width, width * 4, 3, stride=2, padding=1), ChannelNorm(width * 4), nn.GELU()]
            width *= 4
        self.mask_downsampler = nn.Sequential(*layers, nn.Conv2d(width, dim, 1))
        self.pix_feat_proj = nn.Conv2d(dim, dim, 1)
        self.fuser = nn.Sequential(Fuser(dim), Fuser(dim))
        self.out_proj = nn.Conv2d(dim, memory_dim, 1)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Encode.

        Parameters
        ----------
        image : Tensor (V, dim, h, w)
            Stride-16 features, not yet read through memory.
        mask : Tensor (V, 1, 16 h, 16 w)
            Probability, 0 to 1. The sigmoid has been taken, once, by the caller.

        Returns
        -------
        Tensor (V, memory_dim, h, w)
        """
        scaled = mask * 20.0 - 10.0
        result: Tensor = self.out_proj(self.fuser(self.pix_feat_proj(image) + self.mask_downsampler(scaled)))
        return result


class MemoryBanks(nn.Module):
    """What vessels remember, by the rules of a design: all that a network needs whose memory matches frames.

    Parameters
    ----------
    config : MaskConfig
    """

    def __init__(self, config: MaskConfig) -> None:
        super().__init__()
        self.design = build_design(config)

    def new_bank(self, least_quality: float = 0.0) -> MemoryBank:
        """An empty bank for one vessel, which writes as the design does; `least_quality` as in `keep_recent`."""
        return MemoryBank(self.design.rule(least_quality))


class ContextMemory(MemoryBanks):
    """Read the bank of one vessel into the image features, and write to it."""

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        d, m = config.d_model, config.memory_dim
        self.dim, self.memory_dim, self.slots, self.max_pointers = d, m, config.memory_frames + 1, config.max_pointers
        self.memory_encoder = ContextMemoryEncoder(d, m)
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(d, m, config.memory_mlp_dim) for _ in range(config.memory_layers)
        )
        self.norm = nn.LayerNorm(d)
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(self.slots, 1, 1, m))
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, d))
        self.obj_ptr_proj: nn.Module = (
            MLP((d, d, d, d)) if config.as_sam2 else nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, d))
        )
        self.obj_ptr_tpos_proj = nn.Linear(d, m) if config.as_sam2 else None
        self.no_obj_ptr = nn.Parameter(torch.zeros(1, d))
        self.no_obj_embed = nn.Parameter(torch.zeros(1, m))
        for p in (self.maskmem_tpos_enc, self.no_mem_embed, self.no_obj_ptr, self.no_obj_embed):
            nn.init.trunc_normal_(p, std=0.02)

    def read(self, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Image features of one vessel's image, conditioned on its memory.

        Parameters
        ----------
        image : Tensor (1, dim, h, w)
        entries : list of MemoryEntry
            Of this vessel only; empty before the first prompt.
        frame : int
            The frame that reads, for the time encoding.
        """
        return self.design.read(self, image, entries, frame)

    def prompts(self, images: Tensor, banks: list[list[MemoryEntry]], frame: int) -> Tensor | None:
        """Mask logits (V, 1, 4 h, 4 w) that memory gives as prompts; None where the design gives none.

        Parameters
        ----------
        images : Tensor (V, dim, h, w)
            Stride-16 features of each vessel's image.
        banks : list over vessels of lists of MemoryEntry
        frame : int
        """
        rows = [self.design.prompt(self, images[i : i + 1], bank, frame) for i, bank in enumerate(banks)]
        if all(row is None for row in rows):
            return None
        h, w = images.shape[-2:]
        return torch.cat([images.new_zeros(1, 1, 4 * h, 4 * w) if row is None else row for row in rows])

    def tokens(self, images: Tensor, banks: list[list[MemoryEntry]], frame: int) -> Tensor | None:
        """Prompt tokens (V, K, dim) that memory gives; None where the design gives none. Parameters of `prompts`.

        Vessels whose bank is kept together, a row for each, are answered by that one bank.
        """
        rows = images.split(len(images) // max(len(banks), 1))
        found = [self.design.tokens(self, image, bank, frame) for image, bank in zip(rows, banks, strict=True)]
        given = [row for row in found if row is not None]
        return torch.cat(given) if given else None

    def gather(self, entries: list[MemoryEntry], frame: int) -> MemoryTokens:
        """Say what entries are to the frame that reads: their age, and the pointers of the latest."""
        latest = entries[-self.max_pointers :]
        longest = max(self.max_pointers - 1, 1)
        return MemoryTokens(
            tokens=tuple(e.tokens for e in entries),
            slots=tuple(self.slot(abs(frame - e.frame), e.prompted) for e in entries),
            pointers=tuple(e.pointer for e in latest),
            ages=tuple(abs(frame - e.frame) / longest for e in latest),
            inside=tuple(e.inside for e in entries),
        )

    def attend(self, image: Tensor, gathered: MemoryTokens, attention: MemoryAttention | None = None) -> Tensor:
        """Image features (1, dim, h, w) conditioned on what is recalled, same shape.

        Vessels that recall the same frames can be answered together: V rows in place of one, of the image and of all
        that is recalled.

        Parameters
        ----------
        image : Tensor (1, dim, h, w)
        gathered : MemoryTokens
        attention : MemoryAttention, optional
            Of a bank that has its own; the shared one if not given.
        """
        if not gathered.tokens:
            return image + self.no_mem_embed.transpose(1, 2)[..., None]
        h, w = image.shape[-2:]
        turns = axial_rotations(h, w, self.dim).to(image.device)
        keys, keys_pe = self.keys(image, gathered)
        if self.obj_ptr_tpos_proj is not None:
            image = image + 0.1 * grid_position(h, w, self.dim).to(image)
        tokens = image.flatten(2).transpose(1, 2)
        layers, norm = (self.layers, self.norm) if attention is None else (attention.layers, attention.norm)
        for layer in layers:
            tokens = layer(tokens, keys, keys_pe, turns, turns.repeat(len(gathered.slots), 1))
        result: Tensor = norm(tokens).transpose(1, 2).unflatten(2, (h, w))
        return result

    def keys(self, image: Tensor, gathered: MemoryTokens) -> tuple[Tensor, Tensor]:
        """What is recalled as tokens (1, K, memory_dim), pointers last, and their positions; parameters of `attend`."""
        h, w = image.shape[-2:]
        place = grid_position(h, w, self.memory_dim).flatten(2).transpose(1, 2).to(image)
        positions = [place + self.maskmem_tpos_enc[slot] for slot in gathered.slots]
        pointers, pointers_pe = self._split_pointers(gathered, image)
        return torch.cat([*gathered.tokens, pointers], 1), torch.cat([*positions, pointers_pe], 1)

    def slot(self, age: int, prompted: bool) -> int:
        """Time encoding: the last slot for prompted frames, else by age in frames."""
        return self.slots - 1 if prompted else min(max(age - 1, 0), self.slots - 2)

    def _split_pointers(self, gathered: MemoryTokens, image: Tensor) -> tuple[Tensor, Tensor]:
        """Pointers cut into tokens of the memory's width, (1, K, memory_dim), and their time encoding."""
        if not gathered.pointers:
            return (image.new_zeros(1, 0, self.memory_dim),) * 2
        pointers = torch.cat(gathered.pointers, 1)
        split = pointers.unflatten(-1, (-1, self.memory_dim)).flatten(1, 2)
        if self.obj_ptr_tpos_proj is None:
            return split, torch.zeros_like(split[:1])
        time = self.obj_ptr_tpos_proj(age_position(image.new_tensor(gathered.ages), self.dim))
        return split, time.repeat_interleave(split.shape[1] // len(gathered.ages), 0)[None]

    def write(self, image: Tensor, mask: Tensor, token: Tensor, object_score: Tensor) -> tuple[Tensor, Tensor]:
        """Memory tokens (V, K, memory_dim) and object pointers (V, 1, dim) of V vessels.

        Parameters
        ----------
        image : Tensor (V, dim, h, w)
        mask : Tensor (V, 1, 16 h, 16 w)
            Probability.
        token : Tensor (V, dim)
            The decoder's token of the chosen mask.
        object_score : Tensor (V,)
            Logit of being visible.
        """
        return self.write_mask(image, mask, object_score), self.write_pointer(token, object_score)

    def write_mask(self, image: Tensor, mask: Tensor, object_score: Tensor) -> Tensor:
        """Memory tokens (V, hw, memory_dim), and after them what the design adds; see `write`."""
        seen = (object_score > 0).to(image)[:, None]
        tokens = self.memory_encoder(image, mask).flatten(2).transpose(1, 2)
        return self.design.write(image, tokens + ((1 - seen) * self.no_obj_embed)[:, None])

    def write_pointer(self, token: Tensor, object_score: Tensor) -> Tensor:
        """Object pointers (V, 1, dim); see `write`."""
        seen = (object_score > 0).to(token)[:, None]
        result: Tensor = (seen * self.obj_ptr_proj(token) + (1 - seen) * self.no_obj_ptr)[:, None]
        return result
