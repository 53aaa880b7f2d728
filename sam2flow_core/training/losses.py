"""What training minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.cost_volume import along
from sam2flow_core.model.flow_net import CellLayout, FlowAnswer
from sam2flow_core.model.mask_decoder import DecodedMasks
from sam2flow_core.model.update import negative_log_likelihood


@dataclass(frozen=True)
class CellTruth:
    """Truth of M cells, each once for every pair.

    Attributes
    ----------
    flow : Tensor (M, 2)
        ``(dx, dy)`` px per frame: mean over the px of the cell.
    share : Tensor (M,)
        What each cell counts in the whole loss.
    fine : Tensor (M, 2, s, s)
    fine_share : Tensor (M, s, s)
    """

    flow: Tensor
    share: Tensor
    fine: Tensor
    fine_share: Tensor


def cell_truth(flow: Tensor, weight: Tensor, pair_share: Tensor, layout: CellLayout) -> CellTruth:
    """Truth of N cells in P pairs, M = P N.

    Parameters
    ----------
    flow : Tensor (P, V, 2, H, W)
    weight : Tensor (P, V, H, W)
    pair_share : Tensor (P, images)
        What each pair of each image counts; within it, px count by their weight.
    layout : CellLayout
    """
    s = layout.cells

    def cut(x: Tensor) -> Tensor:
        """Px (P N, C, s, s) of the cells of x (P, V, C, H, W)."""
        blocks = x.unfold(-2, s.stride, s.stride).unfold(-2, s.stride, s.stride)
        # Indices on both sides of a slice: theirs becomes the first axis.
        return blocks[:, s.vessel, :, s.place[:, 0], s.place[:, 1]].transpose(0, 1).flatten(0, 1)

    fine, fine_weight = cut(flow), cut(weight[:, :, None])[:, 0]
    share = fine_weight.mean((1, 2))
    mean = (fine * fine_weight[:, None]).mean((2, 3)) / share.clamp_min(1e-6)[:, None]
    pairs, images = pair_share.shape
    member = (torch.arange(pairs, device=s.image.device)[:, None] * images + s.image).flatten()
    total = share.new_zeros(pairs * images).index_add(0, member, share).clamp_min(1e-3)
    counts = (pair_share.flatten() / total)[member]
    # A cell has stride**2 px; its px share what the cell counts.
    return CellTruth(mean, share * counts, fine, fine_weight * counts[:, None, None] / s.stride**2)


def flow_loss(
    answer: FlowAnswer, truth: CellTruth, layout: CellLayout, config: TrainingConfig
) -> tuple[Tensor, dict[str, Tensor]]:
    """Speed bins, mixture likelihood of every update, error of every px at the end, of all pairs at once.

    Parameters
    ----------
    answer : FlowAnswer
        Of P N cells: the pairs one after the other.
    truth : CellTruth
        Of the same cells.
    layout : CellLayout
        Of N cells.
    config : TrainingConfig

    References
    ----------
    .. [1] Y. Wang, L. Lipson and J. Deng, "SEA-RAFT: Simple, Efficient, Accurate RAFT for Optical Flow", ECCV 2024,
       :doi:`10.48550/arXiv.2405.14793`.
    """
    goal, share = truth.flow, truth.share
    loss = config.bins_weight * (_bin_loss(answer.logits, goal, layout) * share).sum()
    loss = loss + 0.1 * (_robust(answer.flows[0] - goal) * share).sum()
    count = len(answer.mixture)
    for i, (guess, mixture) in enumerate(zip(answer.flows[1:], answer.mixture, strict=True)):
        likelihood = negative_log_likelihood(guess - goal, mixture)
        loss = loss + config.iteration_discount ** (count - 1 - i) * (likelihood * share).sum()
    error = answer.fine - truth.fine
    loss = loss + config.fine_weight * (_robust(error.movedim(1, -1)) * truth.fine_share).sum()
    with torch.no_grad():
        size, fine = error.norm(dim=1), truth.fine_share
        figures = {
            "epe_first": ((answer.flows[0] - goal).norm(dim=1) * share).sum(),
            "epe": (size * fine).sum(),
            "over_1px": ((size > 1) * fine).sum(),
            "speed": (truth.fine.norm(dim=1) * fine).sum(),
        }
    return loss, figures


def _robust(error: Tensor) -> Tensor:
    """Length of the error (..., 2), growing slower past a few px: an aliased vessel must not rule the batch."""
    size = torch.sqrt(error.square().sum(-1) + 1e-6)
    return torch.where(size < 4, size, 4 * (1 + torch.log(size.clamp_min(4) / 4)))


def _bin_loss(logits: Tensor, truth: Tensor, layout: CellLayout) -> Tensor:
    """Cross-entropy (N,) of the speed bins against the point of the path nearest to where the matter went."""
    streamlines, cells = layout.streamlines, layout.cells
    with torch.no_grad():
        times = truth.shape[0] // cells.count
        points = along(streamlines.path, streamlines.bins.expand(cells.count, -1), cells.stride).repeat(times, 1, 1)
        goal = (cells.position.repeat(times, 1) + truth)[:, None]
        width = torch.gradient(streamlines.bins)[0]
        away = (points - goal).square().sum(-1)
        away = away - away.min(1, keepdim=True).values
        target = torch.softmax(-away / (2 * (0.6 * width) ** 2), 1)
    return -(target * F.log_softmax(logits, 1)).sum(1)


def mask_iou(guess: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union (...) of masks (..., H, W), 0 or 1; 0 where both are empty.

    Examples
    --------
    >>> mask_iou(torch.ones(2, 2), torch.ones(2, 2))
    tensor(1.)
    """
    return (guess * truth).sum((-2, -1)) / torch.maximum(guess, truth).sum((-2, -1)).clamp_min(1)


