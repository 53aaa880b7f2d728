"""Everything a resumed run needs, as a flat dictionary of tensors and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.inference.state import CroppedLogits, InferenceState
from sam2flow_core.model.memory_bank import MemoryBank, MemoryEntry

Snapshot = dict[str, "Tensor | int | float | bool"]


def take_snapshot(state: InferenceState, first_needed: int) -> Snapshot:
    """State after the last answered frame; shifts are kept from ``first_needed`` on."""
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
