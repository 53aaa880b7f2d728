"""Vessels, prompts, undo: the session without layers."""

import numpy as np
import pytest
from clicks import click
from hypothesis import given, settings
from hypothesis import strategies as st

from sam2flow_core.project import SessionState, Vessel
from sam2flow_core.prompts import Prompt
from sam2flow_napari.session import Session
from sam2flow_napari.session.session import History


def test_first_click_makes_a_vessel():
    session = Session()
    click(session, 3, 10.0, 20.0)
    assert session.state == SessionState((Vessel(1, "Vessel 1"),), (Prompt(1, 3, 10.0, 20.0, 1),))
    assert session.active == 1


def test_next_vessel_goes_round_and_never_leaves_two_empty_ones():
    session = Session()
    click(session, 0, 1, 1)
    session.activate_next()
    assert session.active == 2
    session.activate_next()
    assert session.active == 1
    assert session.state.vessel_ids == (1, 2)
    session.activate_next()
    click(session, 0, 2, 2)
    session.activate_next()
    assert session.active == 3


def test_sign_gives_negative_clicks():
    session = Session()
    click(session, 0, 1, 1)
    session.set_sign(0)
    click(session, 0, 2, 2)
    assert [p.label for p in session.state.prompts] == [1, 0]


def test_deleting_a_vessel_takes_its_clicks_and_undo_brings_both_back():
    session = Session()
    click(session, 0, 1, 1)
    session.add_vessel("loop")
    click(session, 0, 2, 2)
    before = session.state
    session.delete_vessel(2)
    assert session.state.prompts == (Prompt(1, 0, 1, 1, 1),)
    assert session.active == 1
    session.undo()
    assert session.state == before


def test_unchanged_state_is_no_step_of_history():
    session = Session()
    click(session, 0, 1, 1)
    session.set_clicks(session.state.clicks)
    session.rename_vessel(1, "  ")
    session.undo()
    assert session.state == SessionState()
    assert not session.can_undo


def test_states_are_announced():
    session, seen = Session(), []
    session.state_changed.connect(seen.append)
    click(session, 0, 1, 1)
    session.undo()
    session.redo()
    assert [len(s.prompts) for s in seen] == [1, 0, 1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(), st.sampled_from(["undo", "redo"]))))
def test_history_agrees_with_a_list_and_an_index(actions):
    history, line, place = History(0), [0], 0
    for action in actions:
        if action == "undo":
            history.undo()
            place = max(0, place - 1)
        elif action == "redo":
            history.redo()
            place = min(len(line) - 1, place + 1)
        else:
            history.push(action)
            line, place = [*line[: place + 1], action], place + 1
        assert history.current == line[place]
        assert history.can_undo == (place > 0)
        assert history.can_redo == (place < len(line) - 1)


def test_two_thousand_edits_can_all_be_undone():
    session = Session()
    for i in range(2000):
        click(session, 0, i, i)
    while session.can_undo:
        session.undo()
    assert session.state == SessionState()


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_ids_of_deleted_vessels_are_not_given_to_others_that_remain(gone):
    session = Session()
    for _ in range(3):
        session.add_vessel()
    session.delete_vessel(gone)
    session.add_vessel()
    assert len(set(session.state.vessel_ids)) == 3
    assert np.all(np.diff(session.state.vessel_ids) > 0)
