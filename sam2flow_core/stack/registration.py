"""How far a frame has moved: its fine structure, compared with a running picture of the tissue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.signal.windows import tukey

from sam2flow_core.config.stack import StabiliserSettings

Image = NDArray[np.float32]
Spectrum = NDArray[np.complex64]
_ROWS_AT_ONCE = 32


def translate(frame: NDArray[Any], dy: float, dx: float) -> NDArray[np.float32]:
    """Return ``out[y, x] = frame[y + dy, x + dx]`` by cubic convolution (Keys 1981), edges repeated.

    A translation is separable, so two passes with four taps do: many times
    faster than spline interpolation and sharper than linear.

    Parameters
    ----------
    frame : ndarray, shape (Y, X)
    dy, dx : float
        In px.

    Returns
    -------
    ndarray of float32, shape (Y, X)

    Examples
    --------
    >>> import numpy as np
    >>> translate(np.arange(5.0)[None].repeat(5, 0), 0.0, 1.0)[2, 1:4]
    array([2., 3., 4.], dtype=float32)
    """
    image = np.asarray(frame)
    (rows, down), (columns, across) = (_taps(n, d) for n, d in zip(image.shape, (dy, dx), strict=True))
    moved = np.empty(image.shape, np.float32)
    # A few rows at a time stay in the processor's cache from one pass to the next.
    for top in range(0, len(moved), _ROWS_AT_ONCE):
        few = moved[top : top + _ROWS_AT_ONCE]
        part = image[rows[top : top + len(few) + 3]].astype(np.float32, copy=False)
        few[:] = _weighed(_weighed(part, down).take(columns, axis=1).T, across).T
    return moved


def _taps(length: int, shift: float) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
    """Samples (N + 3,) from one before each to two after it, and what these four weigh; None where it is one alone."""
    whole = int(np.floor(shift))
    around = np.clip(np.arange(-1, length + 2), 0, length - 1)
    return np.clip(around + whole, 0, length - 1), None if shift == whole else _cubic_taps(shift - whole)


def _weighed(samples: NDArray[np.float32], weights: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Sum of the four samples (N + 3, M) around each place, shape (N, M)."""
    count = len(samples) - 3
    if weights is None:
        return samples[1 : count + 1]
    total: NDArray[np.float32] = samples[:count] * weights[0]
    for step in (1, 2, 3):
        total += samples[step : step + count] * weights[step]
    return total


def _cubic_taps(fraction: float) -> NDArray[np.float32]:
    """Weights of the samples at -1 to 2 for the value at `fraction` (0 to 1)."""
    f = fraction
    before = -0.5 * f**3 + f**2 - 0.5 * f
    here = 1.5 * f**3 - 2.5 * f**2 + 1
    after = -1.5 * f**3 + 2 * f**2 + 0.5 * f
    beyond = 0.5 * f**3 - 0.5 * f**2
    return np.array([before, here, after, beyond], np.float32)


def binned(frame: NDArray[Any], factor: int) -> Image:
    """Mean over blocks of ``factor`` x ``factor`` pixels, as float32; odd edges are dropped."""
    image = np.asarray(frame, dtype=np.float32)
    if factor == 1:
        return image
    height, width = (n // factor for n in image.shape)
    image = image[: height * factor, : width * factor]
    # Every so many rows, then columns, at once: sums of a few neighbours each would take ten times as long.
    rows = sum((image[k::factor] for k in range(1, factor)), start=image[::factor])
    total: Image = sum((rows[:, k::factor] for k in range(1, factor)), start=rows[:, ::factor])
    return total / np.float32(factor**2)


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

        References
        ----------
        .. [1] M. Guizar-Sicairos, S. T. Thurman and J. R. Fienup, "Efficient Subpixel Image Registration Algorithms",
           Optics Letters 33(2), 156-158, 2008, :doi:`10.1364/OL.33.000156`.
        """
        amplitude = np.abs(frame)
        mean = float(amplitude.mean())
        cross: Spectrum = np.conj(reference) * frame
        if mean > 0:
            cross = cross / (amplitude + np.float32(self._settings.empty_share * mean))
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
        for _ in range(self._settings.steps_uphill):
            dy, dx, height = self._refine(cross, start)
            if max(abs(dy - start[0]), abs(dx - start[1])) < 1:
                break
            start = (round(dy), round(dx))
        return dy, dx, height

    def _refine(self, cross: Spectrum, start: tuple[int, int]) -> tuple[float, float, float]:
        fine = self._settings.fine_steps
        steps = np.arange(-fine, fine + 1, dtype=np.float32) / fine
        rows = np.exp(2j * np.pi * np.outer(start[0] + steps, self._fy)).astype(np.complex64)
        columns = np.exp(2j * np.pi * np.outer(self._fx, start[1] + steps)).astype(np.complex64)
        patch = (rows @ cross @ (columns * self._twice[:, None])).real
        iy, ix = (int(i) for i in np.unravel_index(int(np.argmax(patch)), patch.shape))
        dy = start[0] + (iy - fine + _parabola(patch[:, ix], iy)) / fine
        dx = start[1] + (ix - fine + _parabola(patch[iy, :], ix)) / fine
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
        variance = uniform_filter(variance, self._settings.variance_box_px)
        prior = self._settings.prior_frames
        variance = (variance * count + np.median(variance) * prior) / (count + prior)
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


@dataclass(frozen=True)
class Target:
    """Spectrum of a reference, and the tissue coordinates ``(y, x)`` of its first pixel."""

    spectrum: Spectrum
    base: tuple[int, int]


class View:
    """Targets of a `Tissue`, each made when it is first asked for. Stale once a frame has been added to the tissue."""

    def __init__(self, tissue: Tissue, correlator: Correlator) -> None:
        self._tissue, self._correlator = tissue, correlator

    @cached_property
    def coarse(self) -> Target:
        """The tissue seen coarsely."""
        return self._target(self._tissue.coarse)

    @cached_property
    def fine(self) -> Target:
        """The tissue seen finely."""
        return self._target(self._tissue.fine)

    def _target(self, reference: Reference) -> Target:
        return Target(self._correlator.spectrum(reference.weighted()), reference.base)
