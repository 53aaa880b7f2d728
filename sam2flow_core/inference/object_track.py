"""What a mask predictor knows of one object, and what it recalls of it in a frame.

With SAM 2's memory, frames are looked up by their number, whichever way through the video one goes. The other designs
choose what they write, so each way through the video fills a bank of its own, from the prompted frames on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.inference.matched_masks import SeenFrames
from sam2flow_core.model.context_memory import ContextMemory
from sam2flow_core.model.memory_attention import Recollection
from sam2flow_core.model.memory_bank import MemoryBank, MemoryEntry
from sam2flow_core.model.memory_entries import box_of

ABSENT = -1024.0
"""Mask logits of an object that is judged not to be there."""


@dataclass
class TrackedMask:
    """What was said of one object in one frame.

    Attributes
    ----------
    logits : Tensor (1, 1, H / s, W / s)
        At stride 4, or whole where memory matches frames: a capillary is few px wide.
    object_score : Tensor (1,)
        Logit of being visible; sure where the network's is not to be trusted.
    pointer : Tensor (1, 1, dim)
        Where memory matches frames, what it remembers of the mask (1, h, w).
    tokens : Tensor (1, h w, memory_dim), bfloat16, or None
        Memory of the frame, its picture (1, h, w) where memory matches frames; a prompted frame's is made when
        propagation begins, and where a bank holds the others they are not kept here.
    iou : float
        Estimated, 0 to 1; 1 of a given mask.
    stride : int
        Px of the input per cell of ``logits``.
    """

    logits: Tensor
    object_score: Tensor
    pointer: Tensor
    tokens: Tensor | None = None
    iou: float = 1.0
    stride: int = 4


@dataclass
class ObjectTrack:
    """One object through a video, by frame.

    Attributes
    ----------
    points : dict
        Clicks as points (P, 2) in px of the network's input, and labels (P,).
    given : dict
        Masks (1, 1, H, W) given as prompts.
    fresh : dict
        Answers to prompts since the last propagation.
    prompted, followed : dict
        Answers in frames with prompts, and in the others.
    visited : dict
        Whether a frame was reached backwards in time.
    bank : MemoryBank or None
        Of the latest propagation; None where frames are looked up by number.
    """

    points: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    given: dict[int, Tensor] = field(default_factory=dict)
    fresh: dict[int, TrackedMask] = field(default_factory=dict)
    prompted: dict[int, TrackedMask] = field(default_factory=dict)
    followed: dict[int, TrackedMask] = field(default_factory=dict)
    visited: dict[int, bool] = field(default_factory=dict)
    bank: MemoryBank | None = None

    def answer(self, frame: int) -> TrackedMask | None:
        """The latest answer in a frame."""
        return self.fresh.get(frame) or self.prompted.get(frame) or self.followed.get(frame)

    def settle(self) -> None:
        """Count the answers to new prompts as memory."""
        self.prompted.update(self.fresh)
        self.fresh.clear()
        for frame in self.prompted:
            self.followed.pop(frame, None)

    def clear_prompts(self, frame: int) -> None:
        """Forget the prompts of a frame; what was answered there stays as a mask that was followed, as in SAM 2."""
        for record in (self.points, self.given, self.fresh):
            record.pop(frame, None)
        if (before := self.prompted.pop(frame, None)) is not None:
            self.followed[frame] = before
            self.visited.pop(frame, None)

    def forget(self, kept: int, frame: int) -> None:
        """Drop answers without prompts that lie more than ``kept`` frames away."""
        for old in [t for t in self.followed if abs(t - frame) > kept]:
            del self.followed[old]


class Recalled(NamedTuple):
    """What memory makes of a frame: stride-16 features (1, dim, h, w), and a mask prompt (1, 1, 4 h, 4 w) or None."""

    image: Tensor
    prompt: Tensor | None


def begin_bank(track: ObjectTrack, memory: ContextMemory, matched: bool) -> None:
    """Open an object's bank with its prompted frames, where the design of memory, or matching, has one."""
    if memory.design.looked_up_by_frame and not matched:
        return
    track.bank = memory.new_bank()
    for frame, mask in sorted(track.prompted.items()):
        write_track(track, frame, mask, prompted=True)


