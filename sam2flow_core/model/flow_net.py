"""Flow of the prompted vessels between two frames.

Cost volume along the vessel -> first flow -> motion memory, if any, read once -> a few
updates -> px. All on the cells that vessels touch (`sparse_cells`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sam2flow_core.config.inference import PairSettings
from sam2flow_core.config.model import COST_VOLUME, ModelConfig
from sam2flow_core.model.cost_volume import (
    SEEN,
    CostVolume,
    Streamlines,
    along,
    correlate,
    correlate_series,
    pool_along,
    slow_bins,
    span,
    trace_streamlines,
)
from sam2flow_core.model.features import Cover, PatchEncoder, build_feature_encoder, cover_vessels, read_corners
from sam2flow_core.model.first_flow import CostVolumeNet, likeliest_speed
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.motion_memory import MotionMemory
from sam2flow_core.model.motion_statistics import moving_energy
from sam2flow_core.model.parts import Each, one_by_one
from sam2flow_core.model.sparse_cells import SparseCells, coverage_of, find_cells
from sam2flow_core.model.strips import goes_whole
from sam2flow_core.model.update import Refinement, expected_error, read_cost_volume, roi_lookup, upsample
from sam2flow_core.model.whole_vessel import SpeedPath, WholeVessels, find_whole_vessels

_SITE_FACTS = 4
"""Coverage and how much of the surroundings lies in the vessel, at three widths."""
_LEAST = 1e-6
"""Contrast below which there is none."""
_FIRST_FACTS = 4
"""Speed, confidence and spread of the first flow."""


@dataclass(frozen=True)
class CellLayout:
    """What stays fixed for as long as the masks do: cells, streamlines, facts of each cell (N, 4).

    With a ``cover``, features of its tiles only are at hand; ``whole`` is there where vessels are also seen as a whole,
    by the cells that the streamlines say are asked.
    """

    cells: SparseCells
    streamlines: Streamlines
    facts: Tensor
    vessels: int
    cover: Cover | None = None
    whole: WholeVessels | None = None


@dataclass(frozen=True)
class FlowAnswer:
    """Flow of one pair on the cells.

    Attributes
    ----------
    flows : list of Tensor (N, 2)
        ``(dx, dy)`` px per frame after the first flow and after each update.
    speed : Tensor (N,)
        First flow along each path.
    logits : Tensor (N, B)
        Of each speed bin.
    mixture : tuple of Tensor (N, 3)
        Mixture parameters after each update (`laplace`).
    fine : Tensor (N, 2, s, s)
        Final flow at each px of each cell.
    scale : Tensor (N, s, s)
        Expected absolute error in px.
    hidden : Tensor (N, c)
    """

    flows: tuple[Tensor, ...]
    speed: Tensor
    logits: Tensor
    mixture: tuple[Tensor, ...]
    fine: Tensor
    scale: Tensor
    hidden: Tensor


@dataclass(frozen=True)
class FirstFlow:
    """The answer of the cost volume, before any update.

    Attributes
    ----------
    speed : Tensor (N,)
        px per frame, signed along each path.
    logits : Tensor (N, B)
    seen : Tensor (M, B, c)
        Cost volume as the network sees it, for the updates to look up; of the cells that are asked.
    inputs : Tensor (N, X)
        What is known of each cell.
    hidden : Tensor (N, c)
        State to begin with.
    """

    speed: Tensor
    logits: Tensor
    seen: Tensor
    inputs: Tensor
    hidden: Tensor

    def split(self, cells: int) -> list[FirstFlow]:
        """Of pairs that were answered together, each by itself."""
        parts = (x.split(cells) for x in (self.speed, self.logits, self.seen, self.inputs, self.hidden))
        return [FirstFlow(*part) for part in zip(*parts, strict=True)]


class FlowNet(nn.Module):
    """The flow half of SAM2Flow."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        u, m = config.update, config.match
        self.feature_encoder = build_feature_encoder(m)
        self.context_proj = nn.Sequential(nn.Linear(config.mask.d_model, u.context), nn.GELU())
        channels = 3 * len(m.windows) * len(m.lags)
        if m.whole_vessel:
            channels += len(m.windows) * len(m.lags) + 1
            self.speed_path = SpeedPath(len(m.lags))
        self.pooled_channels = channels
        given = u.context + _SITE_FACTS
        self.cost_volume_net = CostVolumeNet(channels + len(m.lags), given, u.cost_volume_hidden)
        inputs = given + _FIRST_FACTS + channels
        self.start = nn.Linear(inputs, u.hidden)
        self.motion_memory = (
            MotionMemory(u.hidden, u.motion_memory_dim, u.motion_memory_frames, reach=u.motion_memory_reach)
            if u.motion_memory_frames
            else None
        )
        self.refinement = Refinement(u, inputs, m.stride)

    def cover(self, masks: Tensor) -> Cover | None:
        """The tiles that features are needed of to follow vessels (V, H, W); None where the whole picture is small.

        Twice as far as the fastest flow that is tried: updates may lead beyond it.
        """
        m = self.config.match
        size = (masks.shape[1] // m.feature_stride, masks.shape[2] // m.feature_stride)
        if goes_whole(size) or not isinstance(self.feature_encoder, PatchEncoder):
            return None
        return cover_vessels(masks, m.feature_stride, 2 * m.max_displacement, size)

    def describe(self, images: Tensor, cover: Cover | None = None) -> Tensor:
        """Matching features (B, D, rows, columns) of frames (B, 3, H, W); of one frame, of the tiles of a cover."""
        if cover is None:
            # Channels side by side: they are made in half the time, and read without being copied.
            result: Tensor = self.feature_encoder(images.contiguous(memory_format=torch.channels_last))
            return result
        assert isinstance(self.feature_encoder, PatchEncoder)
        return self.feature_encoder.tiles(images, cover)

    def contrast(self, images: Tensor) -> Tensor:
        """What correlations of each cell of frames (B, 3, H, W) count, by what moves around it, (B, h, w)."""
        return moving_energy(images, self.config.match.patch, self.config.match.stride) ** COST_VOLUME.contrast_power

    def lay_out(
        self,
        masks: Tensor,
        image_of_vessel: Tensor,
        feature_size: tuple[int, int],
        cover: Cover | None = None,
        pair: PairSettings | None = None,
    ) -> CellLayout:
        """Prepare vessels.

        Parameters
        ----------
        masks : Tensor (V, H, W)
            0 to 1, or bool; H and W multiples of 32.
        image_of_vessel : LongTensor (V,)
        feature_size : tuple of int
            ``(rows, columns)`` of the matching features.
        cover : Cover, optional
            The tiles of the features that `describe` gives.
        pair : PairSettings, optional
            At which cells the cost volume is made (`thin_out`); at all by default.
        """
        stride = self.config.match.stride
        cells = find_cells(masks, image_of_vessel, stride)
        coverage = coverage_of(masks, stride)
        streamlines = trace_streamlines(cells, coverage, feature_size, self.config.match, cover, pair)
        whole = find_whole_vessels(cells, streamlines.tangent) if self._sees_whole_vessels else None
        if whole is not None and streamlines.thinnings.compared is not None:
            whole = whole.thinned(streamlines.thinnings.compared)
        return CellLayout(cells, streamlines, _cell_facts(coverage, cells), masks.shape[0], cover, whole)

    def remember(self, answer: FlowAnswer, layout: CellLayout) -> list[tuple[Tensor, Tensor]]:
        """What each vessel's motion memory keeps of an answer (`MotionMemory.write`); nothing where there is none."""
        if self.motion_memory is None:
            return []
        return self.motion_memory.write(answer.hidden, answer.flows[-1], layout.cells, layout.vessels)

    @property
    def _sees_whole_vessels(self) -> bool:
        return self.config.match.whole_vessel and self.config.use_whole_vessel

    def correlation(self, features: Mapping[int, Tensor], row: int, k: int, layout: CellLayout) -> Tensor:
        """Correlation (M + C, B_lag) of frame ``k`` with the frame the ``row``-th lag after it.

        At each cell that is compared, then the means over whole vessels, where the network looks at those.
        """
        found = correlate(features[k], features[k + self.config.match.lags[row]], layout.streamlines, row)
        whole = self._of_whole(found, row, layout)
        return found if whole is None else torch.cat([found, whole])

    def _of_whole(self, found: Tensor, row: int, layout: CellLayout) -> Tensor | None:
        """Mean (C, B_lag, ...) over whole vessels of correlations (M, B_lag, ...) at a lag."""
        if layout.whole is None:
            return None
        bins = slow_bins(layout.streamlines, found.shape[1])
        return layout.whole.average(found, layout.streamlines.valid[:, bins, row])

    def cost_volume(
        self,
        volumes: Mapping[tuple[int, int], Tensor],
        t: int,
        layout: CellLayout,
        causal: bool,
        contrast: Mapping[int, Tensor] | None = None,
    ) -> CostVolume:
        """Pool correlations of the pairs around ``t`` in time and along the vessel.

        Correlation does not know contrast: where no cell passes, that of noise and of what stands still is worth as
        much as that of blood. Where the contrast is given, each correlation counts by what there was to compare.

        Parameters
        ----------
        volumes : mapping of (row, k) to Tensor (M + C, B)
            What `correlation` made; pairs that are not there do not count.
        t : int
        layout : CellLayout
        causal : bool
        contrast : mapping of int to Tensor (N,), optional
            By the first frames of the pairs, what moves around each cell (`contrast`).
        """
        weights = contrast if self.config.use_contrast else None
        in_time = (self._means(volumes, t, row, layout, causal, weights) for row in range(len(self.config.match.lags)))
        pooled = tuple(_pooled(*means, layout) for means in in_time)
        path = None
        if layout.whole is not None:
            path = layout.whole.to_cells(self.speed_path(*self._over_time(volumes, t, layout, causal)))
        return CostVolume(pooled, layout.streamlines.valid, path, layout.streamlines.asked_of_compared)

    def _over_time(
        self, volumes: Mapping[tuple[int, int], Tensor], t: int, layout: CellLayout, causal: bool
    ) -> tuple[Tensor, int]:
        """What is seen of whole vessels (C, B, T, lags) about the times around ``t``, and which of them is ``t``."""
        assert layout.whole is not None
        speeds, lags, window = layout.streamlines.bins, self.config.match.lags, max(self.config.match.windows)
        begin = span(t, window, 1, causal)[0]
        seen = speeds.new_zeros(layout.whole.count, len(speeds), window, len(lags))
        for row, lag in enumerate(lags):
            for time in range(window):
                volume = volumes.get((row, begin + time - (lag - 1) // 2))
                if volume is not None:
                    bins = slow_bins(layout.streamlines, volume.shape[1])
                    seen[:, bins, time, row] = volume[len(layout.streamlines.valid) :]
        return seen, t - begin

    def cost_volumes(self, series: Tensor, pairs: Tensor, frames: Tensor, layout: CellLayout) -> Tensor:
        """Cost volumes (P, N, B, C) of P pairs of frames of each image at once, as `cost_volume` has it for one pair.

        Parameters
        ----------
        series : Tensor (images, rows, columns, T, D)
            As `correlate_series` wants it.
        pairs : LongTensor (images, P)
            First frames of the pairs, on the processor.
        frames : LongTensor (images,)
            How many of the T frames there are, on the processor.
        layout : CellLayout
        """
        streamlines, lags, windows = layout.streamlines, self.config.match.lags, self.config.match.windows
        count, images = pairs.shape[1], layout.cells.image
        valid = streamlines.valid.to(streamlines.bins)
        cost_volume = valid.new_zeros(count, *valid.shape[:2], self.pooled_channels + len(lags))
        cost_volume[..., self.pooled_channels :] = SEEN * valid
        margin = max(windows) // 2
        pieces = 0 if layout.whole is None else layout.whole.count
        seen = valid.new_zeros(pieces, valid.shape[1], series.shape[3] + 2 * margin, len(lags))
        of_piece = images[:0] if layout.whole is None else images[layout.whole.first]
        for row, lag in enumerate(lags):
            if lag >= series.shape[3]:
                continue
            # On the processor: which frames are read must be known here.
            share = torch.stack([self._window_shares(pairs, frames, w, lag) for w in windows], 3).flatten(2)
            # Frames that none of the windows holds are not read.
            used = torch.nonzero(share.any(2).any(0))[:, 0]
            begin, end = (int(used[0]), int(used[-1]) + 1) if used.numel() else (0, 1)
            volume = correlate_series(series[..., begin : end + lag, :], streamlines, row, lag)
            in_time = volume @ share[:, begin:end].to(volume)[images]
            rows = slow_bins(streamlines, in_time.shape[1])
            whole = self._of_whole(volume, row, layout)
            if whole is not None:
                there = torch.arange(begin, end) + lag < frames[:, None]
                times = slice(margin + begin + (lag - 1) // 2, margin + end + (lag - 1) // 2)
                seen[:, rows, times, row] = whole * there.to(whole)[of_piece, None]
                whole = whole @ share[:, begin:end].to(volume)[of_piece]
            for width, pooled in enumerate(_pooled(in_time, None, whole, layout)):
                first = width * len(windows) * len(lags) + row
                by_pair = pooled.unflatten(2, (count, len(windows))).permute(2, 0, 1, 3)
                cost_volume[:, :, rows, first : first + len(windows) * len(lags) : len(lags)] = by_pair
        if layout.whole is not None:
            for p, first in enumerate(pairs.T.to(of_piece.device)):
                times = first[of_piece, None] + torch.arange(max(windows), device=of_piece.device)
                around = seen[torch.arange(pieces, device=of_piece.device)[:, None], :, times].permute(0, 2, 1, 3)
                path = self.speed_path(around, margin)
                cost_volume[p, ..., self.pooled_channels - 1] = layout.whole.to_cells(path)
        return cost_volume

    def _window_shares(self, pairs: Tensor, frames: Tensor, window: int, lag: int) -> Tensor:
        """Share (images, T, P) that the pair ``lag`` apart of each first frame has in the mean over a window."""
        window = window if self.config.use_cost_volume_pooling else 1
        place = torch.arange(int(frames.max()))[:, None]
        first = pairs[:, None] + span(0, window, lag, causal=False)[0]
        inside = (place >= first) & (place < first + window) & (place + lag < frames[:, None, None])
        return (inside.double() / inside.sum(1, keepdim=True).clamp_min(1)).float()

    def _means(
        self,
        volumes: Mapping[tuple[int, int], Tensor],
        t: int,
        row: int,
        layout: CellLayout,
        causal: bool,
        contrast: Mapping[int, Tensor] | None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Means (M, B_lag, windows) over each window of the correlations at a lag, else 0; of weights; of vessels.

        The first are those of correlations times weights, where there are weights (M, 1, windows).
        """
        means, weights, compared = [], [], layout.streamlines.compared
        cells, bins = layout.streamlines.target[row].index.shape[:2]
        pieces = 0 if layout.whole is None else layout.whole.count
        total, counted = layout.facts.new_zeros(cells + pieces, bins), set[int]()
        weight = layout.facts.new_zeros(cells, 1)
        for window in self.config.match.windows:
            places = span(t, window if self.config.use_cost_volume_pooling else 1, self.config.match.lags[row], causal)
            # Each window holds the narrower one before it.
            for k in [k for k in places if (row, k) in volumes and k not in counted]:
                if contrast is None:
                    total += volumes[row, k]
                else:
                    share = contrast[k][compared][:, None]
                    total[:cells].addcmul_(volumes[row, k][:cells], share)
                    total[cells:] += volumes[row, k][cells:]
                    weight += share
                counted.add(k)
            means.append(total / max(len(counted), 1))
            weights.append(weight / max(len(counted), 1))
        both = torch.stack(means, 2)
        whole = None if layout.whole is None else both[cells:]
        return both[:cells], None if contrast is None else torch.stack(weights, 2), whole

    def forward(
        self,
        first: Tensor,
        second: Tensor,
        cost_volume: CostVolume | Tensor,
        context: Tensor,
        layout: CellLayout,
        banks: list[list[MemoryEntry]],
        frame: int,
        iterations: int | None = None,
    ) -> FlowAnswer:
        """Flow of one pair.

        Parameters
        ----------
        first, second : Tensor (images, D, rows, columns)
            Matching features of frames t and t + 1.
        cost_volume : CostVolume, or Tensor (N, B, C)
        context : Tensor (images, d_model, h, w)
            Stride-4 features of the image encoder.
        layout : CellLayout
        banks : list over vessels of lists of MemoryEntry
            Motion memory.
        frame : int
        iterations : int, optional
        """
        start = self.first_flow(cost_volume, context, layout)
        return self.remember_and_refine(start, first, second, layout, banks, frame, iterations)

    def remember_and_refine(
        self,
        start: FirstFlow,
        first: Tensor,
        second: Tensor,
        layout: CellLayout,
        banks: list[list[MemoryEntry]],
        frame: int,
        iterations: int | None = None,
    ) -> FlowAnswer:
        """The second half of `forward`, from the first flow on."""
        hidden = start.hidden
        if self.motion_memory is not None and self.config.use_motion_memory:
            hidden = hidden + self.motion_memory.read(hidden, layout.cells, banks, frame)
        return self.refine(start, hidden, first, second, layout, iterations)

    def first_flow(
        self, cost_volume: CostVolume | Tensor, context: Tensor, layout: CellLayout, each: Each = one_by_one
    ) -> FirstFlow:
        """Speed along each path by the cost volume alone; parameters as those of `forward`.

        Cells do not look at each other here: ``each`` says how parts of them are gone through. Those that are not asked
        are answered as the mean of those around them that are. Without a thinning, cost volumes (P N, B, C) of P pairs,
        one after the other, are answered at once: the answer has as many rows.
        """
        given = torch.cat([self._context(context, layout.cells), layout.facts], 1)
        if isinstance(cost_volume, Tensor) and cost_volume.shape[0] > given.shape[0]:
            given = given.repeat(cost_volume.shape[0] // given.shape[0], 1)
        bins, thinning = layout.streamlines.bins, layout.streamlines.thinnings.asked
        read = self.cost_volume_net(cost_volume, given[layout.streamlines.asked], each)
        logits, shift, peak = read[1:] if thinning is None else map(thinning.spread, read[1:])
        speed = likeliest_speed(logits, shift, bins)
        pooled_channels = peak.shape[1] - layout.streamlines.valid.shape[2]
        facts = _first_facts(speed, logits, bins)
        inputs = torch.cat([given, facts, peak[:, :pooled_channels]], 1)
        return FirstFlow(speed, logits, read[0], inputs, torch.tanh(self.start(inputs)))

    def refine(
        self,
        start: FirstFlow,
        hidden: Tensor,
        first: Tensor,
        second: Tensor,
        layout: CellLayout,
        iterations: int | None = None,
    ) -> FlowAnswer:
        """Update the first flow; ``hidden`` (N, c) holds what memory adds, the rest as in `forward`."""
        cells, streamlines = layout.cells, layout.streamlines
        speed, seen, inputs = start.speed, start.seen, start.inputs
        axes = _stream_axes(streamlines, speed)
        end = along(streamlines.path, speed[:, None], cells.stride)[:, 0] - cells.position
        flow = begin = _turn_in(end, axes)
        flows, mixtures = [end], []
        source = read_corners(first, streamlines.source)
        for _ in range(self.config.update.iterations if iterations is None else iterations):
            flow = flow.detach()
            window = self._window(source, second, layout, flow, axes)
            place = _bin_of(flow[:, 0] * torch.where(speed < 0, -1.0, 1.0), streamlines.bins)
            around = read_cost_volume(seen, place, streamlines.thinnings.asked)
            motion = self.refinement.motion_features(window, around, flow, begin.detach())
            hidden = self.refinement.advance(hidden, motion, inputs, cells)
            flow = flow + self.refinement.change(hidden, flow)
            mixtures.append(self.refinement.mixture(hidden))
            flows.append(_turn_out(flow, axes))
        weights = self.refinement.weights(hidden)
        fine = upsample(flows[-1], weights, cells)
        last = mixtures[-1] if mixtures else self.refinement.mixture(hidden)
        scale = upsample(expected_error(last)[:, None], weights.detach(), cells)[:, 0]
        return FlowAnswer(tuple(flows), speed, start.logits, tuple(mixtures), fine, scale, hidden)

    def _context(self, context: Tensor, cells: SparseCells) -> Tensor:
        maps = context.permute(0, 2, 3, 1)
        shrink = self.config.match.stride // 4
        result: Tensor = self.context_proj(maps[cells.image, cells.place[:, 0] * shrink, cells.place[:, 1] * shrink])
        return result

    def _window(self, source: Tensor, second: Tensor, layout: CellLayout, flow: Tensor, axes: Tensor) -> Tensor:
        cells = layout.cells
        target = cells.position + _turn_out(flow, axes)
        radius, stride = self.refinement.radius, self.config.match.feature_stride
        return roi_lookup(source, second, cells.image, cells.position, target, axes, radius, stride, layout.cover)


def _pooled(in_time: Tensor, weights: Tensor | None, whole: Tensor | None, layout: CellLayout) -> tuple[Tensor, ...]:
    """A cost volume (M, B, W) pooled over each cell's surroundings, ever wider, and over its whole vessel (C, B, W).

    With weights (M, 1, W), the volume holds what was multiplied by them.
    """
    along_paths = pool_along(in_time, layout.streamlines)
    if weights is not None:
        shares = pool_along(weights, layout.streamlines)
        along_paths = tuple(x.div_(share.clamp_min(_LEAST)) for x, share in zip(along_paths, shares, strict=True))
    return along_paths if whole is None or layout.whole is None else (*along_paths, layout.whole.to_cells(whole))


def _cell_facts(coverage: Tensor, cells: SparseCells) -> Tensor:
    facts = [cells.coverage]
    for reach in (1, 3, 7):
        spread = nn.functional.avg_pool2d(coverage[:, None], 2 * reach + 1, stride=1, padding=reach)[:, 0]
        facts.append(spread[cells.vessel, cells.place[:, 0], cells.place[:, 1]])
    return torch.stack(facts, 1)


def _stream_axes(streamlines: Streamlines, speed: Tensor) -> Tensor:
    """Unit vectors along (with the stream) and across, (N, 2, 2)."""
    ahead = streamlines.tangent * torch.where(speed < 0, -1.0, 1.0)[:, None]
    return torch.stack([ahead, torch.stack([-ahead[:, 1], ahead[:, 0]], 1)], 1)


def _turn_in(vector: Tensor, axes: Tensor) -> Tensor:
    return torch.einsum("nij,nj->ni", axes, vector)


def _turn_out(vector: Tensor, axes: Tensor) -> Tensor:
    return torch.einsum("nij,ni->nj", axes, vector)


def _bin_of(speed: Tensor, bins: Tensor) -> Tensor:
    """Fractional index of each speed among the bins."""
    inside = speed.clamp(bins[0], bins[-1] - 1e-4)
    low = (torch.searchsorted(bins, inside.contiguous(), right=True) - 1).clamp(0, bins.shape[0] - 2)
    return low + (inside - bins[low]) / (bins[low + 1] - bins[low])


def _first_facts(speed: Tensor, logits: Tensor, bins: Tensor) -> Tensor:
    chance = torch.softmax(logits, 1)
    best, at = chance.max(1)
    mean = (chance * bins).sum(1)
    spread = torch.sqrt((chance * (bins - mean[:, None]) ** 2).sum(1) + 1e-6)
    back = chance.gather(1, (bins.shape[0] - 1 - at)[:, None])[:, 0]
    return torch.stack([torch.asinh(speed.abs()), best, torch.log(spread), back], 1)
