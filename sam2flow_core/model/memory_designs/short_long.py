"""A short and a long bank, each with its own attention, after SLM-SAM 2 (Chen et al., 2025).

One attention over everything follows the last frame, with its mistakes. Here the
short bank says what the vessel looks like now; the long one, thinned evenly over
the past, what it has always looked like.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.layers import begin_at_zero
from sam2flow_core.model.memory_attention import MemoryAttention, SharedMemory
from sam2flow_core.model.memory_bank import MemoryEntry, WritingRule, with_new
from sam2flow_core.model.memory_designs.recent import RecentMemory


class ShortLongMemory(RecentMemory):
    """The shared attention reads the short bank, another the long one; a convolution joins what they say."""

    looked_up_by_frame = False

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.short, self.long = config.memory.short_frames, config.memory.long_frames
        self.attention = MemoryAttention(config.d_model, config.memory_dim, config.memory_mlp_dim, config.memory_layers)
        self.join = nn.Conv2d(2 * config.d_model, config.d_model, 1)
        begin_at_zero(self.join)

    def rule(self, least_quality: float) -> WritingRule:
        """Keep the latest entries, and of the older ones some, as evenly spaced as may be."""

        def keep(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
            if not new.prompted and new.quality < least_quality:
                return entries
            entries = with_new(entries, new)
            unprompted = [e for e in entries if not e.prompted]
            if len(unprompted) <= self.short + self.long:
                return entries
            dropped = _most_crowded(unprompted[: len(unprompted) - self.short])
            return [e for e in entries if e is not dropped]

        return keep

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Read both banks; see `RecentMemory.read`. Prompted frames are in the long one."""
        if not entries:
            return memory.recall(image, memory.recollect([], frame))
        by_age = sorted(entries, key=lambda e: abs(frame - e.frame))
        unprompted = [e for e in by_age if not e.prompted]
        # Before anything was followed, the prompted frame is all there is to say how the vessel looks now.
        short = unprompted[: self.short] or by_age[:1]
        long = [e for e in entries if e.prompted] + unprompted[self.short :]
        now = memory.recall(image, memory.recollect(short[::-1], frame))
        always = memory.recall(image, memory.recollect(long, frame), self.attention) if long else now
        result: Tensor = now + self.join(torch.cat([now, always], 1))
        return result


def _most_crowded(entries: list[MemoryEntry]) -> MemoryEntry:
    """The entry whose neighbours in time are closest to each other; the oldest has none before it and stays."""
    if len(entries) < 3:
        return entries[-1]
    gaps = [abs(after.frame - before.frame) for before, after in zip(entries, entries[2:], strict=False)]
    return entries[1 + gaps.index(min(gaps))]
