"""Memory of one vessel: bounded, prompted frames kept for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

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
    """

    frame: int
    prompted: bool
    quality: float
    tokens: Tensor
    pointer: Tensor
    affinity: float = 1.0
    presence: float = 1.0
    box: Box | None = None


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
