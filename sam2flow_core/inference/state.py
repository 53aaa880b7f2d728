"""What the predictor knows of one recording, and all of it that a resumed run needs."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.inference.ahead import Ahead
from sam2flow_core.inference.frames import AlignedFrames
from sam2flow_core.inference.matched_masks import SeenFrames
from sam2flow_core.model.memory_bank import MemoryBank, MemoryEntry
from sam2flow_core.model.motion_statistics import RecordingStatistics
from sam2flow_core.tracing.field_map import FieldMap

Snapshot = dict[str, "Tensor | int | float | bool"]


@dataclass(frozen=True)
class CroppedLogits:
    """Mask logits of a frame, without the border in which nothing but one value is: most of a large frame.

    Attributes
    ----------
    size : tuple of int
        ``(H, W)`` of the frame.
    corner : tuple of int
        ``(top, left)`` of what is kept.
    values : Tensor (h, w)
    outside : Tensor ()
        The value everywhere else.
    """

    size: tuple[int, int]
    corner: tuple[int, int]
    values: Tensor
    outside: Tensor

    @classmethod
    def of(cls, logits: Tensor) -> CroppedLogits:
        """Of logits (H, W)."""
        outside = logits[0, 0].clone()
        other = logits != outside
        rows, columns = torch.nonzero(other.any(1))[:, 0], torch.nonzero(other.any(0))[:, 0]
        top, bottom = (int(rows[0]), int(rows[-1]) + 1) if rows.numel() else (0, 0)
        left, right = (int(columns[0]), int(columns[-1]) + 1) if columns.numel() else (0, 0)
        size = (int(logits.shape[0]), int(logits.shape[1]))
        return cls(size, (top, left), logits[top:bottom, left:right].clone(), outside)

    def whole(self) -> Tensor:
        """The logits (H, W)."""
        logits = self.outside.expand(self.size).clone()
        (top, left), (height, width) = self.corner, self.values.shape
        logits[top : top + height, left : left + width] = self.values
        return logits

    def to(self, device: torch.device) -> CroppedLogits:
        """The same on another device."""
        return replace(self, values=self.values.to(device), outside=self.outside.to(device))


@dataclass
class VesselState:
    """One vessel: its prompts in tissue coordinates, its mask, its memories.

    Attributes
    ----------
    points : dict
        Frame to clicks ``(x, y, label)`` in working px; labels as the prompt encoder's.
    given : dict
        Frame to a mask (h, w) of the recorded picture given as prompt.
    left : dict
        Frame to what negative clicks leave of such a mask, where there are any.
    logits : dict
        Frame to mask logits (H, W) decoded there, in working px.
    context, motion : MemoryBank
        Its own; no other vessel reads them.
    followed : CroppedLogits or None
        Mask logits (H, W) that memory has put in place of those, in working px.
    mask_iou, object_score : float
        As last judged, 0 to 1.
    """

    context: MemoryBank
    motion: MemoryBank
    points: dict[int, list[tuple[float, float, int]]] = field(default_factory=dict)
    given: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    left: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    logits: dict[int, CroppedLogits] = field(default_factory=dict)
    followed: CroppedLogits | None = None
    mask_iou: float = 1.0
    object_score: float = 1.0

    def painted(self, frame: int) -> NDArray[np.bool_] | None:
        """The mask (h, w) that was given in a frame, or what is left of it; None where there is none."""
        return self.left.get(frame, self.given[frame]) if frame in self.given else None

    def mask_logits(self) -> Tensor:
        """Mask logits (H, W) in use: the mean of those of its prompted frames, or what memory has made of them."""
        if self.followed is not None:
            return self.followed.whole()
        return torch.stack([logits.whole() for logits in self.logits.values()]).mean(0)


@dataclass(frozen=True)
class Decoded:
    """What a vessel's first prompts were answered with, to be answered again without the network.

    Attributes
    ----------
    logits : CroppedLogits
    entries : tuple of MemoryEntry
        Of its context memory.
    mask_iou, object_score : float
    """

    logits: CroppedLogits
    entries: tuple[MemoryEntry, ...]
    mask_iou: float
    object_score: float

    @classmethod
    def of(cls, vessel: VesselState, frame: int) -> Decoded:
        """Of a vessel that was just decoded in a frame."""
        return cls(vessel.logits[frame], tuple(vessel.context.entries), vessel.mask_iou, vessel.object_score)

    def give_to(self, vessel: VesselState, frame: int) -> None:
        """Leave a vessel as decoding its prompts in a frame would."""
        vessel.logits[frame], vessel.context.entries = self.logits, list(self.entries)
        vessel.mask_iou, vessel.object_score = self.mask_iou, self.object_score


class EncodedVideo(Protocol):
    """Frames with a bounded store of their encodings."""

    levels: OrderedDict[int, list[Tensor]]
    maps: list[FieldMap]

    @property
    def frames(self) -> FrameInputs:
        """Where the network's inputs come from."""


