"""Equal weights give equal numbers, beside the official package (Ravi et al., 2024)."""

import pytest
import torch

from sam2flow_core.model.memory_bank import MemoryTokens
from sam2flow_core.model.sam2flow import Prompts

SIZE = 128
CLICK = ([[[30.0, 41.5]]], [[1]])
CLICKS = ([[[30.0, 41.5], [90.0, 12.0], [0.0, 127.0]]], [[1, 0, 1]])
BOX = ([[[20.0, 30.0], [100.0, 90.0]]], [[2, 3]])


@pytest.fixture(scope="module")
def levels(pair):
    torch.manual_seed(1)
    images = torch.randn(1, 3, SIZE, SIZE)
    with torch.inference_mode():
        return pair.ours.encode(images), pair.official.image_encoder(images)["backbone_fpn"]


def agree(ours: torch.Tensor, theirs: torch.Tensor, within: float = 1e-4) -> None:
    assert ours.shape == theirs.shape
    assert theirs.std() > 1e-3, "nothing to compare"
    assert (ours - theirs).abs().max() < within


def test_image_features(levels):
    for ours, theirs in zip(*levels, strict=True):
        agree(ours, theirs)


@pytest.mark.parametrize("prompt", [CLICK, CLICKS, BOX, "mask"], ids=["click", "clicks", "box", "mask"])
@torch.inference_mode()
def test_prompts_to_masks(pair, levels, prompt):
    points, labels = (torch.tensor(x) for x in (CLICK if prompt == "mask" else prompt))
    masks = torch.randn(1, 1, SIZE // 4, SIZE // 4) * 5 if prompt == "mask" else None
    encoder, decoder = pair.official.sam_prompt_encoder, pair.official.sam_mask_decoder
    sparse, dense = encoder(points=(points, labels), boxes=None, masks=masks)
    ours = pair.ours.prompt_encoder(points, labels, (SIZE, SIZE), masks)
    agree(ours[0], sparse)
    agree(ours[1], dense)
    agree(pair.ours.prompt_encoder.image_positions(SIZE // 16, SIZE // 16)[None], encoder.get_dense_pe())
    mine, theirs = levels
    skips = [decoder.conv_s0(theirs[0]), decoder.conv_s1(theirs[1])]
    logits, iou, tokens, score = decoder.predict_masks(theirs[2], encoder.get_dense_pe(), sparse, dense, False, skips)
    got = pair.ours.segment(mine, torch.zeros(1, dtype=torch.long), mine[2], Prompts(points, labels, masks)).decoded
    agree(got.logits, logits)
    agree(got.tokens, tokens)
    assert (got.iou - iou).abs().max() < 1e-4
    assert (got.object_score - score[:, 0]).abs().max() < 1e-4


@torch.inference_mode()
def test_memory_is_written_and_read(pair, levels):
    side = SIZE // 16
    torch.manual_seed(2)
    mask, token = torch.rand(1, 1, SIZE, SIZE), torch.randn(1, 256)
    mine, theirs = levels
    encoded = pair.official.memory_encoder(theirs[2], mask * 20 - 10, skip_mask_sigmoid=True)
    spatial, pointer = pair.ours.context_memory.write(mine[2], mask, token, torch.ones(1))
    agree(spatial.transpose(1, 2).unflatten(2, (side, side)), encoded["vision_features"])
    agree(pointer[:, 0], pair.official.obj_ptr_proj(token))
    frames = {
        t: {
            "maskmem_features": encoded["vision_features"] + 0.1 * t,
            "maskmem_pos_enc": encoded["vision_pos_enc"],
            "obj_ptr": torch.randn(1, 256),
        }
        for t in range(4)
    }
    places = [torch.zeros(side * side, 1, 256)]
    places[0] = pair.official.image_encoder.neck.position_encoding(theirs[2]).flatten(2).permute(2, 0, 1)
    read = pair.official._prepare_memory_conditioned_features(
        4, False, [theirs[2].flatten(2).permute(2, 0, 1)], places, [(side, side)],
        {"cond_frame_outputs": {0: frames[0]}, "non_cond_frame_outputs": {t: frames[t] for t in (1, 2, 3)}}, 20,
    )  # fmt: skip
    order = (0, 1, 2, 3)
    gathered = MemoryTokens(
        tokens=tuple(frames[t]["maskmem_features"].flatten(2).transpose(1, 2) for t in order),
        slots=(6, 2, 1, 0),
        pointers=tuple(frames[t]["obj_ptr"][None] for t in (0, 3, 2, 1)),
        ages=tuple(age / 15 for age in (4, 1, 2, 3)),
    )
    agree(pair.ours.context_memory.attend(mine[2], gathered), read)
