"""What the next pair needs is made beside the present one: answers, and what a resumed run goes on from, stay."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.errors import StackError
from sam2flow_core.inference.ahead import Ahead
from sam2flow_core.inference.flow_stream import FlowStream
from sam2flow_core.stack import FramePlan

pytestmark = pytest.mark.usefixtures("two_threads")


@pytest.fixture(scope="module")
def shaking():
    """A texture that runs along tissue which moves, so that frames lie where registering says; (30, 96, 128)."""
    rng = np.random.default_rng(1)
    still, blood = rng.normal(0, 6, (96, 128)), rng.normal(0, 25, (96, 400))
    frames = []
    for t in range(30):
        frame = 120 + still
        frame[40:54] += blood[40:54, 200 - 3 * t : 328 - 3 * t]
        frames.append(np.roll(frame, (t % 3, -(t % 2)), (0, 1)))
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


def begun(predictor, video, vessel, every):
    plan = replace(FramePlan.whole(0, len(video)), every=every)
    state = predictor.init_state(video, plan=plan, working_resolution=1)
    predictor.add_new_mask(state, 0, 1, vessel)
    return state


def same(one, other):
    (a,), (b,) = one.vessels, other.vessels
    assert (one.frame, one.shift, a.offset, a.object_score) == (other.frame, other.shift, b.offset, b.object_score)
    assert (a.flow is None) == (b.flow is None)
    if a.flow is not None:
        assert np.array_equal(a.flow, b.flow, equal_nan=True) and np.array_equal(a.scale, b.scale, equal_nan=True)


@pytest.mark.parametrize("every", [1, 4])
def test_answers_are_the_same_to_the_bit_with_and_without_going_ahead(predictor, shaking, vessel, monkeypatch, every):
    begin, threads = Ahead.begin, set()

    def told(self, work):
        begin(self, lambda: (threads.add(threading.get_ident()), work())[1])

    monkeypatch.setattr(Ahead, "begin", told)
    ahead = list(predictor.stream(begun(predictor, shaking, vessel, every)))
    assert threads and threading.get_ident() not in threads, "it was done beside"
    monkeypatch.setattr(FlowStream, "_go_ahead", lambda self, t: None)
    for one, other in zip(ahead, predictor.stream(begun(predictor, shaking, vessel, every)), strict=True):
        same(one, other)


@pytest.mark.parametrize("done", [5, 9])
def test_a_run_resumed_from_a_state_taken_while_going_ahead_is_the_same(predictor, shaking, vessel, done):
    whole = list(predictor.stream(begun(predictor, shaking, vessel, 4)))
    state = begun(predictor, shaking, vessel, 4)
    stream = predictor.stream(state)
    for _ in range(done):
        next(stream)
    kept = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in predictor.snapshot(state).items()}
    stream.close()
    again = begun(predictor, shaking, vessel, 4)
    predictor.restore(again, kept)
    for one, other in zip(predictor.stream(again), whole[done:], strict=True):
        same(one, other)


def test_what_fails_ahead_is_told_at_the_pair_that_needs_it(predictor, shaking, vessel, monkeypatch):
    state = begun(predictor, shaking, vessel, 1)
    stream = predictor.stream(state)
    next(stream)
    state.ahead.settle()

    def broken(self, t):
        raise StackError("the recording is gone")

    monkeypatch.setattr(type(state.frames), "inputs", broken)
    answered = [next(stream).frame]  # what it needs was at hand
    with pytest.raises(StackError, match="gone"):
        answered += [step.frame for step in stream]
    assert answered == [1]
