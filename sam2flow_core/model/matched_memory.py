"""Memory by matching: frames that are remembered are laid over the present one, and their masks come along.

SAM 2's memory looks at tokens of 16 px, and a capillary is 6 px wide. Here the tissue round a vessel is matched from
coarse to fine between the remembered frame and the present one (as optical flow is in PWC-Net; Sun et al., 2018), with
learned features that leave the blood aside; the remembered masks are carried along to a fraction of a px, cell by cell
weighed by how well their frames match (as in space-time memory networks; Oh et al., 2019), and a small U-Net corrects
what they say together. Presence is how well the vessel's surroundings, and the vessel, are found again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_FIRST_REACH = 5
"""Cells of the coarsest level (16 px) that tissue may have moved from where it was remembered."""
_REACH = 2
"""Cells of each finer level by which the answer of the coarser one may be off."""
_SMOOTHED = (9, 9, 7, 7)
"""Cells that are matched together at strides 2, 4, 8, 16: tissue moves as a whole."""
_SHARPNESS = 20.0
"""Of the choice between displacements, as it begins; likeness is -1 to 1."""
_LEAST = 0.02
"""Chance of belonging to the vessel that a remembered mask leaves to every px."""
_EVEN = 15
"""Px over which the brightness of a frame is made even."""
_FEW = 1e-4
_CARRIED = 4
"""Maps of what remembered frames say together, that the decoder begins from."""
_STATED = 6
"""Numbers beside the pooled features from which presence and quality are told."""
STRIDE = 2
"""Px per cell of remembered masks."""


class FrameView(NamedTuple):
    """What matching sees of B frames.

    Attributes
    ----------
    features : tuple of Tensor (B, C, H / s, W / s)
        Of unit length, at strides 2, 4, 8, 16.
    weights : tuple of Tensor (B, 1, H / s, W / s)
        How far each cell is to be relied upon.
    scene : tuple of Tensor (B, C, H / s, W / s)
        For the decoder, at strides 2, 4, 8; none of a frame that is only remembered.
    """

    features: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]
    scene: tuple[Tensor, ...]

    def of(self, rows: Tensor) -> FrameView:
        """Some of the frames, also several times."""
        return FrameView(*(tuple(x[rows] for x in group) for group in self))


class Matched(NamedTuple):
    """How B frames lie in as many remembered ones.

    Attributes
    ----------
    flow : Tensor (B, 2, H / 2, W / 2)
        ``(dx, dy)`` px from each cell to where it was in the remembered frame.
    likeness : Tensor (B, 1, H / 2, W / 2)
        Of the surroundings there, -1 to 1; -1 where they were out of sight.
    coarser : tuple of Tensor
        Flow at strides 4, 8, 16 on the way, for training.
    """

    flow: Tensor
    likeness: Tensor
    coarser: tuple[Tensor, ...]


class RememberedMasks(NamedTuple):
    """Masks of V vessels by memory alone.

    Attributes
    ----------
    logits : Tensor (V, H / 2, W / 2)
    iou : Tensor (V,)
        Logit of the intersection over union that is expected.
    present : Tensor (V,)
        Logit of being visible.
    carried : Tensor (V, H / 2, W / 2)
        Chance of each px as the remembered masks say together: what to remember of this frame. The decoder makes it a
        little smaller or larger, and that would add up from frame to frame.
    """

    logits: Tensor
    iou: Tensor
    present: Tensor
    carried: Tensor


@dataclass(frozen=True)
class RememberedFrame:
    """One remembered frame, as V vessels are asked of it.

    Attributes
    ----------
    view : FrameView
        Of one frame for each image.
    masks : Tensor (V, h, w)
        Chance of each px of being the vessel, at stride 2.
    prompted : Tensor (V,)
        1 where the user said so.
    age : Tensor (V,)
        Frames.
    """

    view: FrameView
    masks: Tensor
    prompted: Tensor
    age: Tensor


class MatchedMemory(nn.Module):
    """Matching of frames, and what it makes of remembered masks.

    Parameters
    ----------
    widths : tuple of int
        Channels at strides 2, 4, 8, 16.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths = widths
        ins = (1, *widths[:-1])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in zip(ins, widths, strict=True))
        self.blocks = nn.ModuleList(_Block(w) for w in widths)
        self.describe = nn.ModuleList(nn.Conv2d(w, w + 1, 1) for w in widths)
        self.sharpness = nn.Parameter(torch.full((len(widths),), math.log(_SHARPNESS)))
        self.belief = nn.Linear(3, 1)
        with torch.no_grad():
            self.belief.weight.copy_(torch.tensor([[8.0, 0.3, -0.1]]))
        given = (widths[0] + 2, *widths[1:3])
        self.enter = nn.ModuleList(
            nn.Conv2d((widths[k - 1] if k else _CARRIED) + g, widths[k], 3, padding=1) for k, g in enumerate(given)
        )
        self.before = nn.ModuleList(_Block(w) for w in widths[:3])
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths[:3]))
        self.after = nn.ModuleList(_Block(w) for w in widths[:2])
        self.head = nn.Conv2d(widths[0], 2, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)
        self.rate = nn.Sequential(nn.Linear(2 * widths[2] + _STATED, 48), nn.ReLU(), nn.Linear(48, 2))

    def view(self, inputs: Tensor) -> FrameView:
        """What there is to match of inputs (B, 3, H, W), see `InputMaker`; sides are multiples of 16.

        Of a frame that is only remembered the first channel is enough (B, 1, H, W): its view has no scene.
        """
        x, levels, features, weights = _even(inputs[:, :1]), list[Tensor](), list[Tensor](), list[Tensor]()
        for down, block, describe in zip(self.down, self.blocks, self.describe, strict=True):
            x = block(F.relu(down(x)))
            levels.append(x)
            said = describe(x)
            told = said[:, :-1] - said[:, :-1].mean((2, 3), keepdim=True)
            features.append(F.normalize(told, dim=1))
            weights.append(torch.sigmoid(said[:, -1:]))
        if inputs.shape[1] == 1:
            return FrameView(tuple(features), tuple(weights), ())
        scene = (torch.cat([levels[0], F.avg_pool2d(inputs[:, 1:], STRIDE)], 1), levels[1], levels[2])
        return FrameView(tuple(features), tuple(weights), scene)

    def match(self, now: FrameView, then: FrameView) -> Matched:
        """Find each cell of present frames in as many remembered ones."""
        flow, coarser = None, list[Tensor]()
        for level in range(len(self.widths) - 1, -1, -1):
            here, there = now.features[level], then.features[level]
            height, width = here.shape[-2:]
            stride = 2 ** (level + 1)
            if flow is None:
                flow, reach = here.new_zeros(len(here), 2, height, width), _FIRST_REACH
            else:
                flow, reach = F.interpolate(flow, (height, width), mode="bilinear", align_corners=False), _REACH
            moved, inside = look_up(torch.cat([there, then.weights[level]], 1), flow / stride)
            trust = now.weights[level] * moved[:, -1:] * inside
            steps, likeness = _correlate(here, moved[:, :-1], trust, reach, _SMOOTHED[level])
            chance = torch.softmax(self.sharpness[level].exp() * likeness, 1)
            flow = flow + stride * torch.einsum("bdhw,dc->bchw", chance, steps)
            coarser.append(flow)
        assert flow is not None
        likeness = (self._likeness(now, then, flow, 0) + self._likeness(now, then, flow, 1)) / 2
        return Matched(flow, likeness, tuple(coarser[-2::-1]))

    def _likeness(self, now: FrameView, then: FrameView, flow: Tensor, level: int) -> Tensor:
        size = now.features[level].shape[-2:]
        fitted = F.interpolate(flow, size, mode="bilinear", align_corners=False)
        moved, inside = look_up(then.features[level], fitted / 2 ** (level + 1))
        like = (now.features[level] * moved).sum(1, keepdim=True) * inside - (1 - inside)
        like = F.avg_pool2d(like, 5, stride=1, padding=2, count_include_pad=False)
        return F.interpolate(like, flow.shape[-2:], mode="bilinear", align_corners=False)

    def forward(
        self, now: FrameView, image: Tensor, recalled: Sequence[RememberedFrame], matched: Sequence[Matched]
    ) -> RememberedMasks:
        """Masks of V vessels in present frames.

        Parameters
        ----------
        now : FrameView
            Of I images.
        image : LongTensor (V,)
            That each vessel lies in.
        recalled : sequence of RememberedFrame
            Remembered frames, at least one.
        matched : sequence of Matched
            How the images lie in each of them.
        """
        carried, beliefs = [], []
        for memory, found in zip(recalled, matched, strict=True):
            moved, inside = look_up(memory.masks[:, None], found.flow[image] / STRIDE)
            likeness = found.likeness[image]
            facts = torch.stack([memory.prompted, memory.age.log1p()], 1)[..., None, None]
            told = torch.cat([likeness, facts.expand(-1, -1, *likeness.shape[-2:])], 1)
            belief = self.belief(told.movedim(1, -1)).movedim(-1, 1)
            carried.append(moved)
            beliefs.append(belief - 4 * (1 - inside))
        share = torch.softmax(torch.stack(beliefs), 0)
        masks, likeness = torch.stack(carried), torch.stack([m.likeness[image] for m in matched])
        mean = (share * masks).sum(0)
        best = (share * likeness).sum(0)
        spread = (share * (masks - mean).abs()).sum(0)
        return self._decode(now, image, mean, best, spread, masks[0])

    def _decode(
        self, now: FrameView, image: Tensor, mean: Tensor, likeness: Tensor, spread: Tensor, first: Tensor
    ) -> RememberedMasks:
        x, skips = torch.cat([mean, likeness, spread, first], 1), list[Tensor]()
        for scene, enter, block in zip(now.scene, self.enter, self.before, strict=True):
            if skips:
                x = F.avg_pool2d(x, 2)
            x = block(F.relu(enter(torch.cat([x, scene[image]], 1))))
            skips.append(x)
        deepest = x
        for level in (1, 0):
            wide = F.interpolate(self.up[level](x), skips[level].shape[-2:], mode="bilinear", align_corners=False)
            x = self.after[level](skips[level] + wide)
        more, gain = self.head(x).split(1, 1)
        chance = mean.clamp(_LEAST, 1 - _LEAST)
        logits = torch.logit(chance) * torch.exp(0.5 * torch.tanh(gain)) + more
        iou, present = self._judge(deepest, mean, likeness, spread, logits)
        return RememberedMasks(logits[:, 0], iou, present, mean[:, 0])

    def _judge(self, deepest: Tensor, mean: Tensor, likeness: Tensor, spread: Tensor, logits: Tensor) -> list[Tensor]:
        """Logits (V,) of the expected quality and of being visible."""
        near = F.avg_pool2d(F.max_pool2d(mean, 9, stride=1, padding=4), 4)
        inside = F.avg_pool2d(mean, 4)
        features = torch.cat([_weighed(deepest, near), _weighed(deepest, inside)], 1)
        sure = torch.sigmoid(logits.detach())
        stated = torch.cat(
            [
                likeness.mean((2, 3)), _weighed(likeness, mean), _weighed(spread, mean + 0.1), mean.sum((2, 3)).log1p(),
                _weighed(sure, mean), _weighed((sure - 0.5).abs(), sure),
            ], 1
        )  # fmt: skip
        return list(self.rate(torch.cat([features, stated], 1)).unbind(1))


