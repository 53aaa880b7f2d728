"""Simulated users: where they click first, and how they correct."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, NEGATIVE, PADDING, POSITIVE


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


def first_clicks(masks: Tensor, rng: np.random.Generator, absent: int = 1) -> tuple[Tensor, Tensor]:
    """One click per vessel, and ``absent`` rows clicked where no vessel is.

    Parameters
    ----------
    masks : Tensor (V, H, W)

    Returns
    -------
    points : Tensor (V + absent, 1, 2)
        ``(x, y)`` px.
    labels : LongTensor (V + absent, 1)
    """
    regions = [m.cpu().numpy() > 0.5 for m in masks]
    outside = ~np.any(regions, axis=0)
    points = [draw_point(r, rng) or (0.0, 0.0) for r in regions]
    points += [draw_point(outside, rng) or (0.0, 0.0) for _ in range(absent)]
    labels = [POSITIVE if r.any() else PADDING for r in regions] + [POSITIVE] * absent
    return torch.tensor(points)[:, None], torch.tensor(labels)[:, None]


def first_boxes(masks: Tensor, rng: np.random.Generator, absent: int = 1) -> tuple[Tensor, Tensor]:
    """A box around each vessel, each corner up to a tenth of the side off, and ``absent`` boxes beside all vessels.

    Parameters and returns as those of `first_clicks`, with two points for each box.
    """
    points, labels = [], []
    for mask in masks:
        rows, columns = torch.nonzero(mask.any(1))[:, 0], torch.nonzero(mask.any(0))[:, 0]
        if not rows.numel():
            points.append(np.zeros((2, 2)))
            labels.append([PADDING, PADDING])
            continue
        corners = np.array([[columns[0], rows[0]], [columns[-1], rows[-1]]], float)
        reach = np.minimum(0.1 * (corners[1] - corners[0] + 1), 10)
        points.append(corners + rng.uniform(-1, 1, (2, 2)) * reach)
        labels.append([BOX_FIRST, BOX_SECOND])
    outside = ~(masks > 0.5).any(0).cpu().numpy()
    for _ in range(absent):
        centre, half = np.array(draw_point(outside, rng) or (0.0, 0.0)), rng.uniform(4, 16, 2)
        points.append(np.stack([centre - half, centre + half]))
        labels.append([BOX_FIRST, BOX_SECOND])
    return torch.from_numpy(np.stack(points)).float(), torch.tensor(labels)


def corrective_clicks(masks: Tensor, predicted: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A click per vessel in its error region: positive where the mask is missing, negative where it is too much.

    Parameters
    ----------
    masks, predicted : Tensor (V, H, W)
        True and predicted masks, 0 or 1.
    """
    points, labels = [], []
    for true, guess in zip(masks.cpu().numpy() > 0.5, predicted.cpu().numpy() > 0.5, strict=True):
        missing, extra = true & ~guess, guess & ~true
        total = missing.sum() + extra.sum()
        positive = bool(total == 0 or rng.random() < missing.sum() / total)
        point = draw_point((missing if missing.any() else true) if positive else extra, rng)
        points.append(point or (0.0, 0.0))
        labels.append(PADDING if point is None else POSITIVE if positive else NEGATIVE)
    return torch.tensor(points)[:, None], torch.tensor(labels)[:, None]


def roughen(masks: Tensor, rng: np.random.Generator) -> Tensor:
    """True masks as a decoder would draw them: a px or two too wide, too narrow, frayed."""
    out = []
    for mask in masks:
        kind = rng.random()
        x = mask[None, None]
        if kind < 0.3:
            x = torch.nn.functional.max_pool2d(x, 3, 1, 1)
        elif kind < 0.45:
            x = torch.nn.functional.max_pool2d(x, 5, 1, 2)
        elif kind < 0.6:
            thin = 1 - torch.nn.functional.max_pool2d(1 - x, 3, 1, 1)
            x = thin if thin.sum() > 0.5 * x.sum() else x
        elif kind < 0.8:
            noise = torch.from_numpy(rng.standard_normal(tuple(x.shape)).astype(np.float32))
            smooth = torch.nn.functional.avg_pool2d(noise, 7, 1, 3) * 7
            soft = torch.nn.functional.avg_pool2d(x, 5, 1, 2)
            rough = (soft + 0.2 * smooth > 0.5).float()
            x = rough if rough.sum() > 0.3 * x.sum() else x
        out.append(x[0, 0])
    return torch.stack(out)
