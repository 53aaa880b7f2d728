"""Previews: the way of a click to a mask and back."""

import os
from dataclasses import replace

import numpy as np
import pytest

from sam2flow_core import SAM2FlowPredictor, open_stack
from sam2flow_core.engine.contract import give_prompts
from sam2flow_core.engine.field_findings import find_in_recording
from sam2flow_core.engine.preview import Previewer, _cropped, _same_vessel
from sam2flow_core.errors import PromptError
from sam2flow_core.inference import predictor as predictor_module
from sam2flow_core.inference.recording_summary import summarise_ranges
from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt
from sam2flow_core.stack import stack as stack_module


@pytest.fixture(scope="module")
def previewer(moving_cells):
    return Previewer(moving_cells, RunChoices(device="cpu"))


def test_a_mask_is_answered_for_the_vessel_and_the_same_again(previewer):
    clicks = (Prompt(4, 6, 20.0, 40.0, 1), Prompt(4, 2, 21.0, 30.0, 1))
    first = previewer.mask(6, clicks)
    previewer.mask(2, (Prompt(9, 2, 44.0, 40.0, 1),))
    again = previewer.mask(6, clicks)
    assert first.mask.any() and first.vessel_id == 4 and first.flow is None and 0 <= first.mask_iou <= 1
    assert first.offset == again.offset and np.array_equal(first.mask, again.mask)
    assert first.mask_iou == again.mask_iou


def test_a_click_outside_is_refused(previewer):
    with pytest.raises(PromptError, match="outside the image"):
        previewer.mask(0, (Prompt(1, 0, 64.0, 3.0, 1),))


def test_a_mask_is_cropped_to_its_pixels():
    mask = np.zeros((10, 12), bool)
    mask[3:5, 7:11] = True
    answer = _cropped(2, mask, 0.5, 0.25)
    assert answer.offset == (3, 7) and answer.mask.shape == (2, 4) and answer.mask.all()
    assert (answer.mask_iou, answer.object_score) == (0.5, 0.25)
    assert not _cropped(2, np.zeros((10, 12), bool), 0, 0).mask.any()


def test_a_painted_mask_is_the_mask_and_a_box_is_answered(previewer):
    painted = np.zeros((64, 80), bool)
    painted[16:24, 10:70] = True
    answer = previewer.mask(3, (MaskPrompt.of(2, 3, painted),))
    assert (answer.vessel_id, answer.offset) == (2, (16, 10))
    assert answer.mask.shape == (8, 60) and answer.mask.all()
    clicks = (Prompt(2, 3, 20.0, 40.0, 1),)
    box = previewer.mask(3, (*clicks, BoxPrompt(2, 3, 14.0, 8.0, 26.0, 72.0)))
    assert box.mask_iou != previewer.mask(3, clicks).mask_iou


def test_a_preview_looks_at_the_range_that_a_run_will_answer(moving_cells):
    """What lies outside the chosen frames has no say in the mask, as it has none in the run's."""
    clicks = (Prompt(1, 3, 20.0, 40.0, 1),)
    chosen = Previewer(moving_cells, RunChoices(device="cpu", start=2, stop=6)).mask(3, clicks)
    with open_stack(moving_cells) as stack:
        frames = np.stack([stack.frame(t) for t in range(2, 6)])
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    state = predictor.init_state(frames)
    _, _, logits = predictor.add_new_points_or_box(state, 1, 1, points=[[40.0, 20.0]], labels=[1])
    whole = np.zeros(frames.shape[1:], bool)
    top, left = chosen.offset
    whole[top : top + chosen.mask.shape[0], left : left + chosen.mask.shape[1]] = chosen.mask
    assert chosen.mask.any()
    assert np.array_equal(whole, logits[0, 0].numpy() > 0)


def test_a_run_after_previews_looks_at_the_recording_no_second_time_and_answers_alike(moving_cells, monkeypatch):
    looks = []

    def counted(*args):
        looks.append(args)
        return summarise_ranges(*args)

    monkeypatch.setattr(predictor_module, "summarise_ranges", counted)
    previewer = Previewer(moving_cells, RunChoices(device="cpu"))
    previewer.mask(6, (Prompt(1, 6, 20.0, 40.0, 1),))
    known, fresh = previewer.predictor_for("tiny", "cpu"), SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    assert previewer.predictor_for("tiny", "cuda") is None and previewer.predictor_for("other", "cpu") is None
    answers = []
    with open_stack(moving_cells) as stack:
        for predictor in (known, fresh):
            state = predictor.init_state(stack)
            predictor.add_new_points_or_box(state, 0, 1, points=[[40.0, 20.0]], labels=[1])
            answers.append(next(iter(predictor.stream(state))))
        assert len(looks) == 2, "one for the previews, one for the fresh predictor"
        known.init_state(stack, stabilise=False)
        known.init_state(stack, start=1)
        assert len(looks) == 4, "another question is looked at anew"
    assert answers[0].shift == answers[1].shift
    for first, second in zip(answers[0].vessels, answers[1].vessels, strict=True):
        assert np.array_equal(first.mask, second.mask) and np.array_equal(first.flow, second.flow)
        assert np.array_equal(first.scale, second.scale)


