"""A device whose memory runs full: fewer vessels at a time, then the processor, then a word to the user."""

import numpy as np
import pytest
import torch

from sam2flow_core.errors import ModelError
from sam2flow_core.inference import flow_groups
from sam2flow_core.inference.flow_stream import FlowStream, FrameFeatures


def begin(predictor, video, vessel, count=3):
    state = predictor.init_state(video, stabilise=False)
    for number in range(count):
        mask = np.zeros_like(vessel)
        mask[:, 40 * number : 40 * number + 36] = vessel[:, 40 * number : 40 * number + 36]
        predictor.add_new_mask(state, 0, number + 1, mask)
    return state


def flows(steps):
    return np.concatenate([v.flow.ravel() for step in steps for v in step.vessels if v.flow is not None])


def full_when(monkeypatch, condition):
    """The device's memory is full in every answer that meets a condition; half-way, when memory has been written."""
    answered = FlowStream.answer

    def answer(self, t, context):
        found = answered(self, t, context)
        if condition(self, t):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return found

    monkeypatch.setattr(FlowStream, "answer", answer)


def test_vessels_are_answered_in_groups_and_the_flow_is_the_same(fresh, video, vessel, monkeypatch):
    usual = list(fresh.stream(begin(fresh, video, vessel)))
    full_when(monkeypatch, lambda stream, t: t >= 4 and len(stream.vessels) > 1)
    state = begin(fresh, video, vessel)
    found = list(fresh.stream(state))
    assert [[v.vessel_id for v in step.vessels] for step in found] == [[1, 2, 3]] * 14
    assert np.abs(flows(found) - flows(usual)).max() < 1e-4
    first, second = fresh.description["notices"]
    assert "from frame 4 on vessels are answered in 2 groups" in first and "3 groups" in second
    assert all(len({e.frame for e in v.motion.entries}) == len(v.motion.entries) for v in state.vessels.values())


def test_the_processor_goes_on_where_one_vessel_is_too_much(fresh, video, vessel):
    usual = list(fresh.stream(begin(fresh, video, vessel, count=1)))
    state = begin(fresh, video, vessel, count=1)
    groups = flow_groups.FlowGroups(fresh.model, state, fresh.settings)
    try:
        raise torch.OutOfMemoryError("CUDA out of memory")
    except torch.OutOfMemoryError:
        state.frames.device = torch.device("cuda", 0)  # there is none here: its name alone decides what is done
        groups.make_room(2)
    assert state.frames.device == torch.device("cpu")
    assert groups.notices == ["the memory of cuda:0 is full: from frame 2 on the processor goes on, slower"]
    assert np.array_equal(flows(list(fresh.stream(state))), flows(usual))


def test_nothing_is_left_to_try_on_the_processor(fresh, video, vessel, monkeypatch):
    full_when(monkeypatch, lambda stream, t: True)
    with pytest.raises(torch.OutOfMemoryError):
        list(fresh.stream(begin(fresh, video, vessel)))


def test_a_recording_that_does_not_fit_at_all_is_told_in_words():
    with (
        pytest.raises(ModelError, match=r"memory of cuda:0 is too small .* choose the device cpu"),
        flow_groups.told_of_memory(torch.device("cuda", 0)),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_frames_are_at_hand_than_the_longest_lag_spans(fresh, video, vessel, monkeypatch, threads):
    """Also where an answer begins in the middle of a recording, and all frames around it are read at once."""
    at_hand = []
    keep = FrameFeatures.keep

    def counted(self, times, each):
        keep(self, times, each)
        at_hand.extend([len(self.kept)] * len(times))

    monkeypatch.setattr(FrameFeatures, "keep", counted)
    state = begin(fresh, video, vessel, count=2)
    usual = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        flow = next(fresh.propagate_in_video(state, start_frame_idx=12)).flow
    finally:
        torch.set_num_threads(usual)
    monkeypatch.undo()
    assert len(at_hand) >= 14 and max(at_hand) <= max(fresh.model.config.match.lags) + threads
    again = begin(fresh, video, vessel, count=2)
    others = {step.frame_idx: step.flow for step in fresh.propagate_in_video(again, start_frame_idx=11)}
    assert np.allclose(flow, others[12], atol=0.05)  # the motion memory knows the pair before
