"""Write the bundled sample anew: a small recording with opposite neighbours, a crossing, a branch and a heartbeat.

python scripts/write_sample.py resources
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from sam2flow_core.prompts import write_prompts
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.synthetic.bench import SAMPLE_FRAMES, SAMPLE_SEED, sample_recording
from sam2flow_core.synthetic.case_files import quantise, write_tiff
from sam2flow_core.synthetic.clip import true_displacement
from sam2flow_core.synthetic.film import film
from sam2flow_core.synthetic.random_draws import SAMPLE, stream


def write_sample(folder: Path) -> None:
    """Write ``sample.tif``, ``sample_prompts.csv`` (three clicks on each vessel) and ``sample_truth.csv``."""
    scene = sample_recording()
    frames = np.arange(SAMPLE_FRAMES)
    video = film(scene, frames, scene.shifts(frames), "cpu").numpy()
    write_tiff(folder / "sample.tif", quantise(video, 8), scene.pixel_size_um, scene.frame_rate_hz, compressed=True)
    write_prompts(folder / "sample_prompts.csv", scene.sample_prompts(stream(SAMPLE, SAMPLE_SEED, 1), 3, 0))
    speed = true_displacement(scene, frames[:-1]).mean(0) * scene.pixel_size_um * scene.frame_rate_hz
    rows = [
        (vessel.vessel_id, round(float(v), 2), round(float(vessel.diameter_px.mean()) * scene.pixel_size_um, 2))
        for vessel, v in zip(scene.vessels, speed, strict=True)
    ]
    columns = ["vessel_id", "v_mean_um_s", "diameter_mean_um"]
    write_csv(folder / "sample_truth.csv", pd.DataFrame(rows, columns=columns))


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
