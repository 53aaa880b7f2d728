"""Large maps are made in strips and tiles; what they say is that of the whole."""

import pytest
import torch
from torch import nn

from sam2flow_core.model import strips
from sam2flow_core.model.strips import Kernel, Window, activated, convolved, normalised_by
from sam2flow_core.model.vessel_field import VesselFieldNet


@pytest.fixture
def in_strips(monkeypatch):
    """Every map counts as large; strips are a few rows."""
    monkeypatch.setattr(strips, "LARGEST_WHOLE", 0)
    monkeypatch.setattr(strips, "_STRIP_CELLS", 200)


@pytest.mark.parametrize(
    ("side", "stride", "padding", "dilation"), [(3, 1, 1, 1), (3, 1, 2, 2), (5, 2, 2, 1), (2, 2, 0, 1), (1, 1, 0, 1)]
)
def test_convolution_in_strips_is_that_of_the_whole(in_strips, side, stride, padding, dilation):
    conv = nn.Conv2d(3, 5, side, stride=stride, padding=padding, dilation=dilation)
    maps = torch.randn(2, 3, 38, 22)
    with torch.inference_mode():
        assert torch.allclose(convolved(conv, maps, torch.tanh), conv(torch.tanh(maps)), atol=1e-5)


def test_any_window_of_a_convolution_is_that_of_the_whole():
    conv, maps = nn.Conv2d(2, 4, 3, padding=2, dilation=2), torch.randn(1, 2, 20, 30)
    with torch.inference_mode():
        whole = conv(maps)
        for window in (Window(0, 5, 0, 30), Window(7, 12, 3, 9), Window(15, 20, 21, 30)):
            part = Kernel.of(conv).at(window, (20, 30), lambda w: w.of(maps))
            assert torch.allclose(part, window.of(whole), atol=1e-5)


def test_norm_of_parts_has_the_statistics_of_the_whole():
    norm, maps = nn.GroupNorm(4, 8), 50 + 3 * torch.randn(2, 8, 40, 30)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    with torch.inference_mode():
        part = normalised_by(norm, maps.split(7, 2))(maps[:, :, 3:9])
        assert torch.allclose(part, nn.functional.gelu(norm(maps))[:, :, 3:9], atol=1e-3)


def test_vessel_field_of_a_large_recording_is_that_of_the_whole(in_strips, monkeypatch):
    net, statistics = VesselFieldNet((24, 40, 64, 96)).eval(), torch.randn(1, 20, 64, 80)
    with torch.inference_mode():
        parts = net(statistics)
        monkeypatch.setattr(strips, "LARGEST_WHOLE", 10**9)
        for part, whole in zip(parts, net(statistics), strict=True):
            assert torch.allclose(part, whole, atol=1e-4)


def test_training_goes_through_the_whole(in_strips):
    maps = torch.randn(1, 8, 30, 30, requires_grad=True)
    norm = nn.GroupNorm(4, 8)
    made = activated(norm, maps)(maps)
    assert torch.equal(made, nn.functional.gelu(norm(maps)))
    assert made.requires_grad
