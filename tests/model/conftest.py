from dataclasses import replace

import pytest
import torch

from sam2flow_core.config.model import preset
from sam2flow_core.model.sam2flow import SAM2Flow


@pytest.fixture(scope="session")
def model() -> SAM2Flow:
    torch.manual_seed(0)
    tiny = preset("tiny")
    # With the motion memory that larger presets have.
    update = replace(tiny.update, motion_memory_frames=6, asked_iterations=None)
    net = SAM2Flow(replace(tiny, update=update)).eval()
    # Layers that begin at zero would make half of the assertions trivially true.
    with torch.no_grad():
        for p in net.parameters():
            if p.requires_grad and p.abs().sum() == 0:
                p.normal_(0, 0.02)
    return net


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(3, 3, 96, 128)


@pytest.fixture
def masks() -> torch.Tensor:
    m = torch.zeros(3, 96, 128)
    m[0, 40:50] = 1  # along x, across the whole frame
    m[1, :, 60:66] = 1  # crosses the first
    m[2, 10:90, 100:101] = 1  # one px wide
    return m
