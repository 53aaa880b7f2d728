"""What each design of memory writes and reads."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from sam2flow_core.config.model import MemoryConfig, ModelConfig, preset
from sam2flow_core.errors import ModelError
from sam2flow_core.model.context_memory import ContextMemory
from sam2flow_core.model.memory_bank import MemoryBank, MemoryEntry
from sam2flow_core.model.memory_designs import MEMORY_DESIGNS, box_iou, predict_box
from sam2flow_core.model.sam2flow import SAM2Flow, box_of

TINY = preset("tiny").mask
SIDE = 4
HELD = {"recent": 4, "short-long": 6, "relevant": 8, "gated": 8, "associated": 4}


def memory_of(design: str) -> ContextMemory:
    torch.manual_seed(0)
    memory = ContextMemory(replace(TINY, memory=MemoryConfig(design)))
    with torch.no_grad():
        for p in memory.parameters():  # layers that begin at zero would hide what lies behind them
            if p.abs().sum() == 0:
                p.normal_(0, 0.05)
    return memory.eval()


def image(seed: int) -> torch.Tensor:
    return torch.randn(1, TINY.d_model, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def entry(memory, frame, prompted=False, seed=None, affinity=0.9, presence=0.9, box=(0.0, 0.0, 9.0, 9.0)):
    seed = frame if seed is None else seed
    mask = torch.rand(1, 1, 16 * SIDE, 16 * SIDE, generator=torch.Generator().manual_seed(seed))
    token = torch.randn(1, TINY.d_model, generator=torch.Generator().manual_seed(seed))
    tokens, pointer = memory.write(image(seed), mask, token, torch.ones(1))
    return MemoryEntry(frame, prompted, affinity * presence, tokens, pointer, affinity, presence, box)


def filled(memory, frames) -> MemoryBank:
    bank = memory.new_bank()
    for t in frames:
        bank.write(entry(memory, t, prompted=t == 0))
    return bank


@pytest.mark.parametrize("design", MEMORY_DESIGNS)
def test_a_bank_is_bounded_and_keeps_what_was_prompted(design):
    memory = memory_of(design)
    bank = memory.new_bank()
    for t in range(60):
        bank.write(entry(memory, t, prompted=t in (0, 30)))
        assert len(bank.entries) <= HELD[design] + 2
    assert [e.frame for e in bank.read() if e.prompted] == [0, 30]
    assert len(bank.entries) == HELD[design] + 2
    assert any(e.frame == 59 for e in bank.entries)


@pytest.mark.parametrize("design", MEMORY_DESIGNS)
@torch.no_grad()
def test_what_is_read_depends_on_every_kind_of_memory(design):
    memory = memory_of(design)
    bank = filled(memory, range(12))
    read = memory.read(image(99), bank.read(), 12)
    assert read.shape == image(99).shape and torch.isfinite(read).all()
    assert torch.equal(read, memory.read(image(99), bank.read(), 12))
    other = [replace(e, tokens=e.tokens + (1.0 if e.prompted else 0.0)) for e in bank.read()]
    assert not torch.allclose(memory.read(image(99), other, 12), read)
    other = [replace(e, tokens=e.tokens + (0.0 if e.prompted else 1.0)) for e in bank.read()]
    assert not torch.allclose(memory.read(image(99), other, 12), read)
    assert not torch.allclose(memory.read(image(99), [], 12), read)


@pytest.mark.parametrize("design", MEMORY_DESIGNS)
@torch.no_grad()
def test_vessels_never_share_memory(design):
    torch.manual_seed(0)
    config = preset("tiny")
    model = SAM2Flow(replace(config, mask=replace(config.mask, memory=MemoryConfig(design)))).eval()
    model.context_memory.load_state_dict(memory_of(design).state_dict())
    memory = model.context_memory
    levels = [torch.randn(1, 64, 4 * SIDE, 4 * SIDE), torch.randn(1, 64, 2 * SIDE, 2 * SIDE), image(5)]
    owner = torch.zeros(2, dtype=torch.long)
    mine, yours = filled(memory, range(6)).read(), filled(memory, range(3)).read()
    both = model.condition(levels, owner, [mine, yours], 7)
    alone = model.condition(levels, owner, [mine[:1], yours], 7)
    assert torch.equal(both[1], alone[1]) and not torch.allclose(both[0], alone[0])
    prompts, lonely = (memory.prompts(levels[2][owner], banks, 7) for banks in ([mine, yours], [[], yours]))
    if prompts is not None:
        assert prompts.shape == (2, 1, 4 * SIDE, 4 * SIDE)
        assert torch.equal(prompts[1], lonely[1]) and not lonely[0].any() and prompts[0].any()


def test_the_short_bank_is_the_present_and_the_long_one_the_whole_past():
    memory = memory_of("short-long")
    frames = [e.frame for e in filled(memory, range(41)).read()]
    assert frames[0] == 0 and frames[-2:] == [39, 40]
    long = frames[1:-2]
    assert len(long) == 4 and min(long) < 10
    gaps = [b - a for a, b in pairwise(long)]
    assert max(gaps) <= 3 * min(gaps)


@torch.no_grad()
def test_the_short_and_the_long_bank_have_attention_of_their_own():
    memory = memory_of("short-long")
    entries = filled(memory, range(12)).read()
    before = memory.read(image(99), entries, 12)
    for layer in memory.design.attention.layers:
        layer.cross_attn_image.v_proj.weight.add_(0.1)
    between = memory.read(image(99), entries, 12)
    assert not torch.allclose(before, between)
    memory.layers[0].cross_attn_image.v_proj.weight.add_(0.1)
    assert not torch.allclose(between, memory.read(image(99), entries, 12))


@torch.no_grad()
def test_the_memories_most_like_the_image_are_read():
    memory = memory_of("relevant")
    entries = [entry(memory, 0, prompted=True, seed=1), *(entry(memory, t, seed=10 + t % 2) for t in range(1, 9))]
    _, chosen = memory.design._filter(image(11), entries)
    # Frames 1, 3, 5 and 7 show the same as the image; the prompted one is always there.
    assert chosen[0].frame == 0 and {e.frame for e in chosen[1:]} < {1, 3, 5, 7}
    tokens, _ = memory.design._filter(image(11), entries)
    assert all(t.shape == (1, SIDE * SIDE, TINY.memory_dim) for t in tokens)


@torch.no_grad()
def test_features_are_integrated_over_the_latest_frames_only():
    memory = memory_of("relevant")
    entries = [entry(memory, t, prompted=t == 0) for t in range(6)]
    integrated = memory.design._integrate(image(99), entries, 6)
    assert not torch.allclose(integrated, image(99))
    assert torch.equal(integrated, memory.design._integrate(image(99), entries[-2:], 6))
    assert not torch.allclose(integrated, memory.design._integrate(image(99), entries[:-1], 6))


@pytest.mark.parametrize(
    "doubt", [{"affinity": 0.4}, {"presence": 0.4}, {"box": None}, {"box": (60.0, 60.0, 69.0, 69.0)}]
)
def test_doubtful_frames_are_not_written(doubt):
    memory = memory_of("gated")
    bank = filled(memory, range(4))
    assert bank.write(entry(memory, 4))
    assert not bank.write(entry(memory, 5, **doubt))
    assert bank.write(entry(memory, 5, prompted=True, **doubt)), "what the user says is always remembered"


@torch.no_grad()
def test_the_best_frames_are_read():
    memory = memory_of("gated")
    good = [entry(memory, t, affinity=0.9) for t in (1, 2, 3, 4)]
    poor = [entry(memory, t, affinity=0.6) for t in (5, 6)]
    first = entry(memory, 0, prompted=True, affinity=0.1)
    assert torch.equal(memory.read(image(9), [first, *good, *poor], 7), memory.read(image(9), [first, *good], 7))


def test_a_box_is_expected_where_its_motion_leads():
    moving = [MemoryEntry(t, False, 1.0, None, None, box=(3.0 * t, 10.0, 3.0 * t + 20, 30.0)) for t in range(12)]
    expected = predict_box(moving, 16, MemoryConfig())
    assert box_iou(expected, (48.0, 10.0, 68.0, 30.0)) > 0.8
    back = [MemoryEntry(-t, False, 1.0, None, None, box=e.box) for t, e in enumerate(moving)]
    assert predict_box(back, -16, MemoryConfig()) == pytest.approx(expected), "the same backwards in time"
    assert predict_box([], 3, MemoryConfig()) is None
    assert box_iou((0, 0, 9, 9), (0, 0, 9, 9)) == 1 and box_iou((0, 0, 9, 9), (20, 20, 29, 29)) == 0


def test_boxes_lie_around_masks():
    logits = torch.full((20, 30), -1.0)
    assert box_of(logits) is None
    logits[3:6, 10:20] = 1.0
    assert box_of(logits) == (10.0, 3.0, 19.0, 5.0)


def test_the_usual_memory_has_no_weights_of_its_own_and_old_checkpoints_load():
    assert not list(memory_of("recent").design.parameters())
    old = preset("tiny").to_dict()
    del old["mask"]["memory"]
    assert ModelConfig.from_dict(old) == preset("tiny")
    chosen = replace(preset("tiny"), mask=replace(TINY, memory=MemoryConfig("relevant", pool_frames=5)))
    assert ModelConfig.from_dict(chosen.to_dict()) == chosen


def test_an_unknown_design_is_refused():
    with pytest.raises(ModelError, match="no memory design 'endless'; there are recent, short-long"):
        ContextMemory(replace(TINY, memory=MemoryConfig("endless")))
