"""Recordings seen from another side: fields as those of turned vessels, statistics as those of turned frames."""

import numpy as np
import pytest
import torch

from sam2flow_core.model.motion_statistics import InputMaker, MotionStatistics
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.field_truth import LumenPoints, true_field
from sam2flow_core.training.field_turns import FieldLesson, backwards, turned

VIEWS = [(turns, mirror) for turns in range(4) for mirror in (False, True)]


@pytest.fixture(scope="module")
def lumens():
    rng = np.random.default_rng(3)
    row, column = rng.integers(0, 32, (2, 400))
    ends = np.column_stack([rng.integers(0, 32, (4, 2)), [3.0, 4, 5, 6]])
    return LumenPoints(32, row, column, rng.uniform(-9, 9, 400), rng.uniform(-1, 1, 400), rng.uniform(2, 9, 400), ends)


def field_of(lumens):
    return VesselField(*(part[None] for part in true_field(lumens)))


def statistics_of(frames):
    motion = MotionStatistics()
    motion.add(frames[:-1], frames[1:])
    maker = InputMaker(frames.mean(0), frames.std(0))
    return maker.field_input(motion.channels())


def seen(frames, turns, mirror):
    frames = torch.rot90(frames, turns, (-2, -1))
    return frames.flip(-1) if mirror else frames


@pytest.mark.parametrize(("turns", "mirror"), VIEWS)
def test_the_field_is_that_of_turned_vessels(lumens, turns, mirror):
    lesson = turned(FieldLesson(torch.zeros(1, 20, 32, 32), field_of(lumens)), turns, mirror)
    for found, right in zip(lesson.field, field_of(lumens.turned(turns, mirror)), strict=True):
        torch.testing.assert_close(found, right, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("turns", "mirror"), VIEWS)
def test_statistics_are_those_of_turned_frames(lumens, turns, mirror):
    frames = torch.rand(5, 64, 64, generator=torch.Generator().manual_seed(5))
    found = turned(FieldLesson(statistics_of(frames), field_of(lumens)), turns, mirror).statistics
    torch.testing.assert_close(found, statistics_of(seen(frames, turns, mirror)), rtol=0, atol=1e-4)


def test_run_backwards_blood_flows_the_other_way(lumens):
    frames = torch.rand(5, 64, 64, generator=torch.Generator().manual_seed(6))
    lesson = backwards(FieldLesson(statistics_of(frames), field_of(lumens)))
    torch.testing.assert_close(lesson.statistics, statistics_of(frames.flip(0)), rtol=0, atol=1e-4)
    torch.testing.assert_close(lesson.field.runs, field_of(lumens).runs.roll(8, 1))
    for name in ("inside", "ends", "offset", "log_radius"):
        torch.testing.assert_close(getattr(lesson.field, name), getattr(field_of(lumens), name))
