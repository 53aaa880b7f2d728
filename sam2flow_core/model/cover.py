"""Which parts of a picture matching features are kept of: the tiles that prompted vessels can reach.

Flow is asked for along vessels only. In a large picture they touch little of it, and features of the whole of it, for
every frame that the lags span, would take gigabytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.strips import Window

_SIDE = 32
"""Cells of a tile."""


@dataclass(frozen=True)
class Cover:
    """Tiles of feature maps, kept below each other in place of the whole: (1, D, tiles x 32, 32).

    The first of the kept tiles is blank: who looks beyond the cover sees nothing there.

    Attributes
    ----------
    size : tuple of int
        ``(rows, columns)`` of the whole maps.
    slots : LongTensor (tile rows, tile columns)
        Place of each tile among those kept; 0 where it is not.
    """

    size: tuple[int, int]
    slots: Tensor

    @property
    def count(self) -> int:
        """Tiles kept, without the blank one."""
        return int(self.slots.max())

    @property
    def tiles(self) -> list[Window]:
        """Where the kept tiles lie, in their order; at the border a tile may be cut."""
        rows, columns = torch.nonzero(self.slots, as_tuple=True)
        order = self.slots[rows, columns].argsort()
        corners = zip((rows[order] * _SIDE).tolist(), (columns[order] * _SIDE).tolist(), strict=True)
        return [Window(y, y + _SIDE, x, x + _SIDE).within(self.size) for y, x in corners]

    def blank(self, channels: int, like: Tensor) -> Tensor:
        """Maps of no tile yet (1, channels, tiles x 32, 32)."""
        # Channels lie side by side: each place is read as a whole.
        return like.new_zeros(1, (self.count + 1) * _SIDE, _SIDE, channels).permute(0, 3, 1, 2)

    def lay(self, number: int, tile: Tensor, maps: Tensor) -> None:
        """Put the ``number``-th kept tile (1, D, rows, columns) into its place in maps."""
        top = (number + 1) * _SIDE
        maps[..., top : top + tile.shape[-2], : tile.shape[-1]] = tile

    def place(self, row: Tensor, column: Tensor) -> Tensor:
        """Flat index in the kept tiles of cells of the whole maps."""
        slot = self.slots[row // _SIDE, column // _SIDE]
        return (slot * _SIDE + row % _SIDE) * _SIDE + column % _SIDE


def cover_vessels(masks: Tensor, stride: int, reach: float, size: tuple[int, int]) -> Cover:
    """Cover all that lies within reach of vessels.

    Parameters
    ----------
    masks : Tensor (V, H, W)
        Above 0.5 where the vessel is.
    stride : int
        Px per cell of the features.
    reach : float
        Px.
    size : tuple of int
        ``(rows, columns)`` of the features.
    """
    side = _SIDE * stride
    touched = torch.zeros(-(-size[0] // _SIDE), -(-size[1] // _SIDE), device=masks.device)
    for mask in masks:
        rows, columns = torch.nonzero(mask > 0.5, as_tuple=True)
        touched[rows // side, columns // side] = 1
    # Whole tiles are added on every side: what lies within reach of any cell of a tile lies in them.
    around = -int(-reach // side)
    near = F.max_pool2d(touched[None, None], 2 * around + 1, stride=1, padding=around)[0, 0] > 0
    slots = torch.zeros(near.shape, dtype=torch.long, device=masks.device)
    slots[near] = torch.arange(1, int(near.sum()) + 1, device=masks.device)
    return Cover(size, slots)
