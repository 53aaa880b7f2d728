"""Appearance of disc scenes: shear, absorption and fluorescence, with a halo, and a camera of rows and bits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

KINDS = (("shear", 0.4), ("absorption", 0.25), ("plasma", 0.2), ("stain", 0.15))


@dataclass(frozen=True)
class DiscAppearance:
    """One use's optics and camera; lengths in px of the clip, brightness relative to full well.

    Attributes
    ----------
    kind : str
        ``shear`` (two images a little apart, one subtracted), ``absorption``, ``plasma`` (bright plasma, dark cells)
        or ``stain`` (bright cells).
    strength : float
        Modulation by one cell.
    level, veil : float
        Brightness of the tissue; glare, as a share of it.
    shear : tuple of float
        ``(x, y)`` px between the two images.
    core, halo, halo_share : float
        Point spread: standard deviations, and what goes into the halo.
    breathing : float
        How far the focus swings, as a share of the core.
    tissue, fibre : float
        Strength of the tissue's mottle, and width of its fibres.
    hold, creep : float
        Thickness in cells of what sticks in the lumen, and of what creeps in it.
    gain, period, phase : float
        Slow drift of the gain, and its period in frames.
    photons, rows, lines : float
        At full well; noise of camera rows from frame to frame, and fixed pattern of columns.
    bits : int
    seed : int
    """

    kind: str
    strength: float
    level: float
    veil: float
    shear: tuple[float, float]
    core: float
    halo: float
    halo_share: float
    breathing: float
    tissue: float
    fibre: float
    hold: float
    creep: float
    gain: float
    period: float
    phase: float
    photons: float
    rows: float
    lines: float
    bits: int
    seed: int


def draw_disc_appearance(
    rng: np.random.Generator, cell_px: float, sticking: bool, drifts: bool, defocus: bool
) -> DiscAppearance:
    """Draw an appearance for a clip whose cells are ``cell_px`` wide."""

    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(math.log(low), math.log(high))))

    kind = str(rng.choice([name for name, _ in KINDS], p=[weight for _, weight in KINDS]))
    bright = kind in ("shear", "absorption")
    angle, apart = rng.uniform(0, 2 * np.pi), between(0.06, 0.3) * cell_px
    core = float(np.clip(between(0.03, 0.18) * cell_px, 0.4, 3.5))
    return DiscAppearance(
        kind,
        between(0.05, 0.4),
        float(rng.uniform(0.2, 0.7)) if bright else between(0.04, 0.13 if kind == "plasma" else 0.2),
        float(rng.uniform(0, 0.4)),
        (apart * math.cos(angle), apart * math.sin(angle)),
        float(np.clip(between(0.18, 0.45) * cell_px, 1.5, 7.0)) if defocus else core,
        between(3.0, 20.0),
        float(rng.uniform(0, 0.45)),
        float(rng.uniform(0, 1.0)) if drifts else 0.0,
        between(0.005, 0.08),
        between(1.5, 12.0),
        between(0.02, 0.6) if sticking else 0.0,
        between(0.02, 0.5) if sticking else 0.0,
        between(0.003, 0.2) if drifts else 0.0,
        between(30.0, 1500.0),
        float(rng.uniform(0, 2 * np.pi)),
        between(2000.0, 20000.0),
        between(0.0002, 0.002) if rng.random() < 0.5 else 0.0,
        between(0.001, 0.02) if rng.random() < 0.5 else 0.0,
        int(rng.choice([8, 8, 10, 12, 16])),
        int(rng.integers(2**31)),
    )


def film_discs(
    matter: Tensor, depth: Tensor, times: Tensor, appearances: Sequence[DiscAppearance], noise: Tensor
) -> Tensor:
    """Film B clips of one size, from what `film_streamlines` is given and to what it returns."""
    return torch.stack([_film(*clip) for clip in zip(matter, depth, times, appearances, noise, strict=True)])


def _film(cells: Tensor, depth: Tensor, times: Tensor, style: DiscAppearance, noise: Tensor) -> Tensor:
    """Film one clip (F, n, n)."""
    device = cells.device
    generator = torch.Generator(device).manual_seed(style.seed)
    n = depth.shape[-1]
    mottle = _bands(torch.randn(3, n, n, generator=generator, device=device), (style.fibre, 3.0, 4.5))
    columns = torch.randn(n, generator=generator, device=device)
    wave = (2 * math.pi * times / style.period + style.phase)[:, None, None]
    if style.hold:
        turning = torch.cos(0.3 * wave) * mottle[1] + torch.sin(0.3 * wave) * mottle[2]
        cells = cells + depth * (style.hold * mottle[1] + style.creep * turning)
    swing = style.core * (1 + style.breathing * torch.sin(0.6 * wave[:, 0, 0]).square()) if style.breathing else None
    light = style.level * (1 + style.tissue * (mottle[0].abs() - 0.8)) * _seen(cells, depth, style)
    light = _spread(light, style, swing)
    if style.veil:
        light = torch.lerp(light, light.mean((1, 2), keepdim=True), style.veil)
    light = light * (1 + style.gain * torch.sin(wave)) * (1 + style.lines * columns)
    # Rows are read out one by one: their noise is cut from the same pool.
    light = light + style.rows * noise[:, :, :1]
    light = light.clamp_(min=0)
    light = light.addcmul_((light / style.photons + 1e-6).sqrt_(), noise)
    top = 2**style.bits - 1
    return light.clamp_(0, 1).mul_(top).round_().div_(top)


def _seen(cells: Tensor, depth: Tensor, style: DiscAppearance) -> Tensor:
    """Brightness relative to the tissue."""
    if style.kind == "shear":
        return 1 + style.strength * (_moved(cells, style.shear, 0.5) - _moved(cells, style.shear, -0.5) - 0.15 * cells)
    if style.kind == "absorption":
        return torch.exp(-style.strength * (cells + 0.15 * depth))
    if style.kind == "plasma":
        return 1 + 6.0 * depth * torch.exp(-4 * style.strength * cells.clamp_min(0))
    return 1 + 12 * style.strength * cells + 0.4 * depth


def _moved(images: Tensor, shear: tuple[float, float], share: float) -> Tensor:
    """Images (F, n, n) moved by a part of the shear, between px by bilinear weights; edges repeat."""
    x, y = share * shear[0], share * shear[1]
    left, top = math.floor(x), math.floor(y)
    reach = max(abs(left), abs(top), abs(left + 1), abs(top + 1))
    n = images.shape[-1]
    padded = F.pad(images[None], (reach,) * 4, mode="replicate")[0]
    moved = torch.zeros_like(images)
    for dy, share_y in ((top, top + 1 - y), (top + 1, y - top)):
        for dx, share_x in ((left, left + 1 - x), (left + 1, x - left)):
            rows, columns = slice(reach - dy, reach - dy + n), slice(reach - dx, reach - dx + n)
            moved.add_(padded[:, rows, columns], alpha=share_y * share_x)
    return moved


def _spread(light: Tensor, style: DiscAppearance, swing: Tensor | None) -> Tensor:
    """Point spread of a core, wider where the focus swings away, and a halo that is made at a quarter of the size."""
    core = _bell(light, style.core)
    if swing is not None:
        share = ((swing / style.core).square() - 1).clamp(0, 1)[:, None, None]
        core = torch.lerp(core, _bell(core, 1.5 * style.core), share)
    if style.halo_share < 0.02:
        return core
    small = F.avg_pool2d(light[:, None], 4)
    wide = _bell(small[:, 0], style.halo / 4)
    return torch.lerp(core, F.interpolate(wide[:, None], light.shape[-2:], mode="bilinear")[:, 0], style.halo_share)


def _bell(images: Tensor, sigma: float) -> Tensor:
    """Images (F, n, n) under a bell of a standard deviation, made of what lies up to three of them away."""
    reach = min(max(1, math.ceil(3 * sigma)), images.shape[-1] - 1)
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=images.device) / sigma) ** 2)
    n = images.shape[-1]
    # Reflected at the edges, as a band matrix: a product costs less than a convolution of one channel.
    source = torch.arange(n, device=images.device)[:, None] + torch.arange(-reach, reach + 1, device=images.device)
    source = source.abs()
    source = torch.where(source > n - 1, 2 * (n - 1) - source, source)
    band = torch.zeros(n, n, device=images.device).scatter_add_(1, source, (taps / taps.sum()).expand(n, -1))
    return band @ images @ band.T


def _bands(white: Tensor, widths: tuple[float, ...]) -> Tensor:
    """Noise of unit variance whose grains are about ``widths`` px wide."""
    n = white.shape[-1]
    down, along = torch.fft.fftfreq(n, device=white.device), torch.fft.rfftfreq(n, device=white.device)
    frequency = torch.hypot(down[:, None], along[None])
    width = torch.tensor(widths, device=white.device)[:, None, None]
    ring = torch.exp(-0.5 * ((frequency * 2 * math.pi * width).log1p() - 1.0) ** 2 / 0.3)
    ring[:, 0, 0] = 0
    field = torch.fft.irfft2(torch.fft.rfft2(white) * ring, s=(n, n))
    result: Tensor = field / field.std((1, 2), keepdim=True).clamp_min(1e-6)
    return result
