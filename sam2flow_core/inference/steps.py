"""What the predictor says: of one frame, and of the vessels of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.prompts import Prompt


@dataclass(frozen=True, eq=False)  # arrays have no one truth value
class VesselFlow:
    """One vessel in one frame, cropped.

    The crop has the same size in every frame of a run and its `offset` follows
    the tissue, so the crops of one vessel lie on each other in tissue
    coordinates (to within the rounding of the offset to whole pixels).

    Attributes
    ----------
    vessel_id : int
    offset : tuple of int
        ``(y, x)`` of the crop's top-left pixel in this recorded frame; may be
        negative or reach past the frame where the tissue has moved.
    mask : ndarray of bool, shape (h, w)
        Where the vessel is.
    moves : ndarray of float32, shape (3, P), or None
        `flow` and `scale` at the P pixels of the mask, row by row: a crop is mostly empty, and a run holds the answers
        of many frames until they are written. None on the last frame, and in pairs that are not asked for.
    mask_iou : float
        The decoder's own estimate of the mask's IoU, 0 to 1.
    object_score : float
        Probability that the vessel is visible, 0 to 1, as memory says it. Whether a vessel is there is measured
        (`velocity.activity`), and does not hang on it.
    round_trip : float
        Forward-backward error in px, median over the mask (`round_trip`); NaN in the pairs that were not checked.
    same_as : int or None
        In a preview, the id of another marked vessel that this one is: most of its mask lies in that one's.
    """

    vessel_id: int
    offset: tuple[int, int]
    mask: NDArray[np.bool_]
    moves: NDArray[np.float32] | None
    mask_iou: float = 1.0
    object_score: float = 1.0
    round_trip: float = float("nan")
    same_as: int | None = None

    @classmethod
    def of(
        cls,
        vessel_id: int,
        offset: tuple[int, int],
        mask: NDArray[np.bool_],
        flow: NDArray[np.float32] | None,
        scale: NDArray[np.float32] | None,
        mask_iou: float = 1.0,
        object_score: float = 1.0,
        round_trip: float = float("nan"),
    ) -> Self:
        """Take flow and expected error as crops; both or none, and what lies outside the mask does not count."""
        moves = None
        if flow is not None and scale is not None:
            moves = np.concatenate([flow[:, mask], scale[None, mask]]).astype(np.float32)
        return cls(vessel_id, offset, mask, moves, mask_iou, object_score, round_trip)

    @property
    def flow(self) -> NDArray[np.float32] | None:
        """Displacement ``(dx, dy)`` in px per frame from this frame to the next, relative to the tissue, (2, h, w).

        Zero outside the mask. Laid out anew each time it is asked for, as `scale` is.
        """
        return None if self.moves is None else self._laid_out(self.moves[:2])

    @property
    def scale(self) -> NDArray[np.float32] | None:
        """Expected absolute error of the flow in px, from the model's mixture, (h, w); zero outside the mask."""
        return None if self.moves is None else self._laid_out(self.moves[2])

    @property
    def rows(self) -> NDArray[np.int64]:
        """Where among the pixels of the mask each pixel of the flattened crop comes, (h w,); -1 outside the mask."""
        inside = self.mask.ravel()
        return np.where(inside, np.cumsum(inside) - 1, -1)

    def _laid_out(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.zeros((*values.shape[:-1], *self.mask.shape), np.float32)
        out[..., self.mask] = values
        return out


@dataclass(frozen=True)
class FrameFlow:
    """One frame of a run.

    Attributes
    ----------
    frame : int
        Index in the recording.
    shift : tuple of float
        ``(dy, dx)`` in px by which the tissue stands away from the reference.
    vessels : tuple of VesselFlow
    asked : bool
        Whether flow to the next frame was asked for; where a run answers some pairs only, the others have none.
    """

    frame: int
    shift: tuple[float, float]
    vessels: tuple[VesselFlow, ...]
    asked: bool = True


@dataclass(frozen=True, eq=False)  # arrays have no one truth value
class FoundVessel:
    """A segment between forks, ends and the frame.

    Attributes
    ----------
    confidence : float
        Intersection over union, 0 to 1, that is expected of its mask.
    centreline : ndarray (N, 2)
        ``(y, x)`` px of the first frame.
    width_px : float
        Mean diameter.
    length_px : float
    clicked : tuple of float
        Where along it it is clicked, as shares of its length.
    """

    confidence: float
    centreline: NDArray[np.float64]
    width_px: float
    length_px: float
    clicked: tuple[float, ...] = FindingSettings().clicked

    def prompts(self, vessel_id: int, frame: int) -> tuple[Prompt, ...]:
        """Clicks that name it, spread along it."""
        places = [self.centreline[round(share * (len(self.centreline) - 1))] for share in self.clicked]
        return tuple(Prompt(vessel_id, frame, round(float(y), 1), round(float(x), 1)) for y, x in places)


def shared_pixels(
    corner: tuple[int, int], mask: NDArray[np.bool_], its_corner: tuple[int, int], its_mask: NDArray[np.bool_]
) -> int:
    """Pixels that lie in both of two masks, each a crop with the ``(top, left)`` of its corner."""
    start = np.maximum(corner, its_corner)
    end = np.minimum(np.add(corner, mask.shape), np.add(its_corner, its_mask.shape))
    if (start >= end).any():
        return 0
    mine, its = (
        each[start[0] - top : end[0] - top, start[1] - left : end[1] - left]
        for each, (top, left) in ((mask, corner), (its_mask, its_corner))
    )
    return int((mine & its).sum())
