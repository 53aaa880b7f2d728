"""Masks of everything in a picture: a grid of clicks, what is steady of their answers, and no mask twice.

After SAM's automatic mask generation (Kirillov et al., Segment Anything, 2023, appendix B), with the names and numbers
that SAM 2 gives it.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import batched_nms, box_area, masks_to_boxes

from sam2flow_core.config.inference import GridSettings
from sam2flow_core.errors import DataError, require_extra
from sam2flow_core.inference.image_predictor import Placed, SAM2ImagePredictor
from sam2flow_core.inference.sam2_inputs import read_picture
from sam2flow_core.inference.weights import choose_device, load_model
from sam2flow_core.model.sam2flow import SAM2Flow

RunLengths = dict[str, Any]
"""``size``: [Y, X]; ``counts``: px outside, inside, outside ... down the columns, or COCO's text for these numbers."""
_NEAR_EDGE = 20.0
"""px from the edge of a crop within which a box counts as cut off by it."""
Box = tuple[int, int, int, int]
"""``x0, y0, x1, y1`` px."""


def to_runs(mask: NDArray[np.bool_]) -> RunLengths:
    """Run lengths of a mask (Y, X); the first number counts px outside and may be 0."""
    down = np.asarray(mask, bool).ravel(order="F")
    turns = np.flatnonzero(down[1:] != down[:-1]) + 1
    counts = np.diff(np.concatenate([[0], turns, [down.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if down[0] else counts}


def from_runs(runs: RunLengths) -> NDArray[np.bool_]:
    """Mask (Y, X) of run lengths in either form.

    Raises
    ------
    DataError
        If they do not fill the picture.
    ExtraError
        If they are COCO's text and its package is not installed.
    """
    height, width = runs["size"]
    if isinstance(runs["counts"], str | bytes):
        require_extra("coco", "run lengths written as COCO's text")
        from pycocotools import mask as coco

        result: NDArray[np.bool_] = coco.decode({"size": [height, width], "counts": runs["counts"]}).astype(bool)
        return result
    counts = np.asarray(runs["counts"], np.int64)
    if counts.sum() != height * width or (counts < 0).any():
        raise DataError(f"run lengths of {counts.sum()} px for a mask of {height} x {width}: they do not belong to it")
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(width, height).T


def area_of(runs: RunLengths) -> int:
    """Px inside, of run lengths as numbers."""
    return int(sum(runs["counts"][1::2]))


def as_coco(runs: RunLengths) -> RunLengths:
    """Run lengths with COCO's text for counts, which JSON can hold; raises `ExtraError` without its package."""
    require_extra("coco", "run lengths written as COCO's text")
    from pycocotools import mask as coco

    packed = coco.frPyObjects(runs, *runs["size"])
    return {"size": packed["size"], "counts": packed["counts"].decode("ascii")}


class Proposals(NamedTuple):
    """Masks that were found, the first N of each; boxes and points in px of the whole picture.

    Attributes
    ----------
    boxes : Tensor (N, 4)
        ``x0, y0, x1, y1`` of the outermost px.
    iou, stability : Tensor (N,)
    points : Tensor (N, 2)
        The click ``(x, y)`` that asked for it.
    crops : Tensor (N, 4)
    runs : tuple of N run lengths
    """

    boxes: Tensor
    iou: Tensor
    stability: Tensor
    points: Tensor
    crops: Tensor
    runs: tuple[RunLengths, ...]

    def pick(self, keep: Tensor) -> Proposals:
        """Those of an index, in its order."""
        boxes, iou, stability, points, crops = (x[keep] for x in self[:5])
        return Proposals(boxes, iou, stability, points, crops, tuple(self.runs[i] for i in keep.tolist()))

    @staticmethod
    def join(parts: list[Proposals]) -> Proposals:
        """All of several, one after the other."""
        boxes, iou, stability, points, crops = (torch.cat(x) for x in list(zip(*parts, strict=True))[:5])
        return Proposals(boxes, iou, stability, points, crops, tuple(runs for part in parts for runs in part.runs))


class SAM2AutomaticMaskGenerator:
    """Masks of everything in a picture; the arguments and records are those of SAM 2's generator.

    Parameters
    ----------
    model : SAM2Flow
        Of one of SAM 2's sizes.
    **options
        Fields of `GridSettings`; ``settings``, a `Sam2Settings`, goes to the image predictor.

    Examples
    --------
    >>> SAM2AutomaticMaskGenerator(model, points_per_side=16).generate(picture)  # doctest: +SKIP
    """

    def __init__(self, model: SAM2Flow, **options: Any) -> None:
        settings = options.pop("settings", None)
        self.settings = GridSettings(**options)
        small = self.settings.min_mask_region_area
        self.predictor = SAM2ImagePredictor(model, max_hole_area=small, max_sprinkle_area=small, settings=settings)

    @classmethod
    def from_pretrained(cls, model_id: str, device: str = "auto", **options: Any) -> SAM2AutomaticMaskGenerator:
        """Load weights by whatever name `load_model` takes; ``options`` are those of the class."""
        model, _ = load_model(model_id)
        return cls(model.to(choose_device(device)), **options)

    def generate(self, image: NDArray[Any] | Image.Image) -> list[dict[str, Any]]:
        """Find the masks of a picture.

        Parameters
        ----------
        image : ndarray (Y, X, 3) or (Y, X), or PIL image
            As for `SAM2ImagePredictor.set_image`.

        Returns
        -------
        list of dict
            ``segmentation`` (mask (Y, X), or run lengths), ``area`` (px), ``bbox`` and ``crop_box`` (``x, y, width,
            height``), ``predicted_iou``, ``stability_score``, ``point_coords`` ([[x, y]], the click).

        References
        ----------
        .. [1] A. Kirillov et al., "Segment Anything", ICCV 2023, :doi:`10.48550/arXiv.2304.02643`.
        """
        found = self._find(read_picture(image))
        return [self._record(found, i) for i in range(len(found.runs))]

    @torch.inference_mode()
    def _find(self, picture: NDArray[np.float32]) -> Proposals:
        s = self.settings
        height, width = picture.shape[:2]
        crops = crop_boxes((height, width), s.crop_n_layers, s.crop_overlap_ratio)
        grids = s.grids()
        found = Proposals.join([self._search(picture, crop, grids[layer]) for crop, layer in crops])
        if len(crops) > 1:
            # What a smaller crop shows is seen more sharply.
            found = found.pick(_distinct(found.boxes, 1 / box_area(found.crops.float()), s.crop_nms_thresh))
        return found

    def _search(self, picture: NDArray[np.float32], crop: Box, grid: NDArray[np.float64]) -> Proposals:
        """Masks in one crop, without duplicates."""
        x0, y0, x1, y1 = crop
        self.predictor.set_image(picture[y0:y1, x0:x1])
        places = torch.from_numpy(grid * np.array([x1 - x0, y1 - y0])).float().to(self.predictor.device)
        batches = [self._ask(part, crop, picture.shape[:2]) for part in places.split(self.settings.points_per_batch)]
        self.predictor.reset_predictor()
        found = Proposals.join(batches)
        found = found.pick(_distinct(found.boxes, found.iou, self.settings.box_nms_thresh))
        corner = found.boxes.new_tensor([x0, y0])
        return found._replace(boxes=found.boxes + corner.repeat(2), points=found.points + corner)

    def _ask(self, places: Tensor, crop: Box, size: tuple[int, ...]) -> Proposals:
        """Answers to clicks (P, 2) in px of a crop, those that are good enough."""
        s, one = self.settings, torch.ones(len(places), 1, dtype=torch.long, device=places.device)
        given = self.predictor.place(places[:, None], one, None, None)
        logits, iou, low = (x.flatten(0, 1) for x in self.predictor.decode(given, s.multimask_output, True))
        points = places.repeat_interleave(len(logits) // max(len(places), 1), 0)
        if s.use_m2m:
            logits, iou = self._refine(points, low)
        good = iou > s.pred_iou_thresh if s.pred_iou_thresh > 0 else torch.ones_like(iou, dtype=torch.bool)
        logits, iou, points = logits[good], iou[good], points[good]
        stability = stability_of(logits, s.mask_threshold, s.stability_score_offset)
        steady = stability >= s.stability_score_thresh if s.stability_score_thresh > 0 else torch.ones_like(iou) > 0
        masks, iou, points, stability = (
            logits[steady] > s.mask_threshold,
            iou[steady],
            points[steady],
            stability[steady],
        )
        boxes = _boxes(masks)
        whole = ~_cut_off(boxes, crop, size)
        crops = boxes.new_tensor([crop]).expand(int(whole.sum()), 4)
        runs = tuple(to_runs(mask) for mask in _in_picture(masks[whole], crop, size).cpu().numpy())
        return Proposals(boxes[whole], iou[whole], stability[whole], points[whole], crops, runs)

    def _refine(self, points: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
        """Answers (N, Y, X) and IoU (N,) to each click once more, with its mask so far."""
        parts = []
        for some, before in zip(*(x.split(self.settings.points_per_batch) for x in (points, low)), strict=True):
            one = torch.ones(len(some), 1, dtype=torch.long, device=some.device)
            placed = self.predictor.place(some[:, None], one, None, None)
            masks, iou, _ = self.predictor.decode(Placed(placed.points, placed.labels, before[:, None]), False, True)
            parts.append((masks[:, 0], iou[:, 0]))
        logits, ious = zip(*parts, strict=True)
        return torch.cat(logits), torch.cat(ious)

    def _record(self, found: Proposals, i: int) -> dict[str, Any]:
        runs = found.runs[i]
        form = self.settings.output_mode
        shown = from_runs(runs) if form == "binary_mask" else as_coco(runs) if form == "coco_rle" else runs
        return {
            "segmentation": shown,
            "area": area_of(runs),
            "bbox": _sides(found.boxes[i]),
            "predicted_iou": float(found.iou[i]),
            "point_coords": [found.points[i].tolist()],
            "stability_score": float(found.stability[i]),
            "crop_box": _sides(found.crops[i]),
        }


def crop_boxes(size: tuple[int, int], layers: int, overlap_ratio: float) -> list[tuple[Box, int]]:
    """The picture of ``(height, width)`` and its crops, each with its layer: 2**i by 2**i of them in layer i."""
    height, width = size
    boxes: list[tuple[Box, int]] = [((0, 0, width, height), 0)]
    for layer in range(1, layers + 1):
        count = 2**layer
        overlap = int(overlap_ratio * min(size) * 2 / count)
        wide, high = (math.ceil((overlap * (count - 1) + side) / count) for side in (width, height))
        corners = product(range(count), repeat=2)
        for i, j in corners:
            x, y = (wide - overlap) * i, (high - overlap) * j
            boxes.append(((x, y, min(x + wide, width), min(y + high, height)), layer))
    return boxes


def stability_of(logits: Tensor, threshold: float, offset: float) -> Tensor:
    """How little masks (N, Y, X) change when their threshold moves: IoU (N,) of the mask at plus and at minus it."""
    inner, outer = ((logits > threshold + shift).flatten(1).sum(1) for shift in (offset, -offset))
    return inner / outer


def _distinct(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Index of the boxes that no better one overlaps by more than the threshold, best first."""
    result: Tensor = batched_nms(boxes.float(), scores.to(boxes.device), torch.zeros_like(boxes[:, 0]), threshold)
    return result


def _boxes(masks: Tensor) -> Tensor:
    """Boxes (N, 4) of masks (N, Y, X), whole numbers; all zero of an empty one."""
    boxes = torch.zeros(len(masks), 4, dtype=torch.long, device=masks.device)
    there = masks.flatten(1).any(1)
    boxes[there] = masks_to_boxes(masks[there]).long()
    return boxes


def _cut_off(boxes: Tensor, crop: Box, size: tuple[int, ...]) -> Tensor:
    """Boxes (N,) with a side near one of the crop's that is none of the picture's."""
    corner = boxes.new_tensor([crop[0], crop[1]]).repeat(2)
    placed = (boxes + corner).float()
    near = (placed - placed.new_tensor(crop)).abs() <= _NEAR_EDGE
    outer = (placed - placed.new_tensor([0, 0, size[1], size[0]])).abs() <= _NEAR_EDGE
    return (near & ~outer).any(1)


def _in_picture(masks: Tensor, crop: Box, size: tuple[int, ...]) -> Tensor:
    x0, y0, x1, y1 = crop
    return F.pad(masks, (x0, size[1] - x1, y0, size[0] - y1))


def _sides(box: Tensor) -> list[float]:
    x0, y0, x1, y1 = box.float().tolist()
    return [x0, y0, x1 - x0, y1 - y0]
