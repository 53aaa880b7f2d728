"""Fine-tune designs of memory on synthetic volumes, and see what it does: ``python docs/volume_trial.py``.

Volumes are slices through bodies whose outline changes from one to the next. A small network of SAM 2's layers begins
at random, each design sees the same clips, and one mask is carried through volumes that none saw, before and after.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from sam2flow_core.config.model import PRESETS, ImageEncoderConfig, MaskConfig, MemoryConfig
from sam2flow_core.config.training import FinetuningSettings
from sam2flow_core.engine.propagation import propagate_volumes
from sam2flow_core.inference.build import load_predictor
from sam2flow_core.inference.weights import save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack import Stack
from sam2flow_core.stack.volumes import read_volumes
from sam2flow_core.training.volume_training import FinetuningRequest, finetune

SIDE = 96
DESIGNS = ("recent", "short-long", "relevant", "gated")
SETTINGS = FinetuningSettings(
    resolution=SIDE,
    num_frames=5,
    max_num_objects=2,
    prob_to_use_pt_input_for_train=0.2,
    num_correction_pt_per_frame=1,
    base_lr=1e-3,
    vision_lr=1e-3,
    weight_decay=0.01,
    clip_gradient=1.0,
    region_loss="balanced",
    # So few steps from random weights have enough to learn in clips as they are.
    layer_decay_value=1.0,
    random_horizontal_flip=0.0,
    random_affine_degrees=0.0,
    random_affine_shear=0.0,
    color_jitter_brightness=0.0,
    color_jitter_contrast=0.0,
    color_jitter_saturation=0.0,
    random_grayscale=0.0,
    frame_jitter_brightness=0.0,
    frame_jitter_contrast=0.0,
    frame_jitter_saturation=0.0,
)


def small_network() -> SAM2Flow:
    """1.4 million weights with the layers of SAM 2.1."""
    image = ImageEncoderConfig(24, 1, (1, 2, 3, 1), (), (8, 4, 8, 4), None, adapter_dim=0)
    mask = MaskConfig(64, 4, 128, 2, 16, 32, 2, 128, 6, 8, as_sam2=True)
    return SAM2Flow(replace(PRESETS["small"], image=image, mask=mask, use_flow=False))


def draw_volume(rng: np.random.Generator, slices: int) -> tuple[np.ndarray, np.ndarray]:
    """Slices (Z, Y, X) of 8 bits and labels: two bodies that drift and change shape, of two brightnesses."""
    y, x = np.mgrid[:SIDE, :SIDE]
    shown = gaussian_filter(rng.normal(0, 1, (slices, SIDE, SIDE)), (1, 3, 3)) * 60 + 90
    labels = np.zeros((slices, SIDE, SIDE), np.uint8)
    for number, side in ((1, 0.3), (2, 0.7)):
        centre = np.array([0.5, side]) + np.cumsum(gaussian_filter1d(rng.normal(0, 0.05, (slices, 2)), 2, axis=0), 0)
        centre = np.clip(centre, 0.2, 0.8) * SIDE
        waves = np.cumsum(gaussian_filter1d(rng.normal(0, 0.05, (slices, 3, 2)), 2, axis=0), 0)
        radius = SIDE * rng.uniform(0.1, 0.17) * np.exp(np.cumsum(rng.normal(0, 0.02, slices)))
        level = rng.uniform(30, 60) * rng.choice((-1, 1))
        for t in range(slices):
            angle = np.arctan2(y - centre[t, 0], x - centre[t, 1])
            shape = sum(c * np.cos(k * angle) + s * np.sin(k * angle) for k, (c, s) in enumerate(waves[t], 2))
            inside = np.hypot(y - centre[t, 0], x - centre[t, 1]) < radius[t] * np.clip(1 + shape, 0.6, 1.4)
            labels[t][inside] = number
            shown[t][inside] += level
    return np.clip(shown + rng.normal(0, 6, shown.shape), 0, 255).astype(np.uint8), labels


def write_volumes(folder: Path, count: int, slices: int, name: str, seed: int) -> None:
    """Volumes in the layout that fine-tuning takes, and their list."""
    names = [f"{name}{number:02d}" for number in range(count)]
    rng = np.random.default_rng(seed)
    for volume in names:
        shown, labels = draw_volume(rng, slices)
        for kind, ending, pictures in (("images", "jpg", shown), ("masks", "png", labels)):
            (folder / kind / volume).mkdir(parents=True)
            for t, picture in enumerate(pictures):
                Image.fromarray(picture).save(folder / kind / volume / f"{t:05d}.{ending}")
    (folder / f"{name}.txt").write_text("\n".join(names))


class StaysInPlace:
    """The least that memory has to beat: every mask stays where it was given."""

    def init_state(self, stack: Stack) -> dict[str, Any]:
        """Begin."""
        return {"slices": len(stack), "masks": {}}

    def add_new_mask(self, state: dict[str, Any], frame_idx: int, obj_id: int, mask: np.ndarray) -> None:
        """Keep a mask."""
        state["masks"][obj_id] = mask

    def follow_masks(self, state: dict[str, Any]) -> Iterator[tuple[int, list[int], torch.Tensor]]:
        """The same masks in every slice."""
        logits = torch.from_numpy(np.stack(list(state["masks"].values()))[:, None] * 2.0 - 1.0)
        return ((t, list(state["masks"]), logits) for t in range(state["slices"]))


def mean_dice(data: Path, predictor: Any, kind: str, slices: int) -> float:
    """Of both bodies of the volumes of a kind, from the middle slice to all others."""
    names = (data / f"{kind}.txt").read_text().split()
    done = propagate_volumes(predictor, data, dict.fromkeys(names, slices // 2), None)
    return float(np.mean([value for volume in done for value in volume.dice.values()]))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--volumes", type=int, default=20)
    parser.add_argument("--slices", type=int, default=16)
    parser.add_argument(
        "--frames", type=int, default=SETTINGS.num_frames, help="Slices of the clips that are learned from."
    )
    parser.add_argument("--long", type=int, default=48, help="Slices of the long volumes.")
    parser.add_argument("--designs", default=",".join(DESIGNS))
    given = parser.parse_args()
    with TemporaryDirectory() as temporary:
        data = Path(temporary)
        write_volumes(data, given.volumes, given.slices, "train", 1)
        write_volumes(data, 4, given.slices, "test", 2)
        write_volumes(data, 2, given.long, "long", 3)
        torch.manual_seed(0)
        save_weights(data / "start.safetensors", small_network(), {"image_size": SIDE}, torch.float32)
        print(
            "| design | before | after | long volumes, before | after | CPU minutes |\n|---|---|---|---|---|---|",
            flush=True,
        )
        still = [mean_dice(data, StaysInPlace(), kind, n) for kind, n in (("test", given.slices), ("long", given.long))]
        print(f"| the mask stays in place | | {still[0]:.2f} | | {still[1]:.2f} | |", flush=True)
        for design in given.designs.split(","):
            print(_row(data, design, given), flush=True)


def _row(data: Path, design: str, given: argparse.Namespace) -> str:
    begun, figures = time.process_time(), []
    for steps in (1, given.steps):
        # One step at no learning rate: the start, with what the design has beside it.
        clips = replace(SETTINGS, num_frames=given.frames)
        settings = clips if steps > 1 else replace(clips, base_lr=0.0, vision_lr=0.0)
        out = data / f"{design}-{steps}.safetensors"
        request = FinetuningRequest(
            tuple(read_volumes(data, "train.txt")), str(data / "start.safetensors"), out, MemoryConfig(design),
            settings, steps=steps, device="cpu",
        )  # fmt: skip
        list(finetune(request))
        predictor = load_predictor(str(out), "cpu")
        figures += [mean_dice(data, predictor, "test", given.slices), mean_dice(data, predictor, "long", given.long)]
    before, long_before, after, long_after = figures
    minutes = (time.process_time() - begun) / 60
    return f"| `{design}` | {before:.2f} | {after:.2f} | {long_before:.2f} | {long_after:.2f} | {minutes:.1f} |"


if __name__ == "__main__":
    main()
