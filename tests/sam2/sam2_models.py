"""The official package with random weights, and this network filled from its checkpoint."""

from pathlib import Path

import torch

from sam2flow_core.inference.official import fill, masks_only, matching_preset, read_official
from sam2flow_core.model.sam2flow import SAM2Flow

CONFIGS = {"small": "t", "medium": "s", "base": "b+", "large": "l"}
"""Our presets and the letters in the names of SAM 2's configurations."""


def build_official(preset: str, version: str = "2.1", size: int = 128, video: bool = False, more=(), **options):
    from sam2.build_sam import build_sam2, build_sam2_video_predictor

    name = f"configs/sam{version}/sam{version}_hiera_{CONFIGS[preset]}.yaml"
    build = build_sam2_video_predictor if video else build_sam2
    torch.manual_seed(0)
    model = build(name, device="cpu", hydra_overrides_extra=[f"++model.image_size={size}", *more], **options)
    # Zeros and ones would hide a tensor that is not used, or used twice.
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.02)
    return model


def fill_ours(path: Path) -> SAM2Flow:
    tensors = read_official(path)
    ours = SAM2Flow(masks_only(matching_preset(tensors)))
    fill(ours, tensors)
    return ours.eval()


class OneSize:
    """The official image predictor at another size than 1024 px, which it takes for granted in one place."""

    @staticmethod
    def official(model: torch.nn.Module, size: int, **options):
        from sam2.sam2_image_predictor import SAM2ImagePredictor

        predictor = SAM2ImagePredictor(model, **options)
        predictor._bb_feat_sizes = [(size // 4,) * 2, (size // 8,) * 2, (size // 16,) * 2]
        return predictor
