"""Crops of vessels laid out on the recorded frame, in SAM 2's manner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.inference.masks import recorded_logits
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.inference.steps import FrameFlow, VesselFlow

_OUTSIDE = -20.0
"""Mask logit beyond the crops."""


@dataclass(frozen=True)
class TrackingStep:
    """One frame; unpacks into SAM 2's three values.

    Attributes
    ----------
    frame_idx : int
    obj_ids : list of int
    mask_logits : Tensor (vessels, 1, Y, X)
        In the recorded frame; above 0 is vessel.
    flow : Tensor (vessels, 2, Y, X) or None
        ``(dx, dy)`` px per frame to the next frame, relative to the tissue; 0 outside each vessel. None on the last.
    flow_scale : Tensor (vessels, Y, X) or None
        Expected absolute error, px.
    shift : tuple of float
        ``(dy, dx)`` px of the tissue against the first frame.
    """

    frame_idx: int
    obj_ids: list[int]
    mask_logits: Tensor
    flow: Tensor | None
    flow_scale: Tensor | None
    shift: tuple[float, float]

    def __iter__(self) -> Iterator[Any]:
        """Unpack as SAM 2's steps do."""
        return iter((self.frame_idx, self.obj_ids, self.mask_logits))


def dense_step(step: FrameFlow, state: InferenceState) -> TrackingStep:
    """Lay the crops of a frame out on the whole frame."""
    stack = state.frames.stack
    height, width = stack.shape[1:]
    shift = (round(step.shift[0]), round(step.shift[1]))
    logits = [
        to_recorded(stack.picture.laid_out(image, (height, width), _OUTSIDE), *shift, _OUTSIDE)
        for image in (recorded_logits(v, state.frames.video) for v in state.vessels.values())
    ]
    flow = scale = None
    if all(v.flow is not None for v in step.vessels):
        flow = torch.from_numpy(np.stack([_paste(v, v.flow, height, width) for v in step.vessels]))
        scale = torch.from_numpy(np.stack([_paste(v, v.scale, height, width) for v in step.vessels]))
    ids = [v.vessel_id for v in step.vessels]
    return TrackingStep(step.frame, ids, torch.from_numpy(np.stack(logits))[:, None], flow, scale, step.shift)


def to_recorded(image: NDArray[Any], dy: int, dx: int, fill: float = 0) -> NDArray[Any]:
    """Image (Y, X) moved by whole px; what comes in from outside is ``fill``."""
    out = np.full_like(image, fill)
    height, width = image.shape
    rows, columns = slice(max(dy, 0), min(height + dy, height)), slice(max(dx, 0), min(width + dx, width))
    from_rows, from_columns = slice(max(-dy, 0), min(height - dy, height)), slice(max(-dx, 0), min(width - dx, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        out[rows, columns] = image[from_rows, from_columns]
    return out


def _paste(vessel: VesselFlow, values: NDArray[np.float32] | None, height: int, width: int) -> NDArray[np.float32]:
    assert values is not None
    out = np.zeros((*values.shape[:-2], height, width), np.float32)
    h, w = vessel.mask.shape
    y, x = vessel.offset
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + h, height), min(x + w, width)
    if top < bottom and left < right:
        out[..., top:bottom, left:right] = values[..., top - y : bottom - y, left - x : right - x]
    return out
