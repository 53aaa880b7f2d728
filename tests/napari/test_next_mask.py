"""The next mask of an ambiguous click: shown, undone, run and kept as the clicks that name it."""

import pytest
from clicks import click
from conftest import PATIENCE

from sam2flow_core.project import read_project


@pytest.fixture
def clicked(bench, qtbot):
    """One click on vessel 1, answered."""
    click(bench.session, 2, 20.0, 30.0)
    qtbot.waitUntil(lambda: bench.previews.standing(1) == "found", timeout=PATIENCE)
    return bench


def ask(bench, qtbot):
    bench.tools.next_mask()
    assert bench.previews.standing(1) == "looking…"
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)


def test_the_next_mask_comes_with_a_click_that_names_it_and_after_the_last_the_first(clicked, qtbot):
    given, seen = clicked.session.state.prompts, []
    for number in (1, 2, 0, 1):
        ask(clicked, qtbot)
        prompts = clicked.session.state.prompts
        assert prompts[:1] == given and len(prompts) == (2 if number else 1)
        assert f"Mask {number + 1} of 3" in clicked.previews.choice(1)
        seen.append(int((clicked.scene.frames.labels(2) == 1).argmax(axis=0).max()))
    assert seen[1] == seen[0] + 1 and seen[2] == seen[0] - 1 and seen[3] == seen[0]
    np_layer = clicked.scene.prompts.layer
    assert len(np_layer.data) == 2


def test_it_is_asked_for_what_a_person_has_clicked(clicked, engine, qtbot):
    given = clicked.session.state.prompts
    ask(clicked, qtbot)
    ask(clicked, qtbot)
    assert [prompts for _, prompts in engine.asked[-2:]] == [given, given]
    click(clicked.session, 2, 24.0, 44.0)
    mended = clicked.session.state.prompts
    qtbot.waitUntil(lambda: not clicked.previews.awaited, timeout=PATIENCE)
    assert clicked.previews.choice(1) == "" and len(mended) == 3
    ask(clicked, qtbot)
    assert engine.asked[-1][1] == mended


def test_one_undo_takes_one_mask_back(clicked, engine, qtbot):
    states = [clicked.session.state]
    for _ in range(2):
        ask(clicked, qtbot)
        states.append(clicked.session.state)
    for state in states[1::-1]:
        clicked.tools.undo()
        assert clicked.session.state == state
        qtbot.waitUntil(lambda: not clicked.previews.awaited, timeout=PATIENCE)
    clicked.tools.redo()
    qtbot.waitUntil(lambda: not clicked.previews.awaited, timeout=PATIENCE)
    assert "Mask 2 of 3" in clicked.previews.choice(1)
    ask(clicked, qtbot)
    assert engine.asked[-1][1] == states[0].prompts and "Mask 3 of 3" in clicked.previews.choice(1)


def test_the_run_and_the_project_have_the_clicks_of_the_mask_on_screen(clicked, engine, qtbot):
    ask(clicked, qtbot)
    named = clicked.session.state.prompts
    assert len(named) == 2
    clicked.runs.start()
    qtbot.waitUntil(lambda: clicked.runs.tables is not None, timeout=PATIENCE)
    assert engine.requests[0].prompts == named
    folder = clicked.session.folder
    clicked.close()
    assert read_project(folder).state.prompts == named


def test_keys_pressed_faster_than_masks_come_count_on(clicked, engine, qtbot):
    engine.preview_gate.clear()
    for _ in range(2):
        clicked.tools.next_mask()
    engine.preview_gate.set()
    qtbot.waitUntil(lambda: not clicked.previews.awaited, timeout=PATIENCE)
    assert "Mask 3 of 3" in clicked.previews.choice(1)


def test_a_click_meanwhile_is_what_counts(clicked, engine, qtbot):
    engine.preview_gate.clear()
    clicked.tools.next_mask()
    click(clicked.session, 2, 24.0, 44.0)
    prompts = clicked.session.state.prompts
    engine.preview_gate.set()
    qtbot.waitUntil(lambda: not clicked.previews.awaited, timeout=PATIENCE)
    assert clicked.session.state.prompts == prompts and clicked.previews.choice(1) == ""


def test_clicks_that_mean_one_mask_are_said_to(clicked, engine, qtbot):
    engine.readings = 1
    before = clicked.session.state
    ask(clicked, qtbot)
    assert clicked.session.state is before and "one mask only" in clicked.previews.choice(1)


def test_nothing_happens_without_a_click(bench, engine):
    bench.tools.next_mask()
    bench.session.add_vessel()
    bench.tools.next_mask()
    assert not bench.previews.awaited and not engine.asked


def test_a_copy_is_no_copy_any_more_when_the_other_is_mended(bench, qtbot):
    click(bench.session, 2, 20.0, 30.0)
    bench.session.begin_vessel()
    click(bench.session, 2, 21.0, 31.0)
    qtbot.waitUntil(lambda: "This is Vessel 1" in bench.previews.finding(2), timeout=PATIENCE)
    assert not bench.previews.finding(1)
    clicks = bench.session.state.clicks
    bench.session.set_clicks((type(clicks[0])(1, 2, 50.0, 70.0, 1), clicks[1]))
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    assert [bench.previews.standing(v) for v in (1, 2)] == ["found", "found"]


def test_copies_of_a_project_are_noticed_when_it_is_opened(bench, make_bench, recording_path, qtbot):
    click(bench.session, 2, 20.0, 30.0)
    bench.session.begin_vessel()
    click(bench.session, 2, 21.0, 31.0)
    bench.close()
    again = make_bench()
    again.open(recording_path)
    qtbot.waitUntil(lambda: "This is Vessel 1" in again.previews.finding(2), timeout=PATIENCE)
    assert not again.previews.finding(1)