def write_track(track: ObjectTrack, frame: int, mask: TrackedMask, prompted: bool) -> None:
    """Offer a frame's answer to the bank, if there is one; what the bank does not take is forgotten."""
    if track.bank is None or mask.tokens is None:
        return
    presence = float(torch.sigmoid(mask.object_score))
    box, stride = box_of(mask.logits[0, 0]), mask.stride
    entry = MemoryEntry(
        frame, prompted, mask.iou * presence, mask.tokens, mask.pointer, mask.iou, presence,
        None if box is None else (box[0] * stride, box[1] * stride, box[2] * stride, box[3] * stride),
    )  # fmt: skip
    track.bank.write(entry)
    if not prompted:
        mask.tokens = None


def recall(
    track: ObjectTrack, memory: ContextMemory, image: Tensor, frame: int, reverse: bool, video_length: int
) -> Recalled:
    """Features of a frame read through what is remembered of an object, and the prompt that memory gives."""
    if track.bank is None:
        return Recalled(memory.recall(image, recall_track(track, memory, frame, reverse, video_length)), None)
    entries = [e for e in track.bank.read() if e.frame != frame]
    entries = [replace(e, tokens=e.tokens.float()) for e in entries]
    return Recalled(memory.read(image, entries, frame), memory.prompts(image, [entries], frame))


def recall_track(
    track: ObjectTrack, memory: ContextMemory, frame: int, reverse: bool, video_length: int
) -> Recollection:
    """What an object's track says in a frame: every prompted frame and the latest others, with their pointers.

    As in SAM 2: pointers reach further back than masks, and prompted frames that are still to come give masks only.
    """
    step = 1 if reverse else -1
    most = min(video_length, memory.max_pointers)
    recent = [(age, track.followed.get(frame + step * age)) for age in range(1, max(memory.slots, most))]
    seen = [(age, mask) for age, mask in recent if mask is not None]
    masks = [(memory.slot(0, True), m) for m in track.prompted.values()]
    masks += [(memory.slot(age, False), m) for age, m in seen if age < memory.slots]
    past = [(-step * (frame - t), m) for t, m in track.prompted.items() if -step * (frame - t) >= 0]
    pointers = past + [(age, m) for age, m in seen if age < most]
    return Recollection(
        tokens=tuple(m.tokens.float() for _, m in masks if m.tokens is not None),
        slots=tuple(slot for slot, m in masks if m.tokens is not None),
        pointers=tuple(m.pointer for _, m in pointers),
        ages=tuple(age / max(most - 1, 1) for age, _ in pointers),
    )


def remember_picture(answer: TrackedMask, seen: SeenFrames, size: tuple[int, int]) -> None:
    """Make what memory by matching keeps of an answer in the frame that was looked at last, ``size`` px in all."""
    logits = answer.logits
    if logits.shape[-2:] != size:
        logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
    answer.tokens, answer.pointer = seen.picture(), seen.shrunk_mask(logits[0, 0])


def carried_mask(
    track: ObjectTrack, seen: SeenFrames, frame: int, size: tuple[int, int], least_present: float
) -> TrackedMask:
    """Answer of memory by matching in the frame that was looked at last; what is not seen is not remembered."""
    assert track.bank is not None
    (found,) = seen.find(frame, [track.bank.read()], size)
    assert found is not None  # a track has a prompt
    score = torch.logit(torch.tensor([found.present], device=found.logits.device), 1e-6)
    there = found.present >= least_present
    logits = (found.logits if there else torch.full_like(found.logits, ABSENT))[None, None]
    answer = TrackedMask(logits, score, logits.new_zeros(1, 0, 0), iou=found.iou, stride=1)
    if there:
        remember_picture(answer, seen, size)
    return answer
