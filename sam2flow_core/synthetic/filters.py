"""Small image operations on (T, H, W) tensors."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def gaussian(images: Tensor, sigma: float) -> Tensor:
    """Blur (T, H, W) with a Gaussian of ``sigma`` px; edges repeat.

    Two matrix products: on clips of a few hundred pixels much faster than a convolution of one channel.
    """
    rows, columns = (_blur_matrix(n, sigma, images.device) for n in images.shape[1:])
    return rows @ images @ columns.T


def _blur_matrix(length: int, sigma: float, device: torch.device) -> Tensor:
    """Return the (length, length) matrix that blurs a line whose ends repeat."""
    half = max(1, math.ceil(3 * sigma))
    x = torch.arange(-half, half + 1, device=device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    source = torch.arange(length, device=device)[:, None] + torch.arange(-half, half + 1, device=device)
    matrix = torch.zeros(length, length, device=device)
    return matrix.scatter_add_(1, source.clamp(0, length - 1), (kernel / kernel.sum()).expand(length, -1))


def directional(images: Tensor, azimuth: float) -> Tensor:
    """Return the derivative of (T, H, W) along ``azimuth`` (radians from the x axis), central differences."""
    dy, dx = torch.gradient(images, dim=(1, 2))
    return math.sin(azimuth) * dy + math.cos(azimuth) * dx


def shifted(image: Tensor, shifts: Tensor, size: tuple[int, int], pad: int) -> Tensor:
    """Move one padded image (H + 2 pad, W + 2 pad) by (T, 2) shifts (dy, dx), bicubic, and crop to (T, H, W)."""
    height, width = image.shape
    rows = torch.arange(size[0], device=image.device, dtype=image.dtype)[None, :, None] + pad - shifts[:, 0, None, None]
    columns = torch.arange(size[1], device=image.device, dtype=image.dtype)[None, None] + pad - shifts[:, 1, None, None]
    rows, columns = torch.broadcast_tensors(rows, columns)
    grid = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], -1)
    source = image[None, None].expand(len(shifts), 1, height, width)
    return functional.grid_sample(source, grid, mode="bicubic", padding_mode="border", align_corners=True)[:, 0]


def texture(size: tuple[int, int], coarsest: float, slope: float, generator: torch.Generator) -> Tensor:
    """Return noise (H, W) of unit variance whose amplitude falls as frequency^-slope above 1 / ``coarsest`` px."""
    noise = torch.randn(size, generator=generator)
    fy = torch.fft.fftfreq(size[0])[:, None]
    fx = torch.fft.rfftfreq(size[1])[None]
    weight = (fy**2 + fx**2 + (1 / coarsest) ** 2) ** (-slope / 2)
    weight[0, 0] = 0
    field = torch.fft.irfft2(torch.fft.rfft2(noise) * weight, s=size)
    result: Tensor = field / field.std().clamp(min=1e-6)
    return result
