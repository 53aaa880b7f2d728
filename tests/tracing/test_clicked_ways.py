"""Where clicks lead in fields that a network would see which makes no error."""

import numpy as np

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.tracing.clicked_ways import clicked_ways, clicked_ways_of_many
from sam2flow_core.tracing.field_map import FieldMap

from .fields import field_of, straight

SETTINGS = TracingSettings()
ACROSS = straight(-20, 64, 0, 6)
DOWN = straight(64, -20, 90, 6)


def follow(vessels, points, reach=200.0, side=128):
    return ways_in(FieldMap(field_of(*vessels, side=side), SETTINGS), points, reach)


def ways_in(field, points, reach=200.0):
    return clicked_ways(field, field.cells(np.array(points, float)), reach)


def passes(way, x, y, within=3.0):
    """Whether a way comes by a place in px."""
    px = way.line[:, ::-1] * 2 + 0.5
    return bool((np.hypot(*(px - (x, y)).T) < within).any())


def hidden(vessels, columns, side=128):
    """Field with a stretch of ``columns`` px in which nothing is seen."""
    field = field_of(*vessels, side=side)
    for logits in (field.inside, field.runs):
        logits[..., columns[0] // 2 : columns[1] // 2] = -8.0
    return FieldMap(field, SETTINGS)


def test_a_way_ends_where_the_picture_does_and_not_where_its_padding_does():
    """Of one and of several clicks, to the right and at the foot."""
    for points in ([[20, 64]], [[20, 64], [80, 64]]):
        for way in ways_in(FieldMap(field_of(ACROSS), SETTINGS, size=(128, 100)), points).ways:
            assert 47 < way.line[:, 1].max() < 51
        for way in ways_in(FieldMap(field_of(DOWN), SETTINGS, size=(100, 128)), [p[::-1] for p in points]).ways:
            assert 47 < way.line[:, 0].max() < 51


def test_a_way_runs_in_the_middle_from_border_to_border():
    (way,) = follow([ACROSS], [[20, 67]]).ways
    x, y = (way.line[:, ::-1] * 2 + 0.5).T
    assert x.min() < 3 and x.max() > 124
    assert np.abs(y - 64).max() < 1.0
    assert np.abs(2 * way.radius - 6).max() < 0.6  # in px


def test_x_comes_before_y():
    """A click names the vessel at its column and row, not at its row and column."""
    (way,) = follow([straight(100, -20, 90, 5)], [[100, 20]]).ways
    assert passes(way, 100, 110)
    assert not follow([straight(100, -20, 90, 5)], [[20, 100]]).ways


def test_a_click_names_one_of_two_crossing_vessels():
    way = follow([ACROSS, DOWN], [[20, 64]]).ways[0]
    assert passes(way, 110, 64) and not passes(way, 64, 20) and not passes(way, 64, 110)


def test_a_click_on_a_crossing_may_mean_either():
    found = follow([ACROSS, DOWN], [[64, 64]])
    assert len(found.ways) == 2 and not found.together
    assert {passes(way, 110, 64) for way in found.ways} == {True, False}


def test_vessels_that_cross_at_a_sharp_angle_keep_their_ways():
    slanting = straight(-20, 64 - 84 * np.tan(np.deg2rad(35)), 35, 5)
    way = follow([straight(-20, 64, 0, 5), slanting], [[10, 64]]).ways[0]
    assert passes(way, 120, 64) and not passes(way, 110, 96)


def test_neighbours_that_touch_are_two_vessels():
    way = follow([straight(-20, 58, 0, 6), straight(150, 70, 180, 6)], [[64, 57]]).ways[0]
    assert passes(way, 10, 58) and passes(way, 120, 58) and not passes(way, 64, 70)


def test_clicks_on_two_vessels_take_both():
    """No vessel leads round the corner from one to the one that it crosses."""
    found = follow([ACROSS, DOWN], [[20, 64], [64, 20]])
    assert found.together and len(found.ways) == 2
    assert {passes(way, 110, 64) for way in found.ways} == {True, False}
    assert all(len(clicks) == 1 for clicks in found.clicks)


def test_clicks_agree_on_a_vessel():
    """A click on the crossing may mean either vessel; the other one says which."""
    found = follow([ACROSS, DOWN], [[64, 64], [64, 20]])
    assert not found.together and all(passes(way, 64, 110) and not passes(way, 20, 64) for way in found.ways)


def test_clicks_on_either_side_lead_on_where_the_vessel_is_out_of_sight():
    field = hidden([ACROSS], (40, 70))
    alone = ways_in(field, [[20, 64]]).ways[0]
    assert passes(alone, 30, 64) and not passes(alone, 90, 64)
    through = ways_in(field, [[20, 64], [90, 64]])
    assert len(through.ways) == 1 and all(passes(through.ways[0], x, 64) for x in (4, 20, 56, 90, 122))
    assert np.abs(2 * through.ways[0].radius - 6).max() < 1.0, "as wide out of sight as before and after"


def test_clicks_lead_past_a_vessel_that_takes_the_way():
    """Where the clicked one is hidden under a brighter one, which goes another way."""
    slanting = straight(-20, 64 - 84 * np.tan(np.deg2rad(22)), 22, 6)
    field = field_of(straight(-20, 64, 0, 5), slanting)
    alone = field_of(slanting)
    for seen, only in zip(field[2:], alone[2:], strict=True):
        seen[..., 25:40] = only[..., 25:40]
    (way,) = ways_in(FieldMap(field, SETTINGS), [[10, 64], [118, 64]]).ways
    assert all(passes(way, x, 64) for x in (4, 40, 64, 90, 122)) and not passes(way, 110, 83)


def test_many_clicks_in_any_order_are_one_vessel():
    x = [110, 10, 90, 30, 70, 20, 100, 80]
    (way,) = ways_in(hidden([ACROSS], (40, 60)), [[k, 64] for k in x]).ways
    assert all(passes(way, k, 64) for k in range(4, 124, 10))
    assert (np.diff(way.line[:, 1]) > 0).all() or (np.diff(way.line[:, 1]) < 0).all(), "it never turns back"


def test_clicks_far_apart_in_a_large_recording():
    """There only every second place is looked at."""
    long = straight(-20, 300, 20, 8)
    height = [300 + (x + 20) * np.tan(np.deg2rad(20)) for x in range(0, 768)]
    field = hidden([long, straight(400, -20, 90, 6)], (300, 340), side=768)
    (way,) = ways_in(field, [[60, height[60]], [700, height[700]]], 900.0).ways
    assert all(passes(way, x, height[x]) for x in range(4, 764, 10)) and not passes(way, 400, 40)


def test_a_click_just_beside_a_vessel_means_it():
    assert passes(follow([ACROSS], [[20, 73]]).ways[0], 20, 64)


def test_a_click_far_from_any_vessel_names_none():
    assert not follow([ACROSS], [[20, 110]]).ways


def test_reach_bounds_the_length():
    (way,) = follow([ACROSS], [[64, 64]], reach=20.0).ways
    assert passes(way, 80, 64) and not passes(way, 100, 64)


def test_a_ring_is_gone_round_once():
    """Pieces of a ring: the way ends where it began."""
    turn = np.arange(24) * 15.0
    pieces = [
        straight(64 + 40 * np.cos(np.deg2rad(a)), 64 + 40 * np.sin(np.deg2rad(a)), a + 97.5, 5, 11.0) for a in turn
    ]
    way = follow(pieces, [[104, 64]], reach=4000.0).ways[0]
    assert passes(way, 24, 64, 5.0) and passes(way, 64, 24, 5.0) and passes(way, 64, 104, 5.0)
    assert len(way.line) < 3 * np.pi * 40


def test_vessels_asked_for_together_are_those_asked_for_alone():
    field = FieldMap(field_of(ACROSS, DOWN), SETTINGS)
    clicks = [field.cells(np.array(c, float)) for c in ([[20, 64]], [[64, 20]], [[64, 64]], [[20, 110]])]
    together = clicked_ways_of_many(field, clicks, 200.0)
    for alone, found in zip((clicked_ways(field, c, 200.0) for c in clicks), together, strict=True):
        assert len(alone.ways) == len(found.ways)
        for one, other in zip(alone.ways, found.ways, strict=True):
            np.testing.assert_allclose(one.line, other.line)
