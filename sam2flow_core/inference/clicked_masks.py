"""From clicks to masks: the way of the clicked vessel is pulled straight, decoded, and drawn into the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, POSITIVE
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, TracedMasks
from sam2flow_core.tracing.clicked_ways import ClickedWays, clicked_ways
from sam2flow_core.tracing.field_map import FieldMap, Floats
from sam2flow_core.tracing.vessel_strip import LATERAL, OUTSIDE, VesselStrip, paint, straighten

Floats32 = NDArray[np.float32]
_Number = TypeVar("_Number", np.float32, np.int32)

_SHARPNESS = 4.0
"""Logit a cell from the wall, where nothing was learned of it."""
_COARSEST = 8
"""Points along a strip for one of its decoder's coarsest level."""


@dataclass(frozen=True)
class _Answer:
    """A mask that a vessel's clicks may mean: logits (h, w) and the share of right ones that is expected."""

    logits: Floats32
    quality: float


def clicked_masks(
    model: SAM2Flow, maps: list[FieldMap] | None, image_of_vessel: Tensor, prompts: Prompts
) -> TracedMasks | None:
    """Answer the clicks and boxes of V vessels.

    Parameters
    ----------
    model : SAM2Flow
    maps : list of FieldMap, optional
        The vessel field of each image, all of one size; None where the network has none.
    image_of_vessel : LongTensor (V,)
    prompts : Prompts

    Returns
    -------
    TracedMasks or None
        None where there is no vessel field.
    """
    if maps is None:
        return None
    points, kinds = prompts.points.float().cpu().numpy().astype(float), prompts.labels.cpu().numpy()
    owner, found = image_of_vessel.tolist(), list[tuple[Floats32, float]]()
    for vessel, image in enumerate(owner):
        found.append(_answered(model, maps[image], maps[image].cells(points[vessel]), kinds[vessel]))
    device = prompts.points.device
    logits = torch.from_numpy(np.stack([mask for mask, _ in found])).to(device)
    return TracedMasks(logits, torch.tensor([sure for _, sure in found], dtype=torch.float32, device=device))


def decode_strips(model: SAM2Flow, strips: Sequence[VesselStrip]) -> list[tuple[Floats32, float]]:
    """Logits (S, W) of strips, and the intersection over union that is expected of each.

    Weights without a strip decoder take all that is in sight for the vessel that was clicked.
    """
    if model.strip_decoder is None:
        return [(_whole_tube(strip), 0.5) for strip in strips]
    features, valid = stack_strips([s.features for s in strips], next(model.strip_decoder.parameters()).device)
    decoded = model.strip_decoder(features, valid)
    quality = torch.sigmoid(decoded.quality).tolist()
    logits = decoded.logits.float().cpu().numpy()
    return [(logits[k, : len(s.line)], quality[k]) for k, s in enumerate(strips)]


def _whole_tube(strip: VesselStrip) -> Floats32:
    """Logits (S, W) of what lies as near to the centreline as the vessel is wide."""
    depth = (1 - np.abs(LATERAL)) * strip.radius[:, None]
    return np.asarray(np.clip(_SHARPNESS * depth, OUTSIDE, -OUTSIDE), np.float32)


def stack_strips(features: Sequence[Floats32], device: torch.device) -> tuple[Tensor, Tensor]:
    """Features (B, C, S, W) of strips of different lengths, and where they are valid (B, S).

    S is one more than a multiple of eight: then a strip is decoded alike whatever stands beside it.
    """
    longest = max(x.shape[1] for x in features)
    length = (longest + _COARSEST - 2) // _COARSEST * _COARSEST + 1
    padded = torch.stack([F.pad(torch.from_numpy(x), (0, 0, 0, length - x.shape[1])) for x in features])
    count = torch.tensor([x.shape[1] for x in features])
    return padded.to(device), (torch.arange(length) < count[:, None]).float().to(device)


def _answered(model: SAM2Flow, field: FieldMap, cells: Floats, kinds: NDArray[np.integer]) -> tuple[Floats32, float]:
    """Logits (h, w) of a vessel, and how sure they are."""
    first, second, stops, clicks = (cells[kinds == k] for k in (BOX_FIRST, BOX_SECOND, NEGATIVE, POSITIVE))
    logits, sureness = np.full(field.shape, OUTSIDE, np.float32), list[float]()
    if len(first) and len(second):
        logits = _boxed(field, first[0], second[0])
        chances = 1 / (1 + np.exp(-logits[logits > 0]))
        sureness.append(float(chances.mean()) if len(chances) else 0.0)
    if len(clicks):
        ways = clicked_ways(field, clicks, model.config.mask.tracing_reach)
        answer = _followed(model, field, ways, clicks, stops)
        logits = np.maximum(logits, answer.logits)
        sureness.append(answer.quality)
    return logits, float(np.mean(sureness)) if sureness else 0.0


