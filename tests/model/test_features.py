"""Matching features between their grid points, and made only where vessels can reach."""

import pytest
import torch

from sam2flow_core.config.model import PRESETS
from sam2flow_core.model import strips
from sam2flow_core.model.features import PatchEncoder, cover_vessels, find_corners, match, read_corners


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


SIZE = (320, 448)


@pytest.fixture
def masks():
    """A vessel in the middle of the left side, another in the lower right corner."""
    masks = torch.zeros(2, *SIZE, dtype=torch.bool)
    masks[0, 150:160, 20:60] = True
    masks[1, 310:, 440:] = True
    return masks


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    encoder = PatchEncoder(PRESETS["tiny"].match).eval()
    torch.nn.init.normal_(encoder.head[-1].weight, std=0.1)  # it begins at zero
    return encoder


@pytest.fixture
def cells():
    """All cells of the features, ``(row, column)``."""
    return torch.meshgrid(torch.arange(SIZE[0] // 2), torch.arange(SIZE[1] // 2), indexing="ij")


def test_cover_holds_what_is_within_reach(masks, cells):
    cover = cover_vessels(masks, 2, 40.0, (160, 224))
    covered = cover.slots[cells[0] // 32, cells[1] // 32] > 0
    vessels = torch.nonzero(masks.any(0))
    for y, x in ((110, 20), (199, 60), (155, 99), (270, 447), (319, 401)):
        assert torch.cdist(torch.tensor([[float(y), float(x)]]), vessels.float()).min() <= 41
        assert covered[y // 2, x // 2]
    assert covered.float().mean() < 0.6
    assert not covered[0, -1]


def test_features_of_tiles_are_those_of_the_whole(masks, encoder, cells, monkeypatch):
    monkeypatch.setattr(strips, "_STRIP_CELLS", 2000)
    cover = cover_vessels(masks, 2, 40.0, (160, 224))
    images = torch.randn(1, 3, *SIZE)
    with torch.inference_mode():
        whole, tiles = encoder(images), encoder.tiles(images, cover)
    found = tiles[0].flatten(1)[:, cover.place(*cells)]
    covered = cover.slots[cells[0] // 32, cells[1] // 32] > 0
    assert torch.allclose(found[:, covered], whole[0][:, covered], atol=1e-4)


def test_features_beyond_reach_are_not_computed(masks, encoder, cells, monkeypatch):
    cover = cover_vessels(masks, 2, 40.0, (160, 224))
    described = []
    head = encoder.head[-1].forward
    monkeypatch.setattr(encoder.head[-1], "forward", lambda x: described.append(x.shape[-2:].numel()) or head(x))
    with torch.inference_mode():
        tiles = encoder.tiles(torch.randn(1, 3, *SIZE), cover)
    assert sum(described) == sum((t.bottom - t.top) * (t.right - t.left) for t in cover.tiles) < 0.6 * 160 * 224
    assert tiles.shape[2] == 32 * (cover.count + 1)
    covered = cover.slots[cells[0] // 32, cells[1] // 32] > 0
    assert not tiles[0].flatten(1)[:, cover.place(*cells)][:, ~covered].any()


def test_reading_tiles_is_reading_the_whole(masks, encoder):
    cover = cover_vessels(masks, 2, 40.0, (160, 224))
    images, none = torch.randn(1, 3, *SIZE), torch.zeros(1, dtype=torch.long)
    points = torch.tensor([[20.3, 150.7], [59.0, 161.2], [440.0, 318.9], [447.0, 300.4], [90.2, 120.0]])
    with torch.inference_mode():
        whole, tiles = encoder(images), encoder.tiles(images, cover)
    asked = find_corners(none, points, 2, (160, 224))[0]
    kept = find_corners(none, points, 2, (160, 224), cover)[0]
    assert torch.allclose(read_corners(whole, asked), read_corners(tiles, kept), atol=1e-4)