def mask_loss(
    decoded: DecodedMasks, masks: Tensor, image: Tensor, images: int, several: bool, region_loss: str = "balanced"
) -> Tensor:
    """Region, IoU and object loss: the mean over images of the means over their rows.

    Parameters
    ----------
    decoded : DecodedMasks
        Of R rows.
    masks : Tensor (R, H, W)
        True masks; rows without a vessel are empty.
    image : LongTensor (R,)
        Image of each row.
    images : int
        How many images there are.
    several : bool
        An ambiguous click: the alternative that is rated best learns (it is the one that was grown), and of the
        others the best; otherwise only the first mask does.
    region_loss : str
        ``balanced`` or ``focal``.

    Notes
    -----
    Dice, and by default cross-entropy balanced by area. Focal loss, SAM's choice, ended in empty masks here when
    vessels were learned from nothing: they cover a few per cent of the frame.

    References
    ----------
    .. [1] F. Milletari, N. Navab and S.-A. Ahmadi, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical
       Image Segmentation", 2016, :doi:`10.48550/arXiv.1606.04797`.
    .. [2] T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, :doi:`10.48550/arXiv.1708.02002`.
    """
    decoded = DecodedMasks(*(x.float() for x in decoded))
    present = masks.flatten(1).any(1).to(masks)
    surprise = F.binary_cross_entropy_with_logits(decoded.object_score, present, reduction="none")
    logits = F.interpolate(decoded.logits, masks.shape[-2:], mode="bilinear", align_corners=False)
    rated = decoded.iou
    logits, rated = (logits[:, 1:], rated[:, 1:]) if several else (logits[:, :1], rated[:, :1])
    truth = masks[:, None].expand_as(logits)
    region = _REGION_LOSSES[region_loss](logits, truth) + _dice(logits, truth)
    with torch.no_grad():
        iou = mask_iou((logits > 0).to(truth), truth)
    loss = region.min(1).values
    if several:
        loss = 0.5 * loss + 0.5 * region.gather(1, rated.argmax(1, keepdim=True))[:, 0]
    loss = loss + (rated - iou).abs().mean(1)
    everywhere = torch.ones_like(present)
    return (loss * shares(present, image, images) + surprise * shares(everywhere, image, images)).sum()


def shares(weight: Tensor, image: Tensor, images: int) -> Tensor:
    """What rows (R,) count if images count alike, and rows within an image by their weight."""
    total = weight.new_zeros(images).index_add(0, image, weight)
    return weight / total.clamp_min(1e-6)[image] / images


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
