"""Simulated users: where they click, which boxes and masks they give first, and how they correct; all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, PADDING, POSITIVE
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks

_CLEARANCE = 5
"""px that a click would like to keep from the wall."""
_SURE = 20.0
"""Logit inside a mask that was given, as in the predictor."""


def draw_point(region: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float] | None:
    """A point ``(x, y)`` of a region, likelier far from its edge; None in an empty one.

    The distance is taken with a margin, so that a region one px wide can be clicked too.
    """
    if not region.any():
        return None
    padded = np.pad(region, 1)
    depth = distance_transform_edt(padded)[1:-1, 1:-1].ravel()
    place = int(rng.choice(depth.size, p=depth / depth.sum()))
    return float(place % region.shape[1]), float(place // region.shape[1])


def draw_points(regions: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """A point of each region, likelier clear of its edge.

    Parameters
    ----------
    regions : BoolTensor (V, H, W)
    draws : torch.Generator
        On the device of the regions.

    Returns
    -------
    points : Tensor (V, 2)
        ``(x, y)`` px; anywhere where a region is empty.
    found : BoolTensor (V,)
    """
    inside = regions.float()
    side = 2 * _CLEARANCE + 1
    # The share of a window that lies in the region, in two passes: distances would have to leave the device.
    near = F.avg_pool2d(inside[:, None], (side, 1), 1, (_CLEARANCE, 0))
    near = F.avg_pool2d(near, (1, side), 1, (0, _CLEARANCE))[:, 0]
    chance = (inside * near.square()).flatten(1)
    found = chance.sum(1) > 0
    place = torch.multinomial(torch.where(found[:, None], chance, 1.0), 1, generator=draws)[:, 0]
    width = regions.shape[2]
    return torch.stack([place % width, torch.div(place, width, rounding_mode="floor")], 1).float(), found


def first_clicks(masks: Tensor, outside: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """One click per vessel, and one where no vessel is in each clip.

    Parameters
    ----------
    masks : Tensor (V, H, W)
    outside : BoolTensor (I, H, W)
        Where no vessel is.
    draws : torch.Generator

    Returns
    -------
    points : Tensor (V + I, 1, 2)
        ``(x, y)`` px.
    labels : LongTensor (V + I, 1)
    """
    points, found = draw_points(torch.cat([masks > 0.5, outside]), draws)
    return points[:, None], torch.where(found, POSITIVE, PADDING)[:, None]


def error_click(truth: NDArray[np.bool_], mask: NDArray[np.bool_]) -> tuple[tuple[float, float], int] | None:
    """Click ``(x, y)`` in the middle of the largest error, with its label; None where the mask is right.

    The middle is the px farthest from what is right; the frame's edge counts as right.
    """
    depths = [distance_transform_edt(np.pad(wrong, 1))[1:-1, 1:-1] for wrong in (truth & ~mask, mask & ~truth)]
    lacking, extra = (float(d.max()) for d in depths)
    if max(lacking, extra) == 0:
        return None
    depth, label = (depths[0], POSITIVE) if lacking > extra else (depths[1], NEGATIVE)
    y, x = np.unravel_index(int(depth.argmax()), truth.shape)
    return (float(x), float(y)), label


def centre_clicks(masks: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
    """An `error_click` per vessel.

    Parameters and returns as those of `corrective_clicks`, nothing drawn; one of a mask that is right is padding.
    """
    points, labels = torch.zeros(len(masks), 1, 2, device=masks.device), torch.full((len(masks), 1), PADDING)
    for row, (truth, found) in enumerate(zip(masks.cpu().numpy() > 0.5, predicted.cpu().numpy() > 0.5, strict=True)):
        click = error_click(truth, found)
        if click is not None:
            points[row, 0], labels[row, 0] = torch.tensor(click[0]), click[1]
    return points, labels.to(masks.device)


def first_boxes(masks: Tensor, outside: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """A box around each vessel, each corner up to a tenth of the side off, and a box beside all vessels in each clip.

    Parameters and returns as those of `first_clicks`, with two points for each box.
    """
    inside = masks > 0.5
    rows, columns = inside.any(2), inside.any(1)
    first = torch.stack([_first(columns), _first(rows)], 1)
    last = torch.stack([_last(columns), _last(rows)], 1)
    reach = (0.1 * (last - first + 1)).clamp_max(10)
    corners = torch.stack([first, last], 1)
    boxes = corners + reach[:, None] * _uniform(corners, -1, 1, draws)
    centre, _ = draw_points(outside, draws)
    half = _uniform(centre, 4, 16, draws)
    beside = torch.stack([centre - half, centre + half], 1)
    kinds = torch.tensor([BOX_FIRST, BOX_SECOND], device=masks.device)
    there = torch.cat([rows.any(1), torch.ones_like(outside[:, 0, 0])])
    return torch.cat([boxes, beside]), torch.where(there[:, None], kinds, PADDING)


def corrective_clicks(masks: Tensor, predicted: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """A click per vessel in its error region: positive where the mask is missing, negative where it is too much.

    Parameters
    ----------
    masks, predicted : Tensor (V, H, W)
        True and predicted masks, 0 or 1.
    draws : torch.Generator

    Returns
    -------
    points : Tensor (V, 1, 2)
    labels : LongTensor (V, 1)
        Where the prediction is right a positive click confirms it; one of an empty mask is padding.
    """
    true, guess = masks > 0.5, predicted > 0.5
    missing, extra = true & ~guess, guess & ~true
    lacking, total = missing.flatten(1).sum(1), (missing | extra).flatten(1).sum(1)
    chance = torch.rand(len(true), generator=draws, device=true.device)
    positive = (total == 0) | (chance < lacking / total.clamp_min(1))
    wanted = torch.where((lacking > 0)[:, None, None], missing, true)
    points, found = draw_points(torch.where(positive[:, None, None], wanted, extra), draws)
    labels = torch.where(found, torch.where(positive, POSITIVE, NEGATIVE), PADDING)
    return points[:, None], labels[:, None]


def roughen(masks: Tensor, draws: torch.Generator) -> Tensor:
    """True masks (V, H, W) as they are drawn in use: a px or two too wide, too narrow, frayed, or right."""
    x = masks[:, None]
    size = x.sum((1, 2, 3))
    wide, wider = F.max_pool2d(x, 3, 1, 1), F.max_pool2d(x, 5, 1, 2)
    thin = 1 - F.max_pool2d(1 - x, 3, 1, 1)
    noise = torch.randn(x.shape, generator=draws, device=x.device)
    smooth = F.avg_pool2d(noise, 7, 1, 3) * 7
    frayed = (F.avg_pool2d(x, 5, 1, 2) + 0.2 * smooth > 0.5).to(x)
    kind = torch.rand(len(x), generator=draws, device=x.device)
    # A thin vessel must not be lost to roughness.
    thins, frays = thin.sum((1, 2, 3)) > 0.5 * size, frayed.sum((1, 2, 3)) > 0.3 * size
    choices = ((wide, kind < 0.3), (wider, kind < 0.45), (thin, (kind < 0.6) & thins), (frayed, (kind > 0.6) & frays))
    out, left = x, (kind < 0.8)
    for drawn, chosen in choices:
        out = torch.where((left & chosen)[:, None, None, None], drawn, out)
        left = left & ~chosen
    return out[:, 0]


def _first(marked: Tensor) -> Tensor:
    """Index of the first true of each row (V, n)."""
    return marked.float().argmax(1).float()


def _last(marked: Tensor) -> Tensor:
    return marked.shape[1] - 1 - _first(marked.flip(1))


def _uniform(like: Tensor, low: float, high: float, draws: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(like.shape, generator=draws, device=like.device)


@dataclass(frozen=True)
class FirstPrompts:
    """Prompts of V vessels, and of one in each of I clips that is not there, in the last rows.

    Attributes
    ----------
    prompts : Prompts
    ambiguous : bool
        Single clicks, which may mean several masks.
    given : Tensor (V + I, H, W) or None
        The masks, where these are the prompts.
    """

    prompts: Prompts
    ambiguous: bool
    given: Tensor | None

    def answered(self, masks: VesselMasks) -> VesselMasks:
        """A mask that was given is the answer; otherwise the decoder's is."""
        return masks if self.given is None else surely(self.given, masks)


