"""Settings of the predictor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InferenceSettings:
    """How a recording is read and answered.

    Attributes
    ----------
    sampled_frames : int
        Frames, spread over the range, that make background and activity before the first answer.
    key_frame_every : int
        Frames between two looks of the image encoder; between them its context is carried.
    crop_margin : int
        Px around a vessel's mask that its crop keeps.
    cached_frames : int
        Encoded images kept for further clicks.
    causal : bool
        Answer from the past only, for live work; otherwise frames on both sides count.
    """

    sampled_frames: int = 48
    key_frame_every: int = 64
    crop_margin: int = 4
    cached_frames: int = 4
    causal: bool = False
