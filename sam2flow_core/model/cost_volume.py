"""Cost volume of speed, pooled along streamlines and over time.

Cells look alike, so a single patch of a single pair of frames cannot tell how far
it moved. But a vessel keeps its place, its cells follow its streamlines, and its
speed changes slowly: the correlation at "moved by v along the vessel" is pooled
over neighbours on the streamline, over pairs of frames, and over lags. What is
pooled is correlation, not features; hidden states are for the motion memory.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag
from torch.utils.checkpoint import checkpoint

from sam2flow_core.config.inference import PairSettings
from sam2flow_core.config.model import COST_VOLUME, MatchConfig
from sam2flow_core.model.features import Corners, Cover, find_corners, match, mix, read_corners
from sam2flow_core.model.sparse_cells import (
    SparseCells,
    Thinning,
    Thinnings,
    direction_field,
    take,
    thin_out,
    trace_paths,
)

_READ_BYTES, _READ_BYTES_TAUGHT, _READ_BYTES_GPU = 1 << 23, 1 << 25, 1 << 29
"""Of features read at a time: what a processor's cache holds; more where each reading makes a gradient as large as all
features; and what keeps a GPU busy."""
SEEN = 0.05
"""What a channel says of places that can be seen; 0 of others."""


def speed_bins(largest: float) -> Tensor:
    """Speeds that are tried, px per frame, symmetric about 0: fine where slow, coarse where fast.

    Examples
    --------
    >>> bins = speed_bins(10.0)
    >>> bool(bins[0] == -bins[-1])
    True
    """
    speeds = [0.0]
    for step, upto in COST_VOLUME.speed_steps:
        while speeds[-1] < min(upto, largest) - 1e-6:
            speeds.append(speeds[-1] + step)
    ahead = torch.tensor(speeds[1:])
    return torch.cat([-ahead.flip(0), torch.zeros(1), ahead])


@dataclass(frozen=True)
class Pool:
    """Cells that each cell is pooled over, P places along its path.

    Attributes
    ----------
    index : IntTensor (N, P)
    weight : Tensor (N, P)
        Share of each; 0 where there is none, or where its own direction runs against the path.
    rows : LongTensor (R,)
        The cells that meet any which run against their path: few.
    turned : IntTensor (R, P)
        Those that they meet, to be read with their speeds reversed.
    turned_weight : Tensor (R, P)
    """

    index: Tensor
    weight: Tensor
    rows: Tensor
    turned: Tensor
    turned_weight: Tensor

    @classmethod
    def of(cls, follow: Tensor, against: Tensor) -> Pool:
        """Of the cells (N, P) that are met, N where there is none, and whether each runs against the path."""
        there = follow < follow.shape[0]
        index = torch.where(there, follow, 0).int()
        weight = there / there.sum(1, keepdim=True).clamp_min(1)
        rows = torch.nonzero((there & against).any(1))[:, 0]
        return cls(index, weight * ~against, rows, index[rows], (weight * against)[rows])

    def read(self, volume: Tensor) -> Tensor:
        """Pool a cost volume (N, B, C); same shape."""
        # One pass over memory instead of one for each place: this is where time goes with many cells. A second table
        # with all speeds reversed would double it.
        table, weight, turned = volume.flatten(1), self.weight.to(volume), self.turned_weight.to(volume)
        pooled = embedding_bag(self.index, table, per_sample_weights=weight, mode="sum")
        against = embedding_bag(self.turned, table, per_sample_weights=turned, mode="sum")
        back = against.view(-1, *volume.shape[1:]).flip(1).flatten(1)
        return pooled.index_add(0, self.rows, back).view_as(volume)


@dataclass(frozen=True)
class Streamlines:
    """Where the matter of each cell may go: fixed for as long as the masks are.

    Attributes
    ----------
    path : Tensor (N, 2 K + 1, 2)
        Streamline ``(x, y)`` in px through each cell, a point per cell size.
    tangent : Tensor (N, 2)
        Unit direction ``(x, y)`` at each cell.
    bins : Tensor (B,)
        Speeds tried, px per frame along the path.
    source : Corners
        What each cell (N,) reads in the first frame.
    thinnings : Thinnings
        Which of the cells are compared, M of them, and which of these are asked.
    target : tuple of Corners
        Per lag, what each compared cell is compared with in the later frame (M, B_lag): of the bins, the slow ones in
        the middle that stay within reach at that lag.
    valid : BoolTensor (M, B, L)
        Whether the point lies in the image and within reach.
    pools : tuple of Pool
        Over which compared cells each is pooled, ever wider; each reads the one before it.
    """

    path: Tensor
    tangent: Tensor
    bins: Tensor
    source: Corners
    thinnings: Thinnings
    target: tuple[Corners, ...]
    valid: Tensor
    pools: tuple[Pool, ...]

    @property
    def compared(self) -> Tensor | slice:
        """Rows of the cells that are compared."""
        return _kept(self.thinnings.compared)

    @property
    def asked(self) -> Tensor | slice:
        """Rows of the cells that are asked."""
        return _kept(self.thinnings.asked)

    @cached_property
    def compared_source(self) -> Corners:
        """What each compared cell (M,) reads in the first frame; looked up once, it is read for every pair."""
        return self.source.at(self.compared)

    @cached_property
    def asked_of_compared(self) -> Tensor | None:
        """Rows (R,) of the cells that are asked among those that are compared; None where all of these are."""
        compared, asked = self.thinnings.compared, self.thinnings.asked
        if asked is None or compared is None:
            return None if asked is None else asked.kept
        return torch.searchsorted(compared.kept, asked.kept)


def _kept(thinning: Thinning | None) -> Tensor | slice:
    return slice(None) if thinning is None else thinning.kept


def trace_streamlines(
    cells: SparseCells,
    coverage: Tensor,
    feature_size: tuple[int, int],
    config: MatchConfig,
    cover: Cover | None = None,
    pair: PairSettings | None = None,
) -> Streamlines:
    """Trace the streamlines of all cells and list the features to compare.

    Parameters
    ----------
    cells : SparseCells
    coverage : Tensor (V, h, w)
        Share of each cell inside each vessel.
    feature_size : tuple of int
        ``(rows, columns)`` of the matching features.
    config : MatchConfig
    cover : Cover, optional
        The tiles of the features that are kept, where not all are.
    pair : PairSettings, optional
        Which cells are compared and asked; all by default.
    """
    field = direction_field(coverage)
    path = trace_paths(cells, field, max(config.max_displacement, max(COST_VOLUME.hops[-1]) * cells.stride))
    middle = path.shape[1] // 2
    tangent = torch.nn.functional.normalize(path[:, middle + 1] - path[:, middle], dim=1)
    bins = speed_bins(config.max_displacement).to(path)
    source, _ = find_corners(cells.image, cells.position, config.feature_stride, feature_size, cover)
    thinnings = Thinnings(None, None) if pair is None else thin_out(cells, coverage, tangent, pair)
    compared = _kept(thinnings.compared)
    ways, image = path[compared], cells.image[compared]
    targets, valids = [], []
    for lag in config.lags:
        near = bins[(bins * lag).abs() <= config.max_displacement + 1e-3]
        point = along(ways, (near * lag).expand(len(ways), -1), cells.stride)
        corners, inside = find_corners(image[:, None], point, config.feature_stride, feature_size, cover)
        targets.append(corners)
        valids.append(_among(inside, bins.shape[0]))
    pools = _pools(cells, path, tangent, thinnings.compared)
    return Streamlines(path, tangent, bins, source, thinnings, tuple(targets), torch.stack(valids, 2), pools)


def along(path: Tensor, distance: Tensor, spacing: float) -> Tensor:
    """Points (N, B, 2) of paths (N, 2 K + 1, 2) at signed arc lengths ``distance`` (N, B) px."""
    middle = path.shape[1] // 2
    place = (distance / spacing + middle).clamp(0, 2 * middle - 1e-3)
    low = place.floor()
    share = (place - low)[..., None]
    low = low.long()[..., None].expand(-1, -1, 2)
    return torch.gather(path, 1, low) * (1 - share) + torch.gather(path, 1, low + 1) * share


def _pools(cells: SparseCells, path: Tensor, tangent: Tensor, thinning: Thinning | None) -> tuple[Pool, ...]:
    follow, against = _meet(cells, path, tangent)
    if thinning is not None:
        # Another cell is stood for by the compared one next to it.
        stands = torch.cat([thinning.nearest, thinning.nearest.new_full((1,), len(thinning.kept))])
        follow, against = stands[follow[thinning.kept]], against[thinning.kept]
    middle = follow.shape[1] // 2
    near = range(-COST_VOLUME.near_cells, COST_VOLUME.near_cells + 1)
    places = ([middle + k for k in hops] for hops in (near, *COST_VOLUME.hops))
    return tuple(Pool.of(follow[:, at], against[:, at]) for at in places)


def _meet(cells: SparseCells, path: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
    """Cells of the same vessel along each path, and whether their direction runs against it."""
    middle, reach = path.shape[1] // 2, max(COST_VOLUME.hops[-1])
    span = path[:, middle - reach : middle + reach + 1]
    cell = ((span + 0.5) / cells.stride).floor().long()
    h, w = cells.grid.shape[1:]
    inside = (cell >= 0).all(-1) & (cell[..., 0] < w) & (cell[..., 1] < h)
    x, y = cell[..., 0].clamp(0, w - 1), cell[..., 1].clamp(0, h - 1)
    follow = torch.where(inside, cells.grid[cells.vessel[:, None], y, x], cells.count)
    heading = torch.gradient(span, dim=1)[0]
    agree = (take(tangent, follow) * heading).sum(-1)
    return follow, agree < 0


def correlate(first: Tensor, second: Tensor, streamlines: Streamlines, row: int) -> Tensor:
    """Correlation of one pair of frames at each cell and speed.

    Parameters
    ----------
    first, second : Tensor (images, D, rows, columns)
        Matching features of frames t and t + the lag.
    streamlines : Streamlines
    row : int
        Which of the lags.

    Returns
    -------
    Tensor (M, B_lag)
        Of the cells that are compared, -1 to 1; 0 where the point cannot be seen. Of the bins, the slow ones in the
        middle that stay within reach at that lag.

    References
    ----------
    .. [1] Z. Teed and J. Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020,
       :doi:`10.48550/arXiv.2003.12039`.
    """
    here = read_corners(first, streamlines.compared_source)
    found = match(here, second, streamlines.target[row])
    return found * streamlines.valid[:, slow_bins(streamlines, found.shape[1]), row]


def correlate_series(series: Tensor, streamlines: Streamlines, row: int, lag: int) -> Tensor:
    """Correlation of all pairs of frames ``lag`` apart, as `correlate` has it for one pair.

    Parameters
    ----------
    series : Tensor (images, rows, columns, T, D)
        Matching features of T frames of each image; with those of all frames side by side, a place is found once and
        read in all frames together.
    streamlines : Streamlines
    row : int
        Which of the lags.
    lag : int
        Frames between first and second, fewer than T.

    Returns
    -------
    Tensor (M, B_lag, T - lag)
    """
    target, source = streamlines.target[row], streamlines.compared_source
    valid = streamlines.valid[:, slow_bins(streamlines, target.index.shape[1]), row]
    frames, dim = series.shape[-2:]
    table = series.reshape(-1, frames * dim)
    # Few cells at a time stay in the processor's cache; a GPU is better off with many.
    taught = _READ_BYTES_TAUGHT if series.requires_grad else _READ_BYTES
    bytes_read = _READ_BYTES_GPU if series.is_cuda else taught
    step = max(1, bytes_read // (4 * frames * dim * target.index.shape[1]))
    parts = []
    for begin in range(0, target.index.shape[0], step):
        rows = slice(begin, begin + step)
        # What was read is many times the size of the result: it is read again for the gradient instead of being kept.
        compare = partial(_compare, dim=dim, lag=lag)
        given = (table, *(x[rows] for x in (source.index, source.weight, target.index, target.weight)))
        found = checkpoint(compare, *given, use_reentrant=False) if table.requires_grad else compare(*given)
        parts.append(found * valid[rows, :, None])
    return torch.cat(parts) if parts else series.new_zeros(0, target.index.shape[1], frames - lag)


def _compare(
    table: Tensor, from_index: Tensor, from_weight: Tensor, to_index: Tensor, to_weight: Tensor, dim: int, lag: int
) -> Tensor:
    """Correlations (n, B, T - lag) of the places (n, 4) with the places (n, B, 4) of a table (cells, T D)."""
    here = mix(table, from_index, from_weight).unflatten(-1, (-1, dim))
    there = mix(table, to_index, to_weight).unflatten(-1, (-1, dim))
    here, there = here[:, : here.shape[1] - lag], there[:, :, lag:]
    here = here * here.square().sum(-1, keepdim=True).clamp_min(1e-8).rsqrt()
    length = there.square().sum(-1).clamp_min(1e-8).rsqrt()
    result: Tensor = (there * here[:, None]).sum(-1) * length
    return result


@dataclass(frozen=True)
class CostVolume:
    """Pooled correlations of the cells that are compared at one moment, kept apart until a few cells are asked for.

    As one tensor it would be much larger than its parts, and most of the time would go into writing it.

    Attributes
    ----------
    pooled : tuple over lags of tuples over widths of Tensor (M, B_lag, windows)
        Of each lag the slow bins only; see `slow_bins`.
    valid : BoolTensor (M, B, L)
        Whether the place can be seen at each lag.
    path : Tensor (M, B), optional
        What the vessel's speed, followed through time, says.
    asked : LongTensor (R,), optional
        The rows that are given; all M by default.
    """

    pooled: tuple[tuple[Tensor, ...], ...]
    valid: Tensor
    path: Tensor | None = None
    asked: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Cells that are given, and speeds B."""
        return len(self.valid if self.asked is None else self.asked), int(self.valid.shape[1])

    def whole(self) -> Tensor:
        """The volume (M, B, C) of all of them."""
        return self[slice(None)]

    def __getitem__(self, cells: slice | Tensor) -> Tensor:
        """The volume (n, B, C) of some of them."""
        cells = cells if self.asked is None else self.asked[cells]
        lags, windows = len(self.pooled), self.pooled[0][0].shape[2]
        valid = self.valid[cells]
        channels = lags * windows * len(self.pooled[0]) + (self.path is not None)
        volume = self.pooled[0][0].new_zeros(*valid.shape[:2], channels + lags)
        volume[..., channels:] = SEEN * valid
        if self.path is not None:
            volume[..., channels - 1] = self.path[cells]
        for row, widths in enumerate(self.pooled):
            side = (valid.shape[1] - widths[0].shape[1]) // 2
            for width, pooled in enumerate(widths):
                first = width * windows * lags + row
                last = first + windows * lags
                volume[:, side : valid.shape[1] - side, first:last:lags] = pooled[cells]
        return volume


