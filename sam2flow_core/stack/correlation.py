"""Sub-pixel translation between two frames from their cross-correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal.windows import tukey

from sam2flow_core.config.stack import StabiliserSettings

Spectrum = NDArray[np.complex64]
Image = NDArray[np.float32]

_FINE_STEPS = 20  # per pixel, before the parabola


@dataclass(frozen=True)
class Peak:
    """A maximum of the correlation: displacement ``(dy, dx)`` in px and height in standard deviations."""

    dy: float
    dx: float
    height: float


class Correlator:
    """Band-passed, partly whitened cross-correlation of frames of one size.

    Between plain and phase correlation: the cross-power spectrum is divided by its
    magnitude to the power `whitening`. The peak is refined by evaluating the
    correlation on a fine grid around it with the matrix form of the Fourier
    transform (Guizar-Sicairos, Thurman and Fienup 2008), then by a parabola.
    """

    def __init__(self, shape: tuple[int, int], settings: StabiliserSettings) -> None:
        self._settings = settings
        self._shape = shape
        self._size = tuple(fft.next_fast_len(n, real=True) for n in shape)
        self._fy = fft.fftfreq(self._size[0]).astype(np.float32)
        self._fx = fft.rfftfreq(self._size[1]).astype(np.float32)
        square = self._fy[:, None] ** 2 + self._fx[None, :] ** 2
        low = np.exp(-2 * (np.pi * settings.lowpass_px) ** 2 * square)
        high = 1 - np.exp(-2 * (np.pi * settings.highpass_px) ** 2 * square)
        # each half-plane column but the first (and the last, of an even size) stands for two
        twice = np.full(len(self._fx), 2.0)
        twice[0] = 1.0
        if self._size[1] % 2 == 0:
            twice[-1] = 1.0
        self._twice = twice.astype(np.float32)
        self._band = (low * high).astype(np.float32)
        taper = [tukey(n, 2 * settings.window_taper) for n in shape]
        self.window: Image = np.outer(*taper).astype(np.float32)

    def spectrum(self, image: Image) -> Spectrum:
        """Windowed, band-passed half-plane Fourier transform of a frame (Y, X)."""
        mean = float((image * self.window).sum() / self.window.sum())
        spectrum: Any = fft.rfft2((image - np.float32(mean)) * self.window, s=self._size)
        return spectrum * self._band

    def displacement(self, reference: Spectrum, frame: Spectrum) -> Peak:
        """Displacement of `frame` against `reference`, with no far jump unless it stands out."""
        settings = self._settings
        cross = np.conj(reference) * frame
        cross *= (np.abs(cross) + np.float32(1e-12)) ** np.float32(-settings.whitening)
        spread = float(np.sqrt((self._twice * np.abs(cross) ** 2).sum() / 2))
        if spread == 0:
            return Peak(0.0, 0.0, 0.0)
        surface = fft.irfft2(cross, s=self._size) * np.float32(self._size[0] * self._size[1] / spread)
        near = _highest(surface, settings.near_px)
        far = _highest(surface, None)
        start = far if surface[far] > settings.jump_advantage * surface[near] else near
        dy, dx, height = self._refine(cross, self._signed(start))
        return Peak(dy, dx, height / spread)

    def _signed(self, index: tuple[int, int]) -> tuple[float, float]:
        y, x = (i - n if i > n // 2 else i for i, n in zip(index, self._size, strict=True))
        return float(y), float(x)

    def _refine(self, cross: Spectrum, start: tuple[float, float]) -> tuple[float, float, float]:
        steps = np.arange(-_FINE_STEPS, _FINE_STEPS + 1, dtype=np.float32) / _FINE_STEPS
        ys, xs = start[0] + steps, start[1] + steps
        rows = np.exp(2j * np.pi * np.outer(ys, self._fy)).astype(np.complex64)
        columns = np.exp(2j * np.pi * np.outer(self._fx, xs)).astype(np.complex64) * self._twice[:, None]
        patch = (rows @ cross @ columns).real
        iy, ix = np.unravel_index(int(np.argmax(patch)), patch.shape)
        dy = start[0] + (iy - _FINE_STEPS + _parabola(patch[:, ix], int(iy))) / _FINE_STEPS
        dx = start[1] + (ix - _FINE_STEPS + _parabola(patch[iy, :], int(ix))) / _FINE_STEPS
        return float(dy), float(dx), float(patch[iy, ix])


def _highest(surface: Image, radius: float | None) -> tuple[int, int]:
    """Index of the maximum, of the whole surface or within `radius` of no displacement."""
    if radius is None:
        y, x = np.unravel_index(int(np.argmax(surface)), surface.shape)
        return int(y), int(x)
    reach = np.arange(-int(radius), int(radius) + 1)
    rows, columns = reach % surface.shape[0], reach % surface.shape[1]
    small = surface[np.ix_(rows, columns)]
    y, x = np.unravel_index(int(np.argmax(small)), small.shape)
    return int(rows[y]), int(columns[x])


def _parabola(values: NDArray[Any], top: int) -> float:
    """Offset of the maximum of the parabola through three neighbours, -0.5 to 0.5 samples."""
    if not 0 < top < len(values) - 1:
        return 0.0
    a, b, c = (float(v) for v in values[top - 1 : top + 2])
    bend = a - 2 * b + c
    return 0.5 * (a - c) / bend if bend < 0 else 0.0
