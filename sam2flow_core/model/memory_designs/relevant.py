"""Memory filtered by relevance and turned into a prompt, features integrated over time, after SAM-I2V.

Three parts for one upgrade of an image network to videos (Mei et al., 2025): a
temporal integrator looks at the features of the frames before; of the frames
remembered, those most like the present one are read; and what they say of the
vessel is also given to the decoder as a prompt, here a mask.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.layers import Attention, ChannelNorm, axial_rotations, begin_at_zero
from sam2flow_core.model.memory_attention import SharedMemory
from sam2flow_core.model.memory_bank import MemoryEntry, WritingRule, keep_recent
from sam2flow_core.model.memory_designs.recent import RecentMemory

_SHARPNESS = 4.0
"""How far likeness, -1 to 1, tells one memory from another."""


class TemporalIntegrator(nn.Module):
    """What the frames before show, added to the features of the present one."""

    def __init__(self, dim: int, memory_dim: int, frames: int) -> None:
        super().__init__()
        self.mix = nn.Conv3d(memory_dim, memory_dim, (frames + 1, 3, 3), padding=(0, 1, 1))
        self.norm = ChannelNorm(memory_dim)
        self.out = nn.Conv2d(memory_dim, dim, 1)
        begin_at_zero(self.out)

    def forward(self, image: Tensor, views: list[Tensor]) -> Tensor:
        """Features (1, dim, h, w) from them and the narrow views (1, memory_dim, h, w), the present one last."""
        result: Tensor = image + self.out(F.gelu(self.norm(self.mix(torch.stack(views, 2))[:, :, 0])))
        return result


class MaskPrompter(nn.Module):
    """Mask logits that memory gives as a prompt."""

    def __init__(self, dim: int, memory_dim: int) -> None:
        super().__init__()
        self.attention = Attention(dim, 1, key_dim=memory_dim)
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(dim, memory_dim, 2, stride=2), ChannelNorm(memory_dim), nn.GELU(),
            nn.ConvTranspose2d(memory_dim, 1, 2, stride=2),
        )  # fmt: skip

    def forward(self, image: Tensor, tokens: list[Tensor]) -> Tensor:
        """Logits (1, 1, 4 h, 4 w) from features (1, dim, h, w) and memory tokens (1, h w, memory_dim)."""
        h, w = image.shape[-2:]
        keys, turns = torch.cat(tokens, 1), axial_rotations(h, w, image.shape[1]).to(image.device)
        seen = self.attention(
            image.flatten(2).transpose(1, 2), keys, keys, rotate_q=turns, rotate_k=turns.repeat(len(tokens), 1)
        )
        result: Tensor = self.up(self.norm(seen).transpose(1, 2).unflatten(2, (h, w)))
        return result


class RelevantMemory(RecentMemory):
    """Beside its memory, each entry carries a narrow view of its frame, to be integrated and to be compared by."""

    looked_up_by_frame = False
    chooses = True

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.pool, self.chosen, self.integrated = (
            config.memory.pool_frames, config.memory.relevant_frames, config.memory.integrated_frames,
        )  # fmt: skip
        self.view = nn.Conv2d(config.d_model, config.memory_dim, 1)
        self.integrator = TemporalIntegrator(config.d_model, config.memory_dim, self.integrated)
        self.prompter = MaskPrompter(config.d_model, config.memory_dim)

    def write(self, image: Tensor, tokens: Tensor) -> Tensor:
        """Put the view (V, h w, memory_dim) of each frame after its memory."""
        return torch.cat([tokens, self.view(image).flatten(2).transpose(1, 2)], 1)

    def rule(self, least_quality: float) -> WritingRule:
        """Keep a larger pool than is read."""
        return keep_recent(self.pool, least_quality)

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Integrate the latest frames, then read the most relevant entries; see `RecentMemory.read`."""
        tokens, chosen = self._filter(image, entries)
        recollection = memory.recollect(chosen, frame)._replace(tokens=tuple(tokens))
        return memory.recall(self._integrate(image, entries, frame), recollection)

    def prompt(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor | None:
        """Turn the most relevant entries into a mask prompt; None while there are none."""
        return self.prompter(image, self._filter(image, entries)[0]) if entries else None

    def choose(
        self, entries: list[MemoryEntry], frame: int, likeness: Callable[[MemoryEntry], float]
    ) -> list[MemoryEntry]:
        """The entries that match best, the latest prompted one always among them; see `RecentMemory.choose`."""
        sure = max((i for i, e in enumerate(entries) if e.prompted), default=None)
        order = sorted(range(len(entries)), key=lambda i: (i != sure, -likeness(entries[i])))[: self.chosen]
        return [entries[i] for i in sorted(order)]

    def _integrate(self, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        now = self.view(image)
        latest = sorted(entries, key=lambda e: abs(frame - e.frame))[: self.integrated]
        before = [_halves(e)[1].transpose(1, 2).unflatten(2, image.shape[-2:]) for e in reversed(latest)]
        # Where there are fewer frames before, nothing is known to have changed.
        result: Tensor = self.integrator(image, [now] * (self.integrated - len(before)) + before + [now])
        return result

    def _filter(self, image: Tensor, entries: list[MemoryEntry]) -> tuple[list[Tensor], list[MemoryEntry]]:
        """Memory tokens of the entries most like the image, weighted by how like they are, and these entries.

        The latest prompted entry is always among them: it is what the user said.
        """
        if len(entries) == 0:
            return [], []
        halves = [_halves(e) for e in entries]
        now = self.view(image).flatten(2).transpose(1, 2)
        likeness = torch.cat([F.cosine_similarity(now.flatten(1), view.flatten(1)) for _, view in halves])
        sure = max((i for i, e in enumerate(entries) if e.prompted), default=None)
        like = likeness.detach().tolist()
        order = sorted(range(len(entries)), key=lambda i: (i != sure, -like[i]))[: self.chosen]
        order.sort()
        share = torch.softmax(_SHARPNESS * likeness[order], 0) * len(order)
        return [halves[i][0] * share[k] for k, i in enumerate(order)], [entries[i] for i in order]


def _halves(entry: MemoryEntry) -> tuple[Tensor, Tensor]:
    """Memory and view of an entry, each (1, h w, memory_dim)."""
    memory, view = entry.tokens.chunk(2, 1)
    return memory, view
