"""Clips from a folder in the CapFlow layout: real or rendered videos with dense flow and one mask each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import convolve, distance_transform_edt
from skimage.measure import label
from skimage.morphology import skeletonize

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.errors import DataError
from sam2flow_core.model.vessel_field import FIELD_STRIDE
from sam2flow_core.synthetic import CapFlowVideo, read_capflow
from sam2flow_core.training.clips import ClipOrder, RawClip, TrainingClip, alter
from sam2flow_core.training.field_truth import LumenPoints

_SPLIT = "train"
_MULTIPLE = 32
_LEAST_PIXELS = 60
"""Of a piece of the mask that is called a vessel."""


class CapFlowFolder:
    """Videos in the CapFlow layout as a source of clips.

    Parameters
    ----------
    folder : Path
        Holds ``train/<video>/NNNN.png`` with ``Flow_float16``, and ``train/mask/<video>.png``, the latter also under
        ``raw``.
    config : TrainingConfig

    Raises
    ------
    DataError
        If there is no video in it, one lacks its mask or flow, or is too small or short to learn from.

    Notes
    -----
    The layout has one mask for all vessels and one vector per px: pieces of the mask that do not touch are taken for
    vessels, and tissue for standing still.
    """

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        self.config = config
        raw = folder / "raw"
        self.videos = tuple(_opened(video) for video in read_capflow(folder, raw if raw.is_dir() else folder, _SPLIT))
        # Clips of one batch have one side, so the smallest video decides.
        self._largest = min(min(v.vessels.shape) for v in self.videos) // _MULTIPLE * _MULTIPLE

    def draw(self, order: ClipOrder, rng: np.random.Generator) -> list[TrainingClip]:
        """Cut clips out of the videos, each altered a few times: reading costs more than altering."""
        clips: list[TrainingClip] = []
        while len(clips) < order.count:
            raw = self.cut(order.stage, order.side, rng)
            if raw is None:
                continue
            for _ in range(min(self.config.reuse, order.count - len(clips))):
                clips.append(alter(raw, rng, self.config, order.stage).to(order.device))
        return clips

    def close(self) -> None:
        """Nothing runs in the background."""

    def cut(self, stage: StageConfig, side: int, rng: np.random.Generator) -> RawClip | None:
        """Draw a video and cut a window and a clip out of it; None where no vessel is in the window."""
        opened = self.videos[int(rng.integers(len(self.videos)))]
        height, width = opened.vessels.shape
        side = min(side, self._largest)
        top, left = (int(rng.integers(n - side + 1)) for n in (height, width))
        window = (slice(top, top + side), slice(left, left + side))
        pieces = opened.vessels[window]
        masks = np.stack([pieces == k for k in np.unique(pieces)])[1 if (pieces == 0).any() else 0 :]
        masks = masks[masks.sum((1, 2)) >= _LEAST_PIXELS]
        if not len(masks):
            return None
        video, count = opened.video, len(opened.video.flows)
        frames, firsts = cut_recording(rng, stage, 0, count)
        order = sorted({*frames, *firsts, *(t + 1 for t in firsts)})
        pictures = np.stack([video.frame(t)[window].astype(np.float32) for t in order])
        dense = np.stack([video.flow(t)[(slice(None), *window)] for t in frames])
        flow = dense[:, None] * masks[None, :, None]
        leaves = _leaves(dense)[:, None] & masks[None]
        return RawClip(
            torch.from_numpy(pictures),
            tuple(order.index(t) for t in frames),
            tuple(order.index(t) for t in firsts),
            torch.from_numpy(masks),
            torch.from_numpy(flow.astype(np.float32)),
            torch.from_numpy(leaves),
            trace_lumens(pieces > 0, dense.mean(0)),
        )


@dataclass(frozen=True)
class _Opened:
    """A video and its vessels: the numbered pieces (H, W) of its mask, 0 outside."""

    video: CapFlowVideo
    vessels: NDArray[np.int32]


def _opened(video: CapFlowVideo) -> _Opened:
    vessels = np.asarray(label(video.mask()), np.int32)
    if min(vessels.shape) < _MULTIPLE or len(video.flows) < 2:
        raise DataError(f"video {video.name}: needs {_MULTIPLE} x {_MULTIPLE} px and three frames to be learned from")
    if not vessels.any():
        raise DataError(f"{video.mask_file}: no vessel in this mask")
    return _Opened(video, vessels)


def cut_recording(rng: np.random.Generator, stage: StageConfig, begin: int, length: int) -> tuple[list[int], list[int]]:
    """Frames of a clip anywhere in a recording, and first frames of pairs that lie evenly over it."""
    start = begin + int(rng.integers(0, max(length - stage.frames, 1)))
    firsts = np.linspace(begin, begin + length - 2, min(stage.scattered_pairs, length - 1)).round().astype(int)
    return list(range(start, min(start + stage.frames, begin + length))), np.unique(firsts).tolist()


def _leaves(flow: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where flow (T, 2, H, W) leads out of the window."""
    height, width = flow.shape[-2:]
    y, x = np.arange(height)[:, None] + flow[:, 1], np.arange(width) + flow[:, 0]
    result: NDArray[np.bool_] = (x < 0) | (x > width - 1) | (y < 0) | (y > height - 1)
    return result


