"""Masks by memory alone, for networks whose memory matches frames (`MatchedMemory`).

What is remembered of a frame is its picture, in half precision, and the vessel's mask in it: the same picture for all
vessels, a tenth of what is made of it to be matched. Large pictures are shrunk, so that neither memory nor time grows
with them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import MatchingSettings
from sam2flow_core.model.matched_memory import STRIDE, FrameView, Matched, MatchedMemory, RememberedFrame
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.memory_designs import RecentMemory
from sam2flow_core.model.sam2flow import SAM2Flow, box_of

_MULTIPLE = 16


class FoundMask(NamedTuple):
    """What memory alone says of a vessel in a frame.

    Attributes
    ----------
    logits : Tensor (H, W)
    iou : float
        Intersection over union that is expected, 0 to 1.
    present : float
        Chance that the vessel is seen, 0 to 1.
    carried : Tensor (1, h, w), optional
        What to remember of the mask, at the stride of masks, where that is not the mask itself.
    """

    logits: Tensor
    iou: float
    present: float
    carried: Tensor | None = None


@dataclass
class SeenFrames:
    """Frames of one recording as memory sees them; a bounded number is kept.

    Parameters
    ----------
    memory : MatchedMemory
    design : RecentMemory
        Chooses among the entries of a bank.
    settings : MatchingSettings
    """

    memory: MatchedMemory
    design: RecentMemory
    settings: MatchingSettings
    _views: OrderedDict[int, FrameView] = field(default_factory=OrderedDict)
    _present: tuple[int, Tensor] | None = None

    def look(self, frame: int, inputs: Callable[[], Tensor]) -> None:
        """Look at a frame; ``inputs`` gives the network's inputs (1, 3, H, W) of it, if they are needed."""
        if self._present is not None and self._present[0] == frame and frame in self._views:
            return
        shrunk = self._shrunk(inputs())
        picture = shrunk[:, :1].half()
        self._present = frame, picture
        # Of what will be remembered: a resumed run has nothing else of the frame, and must say the same of later ones.
        self._keep(frame, self.memory.view(torch.cat([picture.to(shrunk), shrunk[:, 1:]], 1)))

    def entry(self, frame: int, found: FoundMask, prompted: bool) -> MemoryEntry:
        """What to remember of a mask in the frame that was looked at last."""
        return MemoryEntry(
            frame, prompted, found.iou * found.present, self.picture()[None], self.kept_mask(found)[None],
            found.iou, found.present, box_of(found.logits),
        )  # fmt: skip

    def picture(self) -> Tensor:
        """What is remembered (1, h, w) of the frame that was looked at last, half precision."""
        assert self._present is not None
        return self._present[1][0]

    def kept_mask(self, found: FoundMask) -> Tensor:
        """What is remembered (1, h, w) of an answer: the mask as it was carried, where memory gave it."""
        return self.shrunk_mask(found.logits) if found.carried is None else found.carried

    def shrunk_mask(self, logits: Tensor) -> Tensor:
        """What is remembered (1, h, w) of mask logits (H, W): the chance of each px at the stride of masks."""
        chance = self._shrunk(torch.sigmoid(logits.float())[None, None])
        return F.avg_pool2d(chance, STRIDE)[0].half()

    def find(self, frame: int, banks: Sequence[list[MemoryEntry]], size: tuple[int, int]) -> list[FoundMask | None]:
        """Find vessels in the frame that was looked at last, each by its own entries; None for one without any.

        Parameters
        ----------
        frame : int
        banks : sequence of list of MemoryEntry
            As `MemoryBank.read` gives them.
        size : tuple of int
            ``(H, W)`` of the inputs.
        """
        now, matched = self._views[frame], dict[int, Matched]()

        def match(entry: MemoryEntry) -> Matched:
            if entry.frame not in matched:
                matched[entry.frame] = self.memory.match(now, self._view(entry))
            return matched[entry.frame]

        def likeness(entry: MemoryEntry) -> float:
            found = match(entry)
            mask = entry.pointer.to(found.likeness).view(1, 1, *entry.pointer.shape[-2:])
            return float((found.likeness * mask).sum() / mask.sum().clamp_min(1.0))

        answers = list[FoundMask | None]()
        for bank in banks:
            entries = self.design.choose([e for e in bank if e.frame != frame], frame, likeness)
            answers.append(self._decode(now, frame, entries, [match(e) for e in entries], size) if entries else None)
        return answers

    def move_to(self, device: torch.device) -> None:
        """Go on on another device; what was seen is seen anew there."""
        self._views.clear()
        self._present = None

    def _decode(
        self, now: FrameView, frame: int, entries: list[MemoryEntry], matched: list[Matched], size: tuple[int, int]
    ) -> FoundMask:
        here = now.features[0]
        recalled = [
            RememberedFrame(
                self._view(e), e.pointer.to(here).view(1, *e.pointer.shape[-2:]), here.new_tensor([float(e.prompted)]),
                here.new_tensor([float(abs(frame - e.frame))]),
            )
            for e in entries
        ]  # fmt: skip
        masks = self.memory(now, torch.zeros(1, dtype=torch.long, device=here.device), recalled, matched)
        factor = STRIDE * self._factor(size)
        fine = F.interpolate(masks.logits[:, None], scale_factor=factor, mode="bilinear", align_corners=False)
        present = float(torch.sigmoid(masks.present))
        iou = float(torch.sigmoid(masks.iou))
        return FoundMask(fine[0, 0, : size[0], : size[1]], iou, present, masks.carried.half())

    def _view(self, entry: MemoryEntry) -> FrameView:
        if entry.frame not in self._views:
            weight = self.memory.sharpness
            self._keep(entry.frame, self.memory.view(entry.tokens.to(weight).view(1, 1, *entry.tokens.shape[-2:])))
        self._views.move_to_end(entry.frame)
        return self._views[entry.frame]

    def _keep(self, frame: int, view: FrameView) -> None:
        self._views[frame] = view
        self._views.move_to_end(frame)
        while len(self._views) > self.settings.kept_views:
            self._views.popitem(last=False)

    def _factor(self, size: tuple[int, int]) -> int:
        return -(-max(size) // self.settings.most_side)

    def _shrunk(self, maps: Tensor) -> Tensor:
        """Maps (1, C, H, W) as small as memory takes them, padded to multiples of 16."""
        factor = self._factor((int(maps.shape[-2]), int(maps.shape[-1])))
        if factor > 1:
            maps = F.avg_pool2d(maps, factor, ceil_mode=True, count_include_pad=False)
        height, width = maps.shape[-2:]
        return F.pad(maps, (0, -width % _MULTIPLE, 0, -height % _MULTIPLE), mode="replicate")


def seen_frames(model: SAM2Flow, settings: MatchingSettings) -> SeenFrames | None:
    """Frames of a recording as memory by matching sees them; None for networks that have none."""
    if model.matched_memory is None or not model.config.use_context_memory:
        return None
    return SeenFrames(model.matched_memory, model.context_memory.design, settings)