def look_up(maps: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (B, C, h, w) read at each cell plus a flow (B, 2, h, w) in cells; and 1 where that lies in them, else 0."""
    height, width = maps.shape[-2:]
    rows = torch.arange(height, device=maps.device, dtype=maps.dtype)[:, None]
    columns = torch.arange(width, device=maps.device, dtype=maps.dtype)
    x, y = columns + flow[:, 0], rows + flow[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    read = F.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=False)
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    return read, inside[:, None].to(maps)


def _correlate(here: Tensor, there: Tensor, trust: Tensor, reach: int, smoothed: int) -> tuple[Tensor, Tensor]:
    """Displacements (D, 2) ``(dx, dy)`` in cells, and likeness (B, D, h, w) under each, of what is pooled together."""
    height, width = here.shape[-2:]
    padded = F.pad(there, (reach,) * 4)
    line = range(2 * reach + 1)
    volume = torch.stack(
        [(here * padded[..., dy : dy + height, dx : dx + width]).sum(1) for dy in line for dx in line], 1
    )
    pooled = _smoothed(torch.cat([volume * trust, trust], 1), smoothed)
    steps = torch.tensor([(dx - reach, dy - reach) for dy in line for dx in line], device=here.device).to(here)
    return steps, pooled[:, :-1] / (pooled[:, -1:] + _FEW)


def _smoothed(x: Tensor, cells: int) -> Tensor:
    half = cells // 2
    along = F.avg_pool2d(x, (1, cells), stride=1, padding=(0, half))
    return F.avg_pool2d(along, (cells, 1), stride=1, padding=(half, 0))


def _even(frame: Tensor) -> Tensor:
    """Frames (B, 1, H, W) without what changes slowly over them, of spread 1."""
    soft = F.avg_pool2d(frame, 2 * _EVEN + 1, stride=1, padding=_EVEN, count_include_pad=False)
    left = frame - soft
    return left / left.square().mean((2, 3), keepdim=True).sqrt().clamp_min(_FEW)


def _weighed(x: Tensor, weight: Tensor) -> Tensor:
    """Mean (V, C) of maps (V, C, h, w), by weight (V, 1, h, w)."""
    return (x * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1.0)


class _Block(nn.Module):
    """A residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = x + self.second(F.relu(self.first(F.relu(x))))
        return changed
