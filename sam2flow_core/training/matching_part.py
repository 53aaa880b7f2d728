"""Training memory by matching: tissue moves, bends and goes out of focus, and vessels vanish and come back.

Vessels are given in one frame of a clip and followed through the others by memory alone, each answer remembered. The
truth is the mask and, as the motion is simulated, the displacement of every cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import MotionLessons, TrainingConfig
from sam2flow_core.model.matched_memory import STRIDE, Matched, MatchedMemory, RememberedFrame, look_up
from sam2flow_core.model.motion_statistics import smoothed
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.training.batch import Figures, Lesson
from sam2flow_core.training.clicks import roughen
from sam2flow_core.training.losses import mask_iou

_SETTLED = 3
"""Rounds in which the way from one moved frame to another is found; motion is smooth."""
_EVERY = 4
"""Px between the places at which displacements are compared."""
_FEW = 1e-6


@dataclass(frozen=True)
class MovedClips:
    """Clips whose tissue moves.

    Attributes
    ----------
    inputs : Tensor (I, F, 3, h, w)
    fields : Tensor (I, F, 2, h, w)
        ``(dx, dy)`` px from each px to where the tissue rests.
    masks : Tensor (F, V, h, w)
    present : Tensor (F, V)
        1 where a vessel is seen, 0 where it is not.
    known : Tensor (F, V)
        0 where it cannot be said whether it is seen.
    steady : BoolTensor (I, F)
        Frames whose tissue is seen, so that its displacement can be learned from.
    numbers : tuple of int
        Of the frames.
    owner : LongTensor (V,)
    """

    inputs: Tensor
    fields: Tensor
    masks: Tensor
    present: Tensor
    known: Tensor
    steady: Tensor
    numbers: tuple[int, ...]
    owner: Tensor


class MatchingPart:
    """Memory by matching; nothing else of the network takes part.

    Parameters
    ----------
    model : SAM2Flow
    config : TrainingConfig
    """

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        self.model, self.config = model, config

    def prepare(self, lesson: Lesson) -> tuple[MovedClips, Tensor, np.random.Generator]:
        """Choose frames, move the tissue, spoil some frames; with the masks (V, h, w) that are given in the first."""
        batch, rng = lesson.batch, lesson.rng
        there = min(batch.frames.tolist())
        numbers = sorted(rng.choice(there, min(self.config.memory_frames, there), replace=False).tolist())
        numbers = numbers[::-1] if rng.random() < 0.5 else numbers
        clips = move(batch.inputs[:, numbers], batch.masks, batch.owner, numbers, self.config.motion, rng)
        clips = spoil(clips, self.config.motion, rng)
        return clips, roughen(clips.masks[0], lesson.draws), rng

    def loss(self, prepared: tuple[MovedClips, Tensor, np.random.Generator]) -> tuple[Tensor, Figures]:
        """Masks, displacements, expected quality and presence, a mean over frames; see `Part`."""
        clips, given, rng = prepared
        memory = self.model.matched_memory
        if memory is None or not len(given):
            return torch.zeros(()), {}
        losses, figures = _Following(memory, clips, self.config.motion, rng).run(given)
        return losses, figures


class _Following:
    """One clip under way."""

    def __init__(
        self, memory: MatchedMemory, clips: MovedClips, lessons: MotionLessons, rng: np.random.Generator
    ) -> None:
        self.memory, self.clips, self.lessons, self.rng = memory, clips, lessons, rng
        count, frames = clips.inputs.shape[:2]
        whole = memory.view(clips.inputs.flatten(0, 1))
        rows = torch.arange(count, device=clips.inputs.device) * frames
        self.views = [whole.of(rows + f) for f in range(frames)]
        self.ages = float(np.exp(rng.uniform(0, np.log(lessons.longest_gap))))

    def run(self, given: Tensor) -> tuple[Tensor, Figures]:
        clips = self.clips
        kept: list[tuple[int, Tensor]] = [(0, F.avg_pool2d(given[:, None], STRIDE)[:, 0])]
        masks, flows, qualities, presences = [], [], [], []
        scores, stays, right = [], [], []
        for frame in range(1, len(clips.numbers)):
            chosen = self._chosen(len(kept))
            matched = [self.memory.match(self.views[frame], self.views[kept[k][0]]) for k in chosen]
            recalled = [self._remembered(frame, *kept[k]) for k in chosen]
            answer = self.memory(self.views[frame], clips.owner, recalled, matched)
            flows += [self._flow_error(frame, kept[k][0], m) for k, m in zip(chosen, matched, strict=True)]
            truth = F.avg_pool2d(clips.masks[frame][:, None], STRIDE)[:, 0]
            seen = clips.present[frame] * clips.known[frame]
            iou = mask_iou((answer.logits.detach() > 0).to(truth), (truth > 0.5).to(truth))
            masks.append(_mask_error(answer.logits, truth, seen))
            quality = F.binary_cross_entropy_with_logits(answer.iou, iou, reduction="none")
            qualities.append(_mean(quality, seen))
            there = F.binary_cross_entropy_with_logits(answer.present, clips.present[frame], reduction="none")
            presences.append(_mean(there, clips.known[frame]))
            scores.append(_mean(iou, seen))
            start = F.avg_pool2d(clips.masks[0][:, None], STRIDE)[:, 0]
            stays.append(_mean(mask_iou((start > 0.5).to(truth), (truth > 0.5).to(truth)), seen))
            right.append(_mean(((answer.present > 0) == (clips.present[frame] > 0.5)).float(), clips.known[frame]))
            # What is not seen is not remembered either, mostly.
            if float(answer.present.detach().mean()) > 0 or self.rng.random() < self.lessons.remembered_anyway:
                kept.append((frame, answer.carried.detach()))
        parts = {"masks": masks, "displacement": flows, "quality": qualities, "presence": presences}
        means = {name: torch.stack(x).mean() for name, x in parts.items()}
        loss = means["masks"] + self.lessons.displacement_weight * means["displacement"]
        loss = loss + 0.3 * means["quality"] + 0.5 * means["presence"]
        figures = {f"{name}_loss": x.detach() for name, x in means.items()}
        figures["iou_memory"], figures["iou_last"] = torch.stack(scores).mean(), scores[-1]
        figures["iou_standing"], figures["presence_right"] = torch.stack(stays).mean(), torch.stack(right).mean()
        return loss, figures

    def _chosen(self, count: int) -> list[int]:
        """The prompted frame, the latest one, and one between."""
        if count <= 2:
            return list(range(count))
        return [0, int(self.rng.integers(1, count - 1)) if count > 3 else 1, count - 1][: 3 if count > 3 else None]

    def _remembered(self, frame: int, then: int, masks: Tensor) -> RememberedFrame:
        age = abs(self.clips.numbers[frame] - self.clips.numbers[then]) * self.ages
        ones = torch.ones(len(masks), device=masks.device)
        return RememberedFrame(self.views[then], masks, ones * float(then == 0), ones * age)

    def _flow_error(self, frame: int, then: int, matched: Matched) -> Tensor:
        """Error of displacements in px, growing slowly where it is large; of frames whose tissue is seen."""
        clips = self.clips
        true, inside = way_between(clips.fields[:, frame], clips.fields[:, then])
        share = inside * (clips.steady[:, frame] & clips.steady[:, then])[:, None, None, None]
        total = true.new_zeros(())
        found = [matched.flow, *matched.coarser]
        for flow in found:
            error = (F.interpolate(flow, true.shape[-2:], mode="bilinear", align_corners=False) - true).square()
            total = total + _mean((error.sum(1, keepdim=True) + 0.01).sqrt().log1p(), share)
        return total / len(found)


def move(
    inputs: Tensor,
    masks: Tensor,
    owner: Tensor,
    numbers: Sequence[int],
    lessons: MotionLessons,
    rng: np.random.Generator,
) -> MovedClips:
    """Clips as they would have been recorded had their tissue moved and bent.

    Background and activity are those of a recording that is not stabilised: the one is blurred, the other grows at
    edges. A window of the middle is left; there is tissue beyond it to come into sight.

    Parameters
    ----------
    inputs : Tensor (I, F, 3, H, W)
    masks : Tensor (V, H, W)
    owner : LongTensor (V,)
    numbers : sequence of int
        Of the F frames.
    lessons : MotionLessons
    rng : numpy.random.Generator
    """
    count, frames, _, side = inputs.shape[:4]
    fields = torch.stack([_draw_field(numbers, side, lessons, rng) for _ in range(count)]).to(inputs)
    flat = fields.flatten(0, 1)

    def moved(x: Tensor) -> Tensor:
        """Maps (I, F, C, H, W) with the tissue moved."""
        found: Tensor = look_up(x.flatten(0, 1), flat)[0].unflatten(0, (count, frames))
        return found

    still, busy = inputs[:, :, 1:2], inputs[:, :, 2:3]
    even = still.sinh().clamp(-_MOST, _MOST)
    frame = moved(inputs[:, :, :1] - still + even)
    seen = moved(even)
    background = seen.mean(1, keepdim=True)
    change = moved((2 * busy).exp()).mean(1, keepdim=True) + (seen - background).square().mean(1, keepdim=True)
    spread = change.mean((-2, -1), keepdim=True).sqrt()
    level = background.mean((-2, -1), keepdim=True)
    still = ((background - level) / spread).asinh()
    busy = (0.5 * change.clamp_min(_FEW).log() - spread.log()).clamp(np.log(0.05), np.log(20.0))
    frame = still + ((frame - background) / spread).clamp(-8, 8)
    mine = fields.transpose(0, 1)[:, owner]
    there = masks.expand(frames, -1, -1, -1).flatten(0, 1)[:, None]
    carried, inside = look_up(there, mine.flatten(0, 1))
    margin = _margin(side, lessons)
    window = (..., slice(margin, side - margin), slice(margin, side - margin))
    seen_masks = (carried * inside)[:, 0].unflatten(0, (frames, len(owner)))[window]
    area = (seen_masks > 0.5).sum((2, 3)).to(inputs)
    least = lessons.least_pixels
    first = area[:1].clamp_min(least)
    return MovedClips(
        torch.cat([frame, still.expand_as(frame), busy.expand_as(frame)], 2)[window].contiguous(),
        fields[window].contiguous(),
        seen_masks,
        (area >= torch.maximum(0.1 * first, torch.full_like(first, least))).to(inputs),
        ((area < 0.02 * first) | (area > 0.2 * first)).to(inputs) * (area[0] >= least),
        torch.ones(count, frames, dtype=torch.bool, device=inputs.device),
        tuple(numbers),
        owner,
    )


def _margin(side: int, lessons: MotionLessons) -> int:
    """Px on each side of clips of that side; what is left has a side that the network takes."""
    return min(lessons.margin, side // 4 // 16 * 16)


_MOST = 30.0
"""Largest brightness of the background against the spread of what moves."""


def _draw_field(numbers: Sequence[int], side: int, lessons: MotionLessons, rng: np.random.Generator) -> Tensor:
    """Displacements (F, 2, side, side), px, of one clip."""
    frames = len(numbers)
    if rng.random() < lessons.still:
        return torch.zeros(frames, 2, side, side)

    def course(least: float, most: float) -> NDArray[np.float64]:
        """How something goes through the frames, (F,): at random, steadily or to and fro."""
        size = np.exp(rng.uniform(np.log(least), np.log(most)))
        kind = rng.integers(3)
        if kind == 0:
            return np.asarray(size * rng.normal(size=frames))
        time = np.abs(np.diff(numbers, prepend=numbers[0])).cumsum() / max(abs(numbers[-1] - numbers[0]), 1)
        if kind == 1:
            return np.asarray(size * 2 * time)
        return np.asarray(size * 1.4 * np.sin(2 * np.pi * (rng.uniform(0.3, 3) * time + rng.random())))

    reach = 0.9 * _margin(side, lessons)
    whole = np.stack([course(*lessons.shift_px) for _ in range(2)], 1).clip(-reach, reach)
    field = torch.from_numpy(whole)[:, :, None, None].expand(-1, -1, side, side).clone()
    if rng.random() < lessons.bends:
        for cells in (2, 4, 6):
            shape = torch.from_numpy(rng.normal(size=(1, 2, cells + 1, cells + 1)))
            smooth = F.interpolate(shape, (side, side), mode="bicubic", align_corners=True)
            most = lessons.bend_px[1] / cells
            field += torch.from_numpy(course(min(lessons.bend_px[0], most / 2), most))[:, None, None, None] * smooth
    return field.float()


def way_between(now: Tensor, then: Tensor) -> tuple[Tensor, Tensor]:
    """Displacement (I, 2, h, w) from each px of one moved frame to the same tissue in another; 1 where it is in sight.

    Both fields (I, 2, H, W), px, at every px; the answer is at every fourth, as `F.interpolate` lays them.
    """
    here, there = (F.avg_pool2d(x, _EVERY) for x in (now, then))
    way, inside = here - there, torch.ones_like(here[:, :1])
    for _ in range(_SETTLED):
        read, inside = look_up(there, way / _EVERY)
        way = here - read
    return way, inside


def spoil(clips: MovedClips, lessons: MotionLessons, rng: np.random.Generator) -> MovedClips:
    """Let frames be lost, out of focus or of another recording, and vessels vanish; the first frame stays."""
    inputs, present, known, steady = clips.inputs, clips.present.clone(), clips.known.clone(), clips.steady.clone()
    count, frames = inputs.shape[:2]
    kinds = ("noise", "blank", "other", "defocus")
    for image in range(count):
        mine = clips.owner == image
        drifts = rng.random() < lessons.drifting_focus
        widest = float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))))
        faulty, vanishing = rng.random() < lessons.faults, rng.random() < lessons.vanishing
        for frame in range(frames):
            shown = inputs[image, frame, :1]
            if drifts and frame:
                shown.copy_(smoothed(shown, float(rng.uniform(0.3, widest))))
            if vanishing and frame and rng.random() < 0.35:
                for vessel in torch.nonzero(mine)[:, 0].tolist():
                    if rng.random() < 0.5:
                        _take_out(shown, clips.masks[frame, vessel], rng)
                        present[frame, vessel], steady[image, frame] = 0.0, False
            if faulty and frame and rng.random() < 0.3:
                kind = str(rng.choice(kinds))
                _lose(shown, inputs, image, frame, kind, rng)
                steady[image, frame] = False
                if kind == "defocus":
                    known[frame, mine] = 0.0
                else:
                    present[frame, mine] = 0.0
            shown.add_(float(rng.uniform(0, lessons.noise)) * _normal(shown, rng))
    return MovedClips(inputs, clips.fields, clips.masks, present, known, steady, clips.numbers, clips.owner)


def _lose(shown: Tensor, inputs: Tensor, image: int, frame: int, kind: str, rng: np.random.Generator) -> None:
    """Put noise, nothing, another recording or a blur in place of a frame (1, h, w)."""
    if kind == "defocus":
        shown.copy_(smoothed(shown, float(rng.uniform(3, 10))))
    elif kind == "other":
        count = len(inputs)
        other = (image + 1 + int(rng.integers(max(count - 1, 1)))) % count
        turned = torch.rot90(inputs[other, frame, :1], int(rng.integers(1, 4)), (-2, -1))
        shown.copy_(turned.clone())
    else:
        spread = shown.std() * (float(rng.uniform(0.5, 1.5)) if kind == "noise" else 0.02)
        blur = float(rng.choice([0.0, 0.7, 1.5, 4.0]))
        noise = _normal(shown, rng)
        noise = smoothed(noise, blur) if blur else noise
        shown.copy_(shown.mean() + spread * noise / noise.std().clamp_min(_FEW))


def _take_out(shown: Tensor, mask: Tensor, rng: np.random.Generator) -> None:
    """Put tissue from elsewhere in place of a vessel (h, w) in a frame (1, h, w)."""
    wide = smoothed(F.max_pool2d(mask[None], 7, 1, 3), 1.5)
    around = 1 - F.max_pool2d(mask[None], 9, 1, 4)
    sigma = 9.0
    filled = smoothed(shown * around, sigma) / smoothed(around, sigma).clamp_min(0.05)
    rolled = torch.roll(shown, tuple(rng.integers(20, 60, 2).tolist()), (-2, -1))
    texture = rolled - smoothed(rolled, 4.0)
    shown.copy_(shown * (1 - wide) + (filled + texture) * wide)


def _normal(like: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(like.shape), dtype=np.float32)).to(like)


def _mask_error(logits: Tensor, truth: Tensor, seen: Tensor) -> Tensor:
    """Entropy near the vessel and dice, mean over the vessels that are seen."""
    near = F.max_pool2d(truth[:, None], 17, 1, 8)[:, 0] + 0.1
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    entropy = (entropy * near).sum((1, 2)) / near.sum((1, 2))
    chance = torch.sigmoid(logits)
    dice = 1 - 2 * (chance * truth).sum((1, 2)) / ((chance + truth).sum((1, 2))).clamp_min(1.0)
    return _mean(entropy + dice, seen)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1e-3)
