"""Two things at a time: all is done, what fails is told, and no value depends on who did it."""

import threading
import time

import numpy as np
import pytest
import torch

from sam2flow_core.inference import flow_groups
from sam2flow_core.inference.lanes import Lanes

pytestmark = pytest.mark.usefixtures("two_threads")


def test_each_part_is_done_once_in_both_lanes():
    done = []

    def work(part):
        time.sleep(0.01)
        done.append((part, threading.get_ident(), torch.get_num_threads(), torch.is_inference_mode_enabled()))

    lanes = Lanes()
    with torch.inference_mode(), lanes.narrowed():
        lanes.each(work, range(20))
    assert sorted(part for part, *_ in done) == list(range(20))
    assert len({thread for _, thread, *_ in done}) == 2
    assert {tuple(how) for _, _, *how in done} == {(1, True)}
    assert torch.get_num_threads() == 2, "who goes on afterwards has all threads again"


@pytest.mark.parametrize("broken", [0, 7])
def test_what_fails_in_a_lane_is_told_and_the_rest_is_left(broken):
    done = []

    def work(part):
        time.sleep(0.01)
        if part == broken:
            raise ValueError("no")
        done.append(part)

    with pytest.raises(ValueError, match="no"):
        Lanes().each(work, range(1000))
    assert len(done) < 50


def test_while_the_other_lane_is_taken_one_does_it_all():
    lanes, hold, done = Lanes(), threading.Event(), []
    lanes._beside.submit(hold.wait)
    lanes.each(done.append, range(5))
    hold.set()
    assert done == list(range(5))


def test_flow_is_the_same_to_the_bit_whichever_lane_answers(predictor, video, vessel, monkeypatch):
    def flows():
        state = predictor.init_state(video, working_resolution=1)
        predictor.add_new_mask(state, 0, 1, vessel)
        return [step.vessels[0].flow for step in predictor.stream(state)][:-1]

    class OneByOne(Lanes):
        def each(self, work, parts, /):
            for part in parts:
                work(part)

    both = flows()
    monkeypatch.setattr(flow_groups, "Lanes", OneByOne)
    assert all(np.array_equal(a, b) for a, b in zip(both, flows(), strict=True))
