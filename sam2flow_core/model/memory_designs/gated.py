"""Writing gated by quality, after SAMURAI (Yang et al., 2024).

A mask that is doubtful, of an object that may be gone, or not where the object's
motion leads, is not remembered; of what is, the best is read. No weights beside
the shared ones.
"""

from __future__ import annotations

from torch import Tensor

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.model.memory_attention import SharedMemory
from sam2flow_core.model.memory_bank import MemoryEntry, WritingRule, keep_recent
from sam2flow_core.model.memory_designs.box_motion import box_iou, predict_box
from sam2flow_core.model.memory_designs.recent import RecentMemory


class GatedMemory(RecentMemory):
    """Affinity, presence and motion decide what is written, affinity and presence together what is read."""

    looked_up_by_frame = False
    chooses = True

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.gates = config.memory

    def rule(self, least_quality: float) -> WritingRule:
        """Let through what passes all three gates."""
        keep = keep_recent(self.gates.gated_pool, least_quality)

        def gated(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
            return keep(entries, new) if new.prompted or self._passes(entries, new) else entries

        return gated

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Read the prompted entries and the best of the others; see `RecentMemory.read`."""
        unprompted = [e for e in entries if not e.prompted]
        best = sorted(unprompted, key=lambda e: (-e.affinity * e.presence, abs(frame - e.frame)))[: self.recent]
        chosen = [e for e in entries if e.prompted or any(e is b for b in best)]
        return memory.recall(image, memory.recollect(chosen, frame))

    def _passes(self, entries: list[MemoryEntry], new: MemoryEntry) -> bool:
        gates = self.gates
        if new.box is None or new.affinity < gates.least_affinity or new.presence < gates.least_presence:
            return False
        expected = predict_box(entries, new.frame)
        return expected is None or box_iou(expected, new.box) >= gates.least_motion
