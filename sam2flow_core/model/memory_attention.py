"""Memory attention: image features look at what is recalled, after SAM 2 (Ravi et al., 2024)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.model.layers import Attention
from sam2flow_core.model.memory_bank import MemoryEntry


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention to the memory, MLP."""

    def __init__(self, dim: int, memory_dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.self_attn = Attention(dim, 1)
        self.cross_attn_image = Attention(dim, 1, key_dim=memory_dim)
        self.linear1 = nn.Linear(dim, mlp_dim)
        self.linear2 = nn.Linear(mlp_dim, dim)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)

    def forward(self, x: Tensor, memory: Tensor, positions: Tensor, turns: Tensor, memory_turns: Tensor) -> Tensor:
        """Image (1, hw, dim) reads memory (1, K, memory_dim)."""
        y = self.norm1(x)
        x = x + self.self_attn(y, y, y, rotate_q=turns, rotate_k=turns)
        y = self.norm2(x)
        x = x + self.cross_attn_image(y, memory + positions, memory, rotate_q=turns, rotate_k=memory_turns)
        y = self.norm3(x)
        result: Tensor = x + self.linear2(F.relu(self.linear1(y)))
        return result


class MemoryAttention(nn.Module):
    """Layers in a row, and their norm."""

    def __init__(self, dim: int, memory_dim: int, mlp_dim: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MemoryAttentionLayer(dim, memory_dim, mlp_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)


class Recollection(NamedTuple):
    """What one vessel recalls in one frame.

    Attributes
    ----------
    tokens : tuple of Tensor (1, h w, memory_dim)
    slots : tuple of int
        Time encoding of each.
    pointers : tuple of Tensor (1, 1, dim)
    ages : tuple of float
        Of the pointers, in units of the oldest one that may be recalled.
    """

    tokens: tuple[Tensor, ...]
    slots: tuple[int, ...]
    pointers: tuple[Tensor, ...]
    ages: tuple[float, ...]


class SharedMemory(Protocol):
    """The layers that all designs of the context memory share: `ContextMemory`, as a design sees it."""

    def recollect(self, entries: list[MemoryEntry], frame: int) -> Recollection:
        """Say what entries are to the frame that reads."""

    def recall(self, image: Tensor, recollection: Recollection, attention: MemoryAttention | None = None) -> Tensor:
        """Image features (1, dim, h, w) conditioned on what is recalled."""
