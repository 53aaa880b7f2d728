import torch

from sam2flow_core.model.update import expected_error, log_scales, negative_log_likelihood


def test_density_integrates_to_one():
    raw = torch.tensor([[0.3, 3.0, -0.5]])
    edge = torch.linspace(-100, 100, 1001)
    step = float(edge[1] - edge[0])
    x, y = torch.meshgrid(edge, edge, indexing="ij")
    error = torch.stack([x.flatten(), y.flatten()], 1)
    density = torch.exp(-negative_log_likelihood(error, raw.expand(len(error), 3))) / 4
    assert abs(float(density.sum()) * step**2 - 1) < 0.05


def test_expected_error_lies_between_the_scales():
    raw = torch.randn(50, 3) * 3
    scales = torch.exp(log_scales(raw))
    expected = expected_error(raw)
    assert (expected >= scales.min(1).values - 1e-5).all() and (expected <= scales.max(1).values + 1e-5).all()


def test_likelihood_falls_with_the_error():
    raw = torch.zeros(3, 3)
    loss = negative_log_likelihood(torch.tensor([[0.0, 0], [1, 0], [5, 5]]), raw)
    assert loss[0] < loss[1] < loss[2]
