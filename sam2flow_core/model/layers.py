"""Layers that several parts share."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MLP(nn.Module):
    """Linear layers with an activation between them."""

    def __init__(self, sizes: tuple[int, ...], act: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        """(..., sizes[0]) to (..., sizes[-1])."""
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        result: Tensor = self.layers[-1](x)
        return result


def begin_at_zero(layer: nn.Module) -> None:
    """Let a linear or convolutional layer answer zero until it has learned better."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class ChannelNorm(nn.Module):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Multi-head attention, batch first, with an optional narrower inside and rotary positions."""

    def __init__(self, dim: int, heads: int, downsample: int = 1, key_dim: int | None = None) -> None:
        super().__init__()
        inner = dim // downsample
        self.heads = heads
        self.q_proj = nn.Linear(dim, inner)
        self.k_proj = nn.Linear(key_dim or dim, inner)
        self.v_proj = nn.Linear(key_dim or dim, inner)
        self.out_proj = nn.Linear(inner, dim)

    def forward(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None = None,
        rotate_q: Tensor | None = None,
        rotate_k: Tensor | None = None,
    ) -> Tensor:
        """Attend.

        Parameters
        ----------
        q : Tensor (B, Q, dim)
        k, v : Tensor (B, K, key_dim)
        mask : BoolTensor broadcastable to (B, heads, Q, K), optional
            True where a query may look.
        rotate_q, rotate_k : complex Tensor (Q, d / 2), (K', d / 2), optional
            Rotary positions; the last K - K' keys (object pointers) are left unrotated.

        References
        ----------
        .. [1] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, :doi:`10.48550/arXiv.1706.03762`.
        """
        q, k, v = (self._split(x) for x in (self.q_proj(q), self.k_proj(k), self.v_proj(v)))
        if rotate_q is not None and rotate_k is not None:
            q = _rotate(q, rotate_q)
            turned = rotate_k.shape[0]
            k = torch.cat([_rotate(k[:, :, :turned], rotate_k), k[:, :, turned:]], 2)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        result: Tensor = self.out_proj(out.transpose(1, 2).flatten(2))
        return result

    def _split(self, x: Tensor) -> Tensor:
        result: Tensor = x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return result


def _rotate(x: Tensor, turns: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * turns).flatten(-2).to(x)


def axial_rotations(height: int, width: int, head_dim: int, theta: float = 10000.0) -> Tensor:
    """Rotary positions of a grid: complex (height * width, head_dim / 2), half for x, half for y.

    Reference: Su et al., RoFormer, 2021; axial form as in SAM 2 (Ravi et al., 2024).

    References
    ----------
    .. [1] J. Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021,
       :doi:`10.48550/arXiv.2104.09864`.
    .. [2] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.

    Examples
    --------
    >>> axial_rotations(2, 3, head_dim=8).shape
    torch.Size([6, 4])
    """
    rates = 1.0 / theta ** (torch.arange(0, head_dim, 4).float()[: head_dim // 4] / head_dim)
    place = torch.arange(height * width).float()
    x, y = place % width, torch.div(place, width, rounding_mode="floor")
    angles = torch.cat([torch.outer(x, rates), torch.outer(y, rates)], 1)
    return torch.polar(torch.ones_like(angles), angles)


def sine_position(position: Tensor, dim: int, longest: float = 10000.0) -> Tensor:
    """Sines and cosines of positions (..., 2) as (..., dim), half for each coordinate.

    Reference: Vaswani et al., 2017; two-dimensional as in DETR (Carion et al., 2020).

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, :doi:`10.48550/arXiv.1706.03762`.
    .. [2] N. Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020,
       :doi:`10.48550/arXiv.2005.12872`.

    Examples
    --------
    >>> sine_position(torch.zeros(1, 2), dim=4)
    tensor([[0., 1., 0., 1.]])
    """
    count = dim // 4
    rates = longest ** (-torch.arange(count, device=position.device) / count)
    angles = position[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(-2)


def grid_position(height: int, width: int, dim: int) -> Tensor:
    """`sine_position` of a grid scaled to 0 .. 2 pi, as (1, dim, height, width)."""
    y = (torch.arange(height) + 1) / (height + 1e-6) * 2 * math.pi
    x = (torch.arange(width) + 1) / (width + 1e-6) * 2 * math.pi
    place = torch.stack(torch.meshgrid(y, x, indexing="ij"), -1)
    count = dim // 2
    rates = 10000.0 ** (2 * (torch.arange(count) // 2) / count)
    angles = place[..., None] / rates
    waves = torch.stack([angles[..., 0::2].sin(), angles[..., 1::2].cos()], -1).flatten(-2)
    return waves.flatten(-2).permute(2, 0, 1)[None]


def age_position(age: Tensor, dim: int) -> Tensor:
    """Sines, then cosines, of ages (N,) as (N, dim). Reference: Vaswani et al., 2017, as in SAM 2.1.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, :doi:`10.48550/arXiv.1706.03762`.
    .. [2] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.

    Examples
    --------
    >>> age_position(torch.zeros(1), dim=4)
    tensor([[0., 0., 1., 1.]])
    """
    count = dim // 2
    rates = 10000.0 ** (2 * (torch.arange(count, device=age.device) // 2) / count)
    angles = age[:, None] / rates
    return torch.cat([angles.sin(), angles.cos()], -1)
