import torch

from sam2flow_core.model.vessel_field import DIRECTIONS, ORIENTATIONS, STATISTICS_CHANNELS, VesselFieldNet


def test_shapes():
    field = VesselFieldNet((8, 16, 24))(torch.randn(2, STATISTICS_CHANNELS, 32, 48))
    assert field.inside.shape == field.ends.shape == (2, 32, 48)
    assert field.runs.shape == (2, DIRECTIONS, 32, 48)
    assert field.offset.shape == field.log_radius.shape == (2, ORIENTATIONS, 32, 48)


def test_gradients_reach_every_weight():
    net = VesselFieldNet((8, 16, 24))
    sum(x.square().mean() for x in net(torch.randn(1, STATISTICS_CHANNELS, 32, 32))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_a_place_sees_its_wide_surroundings():
    """A vessel of 60 px is told from its walls: what lies 40 cells away matters."""
    net = VesselFieldNet((8, 16, 24, 32)).eval()
    statistics = torch.randn(1, STATISTICS_CHANNELS, 128, 128)
    other = statistics.clone()
    other[..., 64, 104] += 5
    with torch.no_grad():
        assert (net(statistics).inside - net(other).inside)[0, 64, 64].abs() > 0
