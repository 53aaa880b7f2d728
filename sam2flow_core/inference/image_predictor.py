"""Masks in single pictures, with the manners of SAM 2's image predictor.

A picture is encoded once; each prompt then costs the decoder only. Reference: Ravi et al., SAM 2, 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import Sam2Settings
from sam2flow_core.errors import ModelError, PromptError
from sam2flow_core.inference.precision import in_own_precision
from sam2flow_core.inference.sam2_inputs import Given, read_picture, to_input, to_padded_input
from sam2flow_core.inference.weights import choose_device, load_model
from sam2flow_core.model.mask_decoder import DecodedMasks, choose_mask, unsteady
from sam2flow_core.model.prompt_encoder import BOX_FIRST, BOX_SECOND, PADDING
from sam2flow_core.model.sam2flow import SAM2Flow

_LARGEST = 32.0
"""Largest logit of an earlier answer that is given back as a prompt."""
_SURE = 10.0
"""How far beyond the threshold filled holes and removed sprinkles are put."""

Picture = NDArray[Any] | Image.Image
Answer = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Masks (C, Y, X), their estimated IoU (C,), and logits (C, side / 4, side / 4)."""


class Placed(NamedTuple):
    """Prompts of B objects in px of the network's input; any of them may be missing.

    Attributes
    ----------
    points : Tensor (B, P, 2)
        ``(x, y)``; boxes are their first two.
    labels : LongTensor (B, P)
    masks : Tensor (B, 1, side / 4, side / 4)
    """

    points: Tensor | None = None
    labels: Tensor | None = None
    masks: Tensor | None = None


@dataclass(frozen=True)
class EncodedPictures:
    """Features of the pictures in hand.

    Attributes
    ----------
    levels : tuple of Tensor
        At strides 4, 8 and 16.
    sizes : tuple of tuple of int
        ``(Y, X)`` of the pictures.
    shown : tuple of tuple of int
        ``(Y, X)`` that they have in the network's input.
    """

    levels: tuple[Tensor, ...]
    sizes: tuple[tuple[int, int], ...]
    shown: tuple[tuple[int, int], ...]


