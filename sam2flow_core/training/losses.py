"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.model.evidence import along
from sam2flow_core.model.flow_net import FlowAnswer, Ground
from sam2flow_core.model.laplace import negative_log_likelihood
from sam2flow_core.model.mask_decoder import DecodedMasks


def site_truth(flow: Tensor, weight: Tensor, ground: Ground) -> tuple[Tensor, Tensor]:
    """True flow (N, 2) and weight (N,) of each site: means over the px of its cell.

    Parameters
    ----------
    flow : Tensor (V, 2, H, W)
    weight : Tensor (V, H, W)
    """
    s = ground.sites
    total = F.avg_pool2d(weight[:, None], s.stride)
    mean = F.avg_pool2d(flow * weight[:, None], s.stride) / total.clamp_min(1e-6)
    at = (s.vessel, slice(None), s.cell[:, 0], s.cell[:, 1])
    return mean[at], total[at][:, 0]


def fine_truth(flow: Tensor, weight: Tensor, ground: Ground) -> tuple[Tensor, Tensor]:
    """True flow (N, 2, s, s) and weight (N, s, s) of the px of each site."""
    s = ground.sites

    def cut(x: Tensor) -> Tensor:
        cells = x.unfold(-2, s.stride, s.stride).unfold(-2, s.stride, s.stride)
        return cells[s.vessel, :, s.cell[:, 0], s.cell[:, 1]]

    return cut(flow), cut(weight[:, None])[:, 0]


def flow_loss(
    answer: FlowAnswer,
    flow: Tensor,
    weight: Tensor,
    ground: Ground,
    discount: float,
    bins_weight: float,
    fine_weight: float,
) -> tuple[Tensor, dict[str, float]]:
    """Loss of one pair: speed bins, mixture likelihood of every update, error of every px at the end.

    Parameters
    ----------
    answer : FlowAnswer
    flow : Tensor (V, 2, H, W)
    weight : Tensor (V, H, W)
    ground : Ground
    discount : float
        Weight of an update against the one after it.
    bins_weight, fine_weight : float
    """
    truth, share = site_truth(flow, weight, ground)
    norm = share.sum().clamp_min(1e-3)
    loss = bins_weight * (_bin_loss(answer.logits, truth, ground) * share).sum() / norm
    loss = loss + 0.1 * (_robust(answer.flows[0] - truth) * share).sum() / norm
    count = len(answer.mixture)
    for i, (guess, mixture) in enumerate(zip(answer.flows[1:], answer.mixture, strict=True)):
        likelihood = negative_log_likelihood(guess - truth, mixture)
        loss = loss + discount ** (count - 1 - i) * (likelihood * share).sum() / norm
    true, fine = fine_truth(flow, weight, ground)
    error = answer.fine - true
    total = fine.sum().clamp_min(1e-3)
    loss = loss + fine_weight * (_robust(error.movedim(1, -1)) * fine).sum() / total
    with torch.no_grad():
        first = ((answer.flows[0] - truth).norm(dim=1) * share).sum() / norm
        last = (error.norm(dim=1) * fine).sum() / total
        outliers = ((error.norm(dim=1) > 1).float() * fine).sum() / total
        speed = (true.norm(dim=1) * fine).sum() / total
    return loss, {"epe_first": float(first), "epe": float(last), "over_1px": float(outliers), "speed": float(speed)}


def _robust(error: Tensor) -> Tensor:
    """Length of the error (..., 2), growing slower past a few px: an aliased vessel must not rule the batch."""
    size = torch.sqrt(error.square().sum(-1) + 1e-6)
    return torch.where(size < 4, size, 4 * (1 + torch.log(size.clamp_min(4) / 4)))


def _bin_loss(logits: Tensor, truth: Tensor, ground: Ground) -> Tensor:
    """Cross-entropy (N,) of the speed bins against the point of the path nearest to where the matter went."""
    course, sites = ground.course, ground.sites
    with torch.no_grad():
        points = along(course.path, course.bins.expand(sites.count, -1), sites.stride)
        goal = (sites.position + truth)[:, None]
        width = torch.gradient(course.bins)[0]
        away = (points - goal).square().sum(-1)
        away = away - away.min(1, keepdim=True).values
        target = torch.softmax(-away / (2 * (0.6 * width) ** 2), 1)
    return -(target * F.log_softmax(logits, 1)).sum(1)


def mask_loss(
    decoded: DecodedMasks, masks: Tensor, present: Tensor, several: bool, region_loss: str = "balanced"
) -> Tensor:
    """Region, IoU and object loss.

    Parameters
    ----------
    decoded : DecodedMasks
        Of V rows.
    masks : Tensor (V, H, W)
        True masks; rows without a vessel are empty.
    present : BoolTensor (V,)
    several : bool
        An ambiguous click: the alternative that is rated best learns (it is the one that was grown), and of the
        others the best; otherwise only the first mask does.
    region_loss : str
        ``balanced`` or ``focal``.

    Notes
    -----
    Dice, and by default cross-entropy balanced by area. Focal loss, SAM's choice, ended in empty masks here when
    vessels were learned from nothing: they cover a few per cent of the frame.
    """
    object_loss = F.binary_cross_entropy_with_logits(decoded.object_score, present.float())
    if not present.any():
        return object_loss
    logits = F.interpolate(decoded.logits[present], masks.shape[-2:], mode="bilinear", align_corners=False)
    rated = decoded.iou[present]
    logits, rated = (logits[:, 1:], rated[:, 1:]) if several else (logits[:, :1], rated[:, :1])
    truth = masks[present][:, None].expand_as(logits)
    region = _REGION_LOSSES[region_loss](logits, truth) + _dice(logits, truth)
    with torch.no_grad():
        guess = (logits > 0).float()
        iou = (guess * truth).sum((2, 3)) / (torch.maximum(guess, truth).sum((2, 3)) + 1e-6)
    loss = region.min(1).values
    if several:
        loss = 0.5 * loss + 0.5 * region.gather(1, rated.argmax(1, keepdim=True))[:, 0]
    return loss.mean() + (rated - iou).abs().mean() + object_loss


def _balanced_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    area = truth.mean((2, 3), keepdim=True).clamp(0.01, 0.5)
    weight = 0.5 * truth / area.sqrt() + 0.5 * (1 - truth) / (1 - area).sqrt()
    return 2 * (weight * F.binary_cross_entropy_with_logits(logits, truth, reduction="none")).mean((2, 3))


def _focal(logits: Tensor, truth: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss (Lin et al., 2017), with SAM's weight of 20 against dice."""
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    wrong = (torch.sigmoid(logits) - truth).abs()
    weight = alpha * truth + (1 - alpha) * (1 - truth)
    return 20 * (weight * wrong**gamma * entropy).mean((2, 3))


_REGION_LOSSES = {"balanced": _balanced_entropy, "focal": _focal}


def _dice(logits: Tensor, truth: Tensor) -> Tensor:
    chance = torch.sigmoid(logits)
    return 1 - (2 * (chance * truth).sum((2, 3)) + 1) / (chance.sum((2, 3)) + truth.sum((2, 3)) + 1)
