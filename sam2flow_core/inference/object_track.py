"""What a mask predictor knows of one object, and what it recalls of it in a frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from sam2flow_core.model.context_memory import ContextMemory, Recollection


@dataclass
class TrackedMask:
    """What was said of one object in one frame.

    Attributes
    ----------
    logits : Tensor (1, 1, H / 4, W / 4)
    object_score : Tensor (1,)
        Logit of being visible.
    pointer : Tensor (1, 1, dim)
    tokens : Tensor (1, h w, memory_dim), bfloat16, or None
        Memory of the frame; a prompted frame's is made when propagation begins.
    """

    logits: Tensor
    object_score: Tensor
    pointer: Tensor
    tokens: Tensor | None = None


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
    """

    points: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    given: dict[int, Tensor] = field(default_factory=dict)
    fresh: dict[int, TrackedMask] = field(default_factory=dict)
    prompted: dict[int, TrackedMask] = field(default_factory=dict)
    followed: dict[int, TrackedMask] = field(default_factory=dict)
    visited: dict[int, bool] = field(default_factory=dict)

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
        tokens=[m.tokens.float() for _, m in masks if m.tokens is not None],
        slots=[slot for slot, m in masks if m.tokens is not None],
        pointers=[m.pointer for _, m in pointers],
        ages=[age / max(most - 1, 1) for age, _ in pointers],
    )
