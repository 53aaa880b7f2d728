import numpy as np
import torch

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.model.sam2flow import Prompts
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.tracing.tubular_mask import trace_masks

from .fields import field_of, straight

SETTINGS = TracingSettings()
ACROSS = straight(-20, 64, 0, 6)
DOWN = straight(64, -20, 90, 6)


def grow(vessels, points, labels, reach=200.0, side=128):
    maps = [FieldMap(field_of(*vessels, side=side), SETTINGS)]
    owner = torch.zeros(1, dtype=torch.long)
    clicks = torch.tensor([points], dtype=torch.float32)
    return trace_masks(maps, owner, Prompts(clicks, torch.tensor([labels])), reach, SETTINGS).logits[0] > 0


def at(mask, x, y):
    return bool(mask[int(y / 2), int(x / 2)])


def test_a_mask_is_as_wide_as_its_vessel():
    mask = grow([ACROSS], [[20, 64]], [1])
    width = 2 * mask.sum(0)
    assert (width - 12).abs().max() <= 2
    assert (mask.any(0)).all()  # from border to border


def test_x_comes_before_y():
    """A click names the vessel at its column and row, not at its row and column."""
    mask = grow([straight(100, -20, 90, 5)], [[100, 20]], [1])
    assert mask[:, 50].all() and not mask[50, :40].any()


def test_a_click_names_one_of_two_crossing_vessels():
    mask = grow([ACROSS, DOWN], [[20, 64]], [1])
    assert at(mask, 20, 64) and at(mask, 110, 64)  # along the vessel, on through the crossing
    assert not at(mask, 64, 20) and not at(mask, 64, 110)


def test_vessels_that_cross_at_a_sharp_angle_keep_their_ways():
    slanting = straight(-20, 64 - 84 * np.tan(np.deg2rad(35)), 35, 5)
    mask = grow([straight(-20, 64, 0, 5), slanting], [[10, 64]], [1])
    assert at(mask, 120, 64) and not at(mask, 110, 96)


def test_neighbours_that_touch_are_two_vessels():
    mask = grow([straight(-20, 58, 0, 6), straight(150, 70, 180, 6)], [[64, 57]], [1])
    assert at(mask, 10, 58) and at(mask, 120, 58)
    assert not at(mask, 10, 71) and not at(mask, 120, 71)


def test_a_vessel_ends_at_a_fork():
    """Blood of both arms is not one vessel's blood."""
    trunk, left, right = straight(-20, 64, 0, 6, 84), straight(64, 64, -40, 5), straight(64, 64, 40, 5)
    mask = grow([trunk, left, right], [[20, 64]], [1])
    assert at(mask, 40, 64) and not at(mask, 100, 34) and not at(mask, 100, 94)
    mask = grow([trunk, left, right], [[100, 94]], [1])
    assert at(mask, 85, 82) and not at(mask, 30, 64) and not at(mask, 100, 34)


def test_a_negative_click_ends_the_vessel():
    mask = grow([ACROSS], [[20, 64], [100, 64]], [1, 0])
    assert at(mask, 20, 64) and not at(mask, 104, 64)


def test_clicks_on_two_vessels_take_both():
    """No vessel leads round the corner from one to the one that it crosses."""
    mask = grow([ACROSS, DOWN], [[20, 64], [64, 20]], [1, 1])
    assert at(mask, 110, 64) and at(mask, 64, 110)


def test_clicks_agree_on_a_vessel():
    """A click on the crossing may mean either vessel; the other one says which."""
    mask = grow([ACROSS, DOWN], [[64, 64], [64, 20]], [1, 1])
    assert at(mask, 64, 110) and not at(mask, 20, 64) and not at(mask, 110, 64)