def _followed(model: SAM2Flow, field: FieldMap, ways: ClickedWays, clicks: Floats, stops: Floats) -> _Answer:
    """The best of the masks that clicks may mean, or all of them where none holds all clicks."""
    if not ways.ways:
        return _Answer(np.full(field.shape, OUTSIDE, np.float32), 0.0)
    strips = [straighten(field, way, held, stops) for way, held in zip(ways.ways, ways.clicks, strict=True)]
    answers = [
        _Answer(paint(strip, _cut(strip, logits, stops, field.settings.clicks.cut), field.shape), quality)
        for strip, (logits, quality) in zip(strips, decode_strips(model, strips), strict=True)
    ]
    if ways.together:
        whole = _Answer(np.max([a.logits for a in answers], axis=0), float(np.mean([a.quality for a in answers])))
    else:
        whole = max(answers, key=lambda a: a.quality * _caught(a.logits, clicks))
    return _Answer(_with_clicks(whole.logits, clicks), whole.quality * _caught(whole.logits, clicks))


def _caught(logits: Floats32, clicks: Floats) -> float:
    """Share of the clicks (N, 2) that lie in a mask, or beside it by a cell."""
    return float(np.mean([(near > 0).any() for near in _around(logits, clicks)]))


def _with_clicks(logits: Floats32, clicks: Floats) -> Floats32:
    """Only the pieces of a mask that hold clicks (N, 2); all of it where none does.

    Behind a crossing the way may lead on along another vessel: what the decoder takes for vessel there was not clicked,
    and where it is the larger piece it would be measured in place of the one that was.
    """
    pieces, number = label(logits > 0, np.ones((3, 3)))
    held = np.unique(np.concatenate([near.ravel() for near in _around(pieces, clicks)]))
    if number < 2 or not held.any():
        return logits
    return np.where((pieces > 0) & ~np.isin(pieces, held), np.float32(OUTSIDE), logits)


def _around(picture: NDArray[_Number], clicks: Floats) -> list[NDArray[_Number]]:
    """The cell of each click (N, 2), and those beside it."""
    rows, columns = np.clip(np.rint(clicks).astype(np.intp), 0, np.array(picture.shape) - 1).T
    return [picture[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2] for r, c in zip(rows, columns, strict=True)]


def _cut(strip: VesselStrip, logits: Floats32, stops: Floats, reach: float) -> Floats32:
    """Nothing from a negative click on: it ends the vessel on its side of the positive ones."""
    if not len(strip.clicks):
        return logits
    left = logits.copy()
    for stop in stops:
        near = np.flatnonzero(np.hypot(*(strip.line - stop).T) < reach * strip.radius)
        before, after = near[near < strip.clicks.min()], near[near > strip.clicks.max()]
        if len(before):
            left[: before[-1] + 1] = OUTSIDE
        if len(after):
            left[after[0] :] = OUTSIDE
    return left


def cut_back(mask: NDArray[np.bool_], stops: Sequence[tuple[float, float]], reach: float) -> NDArray[np.bool_]:
    """What negative clicks ``(x, y)`` leave of a painted mask (H, W): the largest piece.

    As with a vessel that is followed, each click ends it within so many of its half widths.

    Examples
    --------
    >>> painted = np.zeros((9, 30), bool)
    >>> painted[3:6] = True
    >>> int(cut_back(painted, [(20.0, 4.0)], reach=1.5).any(0).sum())
    18
    """
    depth = distance_transform_edt(mask)
    left = mask.copy()
    y, x = np.arange(mask.shape[0])[:, None], np.arange(mask.shape[1])
    for column, row in stops:
        away = np.hypot(y - row, x - column)
        half = float(depth[away <= depth.max()].max(initial=0.0))
        left &= away >= reach * half
    pieces, number = label(left)
    return np.asarray(pieces == 1 + np.bincount(pieces[left] - 1).argmax()) if number else left


def _boxed(field: FieldMap, one: Floats, other: Floats) -> Floats32:
    """What is vessel in a box with corners ``(row, column)``."""
    (top, left), (bottom, right) = one, other
    y, x = np.arange(field.shape[0])[:, None], np.arange(field.shape[1])
    inside = (y >= top) & (y <= bottom) & (x >= left) & (x <= right)
    return np.where(inside, field.inside, np.float32(OUTSIDE))
