"""What a mask predictor knows of one object, and how it is answered in a frame.

With SAM 2's memory, frames are looked up by their number, whichever way through the video one goes. The other designs
choose what they write, so each way through the video fills a bank of its own, from the prompted frames on.

Reference: Ravi et al., SAM 2, 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import Sam2Settings
from sam2flow_core.inference.clicked_masks import clicked_masks
from sam2flow_core.inference.matched_masks import SeenFrames
from sam2flow_core.inference.precision import in_own_precision
from sam2flow_core.model.context_memory import ContextMemory
from sam2flow_core.model.mask_decoder import SURELY_PRESENT, choose_mask, unsteady
from sam2flow_core.model.memory_bank import MemoryBank, MemoryEntry, MemoryTokens
from sam2flow_core.model.memory_designs import AssociatedMemory, cells_inside
from sam2flow_core.model.prompt_encoder import PADDING
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, box_of
from sam2flow_core.tracing.field_map import FieldMap

ABSENT = -1024.0
"""Mask logits of an object that is judged not to be there."""
_SURE = 10.0
"""Logit inside a mask that was given."""
_LARGEST = 32.0
"""Largest logit of an earlier answer that is given back as a prompt."""


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
    view : Tensor (1, dim, h, w) or None
        Features of the frame, which all its objects share.
    """

    logits: Tensor
    object_score: Tensor
    pointer: Tensor
    tokens: Tensor | None = None
    iou: float = 1.0
    stride: int = 4
    view: Tensor | None = None


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


class MemoryAnswer(NamedTuple):
    """What memory makes of a frame.

    Attributes
    ----------
    image : Tensor (1, dim, h, w)
        Stride-16 features.
    prompt : Tensor (1, 1, 4 h, 4 w) or None
        Mask logits as a prompt.
    tokens : Tensor (1, K, dim) or None
        Further prompts.
    """

    image: Tensor
    prompt: Tensor | None = None
    tokens: Tensor | None = None


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


def read_memory(
    track: ObjectTrack,
    memory: ContextMemory,
    image: Tensor,
    frame: int,
    reverse: bool,
    video_length: int,
    draws: torch.Generator,
) -> MemoryAnswer:
    """Features of a frame read through what is remembered of an object, and the prompts that memory gives."""
    design = memory.design
    if isinstance(design, AssociatedMemory):
        entries = _entries(track, frame, reverse)
        first = video_length - 1 if reverse else 0
        gathered = design.associate(memory, image, entries, frame, first, draws)
        return MemoryAnswer(memory.attend(image, gathered), tokens=design.tokens_of(memory, image, gathered))
    if track.bank is None:
        return MemoryAnswer(memory.attend(image, gather_track(track, memory, frame, reverse, video_length)))
    entries = [e for e in track.bank.read() if e.frame != frame]
    entries = [replace(e, tokens=e.tokens.float()) for e in entries]
    return MemoryAnswer(memory.read(image, entries, frame), memory.prompts(image, [entries], frame))


def _entries(track: ObjectTrack, frame: int, reverse: bool) -> list[MemoryEntry]:
    """Every prompted frame, and of the others those that lie behind on the way."""
    behind = {t: mask for t, mask in track.followed.items() if (t > frame if reverse else t < frame)}
    found = []
    for prompted, masks in ((True, track.prompted), (False, behind)):
        for t, mask in masks.items():
            assert mask.tokens is not None and mask.view is not None
            inside = cells_inside(mask.logits, (mask.view.shape[-2], mask.view.shape[-1]))
            found.append(
                MemoryEntry(t, prompted, 1.0, mask.tokens.float(), mask.pointer, view=mask.view, inside=inside)
            )
    return found


def gather_track(
    track: ObjectTrack, memory: ContextMemory, frame: int, reverse: bool, video_length: int
) -> MemoryTokens:
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
    return MemoryTokens(
        tokens=tuple(m.tokens.float() for _, m in masks if m.tokens is not None),
        slots=tuple(slot for slot, m in masks if m.tokens is not None),
        pointers=tuple(m.pointer for _, m in pointers),
        ages=tuple(age / max(most - 1, 1) for age, _ in pointers),
    )


def keep_picture(answer: TrackedMask, seen: SeenFrames, size: tuple[int, int]) -> None:
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
        answer.tokens, answer.pointer = seen.picture(), seen.kept_mask(found)
    return answer


