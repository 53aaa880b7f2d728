"""Settings of the predictor."""

from __future__ import annotations

from dataclasses import dataclass, field

from sam2flow_core.config.tracing import TracingSettings


@dataclass(frozen=True)
class Sam2Settings:
    """How masks are followed through a video without flow.

    Attributes
    ----------
    image_size : int
        Side in px of the square that official weights see each frame in; they were trained with 1024.
    steady_masks : bool
        Prefer the best of the alternatives where the first mask hangs on its threshold.
    sharp_prompts : bool
        Remember prompted masks as they are seen, in or out, instead of by probability.
    remembered_frames : int or None
        Frames without prompts that are kept; None keeps all, as SAM 2 does, and grows with the video.
    """

    image_size: int = 1024
    steady_masks: bool = True
    sharp_prompts: bool = True
    remembered_frames: int | None = None


@dataclass(frozen=True)
class InferenceSettings:
    """How a recording is read and answered.

    Attributes
    ----------
    sampled_frames : int
        Frames, in pairs spread over the range, that make background, activity and motion before the first answer.
    pair_tries : int
        Pairs that are looked at for one that is no repeat.
    repeated_change : float
        Share of the change from frame to frame below which a frame repeats the one before.
    key_frame_every : int
        Frames between two looks of the image encoder; between them its context is carried.
    crop_margin : int
        Px around a vessel's mask that its crop keeps.
    check_every : int
        Pairs of frames from one whose flow is checked by the way back to the next; a check costs some four pairs.
    round_trip_inside : float
        Share of a pixel's goal that must lie in the mask for its way back to count.
    round_trip_pixels : int
        Fewest pixels whose way back says something.
    cached_frames : int
        Encoded images kept for further clicks.
    causal : bool
        Answer from the past only, for live work; otherwise frames on both sides count.
    least_mask_quality : float
        Mask IoU (x object score, where that was trained), as the network judges them, below which a mask found by
        memory is not remembered itself: from one bad mask on, a vessel would count as lost.
    sam2 : Sam2Settings
        Of `SAM2MaskPredictor`.
    tracing : TracingSettings
        How clicks are followed to masks.
    """

    sampled_frames: int = 64
    pair_tries: int = 4
    repeated_change: float = 0.3
    key_frame_every: int = 64
    crop_margin: int = 4
    check_every: int = 64
    round_trip_inside: float = 0.5
    round_trip_pixels: int = 20
    cached_frames: int = 4
    causal: bool = False
    least_mask_quality: float = 0.5
    sam2: Sam2Settings = Sam2Settings()
    tracing: TracingSettings = field(default_factory=TracingSettings)
