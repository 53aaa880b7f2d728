"""Matching features, what is compared between frames: networks for them, and reading them between grid points.

They are made of the tiles that prompted vessels can reach: flow is asked for along vessels only. In a large picture
they touch little of it, and features of the whole of it, for every frame that the lags span, would take
gigabytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import MatchConfig
from sam2flow_core.model.layers import begin_at_zero
from sam2flow_core.model.strips import Kernel, Window, normalised_by, strips


def cosine_patches(size: int, basis: int) -> Tensor:
    """Cosine kernels under a sine window (basis**2 - 1, 1, size, size), each of mean 0 and length 1.

    The window of both patches of a pair multiplies to a Hann window.
    """
    # On the processor wherever the network is made: arithmetic without values (device "meta") loads torch's compiler.
    x = (torch.arange(size, device="cpu") + 0.5) / size
    window = torch.sin(math.pi * x)
    waves = torch.stack([torch.cos(math.pi * k * x) for k in range(basis)])
    kernels = torch.einsum("iy,jx->ijyx", waves * window, waves * window).reshape(-1, size, size)[1:]
    weight = torch.outer(window, window)
    weight = weight / weight.sum()
    kernels = kernels - kernels.sum((1, 2), keepdim=True) * weight
    return F.normalize(kernels.flatten(1), dim=1).view(-1, 1, size, size)


class PatchEncoder(nn.Module):
    """Fixed patches plus a learned residual, normalised so that a product is a correlation."""

    patches: Tensor

    def __init__(self, config: MatchConfig) -> None:
        super().__init__()
        kernels = cosine_patches(config.patch, config.patch_basis)
        self.register_buffer("patches", kernels, persistent=False)
        self.stride, self.size = config.feature_stride, config.patch
        c, dim = config.hidden, kernels.shape[0]
        self.stem = nn.Conv2d(2, c, 5, stride=config.feature_stride, padding=2)
        self.body = nn.Sequential(
            nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, c, 3, padding=1),
            nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, c, 3, padding=2, dilation=2),
        )  # fmt: skip
        self.head = nn.Sequential(nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, dim, 1))
        begin_at_zero(self.head[-1])
        self.dim = dim

    def forward(self, images: Tensor) -> Tensor:
        """Features of frames.

        Parameters
        ----------
        images : Tensor (B, 3, H, W)
            Channels frame, background, activity. In the memory format ``channels_last`` many frames take half the time.

        Returns
        -------
        Tensor (B, D, H / s, W / s)
            In the memory format of the images, of length 1 at each point; s = ``feature_stride``. Point (i, j)
            describes pixel ``((i + .5) s - .5, ...)``.
        """
        moving = images[:, :1] - images[:, 1:2]
        before = (self.size - self.stride) // 2
        after = self.size - self.stride - before
        with torch.autocast(images.device.type, enabled=False):
            fixed = F.conv2d(F.pad(moving, (before, after, before, after)), self.patches, stride=self.stride)
        given = torch.cat([moving, images[:, :1]], 1)
        # With one channel either layout is both: say which, or features that lie side by side would be taken apart.
        if images.is_contiguous(memory_format=torch.channels_last):
            fixed, given = (x.contiguous(memory_format=torch.channels_last) for x in (fixed, given))
        learned = self.stem(given)
        learned = self.head(learned + self.body(learned))
        return F.normalize(F.normalize(fixed, dim=1, eps=1e-4) + learned, dim=1, eps=1e-4)

    def tiles(self, images: Tensor, cover: Cover) -> Tensor:
        """Features of one frame (1, 3, H, W) in the tiles of a cover, as `forward` has them for the whole of it.

        The norms take their statistics over the whole frame, a strip at a time, so that the frame is gone
        through three times and nothing of it is kept.
        """
        moving = images[:, :1] - images[:, 1:2]
        pixels, cells = (int(images.shape[-2]), int(images.shape[-1])), cover.size
        first, _, narrow, second, _, wide = self.body
        last, _, head = self.head
        before = (self.size - self.stride) // 2
        patches = Kernel(self.patches, None, self.stride, 1, before)
        kernels = [Kernel.of(conv) for conv in (self.stem, narrow, wide)]

        def stem(window: Window) -> Tensor:
            return kernels[0].at(window, pixels, lambda w: torch.cat([w.of(moving), w.of(images[:, :1])], 1))

        one = normalised_by(first, (stem(strip) for strip in strips(cells)))

        def middle(window: Window) -> Tensor:
            return kernels[1].at(window, cells, lambda w: one(stem(w)))

        two = normalised_by(second, (middle(strip) for strip in strips(cells)))

        def learned(window: Window) -> Tensor:
            return stem(window) + kernels[2].at(window, cells, lambda w: two(middle(w)))

        three = normalised_by(last, (learned(strip) for strip in strips(cells)))
        maps = cover.blank(self.dim, images)
        for number, tile in enumerate(cover.tiles):
            with torch.autocast(images.device.type, enabled=False):
                fixed = patches.at(tile, pixels, lambda w: w.of(moving))
            added = head(three(learned(tile)))
            cover.lay(number, F.normalize(F.normalize(fixed, dim=1, eps=1e-4) + added, dim=1, eps=1e-4), maps)
        return maps


class ResNetEncoder(nn.Module):
    """The published encoder: ResNet34 to its third layer, upsampled to the feature stride."""

    def __init__(self, config: MatchConfig) -> None:
        super().__init__()
        # Imported here: with it comes torch's compiler, two hundred megabytes that the shipped network does without.
        from torchvision.models import resnet34

        net = resnet34(weights=None)
        self.stem = nn.Sequential(nn.Conv2d(2, 64, 7, stride=2, padding=3), net.bn1, net.relu)
        self.layer1, self.layer2, self.layer3 = net.layer1, net.layer2, net.layer3
        self.head = nn.Conv2d(256, config.feature_dim, 1)
        self.stride, self.dim = config.feature_stride, config.feature_dim

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, D, H / s, W / s) of frames (B, 3, H, W), of length 1 at each point."""
        h, w = images.shape[-2] // self.stride, images.shape[-1] // self.stride
        x = self.stem(torch.cat([images[:, :1] - images[:, 1:2], images[:, :1]], 1))
        x = self.head(self.layer3(self.layer2(self.layer1(x))))
        return F.normalize(F.interpolate(x, (h, w), mode="bilinear"), dim=1, eps=1e-4)


