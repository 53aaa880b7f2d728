"""The trunk is SAM 2's, as timm keeps it: the same first weights of a seed, and the same answers to the last bit."""

import pytest
import torch

from sam2flow_core.model.hiera import HieraTrunk

SHAPES = [
    (24, 1, (1, 2, 4, 1), (), (8, 4, 8, 4), (1, 1)),
    (16, 1, (1, 2, 3, 1), (4, 5), (4, 4, 7, 3), (3, 3)),
    (32, 2, (1, 1, 2, 1), (3,), (8, 4, 14, 7), (7, 7)),
]


@pytest.mark.parametrize(("width", "heads", "stages", "all_see", "windows", "places"), SHAPES)
def test_weights_and_answers_are_those_of_timm(width, heads, stages, all_see, windows, places):
    from timm.models.hieradet_sam2 import HieraDet

    torch.manual_seed(3)
    theirs = HieraDet(
        num_classes=0, embed_dim=width, num_heads=heads, stages=stages, global_att_blocks=all_see,
        window_spec=windows, global_pos_size=places,
    )  # fmt: skip
    del theirs.head
    torch.manual_seed(3)
    ours = HieraTrunk(width, heads, stages, all_see, windows, places)
    wanted = theirs.state_dict()
    assert ours.state_dict().keys() == wanted.keys()
    for name, value in ours.state_dict().items():
        assert torch.equal(value, wanted[name]), name
    images = torch.randn(2, 3, 128, 192)
    x, y = ours.placed(ours.patch_embed(images)), theirs._pos_embed(theirs.patch_embed(images))
    for mine, other in zip(ours.blocks, theirs.blocks, strict=True):
        assert torch.equal(x, y)
        x, y = mine(x), other(y)
    assert torch.equal(x, y)
