"""Memory of one vessel, and how image features look at what is recalled of it, after SAM 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.model.layers import Attention

Box = tuple[float, float, float, float]
"""``x0, y0, x1, y1`` px, the last px included."""


@dataclass(frozen=True)
class MemoryEntry:
    """What was remembered of one frame.

    Attributes
    ----------
    frame : int
    prompted : bool
        Whether the user clicked there.
    quality : float
        0 to 1: mask IoU x object score, or the flow's confidence.
    tokens : Tensor (1, K, D)
    pointer : Tensor (1, 1, d)
        Object pointer (context memory), or the tokens' positions (1, K, 2) in px (motion memory).
    affinity, presence : float
        Estimated IoU of the mask, and probability that the vessel is there; context memory only.
    box : Box or None
        Around the mask; None where there is no mask.
    view : Tensor (1, dim, h, w) or None
        Features of the frame, where a design compares frames by them.
    inside : BoolTensor (1, h w) or None
        Cells of the mask, where a design asks for them.
    """

    frame: int
    prompted: bool
    quality: float
    tokens: Tensor
    pointer: Tensor
    affinity: float = 1.0
    presence: float = 1.0
    box: Box | None = None
    view: Tensor | None = None
    inside: Tensor | None = None


WritingRule = Callable[[list[MemoryEntry], MemoryEntry], list[MemoryEntry]]
"""From the entries there are, in the order they were written, and a new one, to the entries that stay."""


def keep_recent(recent: int, least_quality: float = 0.3) -> WritingRule:
    """Keep all prompted entries and the latest ``recent`` others.

    Parameters
    ----------
    recent : int
    least_quality : float
        Unprompted entries below it are not written (SAMURAI, Yang et al., 2024).
    """

    def keep(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
        if not new.prompted and new.quality < least_quality:
            return entries
        entries = with_new(entries, new)
        unprompted = [e for e in entries if not e.prompted]
        return [e for e in entries if e is not unprompted[0]] if len(unprompted) > recent else entries

    return keep


def with_new(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
    """Entries with a new one at the end, in place of one of the same kind and frame."""
    return [*(e for e in entries if not (e.frame == new.frame and e.prompted == new.prompted)), new]


@dataclass
class MemoryBank:
    """Entries of ONE vessel.

    Parameters
    ----------
    rule : WritingRule
        What is written and what has to go for it; it bounds the bank.
    """

    rule: WritingRule
    entries: list[MemoryEntry] = field(default_factory=list)

    def write(self, entry: MemoryEntry) -> bool:
        """Remember an entry if the rule lets it in. Return whether it was kept."""
        self.entries = self.rule(self.entries, entry)
        return any(e is entry for e in self.entries)

    def read(self) -> list[MemoryEntry]:
        """Prompted entries first, then the others from old to new."""
        return sorted(self.entries, key=lambda e: (not e.prompted, e.frame))

    def forget(self) -> None:
        """Drop everything."""
        self.entries = []


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


class MemoryTokens(NamedTuple):
    """What one vessel recalls in one frame.

    Attributes
    ----------
    tokens : tuple of Tensor (1, h w, memory_dim)
    slots : tuple of int
        Time encoding of each.
    pointers : tuple of Tensor (1, 1, dim)
    ages : tuple of float
        Of the pointers, in units of the oldest one that may be recalled.
    inside : tuple of BoolTensor (1, h w) or None
        Cells of each mask, where they were remembered.
    """

    tokens: tuple[Tensor, ...]
    slots: tuple[int, ...]
    pointers: tuple[Tensor, ...]
    ages: tuple[float, ...]
    inside: tuple[Tensor | None, ...] = ()


class SharedMemory(Protocol):
    """The layers that all designs of the context memory share: `ContextMemory`, as a design sees it."""

    def gather(self, entries: list[MemoryEntry], frame: int) -> MemoryTokens:
        """Say what entries are to the frame that reads."""

    def attend(self, image: Tensor, gathered: MemoryTokens, attention: MemoryAttention | None = None) -> Tensor:
        """Image features (1, dim, h, w) conditioned on what is recalled."""

    def keys(self, image: Tensor, gathered: MemoryTokens) -> tuple[Tensor, Tensor]:
        """What is recalled as tokens (1, K, memory_dim), pointers last, and their positions."""

    slots: int
    """Time encodings; the last one is that of prompted frames."""