def test_a_vessel_that_is_marked_already_is_named(previewer):
    """Where the tissue has moved in between, too; one that crosses it or is marked no more is not named."""
    first = previewer.mask(6, (Prompt(1, 6, 20.0, 40.0, 1),))
    assert first.mask.any() and first.same_as is None
    again = (Prompt(2, 2, 20.0, 60.0, 1),)
    assert previewer.mask(2, again, marked={1, 2}).same_as == 1
    assert previewer.mask(2, again, marked={2}).same_as is None
    assert previewer.mask(2, (Prompt(3, 2, 44.0, 40.0, 1),), marked={1, 2, 3}).same_as is None


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_mask_that_swallows_a_smaller_one_is_told_too(previewer, share):
    """A short piece that was marked first lies wholly in the vessel that is marked now."""
    whole = previewer.mask(6, (Prompt(2, 6, 20.0, 40.0, 1),))
    columns = np.arange(whole.mask.shape[1]) < share * whole.mask.shape[1]
    piece = replace(whole, vessel_id=1, mask=whole.mask & columns)
    assert piece.mask.any() and _same_vessel(whole, [piece]) == 1


def test_the_next_reading_comes_with_the_clicks_that_name_it(previewer):
    clicks = (Prompt(1, 6, 20.0, 40.0, 1),)
    first = previewer.reading(6, clicks, 0)
    assert first.prompts == clicks and np.array_equal(first.vessel.mask, previewer.mask(6, clicks).mask)
    for number in range(1, first.count):
        other = previewer.reading(6, clicks, number)
        assert other.number == number and other.prompts[:1] == clicks and len(other.prompts) == 2
        again = previewer.mask(6, other.prompts)
        assert again.offset == other.vessel.offset and np.array_equal(again.mask, other.vessel.mask)
        assert other.vessel.mask.shape != first.vessel.mask.shape or (other.vessel.mask != first.vessel.mask).any()
    assert previewer.reading(6, clicks, first.count).prompts == clicks
    box = (*clicks, BoxPrompt(1, 6, 14.0, 8.0, 26.0, 72.0))
    assert previewer.reading(6, box, 1).count == 1, "a box says itself what is meant"


def test_vessels_are_proposed_on_what_is_loaded_and_clicks_go_on_meanwhile(previewer):
    """The same as `find_in_recording` proposes."""
    clicks = (Prompt(1, 6, 20.0, 40.0, 1),)
    before = previewer.mask(6, clicks)
    steps = previewer.find(0.5)
    shares = [next(steps)]
    assert np.array_equal(previewer.mask(6, clicks).mask, before.mask)
    *more, findings = steps
    shares += more
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] <= 1
    expected = find_in_recording(previewer.recording, device="cpu", pixel_size_um=0.5)
    # To the rounding of clicks: other numbers of threads sum otherwise.
    places = [[(p.frame, p.y, p.x) for p in found.prompts] for found in (findings, expected)]
    np.testing.assert_allclose(*places, atol=0.15)
    assert findings.density.all.value == pytest.approx(expected.density.all.value, rel=1e-2)
    stopped = previewer.find(None)
    next(stopped)
    stopped.close()


def test_a_run_asks_the_network_no_second_time_what_clicks_have_asked(moving_cells, monkeypatch):
    """Nor does it read the recording through again; and it answers as if it had."""
    asked, hashed = [], []
    decode, digest = predictor_module.answer_prompts, stack_module.content_sha256
    monkeypatch.setattr(predictor_module, "answer_prompts", lambda *a: asked.append(a) or decode(*a))
    monkeypatch.setattr(stack_module, "content_sha256", lambda source: hashed.append(len(asked)) or digest(source))
    previewer = Previewer(moving_cells, RunChoices(device="cpu"))
    assert previewer.read_through(moving_cells) is None, "nobody has clicked"
    clicks = (Prompt(1, 2, 20.0, 40.0, 1),)
    previewer.mask(2, clicks)
    known, fresh = previewer.predictor_for("tiny", "cpu"), SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    answers = []
    with open_stack(moving_cells) as stack:
        for predictor in (known, fresh):
            before = len(asked)
            state = predictor.init_state(stack)
            give_prompts(predictor, state, clicks)
            assert len(asked) - before == (predictor is fresh)
            answers.append(next(iter(predictor.stream(state))))
            give_prompts(predictor, state, (*clicks, Prompt(1, 5, 21.0, 30.0, 1)))
            assert len(asked) - before > (predictor is fresh), "other clicks are another question"
        read = previewer.read_through(moving_cells)
        assert previewer.read_through(moving_cells.with_name("other.tif")) is None
        stack.learn_from(read)
        assert stack.sha256() == read.sha256() and len(hashed) == 1
    assert hashed[0] >= 1, "the first mask does not wait for the recording to be read"
    for first, second in zip(answers[0].vessels, answers[1].vessels, strict=True):
        assert answers[0].shift == answers[1].shift and first.offset == second.offset
        assert np.array_equal(first.mask, second.mask) and np.array_equal(first.flow, second.flow)
        assert np.array_equal(first.scale, second.scale) and first.mask_iou == second.mask_iou


def test_what_was_found_out_of_files_that_were_touched_since_is_not_believed(moving_cells, tmp_path):
    path = tmp_path / "r.tif"
    path.write_bytes(moving_cells.read_bytes())
    with open_stack(path) as before:
        content = before.sha256()
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        times = path.stat().st_atime_ns, path.stat().st_mtime_ns
        path.write_bytes(data)
        os.utime(path, ns=times)
        with open_stack(path) as after:
            after.learn_from(before)
            assert after.sha256() != content