class FrameInputs(Protocol):
    """Anything that gives the network's input of a frame, and what the recording says as a whole."""

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of the input without its padding."""

    def take_statistics(self) -> RecordingStatistics | None:
        """For networks with a vessel field; to be asked for once."""

    def inputs(self, t: int) -> Tensor:
        """(1, 3, H, W)."""


@dataclass
class InferenceState:
    """A recording with its prompted vessels.

    Attributes
    ----------
    frames : AlignedFrames
    stabilise : bool
    vessels : dict
        By id, in the order they were added.
    levels : OrderedDict
        Encoded images by frame, the most recent last; bounded.
    maps : list of FieldMap
        The recording's vessel field, once it has been asked for.
    seen : SeenFrames or None
        Frames as memory sees them, for networks whose memory matches frames.
    next_frame : int
        The frame the next call of `stream` begins with.
    crops : dict
        Vessel id to ``(h, w)`` of its crop; known once streaming has begun.
    ahead : Ahead
        Makes what the next pair needs.
    """

    frames: AlignedFrames
    stabilise: bool
    vessels: dict[int, VesselState] = field(default_factory=dict)
    levels: OrderedDict[int, list[Tensor]] = field(default_factory=OrderedDict)
    maps: list[FieldMap] = field(default_factory=list)
    seen: SeenFrames | None = None
    next_frame: int = 0
    crops: dict[int, tuple[int, int]] = field(default_factory=dict)
    ahead: Ahead = field(default_factory=Ahead)

    def move_to(self, device: torch.device) -> None:
        """Go on on another device; encoded images are dropped."""
        self.frames.move_to(device)
        self.levels.clear()
        if self.seen is not None:
            self.seen.move_to(device)
        for vessel in self.vessels.values():
            vessel.logits = {frame: logits.to(device) for frame, logits in vessel.logits.items()}
            vessel.followed = None if vessel.followed is None else vessel.followed.to(device)
            for bank in (vessel.context, vessel.motion):
                bank.entries = [
                    replace(e, tokens=e.tokens.to(device), pointer=e.pointer.to(device)) for e in bank.entries
                ]


def take_snapshot(state: InferenceState, first_needed: int) -> Snapshot:
    """State after the last answered frame; shifts are kept from ``first_needed`` on."""
    state.ahead.settle()
    frames = state.frames.get_state(first_needed)
    out: Snapshot = {"next_frame": state.next_frame}
    shifts = [(t, *s) for t, s in sorted(frames["shifts"].items())]
    out["shifts"] = torch.tensor(shifts, dtype=torch.float64).reshape(-1, 4)
    for key, value in frames["stabiliser"].items():
        out[f"stabiliser/{key}"] = torch.from_numpy(np.atleast_1d(np.asarray(value)))
    for vessel_id, vessel in state.vessels.items():
        out[f"{vessel_id}/mask_iou"], out[f"{vessel_id}/object_score"] = vessel.mask_iou, vessel.object_score
        if (mask := vessel.followed) is not None:
            out[f"{vessel_id}/followed"], out[f"{vessel_id}/followed_outside"] = mask.values, mask.outside
            out[f"{vessel_id}/followed_place"] = torch.tensor([*mask.size, *mask.corner])
        for kind, bank in (("context", vessel.context), ("motion", vessel.motion)):
            for i, entry in enumerate(bank.entries):
                out[f"{vessel_id}/{kind}/{i}/tokens"], out[f"{vessel_id}/{kind}/{i}/pointer"] = (
                    entry.tokens,
                    entry.pointer,
                )
                out[f"{vessel_id}/{kind}/{i}/facts"] = torch.tensor(
                    [entry.frame, entry.prompted, entry.quality, entry.affinity, entry.presence, *(entry.box or ())],
                    dtype=torch.float64,
                )
    return out


def apply_snapshot(state: InferenceState, snapshot: Snapshot) -> None:
    """Go back to where the snapshot was taken. The same prompts have been added to ``state`` before."""
    state.ahead.settle()
    state.next_frame = int(snapshot["next_frame"])
    shifts = snapshot["shifts"]
    assert isinstance(shifts, Tensor)
    stabiliser = {k.split("/")[1]: _array(v) for k, v in snapshot.items() if k.startswith("stabiliser/")}
    rows = {int(r[0]): (r[1], r[2], r[3]) for r in shifts.tolist()}
    state.frames.set_state({"shifts": rows, "stabiliser": stabiliser})
    for vessel_id, vessel in state.vessels.items():
        vessel.mask_iou = float(snapshot[f"{vessel_id}/mask_iou"])
        vessel.object_score = float(snapshot[f"{vessel_id}/object_score"])
        vessel.followed = _followed(snapshot, f"{vessel_id}/followed", state.frames.device)
        _refill(vessel.context, snapshot, f"{vessel_id}/context", state.frames.device)
        _refill(vessel.motion, snapshot, f"{vessel_id}/motion", state.frames.device)


def _followed(snapshot: Snapshot, name: str, device: torch.device) -> CroppedLogits | None:
    """The mask that memory had put in place of a vessel's own, if it had."""
    if name not in snapshot:
        return None
    values, place, outside = (snapshot[n] for n in (name, f"{name}_place", f"{name}_outside"))
    assert isinstance(values, Tensor) and isinstance(place, Tensor) and isinstance(outside, Tensor)
    height, width, top, left = place.tolist()
    return CroppedLogits((height, width), (top, left), values, outside).to(device)


def _array(value: Any) -> Any:
    return value.cpu().numpy()


def _refill(bank: MemoryBank, snapshot: Snapshot, prefix: str, device: torch.device) -> None:
    bank.forget()
    number = 0
    while f"{prefix}/{number}/facts" in snapshot:
        facts, tokens, pointer = (snapshot[f"{prefix}/{number}/{k}"] for k in ("facts", "tokens", "pointer"))
        assert isinstance(facts, Tensor) and isinstance(tokens, Tensor) and isinstance(pointer, Tensor)
        frame, prompted, quality, affinity, presence, *box = facts.tolist()
        bank.entries.append(
            MemoryEntry(
                int(frame), bool(prompted), quality, tokens.to(device), pointer.to(device),
                affinity, presence, (box[0], box[1], box[2], box[3]) if box else None,
            )
        )  # fmt: skip
        number += 1