def slow_bins(streamlines: Streamlines, count: int) -> slice:
    """Where ``count`` slow bins lie among all."""
    side = (streamlines.bins.shape[0] - count) // 2
    return slice(side, side + count)


def _among(values: Tensor, count: int) -> Tensor:
    """Values (N, b) of the bins in the middle among all ``count`` bins; zero elsewhere."""
    side = (count - values.shape[1]) // 2
    return torch.nn.functional.pad(values, (side, side))


def span(t: int, window: int, lag: int, causal: bool) -> range:
    """First frames of the ``window`` pairs, ``lag`` frames apart, that tell of the motion from ``t`` to ``t + 1``.

    They lie around it evenly, or, if ``causal``, end with frame ``t + 1`` at the latest.
    """
    first = t + 2 - lag - window if causal else t - window // 2 - (lag - 1) // 2
    return range(first, first + window)


def pairs_around(
    t: int, frames: Container[int], lags: Sequence[int], window: int, causal: bool
) -> set[tuple[int, int]]:
    """Pairs (row of the lag, first frame) that tell of the motion from ``t`` to ``t + 1``, both frames recorded."""
    return {
        (row, k)
        for row, lag in enumerate(lags)
        for k in span(t, window, lag, causal)
        if k in frames and k + lag in frames
    }


def pool_along(volume: Tensor, streamlines: Streamlines) -> tuple[Tensor, ...]:
    """Pool a cost volume (M, B, C) over the compared cells met along each path, in three widths.

    Each result has the shape of ``volume``. A cell whose direction runs against
    the path is read with its speeds reversed.
    """
    near, wide, whole = streamlines.pools
    found = near.read(volume)
    wider = wide.read(found)
    return found, wider, whole.read(wider)