def hidden(vessels, columns, side=128):
    """Field with a stretch of ``columns`` px in which nothing is seen."""
    field = field_of(*vessels, side=side)
    for logits in (field.inside, field.runs):
        logits[..., columns[0] // 2 : columns[1] // 2] = -8.0
    return FieldMap(field, SETTINGS)


def test_clicks_on_either_side_lead_on_where_the_vessel_is_out_of_sight():
    field, labels = hidden([ACROSS], (40, 70)), torch.ones(1, 2, dtype=torch.long)
    owner = torch.zeros(1, dtype=torch.long)
    one, both = (torch.tensor([c]) for c in ([[20.0, 64.0]], [[20.0, 64.0], [90.0, 64.0]]))
    alone = trace_masks([field], owner, Prompts(one, labels[:, :1]), 200.0, SETTINGS).logits[0] > 0
    assert at(alone, 20, 64) and not at(alone, 56, 64) and not at(alone, 90, 64)
    through = trace_masks([field], owner, Prompts(both, labels), 200.0, SETTINGS)
    mask = through.logits[0] > 0
    assert all(at(mask, x, 64) for x in (4, 20, 56, 90, 122)) and not at(mask, 56, 80)
    assert 0.5 < through.sureness.item() < 0.95  # less than that of a vessel that is seen all along


def test_clicks_lead_past_a_vessel_that_takes_the_way():
    """Where the clicked one is hidden under a brighter one, which goes another way."""
    slanting = straight(-20, 64 - 84 * np.tan(np.deg2rad(22)), 22, 6)
    field = field_of(straight(-20, 64, 0, 5), slanting)
    alone = field_of(slanting)
    for seen, only in zip(field[2:], alone[2:], strict=True):
        seen[..., 25:40] = only[..., 25:40]
    labels, owner = torch.ones(1, 2, dtype=torch.long), torch.zeros(1, dtype=torch.long)
    clicks = torch.tensor([[[10.0, 64.0], [118.0, 64.0]]])
    mask = trace_masks([FieldMap(field, SETTINGS)], owner, Prompts(clicks, labels), 200.0, SETTINGS).logits[0] > 0
    assert all(at(mask, x, 64) for x in (4, 40, 64, 90, 122))
    assert not at(mask, 110, 83) and not at(mask, 10, 42)


def test_many_clicks_in_any_order_are_one_vessel():
    field = hidden([ACROSS], (40, 60))
    x = [110.0, 10.0, 90.0, 30.0, 70.0, 20.0, 100.0, 80.0]
    clicks, labels = torch.tensor([[[k, 64.0] for k in x]]), torch.ones(1, 8, dtype=torch.long)
    owner = torch.zeros(1, dtype=torch.long)
    mask = trace_masks([field], owner, Prompts(clicks, labels), 200.0, SETTINGS).logits[0] > 0
    assert mask.any(0).all() and (2 * mask.sum(0) - 12).abs().max() <= 2


def test_clicks_far_apart_in_a_large_recording():
    """There only every second place is looked at."""
    long = straight(-20, 300, 20, 8)
    y = [300 + (x + 20) * np.tan(np.deg2rad(20)) for x in (60.0, 700.0)]
    field = hidden([long, straight(400, -20, 90, 6)], (300, 340), side=768)
    clicks = torch.tensor([[[60.0, y[0]], [700.0, y[1]]]], dtype=torch.float32)
    mask = trace_masks(
        [field], torch.zeros(1, dtype=torch.long), Prompts(clicks, torch.ones(1, 2, dtype=torch.long)), 900.0, SETTINGS
    )
    inside = mask.logits[0] > 0
    middle = [bool(inside[int((300 + (x + 20) * np.tan(np.deg2rad(20))) / 2), x // 2]) for x in range(4, 764, 10)]
    assert all(middle) and not at(inside, 400, 40)
    assert abs(float(inside.sum()) * 4 * np.cos(np.deg2rad(20)) / 768 - 16) < 2


def test_a_negative_click_ends_the_way_through_clicks():
    field = hidden([ACROSS], (40, 60))
    clicks = torch.tensor([[[20.0, 64.0], [80.0, 64.0], [110.0, 64.0]]])
    mask = trace_masks(
        [field], torch.zeros(1, dtype=torch.long), Prompts(clicks, torch.tensor([[1, 1, 0]])), 200.0, SETTINGS
    ).logits[0]
    assert at(mask > 0, 50, 64) and at(mask > 0, 84, 64) and not at(mask > 0, 115, 64)


def test_a_click_just_beside_a_vessel_means_it():
    assert at(grow([ACROSS], [[20, 73]], [1]), 20, 64)


def test_a_click_far_from_any_vessel_names_none():
    assert not grow([ACROSS], [[20, 110]], [1]).any()


def test_reach_bounds_the_length():
    mask = grow([ACROSS], [[64, 64]], [1], reach=20.0)
    assert at(mask, 80, 64) and not at(mask, 100, 64)


def test_a_box_takes_what_is_vessel_in_it():
    mask = grow([ACROSS, DOWN], [[30, 40], [100, 90]], [2, 3])
    assert at(mask, 40, 64) and at(mask, 64, 50)
    assert not at(mask, 40, 50) and not at(mask, 10, 64)


def test_a_ring_is_gone_round_once():
    """Eight straight pieces of a ring: the way ends where it began."""
    turn = np.arange(24) * 15.0
    pieces = [
        straight(64 + 40 * np.cos(np.deg2rad(a)), 64 + 40 * np.sin(np.deg2rad(a)), a + 97.5, 5, 11.0) for a in turn
    ]
    field = field_of(*pieces)
    field.ends.fill_(-8.0)
    maps = [FieldMap(field, SETTINGS)]
    clicks, labels = torch.tensor([[[104.0, 64.0]]]), torch.ones(1, 1, dtype=torch.long)
    mask = trace_masks(maps, torch.zeros(1, dtype=torch.long), Prompts(clicks, labels), 4000.0, SETTINGS).logits[0] > 0
    assert at(mask, 24, 64) and at(mask, 64, 24) and at(mask, 64, 104) and not at(mask, 64, 64)


def test_sureness_tells_of_clicks_that_lie_elsewhere():
    maps, owner = [FieldMap(field_of(ACROSS), SETTINGS)], torch.zeros(1, dtype=torch.long)
    labels = torch.ones(1, 2, dtype=torch.long)
    on, off = ([[20.0, 64.0], [90.0, 64.0]], [[20.0, 64.0], [90.0, 110.0]])
    asked = [Prompts(torch.tensor([c]), labels) for c in (on, off)]
    sure = [trace_masks(maps, owner, prompts, 200.0, SETTINGS).sureness.item() for prompts in asked]
    assert sure[0] > 0.9 and abs(sure[1] - sure[0] / 2) < 1e-6
