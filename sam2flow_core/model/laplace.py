"""Mixture of two Laplace distributions: what the network believes of its error.

Reference: SEA-RAFT (Wang, Lipson, Deng, 2024). Here both scales are learned, in px.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_LOG_SCALE = ((-4.0, 1.5), (-1.0, 4.0))
"""Least and largest log scale of the ordinary and of the doubtful part."""


def log_scales(raw: Tensor) -> Tensor:
    """Log scales (N, 2) from the network's output (N, 3), bounded; column 0 is the ordinary part."""
    parts = [lo + (hi - lo) * torch.sigmoid(raw[:, i + 1]) for i, (lo, hi) in enumerate(_LOG_SCALE)]
    return torch.stack(parts, 1)


def negative_log_likelihood(error: Tensor, raw: Tensor) -> Tensor:
    """Of each error (N, 2) px under the mixture (N, 3); the two coordinates share it. Returns (N,)."""
    scales = log_scales(raw)
    weight = torch.stack([F.logsigmoid(raw[:, 0]), F.logsigmoid(-raw[:, 0])], 1)
    size = error.abs().sum(1, keepdim=True)
    return -torch.logsumexp(weight - 2 * scales - size * torch.exp(-scales), 1)


def expected_error(raw: Tensor) -> Tensor:
    """Expected absolute error (N,), px, per coordinate."""
    share = torch.sigmoid(raw[:, 0])
    scale = torch.exp(log_scales(raw))
    return share * scale[:, 0] + (1 - share) * scale[:, 1]
