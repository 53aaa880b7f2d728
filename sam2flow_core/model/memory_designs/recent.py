"""Recent and prompted frames, read by one attention: SAM 2's own memory, and what the other designs change.

Reference: Ravi et al., SAM 2, 2024.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.memory_attention import SharedMemory
from sam2flow_core.model.memory_bank import MemoryEntry, WritingRule, keep_recent


class RecentMemory(nn.Module):
    """A design answers four questions; this one as SAM 2 does. It has no weights beside the shared ones.

    Parameters
    ----------
    config : MaskConfig
    """

    looked_up_by_frame = True
    """SAM 2 looks for memories by the number of the frame, whichever way through the video it goes; designs that
    choose what they write have a bank for each way through."""

    chooses = False
    """Whether what is written or read depends on what a vessel looks like, not on frame numbers alone. Vessels of a
    design that does not choose can keep one bank together, a row for each."""

    def __init__(self, config: MaskConfig) -> None:
        super().__init__()
        self.recent = config.memory_frames

    def write(self, image: Tensor, tokens: Tensor) -> Tensor:
        """Return all tokens (V, K, memory_dim) to remember of a frame.

        Parameters
        ----------
        image : Tensor (V, dim, h, w)
        tokens : Tensor (V, h w, memory_dim)
            From the memory encoder; they come first.
        """
        return tokens

    def rule(self, least_quality: float) -> WritingRule:
        """Return what decides which entries a bank holds; it must bound the unprompted ones."""
        return keep_recent(self.recent, least_quality)

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Image features (1, dim, h, w) conditioned on a vessel's entries.

        Parameters
        ----------
        memory : SharedMemory
            The shared layers.
        image : Tensor (1, dim, h, w)
        entries : list of MemoryEntry
            Prompted ones first.
        frame : int
            The frame that reads.
        """
        return memory.recall(image, memory.recollect(entries, frame))

    def prompt(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor | None:
        """Mask logits (1, 1, 4 h, 4 w) as a prompt for the decoder, if the design gives one; parameters of `read`."""
        return None

    def choose(
        self, entries: list[MemoryEntry], frame: int, likeness: Callable[[MemoryEntry], float]
    ) -> list[MemoryEntry]:
        """Entries that memory by matching looks at, prompted ones first; all that the rule keeps.

        Parameters
        ----------
        entries : list of MemoryEntry
            Prompted ones first.
        frame : int
            The frame that reads.
        likeness : callable
            How well an entry's surroundings of the vessel are found again in it, -1 to 1.
        """
        return entries