_LEAST_SPEED = 1e-3
"""px per frame: below, flow has no direction."""


def trace_lumens(mask: NDArray[np.bool_], flow: NDArray[np.float32]) -> LumenPoints:
    """Direction, place across the lumen and radius of every cell of the field that lies in a vessel.

    Parameters
    ----------
    mask : ndarray of bool, shape (N, N)
        All vessels.
    flow : ndarray, shape (2, N, N)
        ``(dx, dy)``, any unit; mean over time.
    """
    bones = skeletonize(mask)
    # Half a px: the wall runs between the last px inside and the first outside.
    radius_at = distance_transform_edt(mask) - 0.5
    nearest = distance_transform_edt(~bones, return_distances=False, return_indices=True)
    side = mask.shape[0] // FIELD_STRIDE
    y, x = (n * FIELD_STRIDE + FIELD_STRIDE // 2 for n in np.mgrid[:side, :side])
    moving = mask[y, x] & (np.hypot(*flow[:, y, x]) > _LEAST_SPEED) & bones.any()
    row, column = np.nonzero(moving)
    y, x = y[moving], x[moving]
    heading = flow[:, y, x] / np.hypot(*flow[:, y, x])
    middle_y, middle_x = nearest[:, y, x]
    radius = np.maximum(radius_at[middle_y, middle_x], 0.5)
    # On the screen y runs down: left of (dx, dy) is (dy, -dx).
    left = heading[1] * (x - middle_x) - heading[0] * (y - middle_y)
    angle = np.arctan2(heading[1], heading[0]).astype(float)
    offset = np.clip(left / radius, -1, 1).astype(float)
    return LumenPoints(side, row, column, angle, offset, radius.astype(float), _ends(bones, radius_at))


def _ends(bones: NDArray[np.bool_], radius_at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends and forks inside the frame: ``(row, column)`` and radius (E, 3) in cells."""
    neighbours = convolve(bones.astype(int), np.ones((3, 3), int), mode="constant") - 1
    y, x = np.nonzero(bones & ((neighbours == 1) | (neighbours > 2)))
    radius = radius_at[y, x]
    height, width = bones.shape
    inner = (np.minimum(y, height - 1 - y) > radius) & (np.minimum(x, width - 1 - x) > radius)
    result: NDArray[np.float64] = np.stack(
        [(y - 0.5) / FIELD_STRIDE, (x - 0.5) / FIELD_STRIDE, radius / FIELD_STRIDE], 1
    )[inner]
    return result
