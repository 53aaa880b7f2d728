"""Follow vessels by memory alone through recordings that the benchmark does not hold: ``python docs/memory_trial.py``.

Each recording begins with the true mask of every vessel; every twelfth frame is answered from memory, tissue motion
left in. Printed beside it is what the first mask is worth where it is left in its place.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.inference.dense import to_recorded
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.synthetic import render_clip, sample_scene
from sam2flow_core.synthetic.random_draws import stream

SIDE = 128
EVERY = 12
FRAMES = 49
# Seed, diameters in px, and whether the tissue stands still.
RECORDINGS = (
    (3, (10.0, 24.0), False),
    (5, (7.0, 12.0), False),
    (8, (10.0, 30.0), False),
    (11, (6.0, 10.0), False),
    (6, (8.0, 20.0), True),
)

Masks = NDArray[np.bool_]


def draw_recording(seed: int, diameter_px: tuple[float, float], still: bool) -> tuple[NDArray[np.float32], Masks]:
    """Frames (T, Y, X) and the true masks of all vessels in each of them (T, V, Y, X)."""
    settings = SceneSettings(
        pixel_size_um=(0.4, 0.5),
        frame_rate_hz=(100.0, 100.0),
        duration_s=6.0,
        plan=("pair",),
        diameter_px=diameter_px,
        motion_probability=0.0 if still else 1.0,
        drift_um_s=(0.0, 3.0),
        breathing_um=(4.0, 10.0),
        heartbeat_um=(0.5, 2.0),
        jump_rate_hz=0.5,
        texture=(0.02, 0.08),
        blur_um=(0.5, 0.8),
    )
    scene = sample_scene(stream(0x6D656D6F, seed), (SIDE, SIDE), settings)
    clip = render_clip(scene, list(range(0, FRAMES * EVERY, EVERY)))
    shifts = np.rint(clip.shifts.numpy()).astype(int)
    masks = [[to_recorded(m, *(int(d) for d in shift)) for m in clip.masks.numpy()] for shift in shifts]
    return clip.video.numpy(), np.array(masks) > 0.5


def follow(model: str, video: NDArray[np.float32], first: Masks) -> Masks:
    """Masks (T, V, Y, X) by memory alone from those of the first frame (V, Y, X)."""
    predictor = SAM2MaskPredictor.from_pretrained(model, "cpu")
    state = predictor.init_state(video)
    for number, mask in enumerate(first, 1):
        predictor.add_new_mask(state, 0, number, mask)
    return np.array([logits[:, 0].numpy() > 0 for _, _, logits in predictor.propagate_in_video(state)])


def overlap(found: Masks, true: Masks) -> NDArray[np.float64]:
    """IoU (T, V); nan where neither shows anything."""
    both = (found & true).sum((2, 3))
    either = (found | true).sum((2, 3))
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)


def main() -> None:
    """Print one row a recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny", help="weights (default: tiny)")
    model = parser.parse_args().model
    torch.set_num_threads(1)
    print("| tissue | vessels, px | IoU | in the last sixth | area at the end, of the true one | first mask in place |")
    print("|---|---|---|---|---|---|")
    for seed, diameter, still in RECORDINGS:
        video, true = draw_recording(seed, diameter, still)
        found, late = follow(model, video, true[0]), len(true) // 6
        iou, area = overlap(found, true), found[-late:].sum((2, 3)) / np.maximum(true[-late:].sum((2, 3)), 1)
        fixed = np.nanmean(overlap(np.broadcast_to(true[0], true.shape), true))
        print(
            f"| {'still' if still else 'moving'} | {diameter[0]:.0f} to {diameter[1]:.0f} | {np.nanmean(iou):.2f} "
            f"| {np.nanmean(iou[-late:]):.2f} | {area.mean():.2f} | {fixed:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
