from dataclasses import replace

import torch

from sam2flow_core.model.image_encoder import ImageEncoder
from sam2flow_core.model.mask_decoder import click_maps
from sam2flow_core.model.memory_bank import MemoryBank, MemoryEntry, keep_recent
from sam2flow_core.model.sam2flow import Prompts, TracedMasks


def prompts(points, labels):
    return Prompts(torch.tensor(points, dtype=torch.float32), torch.tensor(labels))


def segment(model, images, banks, asked):
    owner = torch.zeros(len(banks), dtype=torch.long)
    with torch.no_grad():
        levels = model.encode(images[:1])
        return levels, owner, model.segment(levels, owner, model.condition(levels, owner, banks, 3), asked)


def test_adapters_are_put_aside_without_changing_the_rest(model, images):
    config = model.config.image
    plain = ImageEncoder(replace(config, adapter_dim=0), model.config.mask.d_model).eval()
    aside = ImageEncoder(replace(config, use_adapters=False), model.config.mask.d_model).eval()
    aside.load_state_dict(model.image_encoder.state_dict())
    plain.load_state_dict(model.image_encoder.state_dict(), strict=False)
    with torch.inference_mode():
        same = zip(aside(images), plain(images), strict=True)
        assert all(torch.equal(a, b) for a, b in same)
        assert not torch.equal(aside(images)[0], model.image_encoder(images)[0])


def test_shapes(model, images):
    _, _, out = segment(model, images, [[], []], prompts([[[10, 20]], [[50, 60]]], [[1], [1]]))
    assert out.logits.shape == (2, 96, 128)
    assert out.iou.shape == out.object_score.shape == (2,)
    assert out.decoded.logits.shape == (2, 4, 24, 32)


def test_padding_points_change_nothing_but_by_being_there(model, images):
    """Padding has no position: wherever it lies, the mask is the same."""
    a = segment(model, images, [[]], prompts([[[10, 20], [0, 0]]], [[1, -1]]))[2]
    b = segment(model, images, [[]], prompts([[[10, 20], [90, 90]]], [[1, -1]]))[2]
    assert torch.equal(a.logits, b.logits)


def test_traced_masks_answer_where_there_are_clicks(model, images):
    """Of two vessels the clicked one has the traced mask, the other one what the decoder makes of memory."""
    asked = prompts([[[10, 20]], [[0, 0]]], [[1], [-1]])
    traced = TracedMasks(torch.full((2, 48, 64), 3.0), torch.tensor([0.9, 0.9]))
    owner = torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        levels = model.encode(images[:1])
        seen = model.condition(levels, owner, [[], []], 3)
        with_it, without = (model.segment(levels, owner, seen, asked, traced=t) for t in (traced, None))
    assert (with_it.logits[0] == 3).all() and torch.isclose(with_it.iou[0], torch.tensor(0.9))
    assert torch.equal(with_it.logits[1], without.logits[1]) and with_it.iou[1] == without.iou[1]


def test_click_maps_have_x_before_y():
    """A click moved along x moves the positive click map along columns."""
    maps = click_maps(torch.tensor([[[100.0, 20.0]]]), torch.tensor([[1]]), 24, 32)
    row, column = divmod(int(maps[0, 0].argmax()), 32)
    assert (row, column) == (5, 25)
    assert maps[0, 1].max() == 0


def test_vessels_never_share_context_memory(model, images):
    asked = prompts([[[10, 20]], [[50, 60]]], [[1], [1]])
    levels, owner, masks = segment(model, images, [[], []], asked)
    with torch.no_grad():
        tokens, pointers = model.write_context(levels, owner, masks)
    entry = MemoryEntry(0, True, 1.0, tokens[:1], pointers[:1])
    _, _, remembered = segment(model, images, [[entry], []], asked)
    assert not torch.allclose(remembered.logits[0], masks.logits[0])
    assert torch.allclose(remembered.logits[1], masks.logits[1], atol=1e-5)


def test_memory_reading_mixes_space(model, images):
    """Changing one memory token far away changes what is read here."""
    levels, owner, masks = segment(model, images, [[]], prompts([[[10, 20]]], [[1]]))
    with torch.no_grad():
        tokens, pointers = model.write_context(levels, owner, masks)
        other = tokens.clone()
        other[0, -1] += 3.0
        a = model.condition(levels, owner, [[MemoryEntry(0, True, 1.0, tokens, pointers)]], 1)
        b = model.condition(levels, owner, [[MemoryEntry(0, True, 1.0, other, pointers)]], 1)
    assert (a - b)[0, :, 0, 0].abs().max() > 1e-6


def entry(frame, prompted=False, quality=1.0):
    return MemoryEntry(frame, prompted, quality, torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))


def test_bank_is_bounded_and_keeps_prompted_frames():
    bank = MemoryBank(keep_recent(3))
    bank.write(entry(0, prompted=True))
    for t in range(1, 50):
        bank.write(entry(t))
    assert [e.frame for e in bank.read()] == [0, 47, 48, 49]


def test_bank_refuses_doubtful_frames_but_not_prompted_ones():
    bank = MemoryBank(keep_recent(3))
    assert not bank.write(entry(1, quality=0.1))
    assert bank.write(entry(2, prompted=True, quality=0.1))
    assert [e.frame for e in bank.read()] == [2]
