"""The CapFlow layout: PNG frames, one flow file per frame, one vessel mask per video.

``<root>/<split>/<video>/NNNN.png``, ``<root>/<split>/<video>/Flow_float16/NNNN.npy`` with flow (H, W, 2) as (dx, dy)
from frame NNNN to the next, and ``<raw>/<split>/mask/<video>.png``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray

from sam2flow_core.errors import DataError
from sam2flow_core.synthetic.case_files import quantise
from sam2flow_core.synthetic.clip import recorded_flow
from sam2flow_core.synthetic.film import film_long
from sam2flow_core.synthetic.scene import Scene


@dataclass(frozen=True)
class CapFlowVideo:
    """One video in the CapFlow layout.

    Attributes
    ----------
    name : str
    frames : tuple of Path
        PNG files in order.
    flows : tuple of Path
        Flow from each frame to the next: one fewer, or as many, as there are frames.
    mask_file : Path
    """

    name: str
    frames: tuple[Path, ...]
    flows: tuple[Path, ...]
    mask_file: Path

    def frame(self, t: int) -> NDArray[np.generic]:
        """Return frame ``t`` (H, W)."""
        image = np.asarray(skimage.io.imread(self.frames[t]))
        return image if image.ndim == 2 else image[..., 0]

    def flow(self, t: int) -> NDArray[np.float32]:
        """Return the flow (2, H, W), (dx, dy) px, from frame ``t`` to the next."""
        field = np.load(self.flows[t])
        if field.ndim != 3 or field.shape[2] != 2:
            raise DataError(f"{self.flows[t]}: expected flow of shape (H, W, 2), found {field.shape}")
        return np.moveaxis(field.astype(np.float32), 2, 0)

    def mask(self) -> NDArray[np.bool_]:
        """Return the vessels' mask (H, W)."""
        image = np.asarray(skimage.io.imread(self.mask_file))
        return (image if image.ndim == 2 else image[..., 0]) > 0


def write_capflow(root: Path, raw: Path, split: str, name: str, scene: Scene, frames: NDArray[np.int64]) -> None:
    """Write a scene as one CapFlow video of 8 bits.

    Flow includes the tissue's motion, as the layout has no other place for it. The layout knows one vector per pixel:
    where vessels lie on each other it is the flow of the one with the highest id. The mask is that of the first frame.
    """
    folder = root / split / name
    (folder / "Flow_float16").mkdir(parents=True, exist_ok=True)
    (raw / split / "mask").mkdir(parents=True, exist_ok=True)
    number = 0
    for video in film_long(scene, frames):
        for image in quantise(video, 8):
            skimage.io.imsave(folder / f"{number:04d}.png", image, check_contrast=False)
            number += 1
    for t in range(len(frames) - 1):
        layers = recorded_flow(scene, int(frames[t]), int(frames[t + 1]))
        merged = np.zeros_like(layers[0])
        for layer in layers:
            merged = np.where(np.any(layer != 0, axis=0), layer, merged)
        np.save(folder / "Flow_float16" / f"{t:04d}.npy", np.moveaxis(merged, 0, 2).astype(np.float16))
    mask = scene.masks_at(int(frames[0])).any(0)
    skimage.io.imsave(
        raw / split / "mask" / f"{name}.png", np.where(mask, 255, 0).astype(np.uint8), check_contrast=False
    )


def read_capflow(root: Path, raw: Path, split: str) -> Iterator[CapFlowVideo]:
    """Find the videos of one split.

    Raises
    ------
    DataError
        If there is no video, or one lacks its mask or flow.
    """
    folders = sorted(path for path in (root / split).glob("*") if (path / "Flow_float16").is_dir())
    if not folders:
        raise DataError(f"{root / split}: no CapFlow videos in it (folders of PNG frames with Flow_float16)")
    for folder in folders:
        frames, flows = sorted(folder.glob("*.png")), sorted((folder / "Flow_float16").glob("*.npy"))
        mask = raw / split / "mask" / f"{folder.name}.png"
        if not mask.is_file():
            raise DataError(f"{mask}: the vessel mask of video {folder.name} is missing")
        if not 0 <= len(frames) - len(flows) <= 1:
            raise DataError(f"{folder}: {len(frames)} frames and {len(flows)} flow files do not belong together")
        yield CapFlowVideo(folder.name, tuple(frames), tuple(flows), mask)
