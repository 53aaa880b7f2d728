"""SAM2Flow: blood velocity per vessel from microscopy videos.

The public names load on first use, so that ``import sam2flow_core`` does not
import torch.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sam2flow_core.inference.automatic_masks import SAM2AutomaticMaskGenerator
    from sam2flow_core.inference.build import build_i2v_video_predictor, build_sam2, build_sam2_video_predictor
    from sam2flow_core.inference.image_predictor import SAM2ImagePredictor
    from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
    from sam2flow_core.inference.predictor import SAM2FlowPredictor
    from sam2flow_core.stack import open_stack

__all__ = [
    "SAM2AutomaticMaskGenerator",
    "SAM2FlowPredictor",
    "SAM2ImagePredictor",
    "SAM2MaskPredictor",
    "build_i2v_video_predictor",
    "build_sam2",
    "build_sam2_video_predictor",
    "open_stack",
]
try:
    __version__ = version("sam2flow")
except PackageNotFoundError:  # run from a folder that was never installed
    __version__ = "0+unknown"

_HOMES = {
    "SAM2AutomaticMaskGenerator": "sam2flow_core.inference.automatic_masks",
    "SAM2FlowPredictor": "sam2flow_core.inference.predictor",
    "SAM2ImagePredictor": "sam2flow_core.inference.image_predictor",
    "SAM2MaskPredictor": "sam2flow_core.inference.mask_predictor",
    "build_i2v_video_predictor": "sam2flow_core.inference.build",
    "build_sam2": "sam2flow_core.inference.build",
    "build_sam2_video_predictor": "sam2flow_core.inference.build",
    "open_stack": "sam2flow_core.stack",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
