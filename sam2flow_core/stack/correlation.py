"""Sub-pixel translation between two frames from their cross-correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal.windows import tukey

from sam2flow_core.config.stack import StabiliserSettings
from sam2flow_core.stack.texture import Image

Spectrum = NDArray[np.complex64]

_FINE_STEPS = 20  # per pixel, before the parabola
_MOST_STEPS_UPHILL = 4
_EMPTY = 1e-3  # share of the mean amplitude below which a frequency is empty


@dataclass(frozen=True)
class Peak:
    """A maximum of the correlation: displacement ``(dy, dx)`` in px and height in standard deviations."""

    dy: float
    dx: float
    height: float


class Correlator:
    """Cross-correlation of frames of one size, whitened by the frame's spectrum.

    The reference is a mean over many frames, so its own spectrum says which frequencies hold tissue; dividing
    by the spectrum of the frame alone keeps that knowledge, where phase correlation would drop it. The peak is
    refined on a fine grid with the matrix form of the Fourier transform (Guizar-Sicairos, Thurman and
    Fienup, Optics Letters 2008), then by a parabola.
    """

    def __init__(self, shape: tuple[int, int], settings: StabiliserSettings) -> None:
        self.shape = shape
        self._settings = settings
        self._size = tuple(fft.next_fast_len(n, real=True) for n in shape)
        self._fy = fft.fftfreq(self._size[0]).astype(np.float32)
        self._fx = fft.rfftfreq(self._size[1]).astype(np.float32)
        # each column of the half-plane stands for two, but for the first, and the last of an even size
        twice = np.full(len(self._fx), 2.0, np.float32)
        twice[0] = 1.0
        if self._size[1] % 2 == 0:
            twice[-1] = 1.0
        self._twice = twice
        tapers = [tukey(n, 2 * settings.window_taper) for n in shape]
        self._window: Image = np.outer(*tapers).astype(np.float32)
        # two windowed noise frames correlate more strongly near no displacement, where the windows overlap
        square = self._window.astype(np.float64) ** 2
        self._overlap = float(np.sqrt(np.prod(self._size) * (square**2).sum()) / square.sum())

    def spectrum(self, image: Image) -> Spectrum:
        """Half-plane Fourier transform of a frame (Y, X) of mean 0 that fades out at its edges."""
        spectrum: Any = fft.rfft2(image * self._window, s=self._size)
        return np.asarray(spectrum, np.complex64)

    def displacement(self, reference: Spectrum, frame: Spectrum, near_only: bool = False) -> Peak:
        """Displacement of `frame` against `reference`.

        The nearest hill is taken unless a far peak stands out by `jump_advantage`: from frame to frame tissue
        moves little, and what moves far and coherently is mostly blood. With `near_only` no far peak is taken.
        """
        amplitude = np.abs(frame)
        mean = float(amplitude.mean())
        cross: Spectrum = np.conj(reference) * frame
        if mean > 0:
            cross = cross / (amplitude + np.float32(_EMPTY * mean))
        power = float((self._twice * (cross.real**2 + cross.imag**2)).sum())
        spread = self._overlap * float(np.sqrt(power))
        if spread == 0:
            return Peak(0.0, 0.0, 0.0)
        surface = fft.irfft2(cross, s=self._size) * np.float32(self._size[0] * self._size[1] / spread)
        dy, dx, height = self._climb(cross, self._start(surface, near_only))
        return Peak(dy, dx, height / spread)

    def _start(self, surface: Image, near_only: bool) -> tuple[int, int]:
        near, far = _highest(surface, self._settings.near_px), _highest(surface, None)
        height = surface[near]
        jumped = height < self._settings.detection or surface[far] > self._settings.jump_advantage * height
        jumped = jumped and not near_only
        y, x = (i - n if i > n // 2 else i for i, n in zip(far if jumped else near, self._size, strict=True))
        return y, x

    def _climb(self, cross: Spectrum, start: tuple[int, int]) -> tuple[float, float, float]:
        """Follow the hill to its top, a pixel at a time."""
        for _ in range(_MOST_STEPS_UPHILL):
            dy, dx, height = self._refine(cross, start)
            if max(abs(dy - start[0]), abs(dx - start[1])) < 1:
                break
            start = (round(dy), round(dx))
        return dy, dx, height

    def _refine(self, cross: Spectrum, start: tuple[int, int]) -> tuple[float, float, float]:
        steps = np.arange(-_FINE_STEPS, _FINE_STEPS + 1, dtype=np.float32) / _FINE_STEPS
        rows = np.exp(2j * np.pi * np.outer(start[0] + steps, self._fy)).astype(np.complex64)
        columns = np.exp(2j * np.pi * np.outer(self._fx, start[1] + steps)).astype(np.complex64)
        patch = (rows @ cross @ (columns * self._twice[:, None])).real
        iy, ix = (int(i) for i in np.unravel_index(int(np.argmax(patch)), patch.shape))
        dy = start[0] + (iy - _FINE_STEPS + _parabola(patch[:, ix], iy)) / _FINE_STEPS
        dx = start[1] + (ix - _FINE_STEPS + _parabola(patch[iy, :], ix)) / _FINE_STEPS
        return dy, dx, float(patch[iy, ix])


def _highest(surface: Image, radius: int | None) -> tuple[int, int]:
    """Index of the maximum, of the whole surface or within `radius` of no displacement."""
    if radius is None:
        y, x = np.unravel_index(int(np.argmax(surface)), surface.shape)
        return int(y), int(x)
    reach = np.arange(-radius, radius + 1)
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
