"""What of a frame is fit for registration: fine structure with even contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from sam2flow_core.config.stack import StabiliserSettings

Image = NDArray[np.float32]


def binned(frame: NDArray[Any], factor: int) -> Image:
    """Mean over blocks of ``factor`` x ``factor`` pixels, as float32; odd edges are dropped."""
    image = np.asarray(frame, dtype=np.float32)
    if factor == 1:
        return image
    height, width = (n // factor for n in image.shape)
    image = image[: height * factor, : width * factor]
    rows = image.reshape(height, factor, width * factor).sum(axis=1)
    total: Image = rows.reshape(height, width, factor).sum(axis=2) / np.float32(factor**2)
    return total


@dataclass(frozen=True)
class Look:
    """One frame seen coarsely and finely: two images (Y, X) of even contrast."""

    coarse: Image
    fine: Image


def look(image: Image, settings: StabiliserSettings) -> Look:
    """Prepare a binned frame (Y, X) for registration."""
    return Look(
        even_texture(image, settings.coarse_smooth_px, settings.coarse_background_px, settings),
        even_texture(image, settings.fine_smooth_px, settings.fine_background_px, settings),
    )


def even_texture(image: Image, smooth_px: float, background_px: int, settings: StabiliserSettings) -> Image:
    """Take out shading and divide by the local contrast.

    Cells have several times the contrast of tissue and would decide a plain correlation; with even
    contrast an area counts by its size.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Mean about 0, local standard deviation about 1 where there is structure, 0 in an empty frame.
    """
    fine = gaussian_filter(image, smooth_px, truncate=2.5) - uniform_filter(image, background_px)
    contrast = np.sqrt(np.maximum(uniform_filter(fine * fine, settings.contrast_px), 0))
    floor = settings.contrast_floor * float(np.median(contrast)) + float(np.finfo(np.float32).tiny)
    even: Image = fine / (contrast + np.float32(floor))
    return even
