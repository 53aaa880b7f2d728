"""Follow the tissue: register each frame against a running reference, and undo its motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import StabiliserSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack.correlation import Correlator, Image
from sam2flow_core.stack.warp import translate


@dataclass(frozen=True)
class Shift:
    """Where the tissue stands in one frame.

    Attributes
    ----------
    dy, dx : float
        Displacement in px against the first frame: what lies at (y, x) there lies at (y + dy, x + dx) here.
    quality : float
        0 = not seen, the last believed shift is repeated; 1 = certain.
    """

    dy: float
    dx: float
    quality: float


class Stabiliser:
    """Streaming whole-frame registration, sub-pixel, against a running mean of the aligned frames.

    Cells that flow blur out of the mean, so what is left to correlate with is the tissue. The reference
    stays in the coordinates of the first frame, so errors do not add up from frame to frame.

    Parameters
    ----------
    settings : StabiliserSettings, optional
    """

    def __init__(self, settings: StabiliserSettings | None = None) -> None:
        self.settings = settings or StabiliserSettings()
        self._correlator: Correlator | None = None
        self._shape: tuple[int, int] = (0, 0)
        self._bin = 1
        self._mean: Image = np.zeros((0, 0), np.float32)
        self._count: Image = np.zeros((0, 0), np.float32)
        self._base = (0, 0)
        self._last = (0.0, 0.0)

    def register(self, frame: NDArray[Any]) -> Shift:
        """Find where the tissue stands in the next frame (Y, X) and add the frame to the reference."""
        if self._correlator is None:
            self._start((int(frame.shape[0]), int(frame.shape[1])))
            self._learn(self._binned(frame), (0.0, 0.0))
            return Shift(0.0, 0.0, 1.0)
        if frame.shape != self._shape:
            raise StackError(f"frame of {frame.shape} among frames of {self._shape}: all frames must have one size")
        image = self._binned(frame)
        shift, height = self._locate(image)
        quality = float(np.clip(height / self.settings.certain, 0, 1))
        if height >= self.settings.detection:
            self._last = shift
            self._learn(image, shift)
        return Shift(self._last[0] * self._bin, self._last[1] * self._bin, quality)

    def align(self, frame: NDArray[Any], shift: Shift) -> NDArray[np.float32]:
        """Return the frame (Y, X) as float32 in the coordinates of the first frame; edges are repeated."""
        if max(abs(shift.dy), abs(shift.dx)) < self.settings.smallest_shift_px:
            return np.array(frame, dtype=np.float32)
        return translate(frame, shift.dy, shift.dx)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Everything that `set_state` needs to go on exactly from here, as arrays."""
        return {
            "shape": np.array(self._shape),
            "mean": self._mean.copy(),
            "count": self._count.copy(),
            "base": np.array(self._base),
            "last": np.array(self._last),
        }

    def set_state(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from what `get_state` returned."""
        shape = tuple(int(n) for n in state["shape"])
        if shape != (0, 0):
            self._start((shape[0], shape[1]))
        else:
            self._correlator = None
        self._mean = np.array(state["mean"], np.float32)
        self._count = np.array(state["count"], np.float32)
        self._base = (int(state["base"][0]), int(state["base"][1]))
        self._last = (float(state["last"][0]), float(state["last"][1]))

    def _start(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._bin = max(1, int(np.sqrt(shape[0] * shape[1] / self.settings.work_pixels)))
        work = (shape[0] // self._bin, shape[1] // self._bin)
        self._correlator = Correlator(work, self.settings)
        self._mean = np.zeros(work, np.float32)
        self._count = np.zeros(work, np.float32)
        self._base = (0, 0)
        self._last = (0.0, 0.0)

    def _binned(self, frame: NDArray[Any]) -> Image:
        b = self._bin
        image = np.asarray(frame, dtype=np.float32)
        if b == 1:
            return image
        height, width = (n // b * b for n in image.shape)
        return image[:height, :width].reshape(height // b, b, width // b, b).mean(axis=(1, 3))

    def _locate(self, image: Image) -> tuple[tuple[float, float], float]:
        """Shift of a binned frame in binned px, and the height of its peak."""
        assert self._correlator is not None
        reference = self._correlator.spectrum(self._mean)
        guess = (round(self._last[0]), round(self._last[1]))
        for _ in range(2):
            # the frame is first put where it is expected, so that both windows cover the same tissue
            placed = _placed(image, guess[0] - self._base[0], guess[1] - self._base[1])
            peak = self._correlator.displacement(reference, self._correlator.spectrum(placed))
            found = (guess[0] + peak.dy, guess[1] + peak.dx)
            if max(abs(peak.dy), abs(peak.dx)) < self.settings.near_px or peak.height < self.settings.detection:
                break
            guess = (round(found[0]), round(found[1]))
        return found, peak.height

    def _learn(self, image: Image, shift: tuple[float, float]) -> None:
        """Add an aligned frame to the running mean; each pixel counts its own frames."""
        self._rebase(shift)
        dy, dx = shift[0] - self._base[0], shift[1] - self._base[1]
        seen = _placed(np.ones_like(image), round(dy), round(dx), fill=0.0)
        self._count = np.minimum(self._count + seen, self.settings.memory_frames)
        share = seen / np.maximum(self._count, 1)
        self._mean += share * (translate(image, dy, dx) - self._mean)

    def _rebase(self, shift: tuple[float, float]) -> None:
        """Let the reference's own field of view follow when the tissue has moved far; coordinates stay."""
        limit = self.settings.rebase_share * min(self._mean.shape)
        move = [round(s) - b for s, b in zip(shift, self._base, strict=True)]
        if max(abs(m) for m in move) <= limit:
            return
        self._mean = _placed(self._mean, move[0], move[1])
        self._count = _placed(self._count, move[0], move[1], fill=0.0)
        self._base = (self._base[0] + move[0], self._base[1] + move[1])


def _placed(image: Image, dy: int, dx: int, fill: float | None = None) -> Image:
    """Return ``out[y, x] = image[y + dy, x + dx]``, outside filled with `fill` or the mean."""
    if dy == 0 and dx == 0:
        return image
    height, width = image.shape
    out = np.full_like(image, image.mean() if fill is None else fill)
    y0, y1 = max(0, -dy), min(height, height - dy)
    x0, x1 = max(0, -dx), min(width, width - dx)
    if y0 < y1 and x0 < x1:
        out[y0:y1, x0:x1] = image[y0 + dy : y1 + dy, x0 + dx : x1 + dx]
    return out
