"""Where automatic masks are asked for, and which stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    point_grids : list of ndarray (P, 2), optional
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
    point_grids: list[NDArray[np.float64]] | None = None
    min_mask_region_area: int = 0
    output_mode: str = "binary_mask"
    use_m2m: bool = False
    multimask_output: bool = True

    def __post_init__(self) -> None:
        if (self.points_per_side is None) == (self.point_grids is None):
            raise PromptError("give either points_per_side or point_grids")
        if self.output_mode not in _FORMS:
            raise PromptError(f"no output_mode '{self.output_mode}'; there are {', '.join(_FORMS)}")

    def grids(self) -> list[NDArray[np.float64]]:
        """Places (P, 2) ``(x, y)`` in 0 to 1, for each layer."""
        if self.point_grids is not None:
            return self.point_grids
        assert self.points_per_side is not None
        layers = range(self.crop_n_layers + 1)
        return [point_grid(int(self.points_per_side / self.crop_n_points_downscale_factor**i)) for i in layers]


def point_grid(per_side: int) -> NDArray[np.float64]:
    """Places (per_side**2, 2) ``(x, y)`` in 0 to 1, row by row, in the middle of equal cells."""
    along = (np.arange(per_side) + 0.5) / per_side
    x, y = np.meshgrid(along, along)
    return np.stack([x.ravel(), y.ravel()], 1)
