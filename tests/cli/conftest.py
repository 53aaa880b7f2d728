import numpy as np
import pytest
import tifffile

from sam2flow_core.prompts import Prompt, write_prompts


def write_recording(path, count):
    """Write frames with one band whose texture moves."""
    rng = np.random.default_rng(1)
    texture = np.kron(rng.random((16, 60)), np.ones((4, 4)))
    frames = np.full((count, 64, 96), 120.0)
    for t in range(count):
        frames[t, 24:40] += 80 * (np.roll(texture, 2 * t, axis=1)[24:40, :96] - 0.5)
    frames += rng.normal(0, 2, frames.shape)
    tags = {"axes": "TYX", "unit": "um", "finterval": 0.01}
    tifffile.imwrite(path, frames.clip(0, 255).astype(np.uint8), imagej=True, resolution=(2.0, 2.0), metadata=tags)
    return path


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("recording") / "band.tif", 12)


@pytest.fixture(scope="session")
def long_recording(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("recording") / "long.tif", 160)


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.csv"
    write_prompts(path, (Prompt(1, 0, 32.0, 48.0, 1), Prompt(1, 0, 5.0, 48.0, 0)))
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """Arguments that choose an untrained network: the commands are tested here, not what a network has learned."""
    import torch

    from sam2flow_core.config.model import preset
    from sam2flow_core.inference import save_weights
    from sam2flow_core.model.sam2flow import SAM2Flow

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "untrained.safetensors"
    save_weights(path, SAM2Flow(preset("tiny")), {})
    return ["--model", str(path), "--device", "cpu"]
