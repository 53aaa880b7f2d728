"""From clicks to masks, in fields that a network would see which makes no error; nothing here was learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.config.model import PRESETS
from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.inference import clicked_masks as module
from sam2flow_core.inference.clicked_masks import clicked_masks, stack_strips
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow
from sam2flow_core.model.strip_decoder import ACROSS, STRIP_CHANNELS, StripDecoder
from sam2flow_core.tracing.field_map import FieldMap

from .fields import field_of, straight

ACROSS_IT, DOWN = straight(-20, 64, 0, 6), straight(64, -20, 90, 6)


@pytest.fixture(scope="module")
def plain():
    """A network that takes all of a way for the vessel that was clicked."""
    tiny = PRESETS["tiny"]
    return SAM2Flow(replace(tiny, mask=replace(tiny.mask, strip_widths=(), tracing_reach=200.0))).eval()


def ask(model, vessels, points, labels):
    maps = [FieldMap(field_of(*vessels), TracingSettings())]
    prompts = Prompts(torch.tensor([points], dtype=torch.float32), torch.tensor([labels]))
    with torch.inference_mode():
        return clicked_masks(model, maps, torch.zeros(1, dtype=torch.long), prompts)


def at(found, x, y):
    return bool(found.logits[0, int(y / 2), int(x / 2)] > 0)


def test_a_mask_is_as_wide_as_its_vessel(plain):
    mask = ask(plain, [ACROSS_IT], [[20, 64]], [1]).logits[0] > 0
    assert (2 * mask.sum(0) - 12).abs().max() <= 2 and mask.any(0).all()


def test_a_negative_click_ends_the_vessel_on_its_side(plain):
    found = ask(plain, [ACROSS_IT], [[40, 64], [100, 64]], [1, 0])
    assert at(found, 4, 64) and at(found, 40, 64) and not at(found, 100, 64) and not at(found, 120, 64)
    both = ask(plain, [ACROSS_IT], [[40, 64], [80, 64], [100, 64], [12, 64]], [1, 1, 0, 0])
    assert at(both, 60, 64) and not at(both, 110, 64) and not at(both, 6, 64)


def test_clicks_on_two_vessels_take_both(plain):
    found = ask(plain, [ACROSS_IT, DOWN], [[20, 64], [64, 20]], [1, 1])
    assert at(found, 110, 64) and at(found, 64, 110) and not at(found, 30, 30)


def test_a_box_takes_what_is_vessel_in_it(plain):
    found = ask(plain, [ACROSS_IT, DOWN], [[30, 40], [100, 90]], [2, 3])
    assert at(found, 40, 64) and at(found, 64, 50) and not at(found, 40, 50) and not at(found, 10, 64)


def test_no_vessel_under_a_click_is_no_mask(plain):
    found = ask(plain, [ACROSS_IT], [[20, 110]], [1])
    assert not (found.logits > 0).any() and found.sureness.item() == 0


def test_sureness_tells_of_clicks_that_lie_elsewhere(plain):
    on, off = (ask(plain, [ACROSS_IT], [[20, 64], [90, y]], [1, 1]).sureness.item() for y in (64, 110))
    assert on > 0 and off == pytest.approx(on / 2)


@pytest.mark.parametrize(("clicks", "kept"), [([[20, 64]], (True, False)), ([[20, 64], [110, 64]], (True, True))])
def test_a_piece_of_a_mask_without_a_click_is_left_out(plain, monkeypatch, clicks, kept):
    decode = module.decode_strips

    def in_two(model, strips):
        answers = decode(model, strips)
        for strip, (logits, _) in zip(strips, answers, strict=True):
            logits[np.abs(strip.line[:, 1] - 32) < 4] = -8  # cells of 2 px
        return answers

    monkeypatch.setattr(module, "decode_strips", in_two)
    found = ask(plain, [ACROSS_IT], clicks, [1] * len(clicks))
    assert tuple(bool(found.logits[0, 32, int(x / 2)] > 0) for x in (20, 110)) == kept
    assert not found.logits[0, 32, 30:34].max() > 0


@pytest.mark.parametrize("beside", [17, 30, 95])
def test_a_strip_is_decoded_alike_whatever_stands_beside_it(beside):
    """Strips of different lengths go through the decoder together."""
    torch.manual_seed(0)
    decoder = StripDecoder((8, 8, 8, 8)).eval()
    for block in decoder.modules():
        if hasattr(block, "second"):
            torch.nn.init.normal_(block.second.weight, std=0.1)
    rng = np.random.default_rng(0)
    mine, other = (rng.standard_normal((STRIP_CHANNELS, n, ACROSS)).astype(np.float32) for n in (26, beside))
    with torch.inference_mode():
        alone = decoder(*stack_strips([mine], torch.device("cpu")))
        together = decoder(*stack_strips([mine, other], torch.device("cpu")))
    torch.testing.assert_close(alone.logits[0, :26], together.logits[0, :26], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(alone.quality[0], together.quality[0], atol=1e-4, rtol=1e-4)
