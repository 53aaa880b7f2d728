"""Training the strip decoder: simulated users click vessels, and the ways of their clicks are pulled straight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.config.training import StripLessons, TrainingConfig
from sam2flow_core.inference.clicked_masks import stack_strips
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.strip_decoder import ACROSS, REACH, DecodedStrips, StripDecoder
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.tracing.clicked_ways import clicked_ways_of_many
from sam2flow_core.tracing.field_map import FieldMap, Floats, arc_lengths
from sam2flow_core.tracing.tracer import Trace
from sam2flow_core.tracing.vessel_strip import straighten
from sam2flow_core.training.batch import ClipBatch, Figures, Lesson
from sam2flow_core.training.clicks import draw_point

Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class StripExercise:
    """A strip with its answer.

    Attributes
    ----------
    features : ndarray (STRIP_CHANNELS, S, W)
    truth : ndarray (S, W)
        How much of the clicked vessel is at each point, 0 to 1.
    area : ndarray (S, W)
        Cells of the picture that each point stands for; 0 outside of the picture.
    size : float
        Cells of the whole vessel, on the strip or not.
    """

    features: NDArray[np.float32]
    truth: NDArray[np.float32]
    area: NDArray[np.float32]
    size: float


@dataclass(frozen=True)
class StripBatch:
    """Strips padded to one length; ``valid`` (B, S) is 1 where they are not, the rest as in `StripExercise`."""

    features: Tensor
    valid: Tensor
    truth: Tensor
    area: Tensor
    size: Tensor


class StripPart:
    """The strip decoder; the vessel field is left as it is.

    Parameters
    ----------
    model : SAM2Flow
    config : TrainingConfig
    """

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        self.model, self.config = model, config

    def prepare(self, lesson: Lesson) -> list[StripBatch]:
        """Make the vessel fields, click vessels and follow them; see `Part`. Empty where nothing was found."""
        exercises = exercises_of(self.model, lesson.batch, self.config.strips, lesson.rng)
        return stacked_by_length(exercises, self.config.strips.together, lesson.batch.inputs.device)

    def loss(self, prepared: list[StripBatch]) -> tuple[Tensor, Figures]:
        """Loss and mean intersection over union; see `Part`."""
        decoder = self.model.strip_decoder
        if not prepared or decoder is None:
            return torch.zeros(()), {}
        losses, ious = zip(*(strip_loss(decoder, batch) for batch in prepared), strict=True)
        shares = torch.tensor([float(len(iou)) for iou in ious], device=losses[0].device)
        loss = (torch.stack(losses) * shares).sum() / shares.sum()
        return loss, {"strips": loss.detach(), "iou_strips": torch.cat(ious).mean()}


def exercises_of(
    model: SAM2Flow, batch: ClipBatch, lessons: StripLessons, rng: np.random.Generator
) -> list[StripExercise]:
    """Make the vessel fields of clips, click their vessels and follow the clicks."""
    with torch.no_grad():
        field = model.map_vessels(batch.statistics)
    exercises = list[StripExercise]()
    for clip in range(len(batch)):
        pictures = batch.statistics[clip, -2:]
        layout = FieldMap(VesselField(*(x[clip] for x in field)), TracingSettings(), pictures, None, batch.moving[clip])
        masks = (batch.masks[batch.owner == clip] > 0.5).cpu().numpy()
        exercises += draw_exercises(layout, masks, lessons.per_clip, model.config.mask.tracing_reach, lessons, rng)
    return exercises


def draw_exercises(
    field: FieldMap, masks: Masks, count: int, reach: float, lessons: StripLessons, rng: np.random.Generator
) -> list[StripExercise]:
    """Click vessels (V, H, W) of one recording ``count`` times in all, and follow the clicks."""
    seen = [mask for mask in masks if mask.sum() >= lessons.smallest]
    if not seen:
        return []
    chosen = [seen[k % len(seen)] for k in range(count)]
    clicks = [_draw_clicks(field, mask, lessons, rng) for mask in chosen]
    found = clicked_ways_of_many(field, clicks, reach)
    exercises = []
    for mask, ways in zip(chosen, found, strict=True):
        if not ways.ways:
            continue
        # Now and then the way that is not meant, so that the quality tells the two apart.
        which = int(rng.integers(len(ways.ways))) if rng.random() < lessons.any_way else 0
        exercises.append(_exercise(field, mask, ways.ways[which], ways.clicks[which], lessons, rng))
    return exercises


def _draw_clicks(field: FieldMap, mask: Masks, lessons: StripLessons, rng: np.random.Generator) -> Floats:
    count = int(rng.choice([n for n, _ in lessons.clicks], p=[w for _, w in lessons.clicks]))
    points = [draw_point(mask, rng) for _ in range(count)]
    return field.cells(np.array([p for p in points if p is not None], float).reshape(-1, 2))


def _exercise(
    field: FieldMap, mask: Masks, way: Trace, clicks: Floats, lessons: StripLessons, rng: np.random.Generator
) -> StripExercise:
    stops = _draw_stops(field, mask, way, rng) if rng.random() < lessons.negative else np.zeros((0, 2))
    strip = straighten(field, way, clicks, stops)
    places = strip.places * field.stride + 0.5 * (field.stride - 1)
    truth = map_coordinates(mask.astype(np.float32), list(np.moveaxis(places, -1, 0)), order=1)
    length = np.gradient(arc_lengths(strip.line))
    area = (length * strip.radius * 2 * REACH / (ACROSS - 1))[:, None] * field.holds(strip.places)
    exercise = StripExercise(strip.features, truth, area.astype(np.float32), mask.sum() / field.stride**2)
    return mirrored(exercise, rng.random() < 0.5, rng.random() < 0.5, field.count)


def _draw_stops(field: FieldMap, mask: Masks, way: Trace, rng: np.random.Generator) -> Floats:
    """Up to two negative clicks on a way where it is not the clicked vessel's."""
    at = rng.integers(len(way.line), size=6)
    places = way.line[at] + rng.normal(0, 0.35, (6, 2)) * way.radius[at, None]
    pixels = np.rint(places * field.stride + 0.5 * (field.stride - 1)).astype(int)
    inside = ((pixels >= 0) & (pixels < mask.shape)).all(1)
    free = inside & ~mask[tuple(np.clip(pixels, 0, np.array(mask.shape) - 1).T)]
    return np.asarray(places[free][:2])


