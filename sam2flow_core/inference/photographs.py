"""Single pictures as SAM sees them: in colour, stretched to a square, by the brightness of photographs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.errors import PromptError

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the photographs that SAM and SAM 2 were trained with."""
_WEAKEST, _STRONGEST = 0.1, 99.9
"""Percentiles between which pictures of more than 8 bits are scaled."""


def read_picture(image: NDArray[Any] | Image.Image) -> NDArray[np.float32]:
    """Picture (Y, X, 3) in 0 to 1.

    Parameters
    ----------
    image : ndarray (Y, X, 3), (Y, X, 4), (Y, X, 1) or (Y, X), or PIL image
        RGB or grey. Of 8 bits it keeps its values; of floating-point numbers in 0 to 1 as well; anything else is
        scaled between its 0.1 and 99.9 percentiles.

    Raises
    ------
    PromptError
        If it has another shape, or pixels that are no finite numbers.
    """
    pixels = np.asarray(image.convert("RGB") if isinstance(image, Image.Image) else image)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        shape = " x ".join(str(n) for n in np.shape(pixels))
        raise PromptError(f"a picture of shape {shape}: give height x width x 3 (RGB), or height x width in grey")
    unit: NDArray[np.float32] = _unit(pixels[..., :3]).astype(np.float32)
    return np.broadcast_to(unit, (*pixels.shape[:2], 3))


def to_input(pictures: list[NDArray[np.float32]], side: int, device: torch.device) -> Tensor:
    """Network input (B, 3, side, side) of pictures (Y, X, 3) in 0 to 1, which may differ in size."""
    rows = [torch.from_numpy(np.array(p)).to(device).permute(2, 0, 1)[None] for p in pictures]
    square = [
        F.interpolate(r, (side, side), mode="bilinear", antialias=True) if r.shape[-2:] != (side, side) else r
        for r in rows
    ]
    return normalise(torch.cat(square))


def normalise(unit: Tensor) -> Tensor:
    """Pictures (B, 1 or 3, H, W) of 0 to 1 as (B, 3, H, W) by the mean and spread of photographs."""
    mean, spread = (unit.new_tensor(x).view(1, 3, 1, 1) for x in (_MEAN, _SPREAD))
    return (unit - mean) / spread


def _unit(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / 255
    if pixels.dtype == np.bool_:
        return pixels
    if pixels.dtype.kind not in "iuf" or not np.isfinite(pixels).all():
        raise PromptError("a picture with pixels that are no numbers: give 8 or 16 bit, or finite floating point")
    low, high = float(pixels.min()), float(pixels.max())
    if pixels.dtype.kind != "f" or low < 0 or high > 1:
        low, high = (float(x) for x in np.percentile(pixels, (_WEAKEST, _STRONGEST)))
        return ((pixels.astype(np.float32) - low) / max(high - low, 1e-6)).clip(0, 1)
    return pixels
