import pytest
import torch

from sam2flow_core.model.features import find_corners, match, read_corners


def unit_ramp(columns=8, rows=4):
    """Features that turn steadily along x: between two grid points lies the angle between theirs."""
    angle = torch.arange(columns) * 0.2
    return torch.stack([angle.cos(), angle.sin()])[None, :, None].expand(1, 2, rows, columns)


def test_between_grid_points_features_are_mixed_and_keep_their_length():
    image = torch.zeros(1, dtype=torch.long)
    corners, inside = find_corners(image, torch.tensor([[5.5, 2.0]]), 2, (4, 8))
    got = read_corners(unit_ramp(), corners)[0]
    assert inside.all() and got.norm().item() == pytest.approx(1.0)
    assert torch.atan2(got[1], got[0]).item() == pytest.approx(0.2 * 2.5, abs=1e-3)  # (5.5 + .5) / 2 - .5


def test_points_outside_are_told_and_read_at_the_border():
    image = torch.zeros(2, dtype=torch.long)
    corners, inside = find_corners(image, torch.tensor([[-3.0, 2.0], [15.4, 2.0]]), 2, (4, 8))
    assert inside.tolist() == [False, True]
    assert read_corners(unit_ramp(), corners)[0].tolist() == pytest.approx([1.0, 0.0])


def test_each_point_reads_its_own_image():
    maps = torch.stack([torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])])[:, :, None, None].expand(2, 2, 4, 8)
    corners, _ = find_corners(torch.tensor([0, 1]), torch.tensor([[4.0, 2.0], [4.0, 2.0]]), 2, (4, 8))
    assert torch.allclose(read_corners(maps, corners), torch.eye(2))


def test_matching_at_places_is_the_product_with_what_is_read_there():
    """Few at a time or all at once, from maps whose channels lie side by side or not."""
    torch.manual_seed(0)
    maps = torch.nn.functional.normalize(torch.randn(1, 24, 40, 50), dim=1)
    points = torch.rand(3000, 37, 2) * torch.tensor([100.0, 80.0])
    corners, _ = find_corners(torch.zeros(3000, 1, dtype=torch.long), points, 2, (40, 50))
    features = torch.nn.functional.normalize(torch.randn(3000, 24), dim=1)
    whole = match(features, maps, corners)
    assert torch.allclose(whole, (read_corners(maps, corners) * features[:, None]).sum(-1), atol=1e-5)
    with torch.inference_mode():
        parts = match(features, maps.contiguous(memory_format=torch.channels_last), corners)
    assert torch.allclose(whole, parts, atol=1e-5)
