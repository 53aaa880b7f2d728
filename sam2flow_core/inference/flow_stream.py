"""Flow of all vessels, frame by frame, in bounded memory.

Correlations of the pairs around the current one are kept in a window, features
of the frames they need in another; nothing else grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.morphology import skeletonize
from torch import Tensor

from sam2flow_core.config.inference import InferenceSettings, WallSettings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.lanes import Lanes
from sam2flow_core.inference.masks import recorded_logits, vessel_masks
from sam2flow_core.inference.round_trip import answer_back, round_trip_error
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.inference.steps import VesselFlow
from sam2flow_core.model.cost_volume import pairs_around, span
from sam2flow_core.model.flow_net import FlowAnswer, FlowNet
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.parts import Each, one_by_one
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.sparse_cells import SparseCells


@dataclass(frozen=True)
class Crop:
    """Where a vessel's answers lie.

    Attributes
    ----------
    vessel_id : int
    corner : tuple of int
        ``(y, x)`` of the crop in tissue coordinates, in px of the recorded picture.
    mask : ndarray of bool, shape (h, w)
    rows : LongTensor (P, K)
        Index into the working px of all cells, of those that each px of the mask is interpolated from.
    weights : Tensor (P, K, 1)
    slower : Tensor (P, 1)
        What the network's flow is multiplied by there (`slower_at_walls`).
    """

    vessel_id: int
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    rows: Tensor
    weights: Tensor
    slower: Tensor


class _Pixels(NamedTuple):
    """Flow (P, 2) and its expected error (P, 1) at the working px of all cells, in recorded px."""

    flow: Tensor
    scale: Tensor


class _Look(NamedTuple):
    """What is made of a frame: matching features (1, D, rows, columns), and how much moves at each cell (1, h, w)."""

    features: Tensor
    contrast: Tensor


class FrameFeatures:
    """Makes matching features of frames by their time, and keeps those that are asked for again.

    Of large pictures they are made where vessels can reach.

    Parameters
    ----------
    net : FlowNet
    state : InferenceState
        With all vessels that are to be followed; each has a mask.

    Attributes
    ----------
    cover : Cover or None
        The tiles that features are made of; None for the whole picture.
    kept : dict
        Time to features (1, D, rows, columns).
    """

    def __init__(self, net: FlowNet, state: InferenceState) -> None:
        self.net, self.frames = net, state.frames
        masks = vessel_masks(state.vessels.values(), state.frames.size)
        self.cover = net.cover(torch.from_numpy(masks).to(state.frames.device))
        self.kept: dict[int, Tensor] = {}
        self._contrast: dict[int, Tensor] = {}
        self._made: tuple[int, _Look] | None = None

    def of(self, time: int) -> Tensor:
        """Features of the frame at a time; made and not kept where they are not at hand."""
        return self.kept[time] if time in self.kept else self._look(time).features

    def contrast(self, time: int, cells: SparseCells) -> Tensor:
        """How much of what moves shows around each cell (N,) of one picture in the frame at a time."""
        found = self._contrast[time] if time in self._contrast else self._look(time).contrast
        return found[0, cells.place[:, 0], cells.place[:, 1]]

    def keep(self, times: Iterable[int], each: Each) -> None:
        """Have the features of some times at hand in ``kept``."""
        # Frames are read in order: each is registered with what came before it.
        new = {time: self._read(time) for time in times if time not in self.kept}
        made: dict[int, _Look] = {}

        def describe(time: int) -> None:
            made[time] = self._describe(new[time])

        each(describe, new)
        for time in new:
            self.kept[time], self._contrast[time] = made[time]
        self._made = None

    def forget(self, before: int) -> None:
        """Drop what belongs to earlier times."""
        for time in [time for time in self.kept if time < before]:
            del self.kept[time], self._contrast[time]

    def _look(self, time: int) -> _Look:
        """Make what is not kept; the last one is remembered, since both parts of it are asked for."""
        if self._made is None or self._made[0] != time:
            self._made = time, self._describe(self._read(time))
        return self._made[1]

    def _read(self, time: int) -> Tensor:
        return self.frames.inputs(self.frames.grid.frame(time))

    def _describe(self, images: Tensor) -> _Look:
        return _Look(self.net.describe(images, self.cover), self.net.contrast(images))


class FlowStream:
    """Answers pairs of frames for a fixed set of vessels.

    Parameters
    ----------
    model : SAM2Flow
    state : InferenceState
    vessel_ids : sequence of int
        Of the state, at least one, each with a mask.
    settings : InferenceSettings
    features : FrameFeatures
        Of the same vessels, and maybe others; streams that go through the frames together share it.
    lanes : Lanes, optional
        Where there are cores and room for two things at a time.
    goes_ahead : bool
        While a pair is answered, make the correlations that the next one of the plan needs.
    """

    def __init__(
        self,
        model: SAM2Flow,
        state: InferenceState,
        vessel_ids: Sequence[int],
        settings: InferenceSettings,
        features: FrameFeatures,
        lanes: Lanes | None = None,
        goes_ahead: bool = False,
    ) -> None:
        self.net, self.state, self.goes_ahead = model.flow, state, goes_ahead
        self._each: Each = one_by_one if lanes is None else lanes.each
        self._together = 1 if lanes is None else 2
        self.causal, self.check_every = settings.causal, settings.check_every
        self._round_trip = (settings.round_trip_inside, settings.round_trip_pixels)
        self.vessels = {v: state.vessels[v] for v in vessel_ids}
        together = vessel_masks(self.vessels.values(), state.frames.size)
        masks = dict(zip(self.vessels, together, strict=True))
        device = state.frames.device
        stacked = torch.from_numpy(together).to(device)
        stride = model.config.match.feature_stride
        height, width = state.frames.size
        owner = torch.zeros(len(masks), dtype=torch.long, device=device)
        size = (height // stride, width // stride)
        self._walls = settings.walls
        self.layout = self.net.lay_out(stacked, owner, size, features.cover, settings.pair)
        self._updates = settings.pair.updates or model.config.update.asked_iterations
        self.crops = self._lay_crops(masks, settings.crop_margin)
        self.features = features
        self.volumes: dict[tuple[int, int], Tensor] = {}
        self.contrast: dict[int, Tensor] = {}
        self.window, self.lags = max(model.config.match.windows), model.config.match.lags

    def answer(self, t: int, context: Tensor) -> list[VesselFlow]:
        """Flow of every vessel from frame ``t`` to the next, and remember it in each motion memory.

        Where the next frame repeats this one, or frames are missing between them, there is no answer: NaN.

        Parameters
        ----------
        t : int
        context : Tensor (1, d_model, h, w)
            Stride-4 features of the last key frame.
        """
        if not self.layout.cells.count:
            return [self._package(c, t, None) for c in self.crops]
        grid = self.state.frames.grid
        if not grid.steady(t):
            return [self._unanswered(c, t) for c in self.crops]
        time = grid.time(t)
        self.state.ahead.finish()
        self._fill(time)
        first, second = self.features.kept[time], self.features.kept[time + 1]
        cost_volume = self.net.cost_volume(self.volumes, time, self.layout, self.causal, self.contrast)
        start = self.net.first_flow(cost_volume, context, self.layout, self._each)
        # The first flow keeps both lanes busy by itself, what follows does not.
        self._go_ahead(t)
        banks = [v.motion.read() for v in self.vessels.values()]
        try:
            answer = self.net.remember_and_refine(start, first, second, self.layout, banks, t, self._updates)
        except IndexError as error:
            # A displacement that is no number has no place in the frame.
            raise ModelError("the weights give no finite flow: their file is damaged, fetch it anew") from error
        self._remember(answer, t)
        there, back = _pixels(answer, self.state.frames.video.factor), self._way_back(t, context)
        return [self._package(c, t, there, back) for c in self.crops]

    def still(self, t: int) -> list[VesselFlow]:
        """Masks of a frame without flow: the last one, which has no next, or one of a pair that is not asked for."""
        return [
            VesselFlow(c.vessel_id, self._offset(c, t), c.mask, None, *self._scores(c.vessel_id)) for c in self.crops
        ]

    def _way_back(self, t: int, context: Tensor) -> _Pixels | None:
        """Flow from frame ``t + 1`` to ``t``, where this pair is one of those checked; it is not remembered."""
        frames = self.state.frames
        if not self._checks(t):
            return None
        grid = frames.grid
        contrast = partial(self.features.contrast, cells=self.layout.cells)
        ways = (self.features.of, contrast, grid.times, grid.time(t))
        answer = answer_back(self.net, self.layout, *ways, context, self._updates)
        return _pixels(answer, frames.video.factor)

    def _checks(self, t: int) -> bool:
        return not self.causal and self.state.frames.plan.checked(t, self.check_every)

    def _go_ahead(self, t: int) -> None:
        """Begin with the correlations of the pair after the one that begins with frame ``t``."""
        # A pair that is checked reads features of its own frames once more.
        coming = self._coming(t) if self.goes_ahead and not self._checks(t) else None
        if coming is None:
            return
        for frame in range(t + 1, coming + 1):
            self.state.frames.shift(frame)  # registered before any later one, whatever that is read for
        self.state.ahead.begin(partial(self._fill, self.state.frames.grid.time(coming)))

    def _coming(self, t: int) -> int | None:
        """First frame of the next pair of the plan, if it is so near that the frames before it have been read."""
        plan, grid = self.state.frames.plan, self.state.frames.grid
        later = plan.answered[np.searchsorted(plan.answered, t, side="right") :]
        if not len(later) or later[0] >= plan.range_of(t)[1] or not grid.steady(int(later[0])):
            return None
        coming = int(later[0])
        return coming if grid.time(coming) - grid.time(t) < self.window // 2 else None

    def _fill(self, t: int) -> None:
        """Make the correlations around the pair that begins at time ``t``, and drop what no later pair needs."""
        wanted = pairs_around(t, self.state.frames.grid.times, self.lags, self.window, self.causal)
        missing = wanted - self.volumes.keys()
        # Later pairs make their correlations of frames from here on.
        newest = min(span(t, self.window, lag, self.causal)[-1] for lag in self.lags) + 1
        # A pair is made as soon as its second frame is there: many frames go by at the beginning, few need be at hand.
        needed = sorted({t, t + 1, *(k + step for row, k in missing for step in (0, self.lags[row]))})
        for few in (needed[k : k + self._together] for k in range(0, len(needed), self._together)):
            self.features.keep(few, self._each)
            for f in few:
                if f not in self.contrast:
                    self.contrast[f] = self.features.contrast(f, self.layout.cells)
            done = [(row, f - lag) for f in few for row, lag in enumerate(self.lags) if (row, f - lag) in missing]
            self._each(self._correlate, done)
            self.features.forget(min(few[-1] + 1 - max(self.lags), newest, t))
        for place in self.volumes.keys() - wanted:
            del self.volumes[place]
        for time in self.contrast.keys() - {k for _, k in wanted}:
            del self.contrast[time]

    def _correlate(self, pair: tuple[int, int]) -> None:
        self.volumes[pair] = self.net.correlation(self.features.kept, *pair, self.layout)

    def _remember(self, answer: FlowAnswer, t: int) -> None:
        cells = self.layout.cells
        vessels = list(self.vessels.values())
        written = self.net.remember(answer, self.layout)
        if not written:
            return
        doubt = answer.scale.mean((1, 2)) / (1 + answer.flows[-1].norm(dim=1))
        for v, (vessel, (tokens, places)) in enumerate(zip(vessels, written, strict=True)):
            mine = doubt[cells.vessel == v]
            quality = float(torch.exp(-mine.mean())) if mine.numel() else 0.0
            prompted = t in vessel.points or t in vessel.given
            vessel.motion.write(MemoryEntry(t, prompted, quality, tokens, places))

    def _package(self, crop: Crop, t: int, there: _Pixels | None, back: _Pixels | None = None) -> VesselFlow:
        offset, scores = self._offset(crop, t), self._scores(crop.vessel_id)
        vessel = VesselFlow(crop.vessel_id, offset, crop.mask, _moves(crop, there), *scores)
        if back is None:
            return vessel
        flow, home = vessel.flow, replace(vessel, moves=_moves(crop, back)).flow
        assert flow is not None and home is not None
        return replace(vessel, round_trip=round_trip_error(flow, home, crop.mask, *self._round_trip))

    def _unanswered(self, crop: Crop, t: int) -> VesselFlow:
        nothing = np.full((3, len(crop.slower)), np.nan, np.float32)
        return VesselFlow(crop.vessel_id, self._offset(crop, t), crop.mask, nothing, *self._scores(crop.vessel_id))

    def _offset(self, crop: Crop, t: int) -> tuple[int, int]:
        shift = self.state.frames.shift(t)
        top, left = self.state.frames.stack.picture.origin
        return top + crop.corner[0] + round(shift.dy), left + crop.corner[1] + round(shift.dx)

    def _scores(self, vessel_id: int) -> tuple[float, float]:
        vessel = self.vessels[vessel_id]
        return vessel.mask_iou, vessel.object_score

    def _place_crop(self, vessel_id: int, mask: NDArray[np.bool_], margin: int) -> tuple[int, int, int, int]:
        """Box of a vessel's crop over its mask of now; of the size it was prompted with, for files have no other."""
        box, size = bounds(mask, margin), self.state.crops.get(vessel_id)
        if size is None or self.vessels[vessel_id].followed is None:
            return box
        corner = [
            min(max((low + high - length) // 2, 0), whole - length)
            for low, high, length, whole in zip(box[:2], box[2:], size, mask.shape, strict=True)
        ]
        return corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]

    def _lay_crops(self, masks: dict[int, NDArray[np.bool_]], margin: int) -> list[Crop]:
        video, cells = self.state.frames.video, self.layout.cells
        s = cells.stride
        crops = []
        for row, (vessel_id, known) in enumerate(masks.items()):
            mask = (recorded_logits(self.vessels[vessel_id], video) > 0) & known.any()
            top, left, bottom, right = self._place_crop(vessel_id, mask, margin)
            inside = np.zeros_like(mask)
            inside[top:bottom, left:right] = True
            mask &= inside
            y, x = np.nonzero(mask)
            near = video.neighbours(y, x, known)
            cell = cells.grid[row, torch.from_numpy(near.y // s), torch.from_numpy(near.x // s)]
            inner = torch.from_numpy((near.y % s) * s + near.x % s).to(cell.device)
            weights = torch.from_numpy(near.weights)[..., None].to(cell.device)
            crop = mask[top:bottom, left:right].copy()  # not a view: it is kept, and the whole frame would be
            slower = torch.from_numpy(slower_at_walls(crop, video.factor, self._walls))[:, None].to(cell.device)
            crops.append(Crop(vessel_id, (top, left), crop, cell * s * s + inner, weights, slower))
        return crops


def _pixels(answer: FlowAnswer, factor: float) -> _Pixels:
    return _Pixels(answer.fine.permute(0, 2, 3, 1).reshape(-1, 2) * factor, answer.scale.reshape(-1, 1) * factor)


def _moves(crop: Crop, pixels: _Pixels | None) -> NDArray[np.float32]:
    """Flow and its expected error at the pixels of one vessel's mask (3, P)."""
    if pixels is None:
        return np.zeros((3, len(crop.slower)), np.float32)
    flow = (pixels.flow[crop.rows] * crop.weights).sum(1) * crop.slower
    scale = (pixels.scale[crop.rows] * crop.weights).sum(1)
    moves: NDArray[np.float32] = torch.cat([flow, scale], 1).T.float().contiguous().cpu().numpy()
    return moves


def bounds(mask: NDArray[np.bool_], margin: int) -> tuple[int, int, int, int]:
    """Box ``(top, left, bottom, right)`` around a mask with a margin, inside the frame; 1 px for an empty one."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    if not rows.size:
        return 0, 0, 1, 1
    return (
        max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0),
        min(int(rows[-1]) + 1 + margin, height), min(int(columns[-1]) + 1 + margin, width),
    )  # fmt: skip


def slower_at_walls(mask: NDArray[np.bool_], factor: float, settings: WallSettings) -> NDArray[np.float32]:
    """Share of the network's speed that blood has at each pixel of a vessel, 0 to 1.

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)
        In recorded px. Where it ends with the array, the vessel goes on.
    factor : float
        Recorded px to a px of the network, which is what widths are judged in.
    settings : WallSettings

    Returns
    -------
    ndarray of float32, shape (P,)
        In the order of ``np.nonzero(mask)``.
    """
    inside = np.nonzero(mask)
    ridge = skeletonize(mask)
    if not ridge.any() or mask.all():
        return np.ones(len(inside[0]), np.float32)
    depth = distance_transform_edt(mask)
    nearest = distance_transform_edt(~ridge, return_distances=False, return_indices=True)
    radius = np.maximum(depth[tuple(nearest)], depth)[inside]
    width = (2 * radius - 1) / factor
    slip = np.clip((width - settings.narrow_px) * settings.per_px, 0, settings.most)
    outward = np.clip(1 - (depth[inside] - 0.5) / radius, 0, 1)
    return np.asarray(1 - slip * outward**settings.order, np.float32)