class TrackStep:
    """Answers one object in one frame.

    Parameters
    ----------
    model : SAM2Flow
    settings : Sam2Settings
    """

    def __init__(self, model: SAM2Flow, settings: Sam2Settings) -> None:
        self.model, self.settings = model, settings

    def from_points(
        self,
        levels: list[Tensor],
        recalled: MemoryAnswer | None,
        points: Tensor,
        labels: Tensor,
        before: TrackedMask | None,
        maps: list[FieldMap] | None,
    ) -> TrackedMask:
        """Answer to clicks (P, 2) with labels (P,), which refine an earlier answer if there is one.

        ``maps`` is the recording's vessel field, where the network has one.
        """
        if self.model.config.mask.follows:
            return self._followed(levels, Prompts(points[None], labels[None]), maps)
        earlier = None if before is None else _at_stride_4(before).clamp(-_LARGEST, _LARGEST)
        pixels = self.model.context_memory.read(levels[2], [], 0) if recalled is None else recalled.image
        several = int((labels >= 0).sum()) == 1
        tokens = None if recalled is None else recalled.tokens
        return self._decode(levels, pixels, Prompts(points[None], labels[None], earlier, tokens), several, maps)

    def from_memory(self, levels: list[Tensor], recalled: MemoryAnswer) -> TrackedMask:
        """Answer without a prompt of the user's, remembered at once."""
        # SAM 2 was trained to choose among its three masks here, our presets to give the first.
        prompts = _no_points(levels, recalled.prompt, recalled.tokens)
        answer = self._decode(levels, recalled.image, prompts, several=self.model.config.mask.as_sam2)
        self._write(levels, torch.sigmoid(self._fine(answer, levels)), answer)
        return answer

    def from_mask(self, levels: list[Tensor], mask: Tensor) -> TrackedMask:
        """The given mask (1, 1, H, W) is the answer; the decoder, where it is asked, only makes its pointer."""
        logits = mask * 2 * _SURE - _SURE
        there = mask.flatten(1).any(1)
        score = torch.where(there, _SURE, -_SURE)
        if self.model.config.mask.follows:
            return TrackedMask(logits, score, logits.new_zeros(1, 0, 0), stride=1)
        low = F.interpolate(logits, scale_factor=0.25, mode="bilinear", antialias=True)
        shrink = self.model.prompt_encoder.given_mask
        prompts = _no_points(levels, low if shrink is None else shrink(mask))
        pointer = self._decode(levels, levels[2], prompts, several=False).pointer
        if not there.item():
            pointer = self.model.context_memory.no_obj_ptr[None]
        return TrackedMask(low, score, pointer)

    def write_prompted(self, levels: list[Tensor], answer: TrackedMask) -> None:
        """Make the memory of a prompted frame's answer."""
        fine = self._fine(answer, levels)
        mask = (fine > 0).float() if self.settings.sharp_prompts else torch.sigmoid(fine)
        self._write(levels, mask, answer)

    def _followed(self, levels: list[Tensor], prompts: Prompts, maps: list[FieldMap] | None) -> TrackedMask:
        """Answer of a network whose clicks are followed through the vessel field, known to the px."""
        traced = clicked_masks(self.model, maps, torch.zeros(1, dtype=torch.long), prompts)
        assert traced is not None
        height, width = levels[0].shape[-2:]
        logits = F.interpolate(traced.logits[:, None], (height * 4, width * 4), mode="bilinear", align_corners=False)
        score = torch.full_like(traced.sureness, SURELY_PRESENT)
        return TrackedMask(logits, score, logits.new_zeros(1, 0, 0), iou=float(traced.sureness[0]), stride=1)

    def _decode(
        self, levels: list[Tensor], pixels: Tensor, prompts: Prompts, several: bool, maps: list[FieldMap] | None = None
    ) -> TrackedMask:
        owner = torch.zeros(1, dtype=torch.long, device=pixels.device)
        traced = clicked_masks(self.model, maps, owner, prompts)
        masks = self.model.segment(levels, owner, pixels, prompts, traced=traced)
        decoded = masks.decoded
        ambiguous = torch.tensor([several], device=pixels.device)
        _, _, token = choose_mask(decoded, ambiguous)
        shaky = unsteady(decoded) if self.settings.steady_masks else torch.zeros_like(ambiguous)
        logits, iou, _ = choose_mask(decoded, ambiguous | shaky)
        score, stride = masks.present, 4
        if traced is not None and bool((prompts.labels > 0).any()):
            # Followed through the vessel field, and known to the px.
            logits, iou, stride = masks.logits, masks.iou, 1
        seen = torch.where(score[:, None, None] > 0, logits, ABSENT)
        pointer = self.model.context_memory.write_pointer(token, score)
        seen, score, pointer = in_own_precision([seen[:, None], score, pointer], self.model)
        return TrackedMask(seen, score, pointer, iou=float(iou), stride=stride)

    def _fine(self, answer: TrackedMask, levels: list[Tensor]) -> Tensor:
        height, width = levels[0].shape[-2:]
        return F.interpolate(answer.logits, (height * 4, width * 4), mode="bilinear")  # as it is where it is whole

    def _write(self, levels: list[Tensor], mask: Tensor, answer: TrackedMask) -> None:
        memory = self.model.context_memory
        # Half the memory; SAM 2 rounds here too.
        answer.tokens = memory.write_mask(levels[2], mask, answer.object_score).bfloat16()
        answer.view = levels[2] if isinstance(memory.design, AssociatedMemory) else None


def _at_stride_4(answer: TrackedMask) -> Tensor:
    step = 4 // answer.stride
    return F.avg_pool2d(answer.logits.clamp(-_LARGEST, _LARGEST), step) if step > 1 else answer.logits


def _no_points(levels: list[Tensor], masks: Tensor | None = None, tokens: Tensor | None = None) -> Prompts:
    device = levels[0].device
    padding = torch.full((1, 1), PADDING, dtype=torch.long, device=device)
    return Prompts(torch.zeros(1, 1, 2, device=device), padding, masks, tokens)
