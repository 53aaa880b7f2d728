"""What scripts for SAM 2 give: clicks, boxes and masks as lists, arrays or tensors, and pictures as SAM sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.errors import PromptError
from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND
from sam2flow_core.prompts import opposed_click, opposed_error

Given = Sequence[Any] | NDArray[Any] | Tensor | None
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the photographs that SAM and SAM 2 were trained with."""
_WEAKEST, _STRONGEST = 0.1, 99.9
"""Percentiles between which pictures of more than 8 bits are scaled."""


def read_clicks(
    points: Given, labels: Given, box: Given, size: tuple[int, int], in_px: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points (P, 2) ``(x, y)`` px with their labels (P,); a box comes first, as its two corners.

    Parameters
    ----------
    points : (P, 2), optional
    labels : (P,), optional
        1 = this object, 0 = not this object.
    box : (4,), optional
        ``x0, y0, x1, y1``.
    size : tuple of int
        ``(height, width)`` of a frame, px.
    in_px : bool
        False: points and box are given in 0 to 1 of the frame's width and height.

    Raises
    ------
    PromptError
        If there is nothing, or points and labels differ in number.
    """
    xy = np.asarray([] if points is None else points, float).reshape(-1, 2)
    kinds = np.asarray([] if labels is None else labels, np.int64).reshape(-1)
    if len(xy) != len(kinds):
        raise PromptError(f"{len(xy)} points but {len(kinds)} labels: give one label per point")
    if box is not None:
        xy = np.concatenate([np.asarray(box, float).reshape(2, 2), xy])
        kinds = np.concatenate([[BOX_FIRST, BOX_SECOND], kinds])
    if not len(xy):
        raise PromptError("neither a point nor a box: give at least one")
    if not np.isfinite(xy).all():
        raise PromptError("a point without a place (not a number): give x and y in px")
    height, width = size
    return (xy if in_px else xy * np.array([width, height])), kinds


def refuse_opposed(
    what: str, obj_id: int, frame: int, xy: NDArray[np.float64], clicks: Sequence[tuple[float, float, int]]
) -> None:
    """Raise `PromptError` where clicks on one object in one frame contradict each other.

    Parameters
    ----------
    what : str
        ``vessel`` or ``object``.
    obj_id, frame : int
    xy : ndarray (P, 2)
        The clicks that were just given, px of the recorded frame.
    clicks : sequence of (float, float, int)
        All of this object in this frame, these last, with their labels; in px of any one scale.
    """
    opposed = opposed_click(clicks)
    if opposed is not None:
        x, y = xy[opposed - len(clicks)]
        raise opposed_error(f"{what} {obj_id}", frame, float(y), float(x))


def read_mask(mask: NDArray[Any] | Tensor, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a mask (Y, X) is above 0; raises `PromptError` where it has not the ``size`` of the frames."""
    given: NDArray[np.bool_] = np.asarray(mask) > 0
    if given.shape != size:
        raise PromptError(f"mask of {given.shape} for frames of {size}: sizes must agree")
    return given


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


def to_padded_input(
    pictures: list[NDArray[np.float32]], side: int, device: torch.device
) -> tuple[Tensor, tuple[tuple[int, int], ...]]:
    """Network input (B, 3, side, side) as SAM has it, of pictures (Y, X, 3) in 0 to 1, and their sizes in it.

    Their longer side fills it, in 8 bits; below or beside them is nothing.
    """
    rows, sizes = [], []
    for picture in pictures:
        scale = side / max(picture.shape[:2])
        height, width = (int(n * scale + 0.5) for n in picture.shape[:2])
        bits = Image.fromarray((picture * 255).round().astype(np.uint8))
        shown = np.array(bits.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
        row = normalise(torch.from_numpy(shown).to(device).permute(2, 0, 1)[None])
        rows.append(F.pad(row, (0, side - width, 0, side - height)))
        sizes.append((height, width))
    return torch.cat(rows), tuple(sizes)


def normalise(unit: Tensor) -> Tensor:
    """Pictures (B, 1 or 3, H, W) of 0 to 1 as (B, 3, H, W) by the mean and spread of photographs."""
    mean, spread = (unit.new_tensor(x).view(1, 3, 1, 1) for x in (_MEAN, _SPREAD))
    return (unit - mean) / spread


def as_unit(inputs: Tensor) -> Tensor:
    """Undo `normalise`: pictures (B, 3, H, W) of 0 to 1."""
    mean, spread = (inputs.new_tensor(x).view(1, 3, 1, 1) for x in (_MEAN, _SPREAD))
    return inputs * spread + mean


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
