"""Exercises of the strip decoder: answers are where the vessel is; mirroring a strip is mirroring the picture."""

import numpy as np
import pytest
import torch

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.config.training import StripLessons
from sam2flow_core.model.strip_decoder import StripDecoder
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.tracing.clicked_ways import clicked_ways
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.tracing.vessel_strip import paint, straighten
from sam2flow_core.training.field_truth import LumenPoints, true_field
from sam2flow_core.training.strip_part import StripExercise, draw_exercises, mirrored, stack_exercises, strip_loss

SIDE, CELLS = 96, 48
Y, X = np.indices((SIDE, SIDE)).astype(float)
ANGLE, RADIUS = np.deg2rad(25), 7.0
NONE = np.zeros((0, 2))


def slanting_field(*more):
    """Of one vessel that runs down to the right, and more in other directions (radians) through the same place.

    The first one is marked up to the middle of the picture.
    """
    y, x = np.indices((CELLS, CELLS)) * 2 + 0.5
    found = []
    for angle in (ANGLE, *more):
        offset = ((x - 48) * np.sin(angle) - (y - 48) * np.cos(angle)) / RADIUS
        row, column = np.nonzero(np.abs(offset) <= 1)
        alike = np.ones(len(row))
        found.append(np.stack([row, column, angle * alike, offset[row, column], RADIUS * alike]))
    row, column, angle, offset, radius = np.concatenate(found, 1)
    points = LumenPoints(CELLS, row.astype(int), column.astype(int), angle, offset, radius, np.zeros((0, 3)))
    truth = true_field(points)
    inside, ends, runs = (torch.logit(part.clamp(0.002, 0.998)) for part in truth[:3])
    mask = (np.abs((X - 48) * np.sin(ANGLE) - (Y - 48) * np.cos(ANGLE)) < RADIUS) & (X < 52)
    return VesselField(inside, ends, runs, truth.offset, truth.log_radius), mask


def flipped(field):
    """The field of the picture with left and right changed."""
    back = -(np.arange(16) - 8) % 16  # a direction d becomes 180 degrees - d
    around = -np.arange(8) % 8
    sign = torch.tensor(np.where(np.arange(8) == 0, 1.0, -1.0))[:, None, None]
    # Left becomes right; but the mirror image of the first direction of orientation 0 is its second.
    offset = field.offset.flip(-1)[around] * sign
    return VesselField(
        field.inside.flip(-1), field.ends.flip(-1), field.runs.flip(-1)[back], offset, field.log_radius.flip(-1)[around]
    )


def strip_in(field, click):
    layout = FieldMap(field, TracingSettings())
    at = layout.cells(np.array([click], float))
    return straighten(layout, clicked_ways(layout, at, 300.0).ways[0], at, NONE)


def test_the_answer_painted_back_is_the_mask():
    field, mask = slanting_field()
    layout = FieldMap(field, TracingSettings())
    lessons = StripLessons(negative=0.0, clicks=((1, 0.5), (3, 0.5)))
    for number in range(6):
        rng = np.random.default_rng(number)
        (exercise,) = draw_exercises(layout, mask[None], 1, 300.0, lessons, rng)
        assert (exercise.truth * exercise.area).sum() == pytest.approx(exercise.size, rel=0.1)
        strip = strip_in(field, (30, 40))
        forms = [mirrored(exercise, a, b, 8).truth for a in (False, True) for b in (False, True)]
        overlaps = []
        for truth in forms:
            if len(truth) == len(strip.line):
                picture = paint(strip, (truth - 0.5) * 8, layout.shape) > 0
                coarse = mask[::2, ::2]
                overlaps.append((picture & coarse).sum() / (picture | coarse).sum())
        assert max(overlaps) > 0.85


@pytest.mark.parametrize(("across", "along"), [(False, True), (True, False), (True, True)])
def test_mirroring_twice_is_nothing(across, along):
    rng = np.random.default_rng(0)
    features, truth = rng.standard_normal((30, 20, 33)).astype(np.float32), rng.random((20, 33)).astype(np.float32)
    exercise = StripExercise(features, truth, truth, 1.0)
    once = mirrored(exercise, across, along, 8)
    assert not np.allclose(once.features, features)
    again = mirrored(once, across, along, 8)
    np.testing.assert_allclose(again.features, features)
    np.testing.assert_allclose(again.truth, truth)


def test_a_mirrored_exercise_is_that_of_the_mirrored_picture():
    field, _ = slanting_field(ANGLE + np.deg2rad(50))
    strip, other = strip_in(field, (30, 40)), strip_in(flipped(field), (65, 40))
    exercise = StripExercise(strip.features, strip.features[0], strip.features[0], 1.0)
    here, there = strip.clicks[0], other.clicks[0]
    wanted = other.features[:, there : there + 9]
    differences = []
    for along in (False, True):
        found = mirrored(exercise, True, along, 8).features
        at = len(strip.line) - 1 - here if along else here
        differences.append(np.abs(found[:22, at : at + 9] - wanted[:22]).mean())
    plain = np.abs(strip.features[:22, here : here + 9] - wanted[:22]).mean()
    assert min(differences) < 0.02 < plain


def test_the_loss_is_least_for_the_answer():
    field, mask = slanting_field()
    layout = FieldMap(field, TracingSettings())
    drawn = draw_exercises(layout, mask[None], 3, 300.0, StripLessons(negative=0.0), np.random.default_rng(1))
    batch = stack_exercises(drawn, torch.device("cpu"))

    class Given(StripDecoder):
        def __init__(self, logits):
            super().__init__((8, 8))
            self.logits = logits

        def forward(self, features, valid):
            return super().forward(features, valid)._replace(logits=self.logits)

    losses = {}
    for name, logits in {
        "truth": 12 * (batch.truth - 0.5), "all": torch.full_like(batch.truth, 6.0),
        "nothing": torch.full_like(batch.truth, -6.0), "not": 12 * (0.5 - batch.truth),
    }.items():  # fmt: skip
        torch.manual_seed(0)
        loss, iou = strip_loss(Given(logits), batch)
        losses[name] = loss.item()
        assert (float(iou.min()) > 0.9) is (name == "truth")
    assert losses["truth"] < 0.6 * min(losses["all"], losses["nothing"]) and losses["not"] == max(losses.values())
