"""Fine-tuning on annotated volumes and videos, by the names that SAM 2's training gives its settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from sam2flow_core.errors import DataError


@dataclass(frozen=True)
class FinetuningSettings:
    """How clips of slices are drawn, prompted and learned from.

    Attributes
    ----------
    resolution : int
        Side in px of the square that slices are seen in; a multiple of 32. SAM 2's weights were made at 1024.
    num_frames, max_num_objects : int
        Slices of a clip, and objects of it that are followed.
    prob_to_use_pt_input_for_train : float
        How often objects are prompted by clicks or a box, instead of their mask.
    prob_to_use_box_input_for_train : float
        How often, of these, by a box.
    prob_to_sample_from_gt_for_train : float
        How often a correction is clicked anywhere in the object, instead of in the error.
    num_init_cond_frames_for_train, num_frames_to_correct_for_train : int
        Slices that are prompted before the others are followed, and slices that are corrected, the first always among
        both; corrected ones count as prompted. Corrections are made where clicks or boxes are the prompts.
    rand_init_cond_frames_for_train, rand_frames_to_correct_for_train : bool
        Draw their numbers from 1 to these.
    num_correction_pt_per_frame : int
        Clicks into the error of each slice that is corrected.
    base_lr, vision_lr : float
        Learning rates, of the image encoder the second; 0 leaves the image encoder as it is. Both fall to a tenth.
    weight_decay, clip_gradient : float
    region_loss : str
        ``focal``, SAM 2's, or ``balanced``, which learns from nothing too; both beside dice, IoU and object score.
        Every answer of a slice is learned from (multistep), and of three alternatives the best.
    """

    resolution: int = 1024
    num_frames: int = 8
    max_num_objects: int = 3
    prob_to_use_pt_input_for_train: float = 0.5
    prob_to_use_box_input_for_train: float = 0.5
    prob_to_sample_from_gt_for_train: float = 0.1
    num_init_cond_frames_for_train: int = 2
    num_frames_to_correct_for_train: int = 2
    rand_init_cond_frames_for_train: bool = True
    rand_frames_to_correct_for_train: bool = True
    num_correction_pt_per_frame: int = 7
    base_lr: float = 5e-6
    vision_lr: float = 3e-6
    weight_decay: float = 0.1
    clip_gradient: float = 0.1
    region_loss: str = "focal"

    def __post_init__(self) -> None:
        if self.resolution % 32 or self.resolution < 32:
            raise DataError(f"resolution {self.resolution}: the side must be a multiple of 32 px")
        counts = (self.num_frames - 1, self.max_num_objects, self.num_init_cond_frames_for_train)
        if min(*counts, self.num_frames_to_correct_for_train) < 1:
            raise DataError("a clip needs two frames, an object, and one frame that is prompted and corrected")
        if self.region_loss not in ("focal", "balanced"):
            raise DataError(f"no region_loss '{self.region_loss}'; there are focal and balanced")

    def with_values(self, texts: Iterable[str]) -> FinetuningSettings:
        """These settings with some changed, each given as ``name=value``; raises `DataError` for what does not fit."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        changes: dict[str, Any] = {}
        for text in texts:
            name, _, value = text.partition("=")
            if name not in kinds:
                raise DataError(f"no setting '{name}' of fine-tuning; there are {', '.join(kinds)}")
            try:
                changes[name] = _BOOLS[value.lower()] if kinds[name] is bool else kinds[name](value)
            except (KeyError, ValueError):
                raise DataError(f"{name} cannot be '{value}': give a {kinds[name].__name__}") from None
        return replace(self, **changes)


_BOOLS = {"true": True, "false": False, "1": True, "0": False}
