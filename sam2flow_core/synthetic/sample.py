"""The bundled sample: a small recording with opposite neighbours, a crossing, a branch and a heartbeat.

``python -m sam2flow_core.synthetic.sample resources`` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.prompts import write_prompts
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.synthetic.case_files import quantise, write_tiff
from sam2flow_core.synthetic.clip import true_displacement
from sam2flow_core.synthetic.film import film
from sam2flow_core.synthetic.random_draws import SAMPLE, stream
from sam2flow_core.synthetic.scene import Scene, sample_scene

SIZE = (256, 256)
FRAMES = 180
SEED = 39
SETTINGS = SceneSettings(
    pixel_size_um=(0.6, 0.6),
    frame_rate_hz=(160.0, 160.0),
    plan=("pair", "single", "branch"),
    diameter_px=(12.0, 24.0),
    speed_bins_px=((1.0, 3.0), (2.0, 6.0)),
    heart_rate_hz=(1.6, 1.7),
    pulsatility=(0.6, 0.9),
    event_rate_hz=0.0,
    haematocrit=(0.3, 0.45),
    gaps=0.15,
    cell_scale=(1.0, 1.0),
    contrasts=(("relief", 1.0),),
    cell_contrast=(0.2, 0.25),
    texture=(0.03, 0.05),
    electrons=(12000.0, 12000.0),
    read_noise=(3.0, 3.0),
    blur_um=(0.6, 0.7),
    exposure=(0.2, 0.3),
    drift_um_s=(0.0, 3.0),
    breathing_um=(2.0, 3.0),
    heartbeat_um=(0.2, 0.6),
    jump_rate_hz=0.0,
    motion_probability=1.0,
)


def sample_recording() -> Scene:
    """Return the scene of the bundled sample."""
    return sample_scene(stream(SAMPLE, SEED), SIZE, SETTINGS)


def write_sample(folder: Path) -> None:
    """Write ``sample.tif``, ``sample_prompts.csv`` (three clicks on each vessel) and ``sample_truth.csv``."""
    scene = sample_recording()
    frames = np.arange(FRAMES)
    video = film(scene, frames, scene.shifts(frames), "cpu").numpy()
    write_tiff(folder / "sample.tif", quantise(video, 8), scene.pixel_size_um, scene.frame_rate_hz, compressed=True)
    write_prompts(folder / "sample_prompts.csv", scene.sample_prompts(stream(SAMPLE, SEED, 1), 3, 0))
    speed = true_displacement(scene, frames[:-1]).mean(0) * scene.pixel_size_um * scene.frame_rate_hz
    rows = [
        (vessel.vessel_id, round(float(v), 2), round(float(vessel.diameter_px.mean()) * scene.pixel_size_um, 2))
        for vessel, v in zip(scene.vessels, speed, strict=True)
    ]
    columns = ["vessel_id", "v_mean_um_s", "diameter_mean_um"]
    write_csv(folder / "sample_truth.csv", pd.DataFrame(rows, columns=columns))


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
