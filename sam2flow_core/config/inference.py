"""Settings of the predictors, and of where automatic masks are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.errors import PromptError

_FORMS = ("binary_mask", "uncompressed_rle", "coco_rle")


@dataclass(frozen=True)
class GridSettings:
    """Where clicks are set and which answers stay; names and numbers of SAM 2.

    Attributes
    ----------
    points_per_side : int or None
        Of the grid over the picture; None where `point_grids` says the places.
    points_per_batch : int
        Clicks answered at once.
    pred_iou_thresh, stability_score_thresh : float
        Least estimated IoU, and least IoU of the mask at its threshold plus and minus the offset; 0 keeps all.
    stability_score_offset, mask_threshold : float
        Logits.
    box_nms_thresh, crop_nms_thresh : float
        IoU of boxes from which the poorer of two masks goes: within a crop, and between crops.
    crop_n_layers : int
        Layer i looks again at 4**i crops of the picture.
    crop_overlap_ratio : float
        Overlap of the crops as a share of the picture's shorter side.
    crop_n_points_downscale_factor : int
        By which the grid of layer i is thinned, to the power of i.
    point_grids : tuple of ndarray (P, 2), optional
        Places ``(x, y)`` in 0 to 1, for each layer.
    min_mask_region_area : int
        Holes and islands of at most so many px of the quarter-size mask go.
    output_mode : str
        ``binary_mask``, ``uncompressed_rle`` or ``coco_rle``.
    use_m2m : bool
        Give each mask back once as a prompt to itself.
    multimask_output : bool
        Three masks for each click.
    """

    points_per_side: int | None = 32
    points_per_batch: int = 64
    pred_iou_thresh: float = 0.8
    stability_score_thresh: float = 0.95
    stability_score_offset: float = 1.0
    mask_threshold: float = 0.0
    box_nms_thresh: float = 0.7
    crop_n_layers: int = 0
    crop_nms_thresh: float = 0.7
    crop_overlap_ratio: float = 512 / 1500
    crop_n_points_downscale_factor: int = 1
    point_grids: tuple[NDArray[np.float64], ...] | None = None
    min_mask_region_area: int = 0
    output_mode: str = "binary_mask"
    use_m2m: bool = False
    multimask_output: bool = True

    def __post_init__(self) -> None:
        if (self.points_per_side is None) == (self.point_grids is None):
            raise PromptError("give either points_per_side or point_grids")
        if self.output_mode not in _FORMS:
            raise PromptError(f"no output_mode '{self.output_mode}'; there are {', '.join(_FORMS)}")

    def grids(self) -> tuple[NDArray[np.float64], ...]:
        """Places (P, 2) ``(x, y)`` in 0 to 1, for each layer.

        Examples
        --------
        >>> settings = GridSettings(points_per_side=8, crop_n_layers=1, crop_n_points_downscale_factor=2)
        >>> [len(grid) for grid in settings.grids()]
        [64, 16]
        """
        if self.point_grids is not None:
            return tuple(self.point_grids)  # scripts for SAM 2 give a list
        assert self.points_per_side is not None
        layers = range(self.crop_n_layers + 1)
        return tuple(point_grid(int(self.points_per_side / self.crop_n_points_downscale_factor**i)) for i in layers)


def point_grid(per_side: int) -> NDArray[np.float64]:
    """Places (per_side**2, 2) ``(x, y)`` in 0 to 1, row by row, in the middle of equal cells.

    Examples
    --------
    >>> point_grid(2).tolist()
    [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    """
    along = (np.arange(per_side) + 0.5) / per_side
    x, y = np.meshgrid(along, along)
    return np.stack([x.ravel(), y.ravel()], 1)


@dataclass(frozen=True)
class Sam2Settings:
    """How masks are followed through a video without flow.

    Attributes
    ----------
    image_size : int
        Side in px of the square that official weights see each frame in; they were trained with 1024. Weights that
        were fine-tuned at another size take the place of this default by theirs (`for_weights`).
    steady_masks : bool
        Prefer the best of the alternatives where the first mask hangs on its threshold.
    sharp_prompts : bool
        Remember prompted masks as they are seen, in or out, instead of by probability.
    remembered_frames : int or None
        Frames without prompts that are kept; None keeps all, as SAM 2 does, and grows with the video.
    draw_seed : int
        Seed of the draw of what SAM-I2V's memory reads; the number is its own.
    """

    image_size: int = 1024
    steady_masks: bool = True
    sharp_prompts: bool = True
    remembered_frames: int | None = None
    draw_seed: int = 123

    def for_weights(self, notes: Mapping[str, Any]) -> Sam2Settings:
        """These settings with the size that weights were fine-tuned at, unless another was asked for."""
        side = notes.get("image_size")
        if not isinstance(side, int) or self.image_size != Sam2Settings.image_size:
            return self
        return replace(self, image_size=side)


@dataclass(frozen=True)
class MatchingSettings:
    """How memory by matching is used.

    Attributes
    ----------
    most_side : int
        px along a frame; larger ones are shrunk to be matched.
    kept_views : int
        Frames that are kept as they are matched.
    least_present : float
        Chance, 0 to 1, of being seen below which a vessel is looked for again soon, and nothing is remembered.
    look_again_every : int
        Frames after which a vessel that is not seen is looked for again.
    sure_present, sure_iou : float
        Chance of being seen, and expected IoU, from which on memory's mask may take the place of the one in use.
    agreement : float
        IoU of both masks above which it does not: they say the same.
    """

    most_side: int = 512
    kept_views: int = 16
    least_present: float = 0.5
    look_again_every: int = 8
    sure_present: float = 0.95
    sure_iou: float = 0.9
    agreement: float = 0.75


@dataclass(frozen=True)
class PairSettings:
    """What is saved in answering a pair of frames, where it was measured to cost no accuracy.

    Attributes
    ----------
    wide : float
        Share of the 5 x 5 cells around a cell that must lie in its vessel for the cell to be answered from those around
        it: inside wide vessels the cost volume is read at every second cell each way. Above 1, nowhere.
    narrow : float
        Where this share is smaller at the cell and next to it, the cell is always asked: a capillary has few cells, and
        few around each.
    chessboard : bool
        Whether elsewhere the cost volume is made, and read, at every second cell as on a chessboard.
    alike : float
        Cosine between the directions of cells above which one is answered from the others.
    updates : int or None
        Updates of the first flow; None: as many as the weights say are worth it (`UpdateConfig`).
    """

    wide: float = 0.75
    narrow: float = 0.45
    chessboard: bool = True
    alike: float = 0.9
    updates: int | None = None


@dataclass(frozen=True)
class WallSettings:
    """How much slower blood is at the walls of wide vessels than the network says.

    Fitted on recordings of both generators that are neither trained on nor in the benchmark.

    Attributes
    ----------
    narrow_px : float
        Width in px of the network up to which the network's profile is right: cells pass one or two abreast.
    per_px, most : float
        Share of the speed that is missing at the wall, for each px beyond, and at most.
    order : float
        Power of the distance from the middle with which it grows towards the wall.
    """

    narrow_px: float = 13.0
    per_px: float = 0.015
    most: float = 0.5
    order: float = 3.0


@dataclass(frozen=True)
class InferenceSettings:
    """How a recording is read and answered.

    Attributes
    ----------
    sampled_frames : int
        Frames, in pairs spread over the range, that make background, activity and motion before the first answer.
    kept_pixels : int
        Of such frames that are kept, at half their resolution, to read the motion of clicked vessels in; the pairs of
        larger frames are fewer.
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
    pair : PairSettings
        What is saved in answering a pair.
    walls : WallSettings
        How much slower blood is at the walls.
    sam2 : Sam2Settings
        Of `SAM2MaskPredictor`.
    matching : MatchingSettings
        How vessels are found again by memory.
    tracing : TracingSettings
        How clicks are followed to masks.
    """

    sampled_frames: int = 64
    kept_pixels: int = 1 << 27
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
    pair: PairSettings = PairSettings()
    walls: WallSettings = WallSettings()
    sam2: Sam2Settings = Sam2Settings()
    matching: MatchingSettings = MatchingSettings()
    tracing: TracingSettings = field(default_factory=TracingSettings)