class SAM2ImagePredictor:
    """Prompts in a picture to masks; the methods and arguments are those of SAM 2's image predictor.

    Parameters
    ----------
    sam_model : SAM2Flow
        Of one of SAM 2's sizes, or an image-only SAM, from `build_sam2` or `load_model`.
    mask_threshold : float
        Logit above which a pixel belongs to a mask.
    max_hole_area, max_sprinkle_area : float
        Holes and islands of at most so many px of the quarter-size mask are filled and removed.
    settings : Sam2Settings, optional

    Notes
    -----
    An image-only SAM is answered as its own `SamPredictor` does: pictures keep their sides' ratio, steadiness has no
    say, and logits are returned as they are.

    References
    ----------
    .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.

    Examples
    --------
    >>> predictor = SAM2ImagePredictor.from_pretrained("sam2.1_hiera_small.pt")  # doctest: +SKIP
    >>> predictor.set_image(picture)  # doctest: +SKIP
    >>> masks, iou, logits = predictor.predict([[120, 80]], [1])  # doctest: +SKIP
    """

    def __init__(
        self,
        sam_model: SAM2Flow,
        mask_threshold: float = 0.0,
        max_hole_area: float = 0.0,
        max_sprinkle_area: float = 0.0,
        settings: Sam2Settings | None = None,
    ) -> None:
        if not sam_model.config.mask.as_sam2:
            raise ModelError(
                f"weights of preset '{sam_model.config.preset}' see recordings, not single pictures: give weights of "
                "SAM 2, or click in a recording (SAM2FlowPredictor)"
            )
        self.model = sam_model.eval()
        settings = settings or Sam2Settings(steady_masks=sam_model.steady_masks)
        # However the network was loaded: at another side fine-tuned weights answer something else.
        self.settings = settings.for_weights({"image_size": sam_model.tuned_side})
        self.mask_threshold = mask_threshold
        self._image_only, image = sam_model.config.mask.image_only, sam_model.config.image
        if image.trunk == "vit" and image.global_pos_size != (self.side // 16, self.side // 16):
            raise ModelError(f"these weights do not see pictures of {self.side} px: give their own image_size")
        self._areas = (max_hole_area, max_sprinkle_area)
        self._pictures: EncodedPictures | None = None
        self._is_batch = False

    @classmethod
    def from_pretrained(cls, model_id: str, device: str = "auto", **options: Any) -> SAM2ImagePredictor:
        """Load weights by whatever name `load_model` takes; ``options`` are those of the class."""
        model, _ = load_model(model_id)
        return cls(model.to(choose_device(device)), **options)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.model.prompt_encoder.no_mask_embed.weight.device

    @property
    def side(self) -> int:
        """Side of the network's input, px."""
        return self.settings.image_size

    def set_image(self, image: Picture) -> None:
        """Encode a picture: RGB (Y, X, 3) of 0 to 255, grey (Y, X), or a PIL image; see `read_picture`."""
        self._encode([image])
        self._is_batch = False

    def set_image_batch(self, image_list: Sequence[Picture]) -> None:
        """Encode several pictures, whose sizes may differ, for `predict_batch`."""
        if not len(image_list):
            raise PromptError("no picture in the batch: give at least one")
        self._encode(list(image_list))
        self._is_batch = True

    @torch.inference_mode()
    def _encode(self, images: list[Picture]) -> None:
        pictures = [read_picture(image) for image in images]
        sizes = tuple((p.shape[0], p.shape[1]) for p in pictures)
        if self._image_only:
            inputs, shown = to_padded_input(pictures, self.side, self.device)
            self._pictures = EncodedPictures(
                tuple(in_own_precision(self.model.encode(inputs), self.model)), sizes, shown
            )
            return
        fine, mid, coarse = in_own_precision(self.model.encode(to_input(pictures, self.side, self.device)), self.model)
        coarse = self.model.context_memory.read(coarse, [], 0)
        self._pictures = EncodedPictures((fine, mid, coarse), sizes, ((self.side, self.side),) * len(sizes))

    def predict(
        self,
        point_coords: Given = None,
        point_labels: Given = None,
        box: Given = None,
        mask_input: Given = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        normalize_coords: bool = True,
    ) -> Answer:
        """Masks that prompts ask for in the picture of `set_image`.

        Parameters
        ----------
        point_coords : (P, 2) or (B, P, 2), optional
            ``(x, y)`` px of the picture; of one object, or of B objects at once.
        point_labels : (P,) or (B, P), optional
            1 = the object, 0 = not the object.
        box : (4,) or (B, 4), optional
            ``x0, y0, x1, y1`` px.
        mask_input : (1, side / 4, side / 4) or (B, 1, side / 4, side / 4), optional
            Logits that an earlier call returned.
        multimask_output : bool
            Three masks for what may be meant, else one; three are better for a single click.
        return_logits : bool
            Logits instead of 0 and 1.
        normalize_coords : bool
            False: points and boxes are given in 0 to 1 of the picture's width and height.

        Returns
        -------
        masks : ndarray (C, Y, X), or (B, C, Y, X) for several objects
            float32, 0 or 1.
        iou : ndarray (C,) or (B, C)
            As the network estimates it.
        low_res_logits : ndarray (C, side / 4, side / 4) or (B, C, ...)
            Clipped at 32, for ``mask_input``.

        Raises
        ------
        PromptError
            If no picture is set, or points and labels do not fit.

        References
        ----------
        .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.
        .. [2] A. Kirillov et al., "Segment Anything", ICCV 2023, :doi:`10.48550/arXiv.2304.02643`.
        """
        self._require(batch=False)
        given = self.place(point_coords, point_labels, box, mask_input, normalize_coords, 0)
        return _arrays(*self.decode(given, multimask_output, return_logits, 0))

    def predict_batch(
        self,
        point_coords_batch: Sequence[Given] | None = None,
        point_labels_batch: Sequence[Given] | None = None,
        box_batch: Sequence[Given] | None = None,
        mask_input_batch: Sequence[Given] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        normalize_coords: bool = True,
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """`predict` for each picture of `set_image_batch`; lists with an entry for each picture."""
        pictures = self._require(batch=True)
        answers = []
        for k in range(len(pictures.sizes)):
            prompts = [
                None if x is None else x[k]
                for x in (point_coords_batch, point_labels_batch, box_batch, mask_input_batch)
            ]
            given = self.place(prompts[0], prompts[1], prompts[2], prompts[3], normalize_coords, k)
            answers.append(_arrays(*self.decode(given, multimask_output, return_logits, k)))
        masks, ious, logits = (list(x) for x in zip(*answers, strict=True))
        return masks, ious, logits

    def get_image_embedding(self) -> Tensor:
        """Stride-16 features (B, dim, side / 16, side / 16) of the pictures in hand."""
        if self._pictures is None:
            raise PromptError("no picture to look at: call set_image first")
        return self._pictures.levels[2]

    def reset_predictor(self) -> None:
        """Forget the pictures."""
        self._pictures, self._is_batch = None, False

    def place(
        self, points: Given, labels: Given, box: Given, masks: Given, in_px: bool = True, picture: int = 0
    ) -> Placed:
        """Prompts as `predict` takes them, in px of the network's input."""
        assert self._pictures is not None
        height, width = self._pictures.sizes[picture] if in_px else (1, 1)
        unit = np.array([width, height], np.float32)
        shown = np.array(self._pictures.shown[picture][::-1], np.float32)
        xy, kinds = None, None
        if points is not None:
            if labels is None:
                raise PromptError("points without labels: give one label per point, 1 or 0")
            xy, kinds = _tensor(points, self.device), _tensor(labels, self.device).long()
            if xy.ndim == 2:
                xy, kinds = xy[None], kinds[None]
            if xy.shape[:-1] != kinds.shape or xy.shape[-1] != 2:
                raise PromptError(f"points of {tuple(xy.shape)} but labels of {tuple(kinds.shape)}: one label a point")
        if box is not None:
            corners = _tensor(box, self.device).reshape(-1, 2, 2)
            ends = torch.tensor([[BOX_FIRST, BOX_SECOND]], device=self.device).repeat(len(corners), 1)
            if xy is not None and len(xy) != len(corners):
                raise PromptError(f"points of {len(xy)} objects but {len(corners)} boxes: give a box per object")
            xy = corners if xy is None else torch.cat([corners, xy], 1)
            kinds = ends if kinds is None else torch.cat([ends, kinds], 1)
        if xy is not None:
            if not xy.isfinite().all():
                raise PromptError("a point without a place (not a number): give x and y in px")
            xy = xy / xy.new_tensor(unit) * xy.new_tensor(shown)
        return Placed(xy, kinds, self._given_masks(masks))

    def _given_masks(self, masks: Given) -> Tensor | None:
        if masks is None:
            return None
        logits = _tensor(masks, self.device)
        logits = logits[None] if logits.ndim == 3 else logits
        side = self.side // 4
        if logits.shape[1:] != (1, side, side):
            raise PromptError(
                f"a mask prompt of shape {tuple(logits.shape)}: give logits of 1 x {side} x {side}, as predict returns"
            )
        return logits

    @torch.inference_mode()
    def decode(
        self, given: Placed, multimask_output: bool, return_logits: bool, picture: int = 0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Masks (B, C, Y, X), IoU (B, C) and clipped logits (B, C, side / 4, side / 4), as tensors."""
        assert self._pictures is not None
        decoded = self._decoded(given, [level[picture : picture + 1] for level in self._pictures.levels])
        if multimask_output:
            logits, iou = decoded.logits[:, 1:], decoded.iou[:, 1:]
        else:
            shaky = torch.zeros(len(decoded.logits), dtype=torch.bool, device=self.device)
            steady = self.settings.steady_masks and not self._image_only
            one, quality, _ = choose_mask(decoded, unsteady(decoded) if steady else shaky)
            logits, iou = one[:, None], quality[:, None]
        masks = self._cleaned(logits)
        if self._image_only:
            height, width = self._pictures.shown[picture]
            masks = F.interpolate(masks, (self.side, self.side), mode="bilinear")[..., :height, :width]
        else:
            logits = logits.clamp(-_LARGEST, _LARGEST)
        masks = F.interpolate(masks, self._pictures.sizes[picture], mode="bilinear")
        return masks if return_logits else masks > self.mask_threshold, iou, logits

    def _decoded(self, given: Placed, levels: list[Tensor]) -> DecodedMasks:
        model, side, cells = self.model, self.side, self.side // 16
        count = next((len(x) for x in (given.points, given.masks) if x is not None), 1)
        points, labels = given.points, given.labels
        if points is None or labels is None:
            points, labels = torch.zeros(count, 1, 2, device=self.device), torch.zeros(count, 1, device=self.device)
        if self._image_only and not (labels == BOX_FIRST).any():
            # SAM 2 ends all prompts with one of padding, SAM those without a box.
            points, labels = F.pad(points, (0, 0, 0, 1)), F.pad(labels, (0, 1), value=PADDING)
        sparse, dense = model.prompt_encoder(points, labels.long(), (side, side), given.masks)
        if given.points is None:
            sparse = sparse[:, :0]  # not even one of padding, where nothing was clicked
        place = model.prompt_encoder.image_positions(cells, cells)
        image = levels[2].expand(count, -1, -1, -1)
        result: DecodedMasks = model.mask_decoder(
            image, place, sparse, dense, model.mask_decoder.high_resolution(levels)
        )
        return result

    def _cleaned(self, logits: Tensor) -> Tensor:
        holes, sprinkles = self._areas
        if holes > 0:
            filled = _small(logits <= self.mask_threshold, holes)
            logits = torch.where(filled, self.mask_threshold + _SURE, logits)
        if sprinkles > 0:
            removed = _small(logits > self.mask_threshold, sprinkles)
            logits = torch.where(removed, self.mask_threshold - _SURE, logits)
        return logits

    def _require(self, batch: bool) -> EncodedPictures:
        if self._pictures is None or self._is_batch != batch:
            call = "set_image_batch" if batch else "set_image"
            raise PromptError(f"no picture to look at: call {call} before predict{'_batch' if batch else ''}")
        return self._pictures


def _small(marked: Tensor, most: float) -> Tensor:
    """Connected parts (by edge or corner) of masks (B, C, H, W) that have at most so many px."""
    found = np.zeros(marked.shape, bool)
    for place in np.ndindex(*marked.shape[:2]):
        parts, _ = ndimage.label(marked[place].cpu().numpy(), np.ones((3, 3)))
        small = np.bincount(parts.ravel()) <= most
        small[0] = False
        found[place] = small[parts]
    return torch.from_numpy(found).to(marked.device)


def _tensor(given: Given, device: torch.device) -> Tensor:
    return torch.as_tensor(np.asarray(given.cpu() if isinstance(given, Tensor) else given, np.float32), device=device)


def _arrays(masks: Tensor, iou: Tensor, logits: Tensor) -> Answer:
    first, second, third = (x.squeeze(0).float().cpu().numpy() for x in (masks, iou, logits))
    return first, second, third