def build_feature_encoder(config: MatchConfig) -> PatchEncoder | ResNetEncoder:
    """Encoder named by the configuration."""
    return PatchEncoder(config) if config.encoder == "patch" else ResNetEncoder(config)


_SIDE = 32
"""Cells of a tile."""
_CACHED_BYTES = 1 << 21
"""Of features that are read at a time."""
_SHORTEST = 1e-4
"""Length of features below which they are taken for nothing."""


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


@dataclass(frozen=True)
class Corners:
    """Places in feature maps, ready to be read as often as needed.

    Attributes
    ----------
    index : IntTensor (..., 4)
        The four grid points around each place, as flat indices over (images, rows, columns) of the maps that are kept.
        In 32 bits: reading at long indices takes twice the time.
    weight : Tensor (..., 4)
        Their bilinear weights.
    """

    index: Tensor
    weight: Tensor

    def at(self, rows: Tensor | slice) -> Corners:
        """Some of the places."""
        return Corners(self.index[rows], self.weight[rows])


def find_corners(
    image: Tensor, point: Tensor, stride: int, size: tuple[int, int], cover: Cover | None = None
) -> tuple[Corners, Tensor]:
    """Corners of points (..., 2) ``(x, y)`` px, and whether each lies in the image.

    Parameters
    ----------
    image : LongTensor, broadcast against the points
        Row of the batch.
    point : Tensor (..., 2)
    stride : int
        Px per grid point; point (i, j) of the grid lies at pixel ``((i + .5) stride - .5, ...)``.
    size : tuple of int
        ``(rows, columns)`` of the maps. Beyond the border the nearest grid point is read.
    cover : Cover, optional
        Where only these tiles of the maps, of a single image, are kept.
    """
    rows, columns = size
    # Each coordinate by itself, in one piece: on pairs of numbers most operations take several times as long.
    x, y = ((point[..., axis] + 0.5) / stride - 0.5 for axis in (0, 1))
    inside = (x >= -0.5) & (y >= -0.5) & (x <= columns - 0.5) & (y <= rows - 0.5)
    (left, right, share_x), (top, bottom, share_y) = _between(x, columns), _between(y, rows)
    corners = [(row, column) for row in (top, bottom) for column in (left, right)]
    if cover is None:
        first = image.int() * (rows * columns)
        index = [row * columns + column + first for row, column in corners]
    else:
        index = [cover.place(row, column).int() for row, column in corners]
    weight = [down * across for down in (1 - share_y, share_y) for across in (1 - share_x, share_x)]
    return Corners(torch.stack(index, -1), torch.stack(weight, -1)), inside


def _between(place: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The grid points before and after each place, of ``count`` ones, and the share of the second."""
    low = place.floor()
    before = low.int()
    return before.clamp(0, count - 1), (before + 1).clamp(0, count - 1), place - low


def read_corners(maps: Tensor, corners: Corners) -> Tensor:
    """Features (..., D) at places of maps (images, D, rows, columns), scaled back to length 1.

    Between grid points a mean of features is shorter than they are: left so, whole steps of the grid would look
    like better matches than what lies between.
    """
    mixed = mix(rows_of(maps), corners.index, corners.weight)
    return mixed / _length(mixed)[..., None]


def match(features: Tensor, maps: Tensor, corners: Corners) -> Tensor:
    """Correlation (N, K) of features (N, D), of length 1, with maps (images, D, rows, columns) at places (N, K)."""
    table, (count, places) = rows_of(maps), corners.index.shape[:2]
    # What is read is many times the size of the result: few at a time stay in the processor's cache.
    whole = maps.is_cuda or torch.is_grad_enabled()
    step = max(count if whole else _CACHED_BYTES // (4 * max(places, 1) * features.shape[1]), 1)
    found = []
    for part, index, weight in zip(
        features.split(step), corners.index.split(step), corners.weight.split(step), strict=True
    ):
        there = mix(table, index, weight)
        found.append((there * part[:, None]).sum(-1) / _length(there))
    return torch.cat(found)


def rows_of(maps: Tensor) -> Tensor:
    """Maps (images, D, rows, columns) as a table, a row for each place; without a copy if they lie channels last."""
    # In one piece: strided rows are read fifteen times slower.
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1]).contiguous()


def mix(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Weighted sums (..., D) of rows of a table (places, D) at corners (..., 4)."""
    shares = weight.reshape(-1, 4).to(table)
    bags = F.embedding_bag(index.reshape(-1, 4), table, per_sample_weights=shares, mode="sum")
    return bags.view(*index.shape[:-1], table.shape[1])


def _length(features: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(features, dim=-1)
    return length.clamp_min(_SHORTEST)
