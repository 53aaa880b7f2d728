"""The speed of a whole vessel, followed through time.

A cell sees what passes it; a fast vessel is passed too quickly, and its neighbours
look alike. But blood moves through a vessel as one: correlations of all of its
cells, each read along the vessel, are averaged, and the speed that explains them
best over the pairs of frames around the current one is found as a path through
time (forward and backward sums of a hidden Markov chain). Each cell is given the
average and the path beside what it sees itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sam2flow_core.config.model import COST_VOLUME
from sam2flow_core.model.sparse_cells import SparseCells, Thinning, take

_AGREEMENTS = (0.95, 0.8, 0.5, 0.0)
"""Cells hand their direction on to neighbours that run like them first, to those round a corner last."""
_SWEEPS = 16
"""Times that directions are handed on before it is asked whether any cell was reached."""
_JUMP = 1e-5
"""Share of the chance that goes anywhere in one step: a path that was wrong comes back."""


@dataclass(frozen=True)
class WholeVessels:
    """Connected pieces of vessels, and how each cell runs in its piece.

    Attributes
    ----------
    piece : LongTensor (N,)
        Which piece a cell belongs to.
    sign : Tensor (N,)
        1 where the cell's direction is that of its piece, -1 where it runs against it.
    weight : Tensor (N,)
        Share of the cell that lies in the vessel, and of those it stands for.
    first : LongTensor (C,)
        A cell of each piece, of all cells.
    """

    piece: Tensor
    sign: Tensor
    weight: Tensor
    first: Tensor

    def thinned(self, thinning: Thinning) -> WholeVessels:
        """Of the cells that are compared."""
        kept = thinning.kept
        return WholeVessels(self.piece[kept], self.sign[kept], thinning.gather(self.weight), self.first)

    @property
    def count(self) -> int:
        """Number of pieces C."""
        return int(self.first.shape[0])

    def average(self, volume: Tensor, valid: Tensor) -> Tensor:
        """Mean (C, B, ...) over the cells of each piece of what they see (N, B, ...) where it can be seen (N, B).

        Where few cells see a place, the mean is drawn towards zero: of a short vessel fast speeds leave the picture.
        """
        weight = valid.to(volume) * self.weight[:, None]
        weighted = self._turned(volume * _like(weight, volume))
        total = volume.new_zeros(self.count, *volume.shape[1:]).index_add(0, self.piece, weighted)
        counted = weight.new_zeros(self.count, weight.shape[1]).index_add(0, self.piece, self._turned(weight))
        return total / _like(counted + COST_VOLUME.least_cells, total)

    def to_cells(self, values: Tensor) -> Tensor:
        """Values (C, B, ...) of pieces as each of their cells sees them, (N, B, ...)."""
        return self._turned(values[self.piece])

    def _turned(self, values: Tensor) -> Tensor:
        ahead = (self.sign > 0).view(-1, *[1] * (values.dim() - 1))
        return torch.where(ahead, values, values.flip(1))


def find_whole_vessels(cells: SparseCells, tangent: Tensor) -> WholeVessels:
    """Find the pieces that the cells of each vessel hang together in, and turn their directions alike.

    Parameters
    ----------
    cells : SparseCells
    tangent : Tensor (N, 2)
        Direction of the vessel at each cell, whose sign says nothing.
    """
    near = cells.neighbours
    agree = (take(tangent, near) * tangent[:, None]).sum(-1)
    sign = tangent.new_zeros(cells.count)
    piece = torch.full((cells.count,), -1, dtype=torch.long, device=tangent.device)
    begun = [piece[:0]]
    while bool((left := piece < 0).any()):
        # The first cell that is left of every vessel begins a piece of its own.
        first = torch.full((cells.grid.shape[0],), cells.count, device=piece.device)
        rows = torch.nonzero(left)[:, 0]
        first = first.scatter_reduce(0, cells.vessel[rows], rows, "amin")
        first = first[first < cells.count]
        count = sum(len(part) for part in begun)
        piece[first] = torch.arange(count, count + len(first), device=piece.device)
        sign[first] = 1.0
        begun.append(first)
        piece, sign = _spread(piece, sign, near, agree)
    return WholeVessels(piece, sign, cells.coverage, torch.cat(begun))


def _spread(piece: Tensor, sign: Tensor, near: Tensor, agree: Tensor) -> tuple[Tensor, Tensor]:
    """Hand pieces and signs on until no cell is left that a piece touches."""
    level = 0
    while level < len(_AGREEMENTS):
        # Whether anything happened is asked now and then only: a GPU waits for each answer.
        for _ in range(_SWEEPS if level == 0 else 1):
            at_hand = torch.cat([sign, sign.new_zeros(1)])[near]
            vote = (at_hand * agree * (agree.abs() >= _AGREEMENTS[level])).sum(1)
            reached = (piece < 0) & (vote != 0)
            around = torch.cat([piece, piece.new_full((1,), -1)])[near].max(1).values
            piece, sign = torch.where(reached, around, piece), torch.where(reached, torch.sign(vote), sign)
        level = 0 if bool(reached.any()) else level + 1
    return piece, sign


class SpeedPath(nn.Module):
    """Chance of each speed of a whole vessel, by what is seen of it at all lags over the pairs around the current one.

    Parameters
    ----------
    lags : int
        Their number.
    """

    def __init__(self, lags: int) -> None:
        super().__init__()
        self.trust = nn.Parameter(torch.tensor([60.0, 10.0, 4.0, *[4.0] * lags][:lags]).log())
        self.stiffness = nn.Parameter(torch.tensor(2.25).log())

    def forward(self, seen: Tensor, middle: int) -> Tensor:
        """Log chance (C, B) of each speed at one time.

        Parameters
        ----------
        seen : Tensor (C, B, T, lags)
            Mean correlation of the whole vessel at the pair of frames about each time; 0 where there is none.
        middle : int
            The time that is asked for.

        References
        ----------
        .. [1] L. R. Rabiner, "A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition",
           Proceedings of the IEEE 77(2), 257-286, 1989, :doi:`10.1109/5.18626`.
        """
        floor = seen.mean(1, keepdim=True)
        hints = ((seen - floor) * self.trust.exp()).sum(-1).permute(2, 0, 1)
        chance = torch.softmax(hints, 2)  # (T, C, B)
        steps = torch.arange(seen.shape[1], device=seen.device)
        move = torch.exp(-self.stiffness.exp() * (steps[:, None] - steps).abs())
        move = move / move.sum(1, keepdim=True) + _JUMP
        return torch.log(_sides(chance, move, middle) + 1e-6)


def _sides(chance: Tensor, move: Tensor, middle: int) -> Tensor:
    """Chance (C, B) at time ``middle`` by all times (T, C, B)."""
    here = chance[middle]
    for side in (chance[:middle], chance[middle + 1 :].flip(0)):
        belief = torch.ones_like(here) / here.shape[1]
        for hint in side:
            belief = _normal((belief @ move) * hint)
        here = here * (belief @ move)
    return _normal(here)


def _normal(values: Tensor) -> Tensor:
    return values / values.sum(1, keepdim=True).clamp_min(1e-30)


def _like(values: Tensor, other: Tensor) -> Tensor:
    return values.view(*values.shape, *[1] * (other.dim() - values.dim()))
