"""SAM prompt encoder: points, boxes and masks to embeddings.

Points are ``(x, y)`` px, the centre of the top-left pixel at (0, 0); inside, the
half pixel is added as SAM does. Reference: Kirillov et al., Segment Anything, 2023.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.model.layers import ChannelNorm

PADDING, NEGATIVE, POSITIVE, BOX_FIRST, BOX_SECOND = -1, 0, 1, 2, 3


class RandomPosition(nn.Module):
    """Positions as random Fourier features (Tancik et al., 2020)."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, features))

    def forward(self, unit: Tensor) -> Tensor:
        """(..., 2) in 0..1, (x, y), to (..., 2 * features).

        References
        ----------
        .. [1] M. Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
           Domains", NeurIPS 2020, :doi:`10.48550/arXiv.2006.10739`.
        """
        angles = 2 * math.pi * ((2 * unit - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angles.sin(), angles.cos()], -1)


class PromptEncoder(nn.Module):
    """Prompts of each vessel to sparse and dense embeddings.

    Parameters
    ----------
    dim : int
        Width of the embeddings.
    mask_in_chans : int
        Width inside the downscaling of mask prompts.
    frame : float, optional
        Side in px of the frame positions are measured in; the image by default.
    as_sam2 : bool
        End the points with one of padding, and have the layer that makes a prompt of a given mask.
    """

    def __init__(self, dim: int, mask_in_chans: int, frame: float | None = None, as_sam2: bool = False) -> None:
        super().__init__()
        self.frame = frame
        self.given_mask = nn.Conv2d(1, 1, 4, stride=4) if as_sam2 else None
        self.pe_layer = RandomPosition(dim // 2)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, dim) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, dim)
        self.no_mask_embed = nn.Embedding(1, dim)
        c = mask_in_chans
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, c // 4, 2, stride=2), ChannelNorm(c // 4), nn.GELU(),
            nn.Conv2d(c // 4, c, 2, stride=2), ChannelNorm(c), nn.GELU(), nn.Conv2d(c, dim, 1),
        )  # fmt: skip

    def forward(
        self,
        points: Tensor,
        labels: Tensor,
        image_size: tuple[int, int],
        masks: Tensor | None = None,
        origin: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Embed the prompts of V vessels.

        Parameters
        ----------
        points : Tensor (V, P, 2)
            ``(x, y)`` px. A box is two points, labelled 2 (top left) and 3 (bottom right).
        labels : LongTensor (V, P)
            1 vessel, 0 not this vessel, 2 and 3 box corners, -1 padding.
        image_size : tuple of int
            ``(H, W)`` of the encoded image, px.
        masks : Tensor (V, 1, H / 4, W / 4), optional
            Mask logits as prompt.
        origin : Tensor (2,), optional
            ``(x, y)`` px of the image's corner in a larger frame, where positions have a fixed unit.

        Returns
        -------
        sparse : Tensor (V, P, dim)
            (V, P + 1, dim) where one of padding is added.
        dense : Tensor (V, dim, H / 16, W / 16)

        References
        ----------
        .. [1] A. Kirillov et al., "Segment Anything", ICCV 2023, :doi:`10.48550/arXiv.2304.02643`.
        """
        h, w = image_size
        if self.given_mask is not None:
            points, labels = F.pad(points, (0, 0, 0, 1)), F.pad(labels, (0, 1), value=PADDING)
        sparse = self.pe_layer(self._unit(points + 0.5, h, w, origin))
        pad = (labels == PADDING)[..., None]
        sparse = torch.where(pad, torch.zeros_like(sparse), sparse)
        kinds = torch.cat([e.weight for e in (self.not_a_point_embed, *self.point_embeddings)])
        sparse = sparse + kinds[labels + 1]
        if masks is not None:
            return sparse, self.mask_downscaling(masks)
        dense = self.no_mask_embed.weight[0].view(1, -1, 1, 1).expand(points.shape[0], -1, h // 16, w // 16)
        return sparse, dense

    def image_positions(self, height: int, width: int, origin: Tensor | None = None) -> Tensor:
        """Positions of the stride-16 cells, (dim, height, width)."""
        device = self.not_a_point_embed.weight.device
        y, x = (torch.arange(n, device=device) * 16.0 + 8.0 for n in (height, width))
        place = torch.stack([x[None, :].expand(height, width), y[:, None].expand(height, width)], -1)
        result: Tensor = self.pe_layer(self._unit(place, height * 16, width * 16, origin)).permute(2, 0, 1)
        return result

    def _unit(self, place: Tensor, height: int, width: int, origin: Tensor | None) -> Tensor:
        """SAM measures positions in images; with a fixed frame, a px means the same in images of every size."""
        if self.frame is None:
            return place / place.new_tensor([width, height])
        return (place if origin is None else place + origin) / self.frame