def mirrored(exercise: StripExercise, across: bool, along: bool, count: int) -> StripExercise:
    """An exercise with left and right changed, or gone through from its other end, or both."""
    features, truth, area = exercise.features.copy(), exercise.truth, exercise.area
    if across:
        back = -np.arange(count) % count
        features = features[:, :, ::-1].copy()
        features[:count] = features[:count][back]
        sign = np.where(np.arange(count) == 0, 1.0, -1.0)[:, None, None]
        features[count : 2 * count] = features[count : 2 * count][back] * sign
        features[2 * count] *= -1
        truth, area = truth[:, ::-1], area[:, ::-1]
    if along:  # turned by half a circle: what was on the left is on the right
        features = features[:, ::-1, ::-1].copy()
        features[count : 2 * count] *= -1
        features[2 * count] *= -1
        truth, area = truth[::-1, ::-1], area[::-1, ::-1]
    return replace(exercise, features=features, truth=truth, area=area)


def stacked_by_length(exercises: Sequence[StripExercise], together: int, device: torch.device) -> list[StripBatch]:
    """Batches of ``together`` exercises of about one length: padding is computed with as if it were a strip."""
    ordered = sorted(exercises, key=lambda e: len(e.truth))
    return [stack_exercises(ordered[k : k + together], device) for k in range(0, len(ordered), together)]


def stack_exercises(exercises: Sequence[StripExercise], device: torch.device) -> StripBatch:
    """Pad exercises to one length."""
    features, valid = stack_strips([e.features for e in exercises], device)
    length = features.shape[2]

    def padded(values: NDArray[np.float32]) -> Tensor:
        return F.pad(torch.from_numpy(np.ascontiguousarray(values)), (0, 0, 0, length - len(values)))

    truth = torch.stack([padded(e.truth) for e in exercises])
    area = torch.stack([padded(e.area) for e in exercises])
    size = torch.tensor([e.size for e in exercises], dtype=torch.float32)
    return StripBatch(features, valid, truth.to(device), area.to(device), size.to(device))


def strip_loss(decoder: StripDecoder, batch: StripBatch) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice by area, and the error of the expected quality; with the true IoU (B,) of each."""
    decoded = DecodedStrips(*(x.float() for x in decoder(batch.features, batch.valid)))
    truth, area = batch.truth, batch.area
    total = torch.maximum(batch.size, (truth * area).sum((1, 2)))
    entropy = F.binary_cross_entropy_with_logits(decoded.logits, truth, reduction="none")
    # Vessel and tissue count alike: of a long way most is not the vessel.
    entropy = 0.5 * (_mean(entropy, area * truth) + _mean(entropy, area * (1 - truth)))
    chance = torch.sigmoid(decoded.logits)
    dice = 1 - 2 * (chance * truth * area).sum((1, 2)) / ((chance * area).sum((1, 2)) + total).clamp_min(1.0)
    mask = (decoded.logits.detach() > 0) * area
    both = (mask * truth).sum((1, 2))
    iou = both / (mask.sum((1, 2)) + total - both).clamp_min(1.0)
    quality = F.binary_cross_entropy_with_logits(decoded.quality, iou)
    return entropy.mean() + dice.mean() + 0.3 * quality, iou


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of each strip (B,), weighted; next to nothing where there is little to weigh."""
    return (values * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(20.0)