def draw_first_prompts(
    model: SAM2Flow,
    masks: Tensor,
    outside: Tensor,
    config: TrainingConfig,
    rng: np.random.Generator,
    draws: torch.Generator,
) -> FirstPrompts:
    """Draw one kind of first prompt for all vessels (V, H, W); no vessel is in ``outside`` (I, H, W)."""
    unusual = config.first_boxes + config.first_masks
    kind = rng.random() if unusual else 1.0
    if kind < config.first_masks:
        given = torch.cat([masks, torch.zeros_like(outside, dtype=masks.dtype)])
        shrink = model.prompt_encoder.given_mask
        logits = F.avg_pool2d(_SURE * (2 * given[:, None] - 1), 4) if shrink is None else shrink(given[:, None])
        return FirstPrompts(no_prompts(len(given), masks.device, logits), False, given)
    boxes = kind < unusual
    points, labels = (first_boxes if boxes else first_clicks)(masks, outside, draws)
    return FirstPrompts(Prompts(points, labels), not boxes, None)


def no_prompts(rows: int, device: torch.device, masks: Tensor | None = None) -> Prompts:
    """Padding, where nobody clicked; ``masks`` (rows, 1, H / 4, W / 4) are what else is known."""
    labels = torch.full((rows, 1), PADDING, dtype=torch.long, device=device)
    return Prompts(torch.zeros(rows, 1, 2, device=device), labels, masks)


def surely(given: Tensor, masks: VesselMasks) -> VesselMasks:
    """Masks (V, H, W) as the predictor takes what it is given: of these and no others it is sure."""
    there = given.flatten(1).any(1).to(masks.iou)
    score = _SURE * (2 * there - 1)
    return VesselMasks(_SURE * (2 * given - 1), torch.ones_like(masks.iou), score, masks.token, masks.decoded)
