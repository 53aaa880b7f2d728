"""Motion memory: how the blood of each vessel moved in the frames before.

The cell features of a frame are pooled to a few tokens per vessel, so that the
cost of reading stays fixed (after EfficientTAM, Xiong et al., 2024). Attention
is scaled by the log of the memory's length (MemFlow, Dong and Fu, 2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sam2flow_core.model.layers import MLP, Attention, sine_position
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.sparse_cells import SparseCells, take

_BLOCK = 8
"""Cells per side of the block that becomes one token."""
_USUAL_LENGTH = 64


class MotionTokens(NamedTuple):
    """What is remembered of one pair for V vessels at once, padded to as many tokens each.

    Attributes
    ----------
    tokens : Tensor (V, K, dim)
    places : Tensor (V, K, 2)
        ``(x, y)`` px.
    there : BoolTensor (V, K)
        False for padding.
    """

    tokens: Tensor
    places: Tensor
    there: Tensor


class MotionMemory(nn.Module):
    """Write the motion of vessels to memory, read it at the cells of the next frame.

    Parameters
    ----------
    hidden, dim : int
        Width of the hidden state, and of the tokens.
    frames : int
        Ages that are told apart.
    layers : int
    reach : int, optional
        Frames back that are read, beside the prompted ones; all that are there if not given.
    """

    def __init__(self, hidden: int, dim: int, frames: int, layers: int = 2, reach: int | None = None) -> None:
        super().__init__()
        self.dim, self.frames, self.reach = dim, frames, reach
        self.encoder = MLP((hidden + 4, dim, dim), nn.GELU)
        self.query = nn.Linear(hidden, dim)
        self.layers = nn.ModuleList(_ReadLayer(dim) for _ in range(layers))
        self.out = nn.Linear(dim, hidden)
        self.time = nn.Parameter(torch.zeros(frames + 1, dim))
        nn.init.trunc_normal_(self.time, std=0.02)

    def write(self, hidden: Tensor, flow: Tensor, cells: SparseCells, vessels: int) -> list[tuple[Tensor, Tensor]]:
        """Tokens (1, K, dim) and their places (1, K, 2) ``(x, y)`` px, for each vessel.

        Parameters
        ----------
        hidden : Tensor (N, hidden)
        flow : Tensor (N, 2)
            ``(dx, dy)`` px per frame.
        cells : SparseCells
        vessels : int
            Number of vessels V; a vessel without cells gets no tokens (K = 0).
        """
        values = self._encode(hidden, flow, cells)
        blocks = cells.place // _BLOCK
        key = (cells.vessel * 4096 + blocks[:, 0]) * 4096 + blocks[:, 1]
        unique, member = torch.unique(key, return_inverse=True)
        share = torch.bincount(member, minlength=unique.shape[0]).to(values)[:, None]
        tokens = values.new_zeros(unique.shape[0], self.dim).index_add(0, member, values) / share
        places = values.new_zeros(unique.shape[0], 2).index_add(0, member, cells.position) / share
        owner = unique // (4096 * 4096)
        return [(tokens[owner == v][None], places[owner == v][None]) for v in range(vessels)]

    def write_together(self, hidden: Tensor, flow: Tensor, cells: SparseCells) -> MotionTokens:
        """As `write`, but for all vessels as padded tensors: a token for every block of the image."""
        values = self._encode(hidden, flow, cells)
        vessels, height, width = cells.grid.shape
        down, across = (-(-n // _BLOCK) for n in (height, width))
        blocks = cells.place // _BLOCK
        key = (cells.vessel * down + blocks[:, 0]) * across + blocks[:, 1]
        known = torch.cat([values, cells.position.to(values), values.new_ones(cells.count, 1)], 1)
        total = known.new_zeros(vessels * down * across, known.shape[1]).index_add(0, key, known)
        mean = (total[:, :-1] / total[:, -1:].clamp_min(1)).unflatten(0, (vessels, -1))
        return MotionTokens(mean[..., :-2], mean[..., -2:].detach(), (total[:, -1] > 0).unflatten(0, (vessels, -1)))

    def read_together(
        self,
        hidden: Tensor,
        cells: SparseCells,
        rows: VesselRows,
        memories: Sequence[MotionTokens],
        ages: Tensor,
        prompted: Tensor,
    ) -> Tensor:
        """As `read`, but of memories that `write_together` wrote.

        Parameters
        ----------
        hidden : Tensor (N, hidden)
        cells : SparseCells
        rows : VesselRows
            Of these cells.
        memories : sequence of E MotionTokens
            At least one.
        ages : LongTensor (V, E)
            Frames since then.
        prompted : BoolTensor (V, E)
        """
        values, places, there = (torch.stack(x, 1) for x in zip(*memories, strict=True))
        if self.reach is not None:
            there = there & (prompted | (ages <= self.reach))[..., None]
        age = (ages - 1).clamp(0, self.frames - 1)
        times = self.time[torch.where(prompted & (age > 0), self.frames, age)]
        keys = (values + times[:, :, None] + sine_position(places / 8.0, self.dim)).flatten(1, 2)
        values, there = values.flatten(1, 2), there.flatten(1)
        query = take(self.query(hidden) + sine_position(cells.position / 8.0, self.dim), rows.members)
        something = there.any(1, keepdim=True)
        x = query
        for layer in self.layers:
            x = layer(x, keys, values, there | ~something)
        result: Tensor = self.out((x - query) * something[..., None]).flatten(0, 1)[rows.at] * something[cells.vessel]
        return result

    def _encode(self, hidden: Tensor, flow: Tensor, cells: SparseCells) -> Tensor:
        speed = flow.norm(dim=1, keepdim=True)
        motion = torch.cat([torch.asinh(flow), torch.log1p(speed), cells.coverage[:, None]], 1)
        result: Tensor = self.encoder(torch.cat([hidden, motion], 1))
        return result

    def read(self, hidden: Tensor, cells: SparseCells, banks: list[list[MemoryEntry]], frame: int) -> Tensor:
        """What to add to the hidden state (N, hidden): each cell looks at its own vessel's memory, and only at that.

        Parameters
        ----------
        hidden : Tensor (N, hidden)
        cells : SparseCells
        banks : list over vessels of lists of MemoryEntry
        frame : int
            The frame that reads.
        """
        out = torch.zeros_like(hidden)
        for vessel, entries in enumerate(banks):
            rows = torch.nonzero(cells.vessel == vessel)[:, 0]
            entries = [e for e in entries if e.tokens.shape[1] and self._within_reach(e, frame)]
            if not entries or not rows.numel():
                continue
            out = out.index_add(0, rows, self._read_vessel(hidden[rows], cells.position[rows], entries, frame))
        return out

    def _within_reach(self, entry: MemoryEntry, frame: int) -> bool:
        return entry.prompted or self.reach is None or abs(frame - entry.frame) <= self.reach

    def _read_vessel(self, hidden: Tensor, position: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        ages = [min(max(abs(frame - e.frame) - 1, 0), self.frames - 1) for e in entries]
        slots = [self.frames if e.prompted and age else age for e, age in zip(entries, ages, strict=True)]
        times = torch.cat(
            [self.time[s].expand(1, e.tokens.shape[1], -1) for s, e in zip(slots, entries, strict=True)], 1
        )
        values = torch.cat([e.tokens for e in entries], 1)
        places = torch.cat([e.pointer for e in entries], 1)
        keys = values + times + sine_position(places / 8.0, self.dim)
        query = self.query(hidden)[None] + sine_position(position / 8.0, self.dim)[None]
        x = query
        for layer in self.layers:
            x = layer(x, keys, values)
        result: Tensor = self.out(x - query)[0]
        return result


class VesselRows(NamedTuple):
    """Cells by vessel, padded to as many each: `members` (V, M), N for padding, and where each cell is, `at` (N,)."""

    members: Tensor
    at: Tensor


def rows_of_vessels(cells: SparseCells) -> VesselRows:
    """Arrange cells by vessel; the processor waits for the largest vessel to be counted."""
    counts = torch.bincount(cells.vessel, minlength=cells.grid.shape[0])
    most = int(counts.max())
    order = torch.arange(cells.count, device=counts.device)
    # Cells come vessel by vessel.
    at = cells.vessel * most + order - (counts.cumsum(0) - counts)[cells.vessel]
    rows = torch.full((counts.shape[0] * most,), cells.count, device=counts.device)
    rows[at] = order
    return VesselRows(rows.view(counts.shape[0], most), at)


class _ReadLayer(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, 2)
        self.mlp = MLP((dim, 2 * dim, dim), nn.GELU)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, there: Tensor | None = None) -> Tensor:
        """Read (V, K, dim) at (V, M, dim); ``there`` (V, K) is false for keys that are padding."""
        if there is None:
            scale: float | Tensor = math.log(max(keys.shape[1], 2)) / math.log(_USUAL_LENGTH)
            x = x + self.attention(self.norm1(x) * scale, keys, values)
        else:
            length = there.sum(1).clamp_min(2).to(x)[:, None, None]
            scale = length.log() / math.log(_USUAL_LENGTH)
            x = x + self.attention(self.norm1(x) * scale, keys, values, there[:, None, None])
        result: Tensor = x + self.mlp(self.norm2(x))
        return result
