"""Scenes built to measure one thing."""

from dataclasses import replace

import numpy as np

from sam2flow_core.synthetic import Scene, SceneSettings, sample_scene

QUIET = SceneSettings(
    pixel_size_um=(0.6, 0.6),
    frame_rate_hz=(100.0, 100.0),
    plan=("single",),
    diameter_px=(24.0, 24.0),
    speed_bins_px=((2.0, 2.0),),
    pulsatility=(0.3, 0.3),
    vasomotion=(0.0, 0.0),
    event_rate_hz=0.0,
    gaps=0.0,
    taper=0.0,
    cell_scale=(1.0, 1.0),
    contrasts=(("absorption", 1.0),),
    cell_contrast=(0.3, 0.3),
    texture=(0.01, 0.01),
    electrons=(1e6, 1e6),
    read_noise=(0.0, 0.0),
    flicker=(0.0, 0.0),
    blur_um=(0.5, 0.5),
    exposure=(0.02, 0.02),
    motion_probability=0.0,
)


def world(seed: int, size: tuple[int, int] = (128, 128), **changes) -> Scene:
    return sample_scene(np.random.default_rng([seed, 0x74657374]), size, replace(QUIET, **changes))
