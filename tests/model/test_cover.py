"""Of large pictures matching features are made where vessels can reach, and are those of the whole there."""

import pytest
import torch

from sam2flow_core.config.model import PRESETS
from sam2flow_core.model import strips
from sam2flow_core.model.features import PatchEncoder, cover_vessels, find_corners, read_corners

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
