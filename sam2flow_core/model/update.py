"""Recurrent refinement of the flow on the sparse cells.

Everything happens in each cell's own frame: the first axis points along the
blood stream, the second across it, so what is learned holds in any direction.
With the flow comes what the network believes of its error: a mixture of two Laplace distributions, as in SEA-RAFT
(Wang, Lipson, Deng, 2024); here both scales are learned, in px.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import UpdateConfig
from sam2flow_core.model.features import Cover, find_corners, match
from sam2flow_core.model.layers import MLP, begin_at_zero
from sam2flow_core.model.sparse_cells import SparseCells, Thinning, take

_OFFSETS = 5
"""Places of the cost volume that are read around the current speed."""


def roi_lookup(
    first: Tensor,
    second: Tensor,
    image: Tensor,
    position: Tensor,
    target: Tensor,
    axes: Tensor,
    radius: int,
    stride: int,
    cover: Cover | None = None,
) -> Tensor:
    """Correlation of each cell with a small window around its target, turned along the vessel.

    Parameters
    ----------
    first : Tensor (N, D)
        Features of the cells in frame t.
    second : Tensor (images, D, rows, columns)
        Features of frame t + 1.
    image : LongTensor (N,)
    position, target : Tensor (N, 2)
        ``(x, y)`` px; only ``target`` is read, ``position`` is where ``first`` was taken.
    axes : Tensor (N, 2, 2)
        Rows: the unit vectors along and across.
    radius, stride : int
        The window has ``2 radius + 1`` points a side, ``stride`` px apart.
    cover : Cover, optional
        The tiles that ``second`` holds, where it holds not all of the frame.

    Returns
    -------
    Tensor (N, (2 radius + 1)**2)
    """
    steps = torch.arange(-radius, radius + 1, device=target.device, dtype=target.dtype) * stride
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    points = target[:, None] + offsets @ axes
    size = (second.shape[-2], second.shape[-1]) if cover is None else cover.size
    corners, inside = find_corners(image[:, None], points, stride, size, cover)
    return match(first, second, corners) * inside


class SparseConv(nn.Module):
    """3 x 3 convolution on the cells (submanifold sparse convolution; Graham et al., 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(9 * channels, channels)

    def forward(self, x: Tensor, cells: SparseCells) -> Tensor:
        """(N, channels), same shape; missing neighbours count as zero.

        References
        ----------
        .. [1] B. Graham, M. Engelcke and L. van der Maaten, "3D Semantic Segmentation with Submanifold Sparse
           Convolutional Networks", CVPR 2018, :doi:`10.48550/arXiv.1711.10275`.
        """
        result: Tensor = self.linear(take(x, cells.neighbours).flatten(1))
        return result


class UpdateBlock(nn.Module):
    """One residual block: neighbours, then channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv = SparseConv(channels)
        self.mlp = MLP((channels, 2 * channels, channels), nn.GELU)

    def forward(self, x: Tensor, cells: SparseCells) -> Tensor:
        """(N, channels), same shape."""
        result: Tensor = x + self.mlp(F.gelu(self.conv(self.norm(x), cells)))
        return result


class Refinement(nn.Module):
    """Iterative update of the flow and, at the end, its uncertainty and upsampling weights."""

    def __init__(self, config: UpdateConfig, inputs: int, stride: int) -> None:
        super().__init__()
        c = config.hidden
        window = (2 * config.lookup_radius + 1) ** 2
        self.radius, self.stride = config.lookup_radius, stride
        self.motion = MLP((window + _OFFSETS * config.cost_volume_hidden + 4, c, c), nn.GELU)
        self.join = nn.Linear(2 * c + inputs, c)
        self.blocks = nn.ModuleList(UpdateBlock(c) for _ in range(config.blocks))
        self.step = MLP((c, c, 2), nn.GELU)
        self.mixture = MLP((c, c, 3), nn.GELU)
        self.weights = MLP((c, 2 * c, 9 * stride**2), nn.GELU)
        for head in (self.step, self.weights):
            begin_at_zero(head.layers[-1])

    def motion_features(self, window: Tensor, around: Tensor, flow: Tensor, first: Tensor) -> Tensor:
        """Encode what is seen at the current flow (N, 2), in the cell's own frame; ``around`` by `read_cost_volume`."""
        given = torch.cat([torch.asinh(flow), torch.asinh(flow - first)], 1)
        result: Tensor = self.motion(torch.cat([window, around.flatten(1), given], 1))
        return result

    def advance(self, hidden: Tensor, motion: Tensor, inputs: Tensor, cells: SparseCells) -> Tensor:
        """Next hidden state (N, c)."""
        x: Tensor = hidden + self.join(torch.cat([hidden, motion, inputs], 1))
        for block in self.blocks:
            x = block(x, cells)
        return x

    def change(self, hidden: Tensor, flow: Tensor) -> Tensor:
        """Change of the flow (N, 2), px; larger steps where the flow is fast."""
        result: Tensor = self.step(hidden) * (0.5 + 0.1 * flow.norm(dim=1, keepdim=True))
        return result


def read_cost_volume(cost_volume: Tensor, place: Tensor, thinning: Thinning | None = None) -> Tensor:
    """Cost volume (M, B, C) at ``_OFFSETS`` bins around each cell's fractional bin ``place`` (N,): (N, offsets, C).

    With a ``thinning`` a cell that was not asked reads in those that answer for it.
    """
    steps = torch.arange(_OFFSETS, device=place.device) - _OFFSETS // 2
    at = (place[:, None] + steps).clamp(0, cost_volume.shape[1] - 1.001)
    low = at.floor().long()
    share = at - low
    if thinning is None:
        sources, weight = torch.arange(len(place), device=place.device)[:, None], place.new_ones(len(place), 1)
    else:
        sources, weight = thinning.sources.long(), thinning.weight.to(place)
    # What a cell reads, of each of its sources below and above the bin: (N, offsets, sources, 2).
    row = sources[:, None, :, None] * cost_volume.shape[1] + torch.stack([low, low + 1], -1)[:, :, None]
    part = weight[:, None, :, None] * torch.stack([1 - share, share], -1)[:, :, None]
    found = F.embedding_bag(
        row.flatten(2).flatten(0, 1),
        cost_volume.flatten(0, 1),
        per_sample_weights=part.flatten(2).flatten(0, 1).to(cost_volume),
        mode="sum",
    )
    return found.view(len(place), _OFFSETS, cost_volume.shape[2])


def upsample(values: Tensor, weights: Tensor, cells: SparseCells) -> Tensor:
    """Convex upsampling of the listed cells to px (RAFT; Teed and Deng, 2020).

    Parameters
    ----------
    values : Tensor (N, C)
    weights : Tensor (N, 9 * stride**2)
        Logits over the nine neighbours of each px of the cell; neighbours that are not in the list do not count.

    Returns
    -------
    Tensor (N, C, stride, stride)

    References
    ----------
    .. [1] Z. Teed and J. Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020,
       :doi:`10.48550/arXiv.2003.12039`.
    """
    s = cells.stride
    there = cells.neighbours < cells.count
    logits = weights.view(-1, 9, s * s).masked_fill(~there[:, :, None], -1e4)
    share = torch.softmax(logits, 1)
    out = torch.einsum("nkc,nks->ncs", take(values, cells.neighbours), share)
    return out.view(*out.shape[:2], s, s)


_LOG_SCALE = ((-4.0, 1.5), (-1.0, 4.0))
"""Least and largest log scale of the ordinary and of the doubtful part."""


def log_scales(raw: Tensor) -> Tensor:
    """Log scales (N, 2) from the network's output (N, 3), bounded; column 0 is the ordinary part."""
    parts = [lo + (hi - lo) * torch.sigmoid(raw[:, i + 1]) for i, (lo, hi) in enumerate(_LOG_SCALE)]
    return torch.stack(parts, 1)


def negative_log_likelihood(error: Tensor, raw: Tensor) -> Tensor:
    """Of each error (N, 2) px under the mixture (N, 3); the two coordinates share it. Returns (N,).

    References
    ----------
    .. [1] Y. Wang, L. Lipson and J. Deng, "SEA-RAFT: Simple, Efficient, Accurate RAFT for Optical Flow", ECCV 2024,
       :doi:`10.48550/arXiv.2405.14793`.

    Examples
    --------
    >>> bool(negative_log_likelihood(torch.zeros(1, 2), torch.zeros(1, 3)) < 0)
    True
    """
    scales = log_scales(raw)
    weight = torch.stack([F.logsigmoid(raw[:, 0]), F.logsigmoid(-raw[:, 0])], 1)
    size = error.abs().sum(1, keepdim=True)
    return -torch.logsumexp(weight - 2 * scales - size * torch.exp(-scales), 1)


def expected_error(raw: Tensor) -> Tensor:
    """Expected absolute error (N,), px, per coordinate.

    References
    ----------
    .. [1] Y. Wang, L. Lipson and J. Deng, "SEA-RAFT: Simple, Efficient, Accurate RAFT for Optical Flow", ECCV 2024,
       :doi:`10.48550/arXiv.2405.14793`.

    Examples
    --------
    >>> bool(expected_error(torch.zeros(1, 3)) > 0)
    True
    """
    share = torch.sigmoid(raw[:, 0])
    scale = torch.exp(log_scales(raw))
    return share * scale[:, 0] + (1 - share) * scale[:, 1]
