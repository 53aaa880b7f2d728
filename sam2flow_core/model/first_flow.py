"""First flow: from the pooled cost volume to a speed along the streamline, in one step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import COST_VOLUME
from sam2flow_core.model.cost_volume import CostVolume
from sam2flow_core.model.layers import begin_at_zero
from sam2flow_core.model.parts import Each, one_by_one

_AT_A_TIME = 128
"""Cells."""


class CostVolumeNet(nn.Module):
    """Reads the cost volume over all speeds and says of each how likely it is.

    It starts as the plain mean of the cost volume and learns corrections to it.
    """

    def __init__(self, channels: int, context: int, hidden: int) -> None:
        super().__init__()
        self.mix = nn.Linear(channels, hidden)
        self.context = nn.Linear(context, hidden)
        self.blocks = nn.ModuleList(_Block(hidden, dilation) for dilation in (1, 2, 4))
        self.head = nn.Linear(hidden, 2)
        self.prior = nn.Parameter(torch.full((channels,), 1.0 / channels))
        self.temperature = nn.Parameter(torch.tensor(20.0))
        self.low_precision: torch.dtype | None = None
        """What the blocks are computed in, in training; the answer is not."""
        begin_at_zero(self.head)

    def forward(
        self, cost_volume: CostVolume | Tensor, context: Tensor, each: Each = one_by_one
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the cost volume says of each speed.

        Parameters
        ----------
        cost_volume : CostVolume, or Tensor (N, B, C)
        context : Tensor (N, X)
            What else is known of each cell.
        each : callable
            How parts of the cells are gone through.

        Returns
        -------
        hidden : Tensor (N, B, hidden)
            Features over speed, for the refinement to look up.
        logits : Tensor (N, B)
            Of each speed.
        shift : Tensor (N, B)
            Where within its bin the speed lies (`likeliest_speed`).
        peak : Tensor (N, C)
            The cost volume at the likeliest speed.
        """
        if torch.is_grad_enabled():
            return self._read(cost_volume[:], context)
        return self._read_in_parts(cost_volume, context, each)

    def _read_in_parts(
        self, cost_volume: CostVolume | Tensor, context: Tensor, each: Each
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As `_read`. Cells do not look at each other here, and few at a time stay in the processor's cache."""
        cells, bins = context.shape[0], cost_volume.shape[1]
        hidden, logits, shift, peak = (
            context.new_empty(cells, *size)
            for size in ((bins, self.mix.out_features), (bins,), (bins,), (self.mix.in_features,))
        )

        def read(rows: Tensor) -> None:
            found = self._read(cost_volume[rows], context[rows])
            for values, part in zip((hidden, logits, shift, peak), found, strict=True):
                values[rows] = part

        each(read, torch.arange(cells, device=context.device).split(_AT_A_TIME))
        return hidden, logits, shift, peak

    def _read(self, cost_volume: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features (N, B, hidden), logits (N, B), shifts within the bins (N, B), and the volume (N, C) at the best."""
        with torch.autocast(cost_volume.device.type, self.low_precision, enabled=self.low_precision is not None):
            x = self.mix(cost_volume) + self.context(context)[:, None]
            for block in self.blocks:
                x = block(x)
        x = x.float() if self.low_precision is not None else x
        out = self.head(x)
        logits = out[..., 0] + self.temperature * (cost_volume @ self.prior)
        peak = cost_volume[torch.arange(cost_volume.shape[0], device=logits.device), logits.argmax(1)]
        return x, logits, out[..., 1], peak


def likeliest_speed(logits: Tensor, shift: Tensor, bins: Tensor) -> Tensor:
    """Speed (N,) px per frame, signed along the path, of what the network says of the speeds ``bins`` (B,)."""
    values = bins + torch.gradient(bins)[0] * torch.tanh(shift)
    best = logits.argmax(1, keepdim=True)
    place = torch.arange(bins.shape[0], device=bins.device)
    near = (place - best).abs() <= COST_VOLUME.bins_around
    share = torch.softmax(logits.masked_fill(~near, -1e4), 1)
    return (share * values).sum(1)


class _Block(nn.Module):
    """Convolution over speed, five taps.

    Done as a convolution over an image one px high, whose channels lie together in memory as they do here: on short
    rows that is several times faster than one over a line.
    """

    def __init__(self, hidden: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(hidden)
        self.conv = nn.Linear(5 * hidden, hidden)
        self.mlp = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        d, hidden = self.dilation, x.shape[2]
        taps = self.conv.weight.view(hidden, 5, hidden).permute(0, 2, 1)[:, :, None]
        lying = self.norm(x).permute(0, 2, 1)[:, :, None]
        seen = F.conv2d(lying, taps, self.conv.bias, dilation=(1, d), padding=(0, 2 * d))
        result: Tensor = x + self.mlp(F.gelu(seen[:, :, 0].permute(0, 2, 1)))
        return result
