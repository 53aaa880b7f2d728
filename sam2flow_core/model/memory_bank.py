"""Memory of one vessel: bounded, prompted frames kept for ever."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


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
    """

    frame: int
    prompted: bool
    quality: float
    tokens: Tensor
    pointer: Tensor


@dataclass
class MemoryBank:
    """Recent good frames and all prompted ones of ONE vessel.

    Parameters
    ----------
    recent : int
        Unprompted entries that are kept.
    least_quality : float
        Unprompted entries below it are not written (SAMURAI, Yang et al., 2024).
    """

    recent: int
    least_quality: float = 0.3
    entries: list[MemoryEntry] = field(default_factory=list)

    def write(self, entry: MemoryEntry) -> bool:
        """Remember an entry if it is good enough; evict the oldest unprompted one. Return whether it was kept."""
        if not entry.prompted and entry.quality < self.least_quality:
            return False
        self.entries = [e for e in self.entries if not (e.frame == entry.frame and e.prompted == entry.prompted)]
        self.entries.append(entry)
        unprompted = [e for e in self.entries if not e.prompted]
        if len(unprompted) > self.recent:
            self.entries = [e for e in self.entries if e is not unprompted[0]]
        return True

    def read(self) -> list[MemoryEntry]:
        """Prompted entries first, then the others from old to new."""
        return sorted(self.entries, key=lambda e: (not e.prompted, e.frame))

    def forget(self) -> None:
        """Drop everything."""
        self.entries = []
