"""The running picture of the tissue that frames are registered against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from sam2flow_core.config.stack import StabiliserSettings
from sam2flow_core.stack.texture import Image, Look
from sam2flow_core.stack.warp import translate

_VARIANCE_BOX_PX = 5
_PRIOR_FRAMES = 5  # a pixel's own variance is believed once it has been seen this often


class Reference:
    """Running mean and variance of aligned frames, in tissue coordinates.

    Pixel (y, x) of the arrays shows the tissue at ``(y, x) - base``. `base` follows
    when the tissue leaves the field of view; tissue coordinates never change.
    """

    def __init__(self, shape: tuple[int, int], settings: StabiliserSettings) -> None:
        self._settings = settings
        self.base = (0, 0)
        self._mean: Image = np.zeros(shape, np.float32)
        self._square: Image = np.zeros(shape, np.float32)
        self._count: Image = np.zeros(shape, np.float32)

    @property
    def empty(self) -> bool:
        """Whether no frame has been added."""
        return not self._count.any()

    def weighted(self) -> Image:
        """The mean, each pixel divided by its variance over time: cells that flow by count little."""
        count = self._count
        if count.max() < 2:
            return self._mean
        variance = np.maximum(self._square - self._mean**2, 0) * count / np.maximum(count - 1, 1)
        variance = uniform_filter(variance, _VARIANCE_BOX_PX)
        variance = (variance * count + np.median(variance) * _PRIOR_FRAMES) / (count + _PRIOR_FRAMES)
        weighted: Image = self._mean / (variance + np.float32(self._settings.variance_floor))
        return weighted

    def add(self, image: Image, shift: tuple[float, float]) -> None:
        """Add a frame whose tissue stands at `shift`; each pixel counts the frames it was seen in."""
        self._follow(shift)
        dy, dx = shift[0] - self.base[0], shift[1] - self.base[1]
        seen = placed(np.ones_like(image), round(dy), round(dx))
        self._count = np.minimum(self._count + seen, np.float32(self._settings.memory_frames))
        share = seen / np.maximum(self._count, 1)
        aligned = translate(image, dy, dx)
        self._mean += share * (aligned - self._mean)
        self._square += share * (aligned * aligned - self._square)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything `restore` needs."""
        return {
            "mean": self._mean.copy(),
            "square": self._square.copy(),
            "count": self._count.copy(),
            "base": np.array(self.base),
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go back to what `arrays` returned."""
        self._mean = np.array(arrays["mean"], np.float32)
        self._square = np.array(arrays["square"], np.float32)
        self._count = np.array(arrays["count"], np.float32)
        self.base = (int(arrays["base"][0]), int(arrays["base"][1]))

    def _follow(self, shift: tuple[float, float]) -> None:
        limit = self._settings.rebase_share * min(self._mean.shape)
        dy, dx = (round(s) - b for s, b in zip(shift, self.base, strict=True))
        if max(abs(dy), abs(dx)) <= limit:
            return
        self._mean, self._square, self._count = (placed(a, -dy, -dx) for a in (self._mean, self._square, self._count))
        self.base = (self.base[0] + dy, self.base[1] + dx)


def placed(image: Image, dy: int, dx: int) -> Image:
    """Return ``out[y, x] = image[y + dy, x + dx]``, 0 outside."""
    if dy == 0 and dx == 0:
        return image
    height, width = image.shape
    out = np.zeros_like(image)
    y0, y1 = max(0, -dy), min(height, height - dy)
    x0, x1 = max(0, -dx), min(width, width - dx)
    if y0 < y1 and x0 < x1:
        out[y0:y1, x0:x1] = image[y0 + dy : y1 + dy, x0 + dx : x1 + dx]
    return out


class Tissue:
    """The tissue as known so far, seen coarsely and finely."""

    def __init__(self, shape: tuple[int, int], settings: StabiliserSettings) -> None:
        self.coarse = Reference(shape, settings)
        self.fine = Reference(shape, settings)

    @property
    def empty(self) -> bool:
        """Whether no frame has been added."""
        return self.coarse.empty

    def add(self, frame: Look, shift: tuple[float, float]) -> None:
        """Add a frame whose tissue stands at `shift`."""
        self.coarse.add(frame.coarse, shift)
        self.fine.add(frame.fine, shift)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything `restore` needs."""
        coarse, fine = self.coarse.arrays(), self.fine.arrays()
        return {f"coarse_{k}": v for k, v in coarse.items()} | {f"fine_{k}": v for k, v in fine.items()}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go back to what `arrays` returned."""
        for part, name in ((self.coarse, "coarse_"), (self.fine, "fine_")):
            part.restore({k.removeprefix(name): v for k, v in arrays.items() if k.startswith(name)})
