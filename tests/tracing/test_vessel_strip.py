"""A vessel pulled straight, and drawn back."""

import numpy as np
import pytest

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.model.strip_decoder import ACROSS, REACH, STRIP_CHANNELS
from sam2flow_core.tracing.clicked_ways import clicked_ways
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.tracing.vessel_strip import OUTSIDE, clicked, paint, paint_part, straighten

from .fields import field_of, straight

NONE = np.zeros((0, 2))
SIDE = 128


def strip_of(degrees, radius=6.0, click=None, stops=NONE):
    """Of a vessel through the middle of the picture, clicked there."""
    angle = np.deg2rad(degrees)
    vessel = straight(64 - 120 * np.cos(angle), 64 - 120 * np.sin(angle), degrees, radius)
    field = FieldMap(field_of(vessel, side=SIDE), TracingSettings())
    clicks = field.cells(np.array([click or [64.0, 64.0]]))
    (way,) = clicked_ways(field, clicks, 400.0).ways
    return field, straighten(field, way, clicks, stops)


def inside(strip):
    """Logits of a strip whose vessel is as wide as its radius says."""
    lateral = np.linspace(-REACH, REACH, ACROSS)
    return np.broadcast_to(8 * (1 - np.abs(lateral)), (len(strip.line), ACROSS))


@pytest.mark.parametrize("degrees", [0, 30, 72, 90, 145, 200])
def test_a_vessel_comes_back_where_it_was(degrees):
    """Equally wide, whatever its direction, from border to border."""
    field, strip = strip_of(degrees)
    picture = paint(strip, inside(strip), field.shape) > 0
    y, x = np.indices(field.shape) * 2 + 0.5
    angle = np.deg2rad(degrees)
    away = np.abs((x - 64) * np.sin(angle) - (y - 64) * np.cos(angle))
    assert picture[away < 5].mean() > 0.99 and picture[away > 7].mean() < 0.001


@pytest.mark.parametrize("degrees", [30, 90, 145, 250])
def test_a_strip_is_the_same_in_every_direction(degrees):
    """What lies to the left and ahead is so in the strip, not in the picture."""
    _, level = strip_of(0)
    _, turned = strip_of(degrees)
    middle = [s.features[:, s.clicks[0], :] for s in (level, turned)]
    same = np.abs(middle[0] - middle[1])
    if np.sign(middle[0][8, 16]) != np.sign(middle[1][8, 16]):  # gone through from its other end
        turned_back = middle[1][:, ::-1].copy()
        turned_back[8:17] *= -1
        same = np.abs(middle[0] - turned_back)
    assert np.median(same) < 0.02 and (same < 0.4).mean() > 0.94


def test_left_is_positive():
    """Of the way, as the vessel field has it."""
    _, strip = strip_of(0)
    offset = strip.features[16, strip.clicks[0]]
    lateral = np.linspace(-REACH, REACH, ACROSS)
    near = np.abs(lateral) < 0.8
    np.testing.assert_allclose(offset[near], lateral[near], atol=0.35)


def test_clicks_are_where_they_are():
    field, strip = strip_of(0, click=[30.0, 64.0], stops=np.array([[31.75, 50.0]]))
    assert strip.features.shape[0] == STRIP_CHANNELS
    positive, negative, away, between = strip.features[22:26]
    at, across = np.unravel_index(positive.argmax(), positive.shape)
    assert np.hypot(*(strip.places[at, across] - field.cells(np.array([30.0, 64.0])))) < 1.0
    at, across = np.unravel_index(negative.argmax(), negative.shape)
    assert np.hypot(*(strip.places[at, across] - (31.75, 50.0))) < 1.0
    assert away[strip.clicks[0]].max() == 0 and between.any(1).sum() == 1


def test_a_strip_goes_on_a_little_where_the_vessel_is_out_of_sight():
    field, strip = strip_of(0)
    beyond, out = strip.features[27, :, 16], strip.features[28, :, 16]
    assert beyond[0] == 1 and beyond[-1] == 1 and beyond[len(beyond) // 2] == 0
    assert out[0] == 1 and out[len(out) // 2] == 0
    picture = paint(strip, np.full((len(strip.line), ACROSS), 3.0), field.shape)
    assert picture.max() == 3.0 and picture.min() == OUTSIDE


def test_a_strip_that_is_clicked_again_is_the_one_pulled_straight_with_those_clicks():
    field, strip = strip_of(30)
    (way,) = clicked_ways(field, field.cells(np.array([[64.0, 64.0]])), 400.0).ways
    clicks, stops = strip.line[[3, -5]], strip.line[[-3]]
    anew, again = straighten(field, way, clicks, stops), clicked(strip, clicks, stops, field.settings)
    np.testing.assert_array_equal(anew.features, again.features)
    np.testing.assert_array_equal(anew.clicks, again.clicks)
    assert (strip.features != again.features).any(), "the first strip is left as it was"


def test_a_part_is_drawn_as_the_whole_picture_is():
    field, strip = strip_of(72)
    (top, left), part = paint_part(strip, inside(strip), field.shape)
    picture = paint(strip, inside(strip), field.shape)
    np.testing.assert_array_equal(picture[top : top + part.shape[0], left : left + part.shape[1]], part)
    assert (picture > 0).sum() == (part > 0).sum()
