"""Frames of a recording as a network without flow sees them, and the way back."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.inference.frames import AlignedFrames
from sam2flow_core.inference.recording_summary import summarise_ranges
from sam2flow_core.inference.sam2_inputs import normalise
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.stack import FramePlan, Stack

_OUTSIDE = -20.0
"""Mask logit beyond the picture."""


class VideoFrames(Protocol):
    """What a mask predictor asks of a recording."""

    stack: Stack

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of the input without its padding."""

    def take_statistics(self) -> Tensor | None:
        """What the recording says as a whole, (1, 20, H / 2, W / 2), once; None for networks without a vessel field."""

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, H, W) of a frame."""

    def points(self, xy: Tensor) -> Tensor:
        """Points (P, 2) ``(x, y)`` px of the recorded frame, in px of the input."""

    def mask(self, recorded: Tensor) -> Tensor:
        """Mask (1, 1, H, W) of 0 and 1 in the input, of one (Y, X) in the recorded frame."""

    def recorded(self, logits: Tensor) -> Tensor:
        """Logits (V, 1, Y, X) in the recorded frame, of those (V, 1, H / 4, W / 4) that the decoder gives."""


class SquareFrames:
    """Frames stretched to a square, in their colours, as SAM 2 sees videos.

    Parameters
    ----------
    stack : Stack
    side : int
        Px.
    device : torch.device

    Notes
    -----
    Frames of 8 bits keep their values, and are stretched as SAM 2's loader does it; others are scaled between their
    0.1 and 99.9 percentiles over the recording.
    """

    def __init__(self, stack: Stack, side: int, device: torch.device) -> None:
        self.stack, self.side, self.device = stack, side, device
        self.low, self.high = (0.0, 255.0) if stack.dtype == np.uint8 else _range(stack)

    @property
    def shown(self) -> tuple[int, int]:
        """All of it."""
        return self.side, self.side

    def take_statistics(self) -> Tensor | None:
        """Nothing: SAM 2 has no vessel field."""
        return None

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, side, side) of a frame."""
        colours = self.stack.colours(t)
        pixels = self.stack.frame(t) if colours is None else colours
        if pixels.dtype == np.uint8:
            pixels = np.asarray(Image.fromarray(pixels).resize((self.side, self.side), Image.Resampling.BICUBIC))
        frame = torch.from_numpy(np.array(pixels, np.float32)).to(self.device)
        frame = frame.movedim(-1, 0)[None] if frame.ndim == 3 else frame[None, None]
        unit = ((frame - self.low) / (self.high - self.low)).clamp(0, 1)
        if unit.shape[-2:] != (self.side, self.side):
            unit = F.interpolate(unit, (self.side, self.side), mode="bicubic", antialias=True).clamp(0, 1)
        return normalise(unit)

    def points(self, xy: Tensor) -> Tensor:
        """Stretched with the frame."""
        height, width = self.stack.shape[1:]
        return xy / xy.new_tensor([width, height]) * self.side

    def mask(self, recorded: Tensor) -> Tensor:
        """Stretched with the frame, and 0 or 1 again."""
        given = recorded[None, None].float().to(self.device)
        if given.shape[-2:] == (self.side, self.side):
            return given
        stretched = F.interpolate(given, (self.side, self.side), mode="bilinear", antialias=True)
        return (stretched >= 0.5).float()

    def recorded(self, logits: Tensor) -> Tensor:
        """Stretched back."""
        return F.interpolate(logits, self.stack.shape[1:], mode="bilinear")


class PaddedFrames:
    """Frames as our own presets see them: with background and activity, at their own size."""

    def __init__(self, stack: Stack, settings: InferenceSettings, device: torch.device) -> None:
        self.stack, self.device = stack, device
        video, plan = WorkingFrames(stack), FramePlan.whole(0, len(stack))
        summary = summarise_ranges(video, plan.sampled, False, settings, device)
        self._frames = AlignedFrames(video, plan, False, summary, device)

    @property
    def size(self) -> tuple[int, int]:
        """``(H, W)`` of the padded input."""
        return self._frames.size

    @property
    def shown(self) -> tuple[int, int]:
        """``(H, W)`` of the picture."""
        return self._frames.shown

    def take_statistics(self) -> Tensor | None:
        """Of the padded input, once."""
        return self._frames.take_statistics()

    def inputs(self, t: int) -> Tensor:
        """Network input (1, 3, H, W), padded to multiples of 32."""
        return self._frames.inputs(t)

    def points(self, xy: Tensor) -> Tensor:
        """From the first pixel of the picture."""
        top, left = self.stack.picture.origin
        return xy - xy.new_tensor([left, top])

    def mask(self, recorded: Tensor) -> Tensor:
        """Padded with nothing."""
        top, left, bottom, right = self.stack.picture.box
        shown = recorded[None, None, top:bottom, left:right].float().to(self.device)
        height, width = self._frames.size
        return F.pad(shown, (0, width - shown.shape[-1], 0, height - shown.shape[-2]))

    def recorded(self, logits: Tensor) -> Tensor:
        """Without the padding, in the whole frame."""
        top, left, bottom, right = self.stack.picture.box
        height, width = self.stack.shape[1:]
        shown = F.interpolate(logits, self._frames.size, mode="bilinear")[..., : bottom - top, : right - left]
        return F.pad(shown, (left, width - right, top, height - bottom), value=_OUTSIDE)


def _range(stack: Stack) -> tuple[float, float]:
    places = np.unique(np.linspace(0, len(stack) - 1, min(16, len(stack))).round().astype(int))
    low, high = np.percentile(np.stack([stack.frame(int(t)) for t in places]), (0.1, 99.9))
    return float(low), float(max(high, low + 1e-6))
