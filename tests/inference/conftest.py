from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.config.model import preset
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.model.sam2flow import SAM2Flow


@pytest.fixture(scope="session")
def video() -> np.ndarray:
    """A vessel along x whose texture moves 3 px per frame to the right over still tissue; (14, 96, 128) uint8."""
    rng = np.random.default_rng(0)
    still = rng.normal(0, 6, (96, 128))
    blood = rng.normal(0, 1, (96, 400))
    for axis in (0, 1):
        blood = sum(np.roll(blood, k, axis) for k in (-2, -1, 0, 1, 2)) / 5
    blood = blood / blood.std() * 25
    frames = []
    for t in range(14):
        frame = 120 + still
        frame[40:54] += blood[40:54, 100 - 3 * t : 228 - 3 * t]
        frames.append(frame)
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def vessel() -> np.ndarray:
    mask = np.zeros((96, 128), bool)
    mask[40:54] = True
    return mask


def remembering() -> SAM2FlowPredictor:
    """With the motion memory that larger presets have; weights are random."""
    torch.manual_seed(0)
    tiny = preset("tiny")
    update = replace(tiny.update, motion_memory_frames=6, asked_iterations=None)
    model, settings = SAM2Flow(replace(tiny, update=update)), InferenceSettings(key_frame_every=5)
    return SAM2FlowPredictor(model, torch.device("cpu"), {"preset": "tiny"}, settings)


@pytest.fixture(scope="session")
def predictor() -> SAM2FlowPredictor:
    return remembering()


@pytest.fixture
def fresh() -> SAM2FlowPredictor:
    """One that a test may move to another device."""
    return remembering()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
