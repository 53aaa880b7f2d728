import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from sam2flow_core.engine.events import RunRequest

sys.path.insert(0, str(Path(__file__).parent))

from fake_predictor import PROMPTS


@pytest.fixture(scope="session")
def moving_cells(tmp_path_factory):
    """A calibrated recording of 40 frames: texture that moves 2 px a frame along x inside two bands."""
    rng = np.random.default_rng(0)
    texture = np.kron(rng.random((16, 60)), np.ones((4, 4)))
    frames = np.full((40, 64, 80), 120.0)
    for t in range(40):
        rolled = np.roll(texture, 2 * t, axis=1)
        frames[t, 16:24] += 80 * (rolled[16:24, :80] - 0.5)
        frames[t, 40:48] += 80 * (rolled[40:48, :80] - 0.5)
    frames += rng.normal(0, 2, frames.shape)
    path = tmp_path_factory.mktemp("stack") / "cells.tif"
    tifffile.imwrite(
        path,
        frames.clip(0, 255).astype(np.uint8),
        imagej=True,
        resolution=(2.0, 2.0),
        metadata={"axes": "TYX", "unit": "um", "finterval": 0.01},
    )
    return path


@pytest.fixture
def request_for(moving_cells, tmp_path):
    def make(**changes):
        return RunRequest(**({"stack": moving_cells, "prompts": PROMPTS, "out": tmp_path / "out"} | changes))

    return make
