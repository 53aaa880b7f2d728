"""The list of vessels: groups, another order, two vessels made one, one made two."""

import numpy as np
import pytest
from clicks import click
from conftest import PATIENCE
from qtpy.QtCore import QMimeData, QModelIndex, Qt

from sam2flow_core.project import SessionState, Vessel, read_project
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt
from sam2flow_napari.widgets.dock import SAM2FlowDock


@pytest.fixture
def dock(qtbot, engine, recording_path):
    from napari.components import ViewerModel

    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(recording_path)
    for x in (20.0, 40.0, 60.0):
        dock.bench.session.begin_vessel()
        click(dock.bench.session, 0, 30.0, x)
    yield dock
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def painted(vessel, frame, *rows):
    mask = np.zeros((8, 8), bool)
    mask[list(rows)] = True
    return MaskPrompt.of(vessel, frame, mask)


def test_two_vessels_made_one_keep_every_mark():
    clicks = (Prompt(1, 0, 1, 1, 1), Prompt(2, 0, 2, 2, 1), Prompt(2, 3, 3, 3, 0))
    regions = (
        painted(1, 5, 1),
        painted(2, 5, 3),
        painted(2, 6, 4),
        BoxPrompt(1, 7, 1, 1, 3, 3),
        BoxPrompt(2, 7, 0, 2, 2, 6),
    )
    state = SessionState((Vessel(1, "a"), Vessel(2, "b"), Vessel(3, "c")), (*clicks, *regions))
    merged = state.merged(1, 2)
    assert [(c.vessel_id, c.frame, c.y, c.label) for c in merged.clicks] == [(1, 0, 1, 1), (1, 0, 2, 1), (1, 3, 3, 0)]
    assert merged.regions == (painted(1, 5, 1, 3), painted(1, 6, 4), BoxPrompt(1, 7, 0, 1, 3, 6))
    assert merged.vessel_ids == (1, 3)
    assert state.merged(1, 1) == state.merged(1, 9) == state


def test_some_clicks_become_a_vessel_that_follows_in_the_list():
    clicks = (Prompt(1, 0, 1, 1, 1), Prompt(1, 0, 2, 2, 1), Prompt(2, 3, 3, 3, 1))
    state = SessionState((Vessel(1, "a"), Vessel(2, "b")), clicks)
    split = state.split(clicks[1:2])
    assert split.vessel_ids == (1, 3, 2) and [c.vessel_id for c in split.clicks] == [1, 3, 2]
    assert state.split(()) == state


def test_groups_are_typed_in_the_list_and_kept(dock):
    model, session = dock.vessels.model, dock.bench.session
    place = model.index(1, 4)
    assert model.flags(place) & Qt.ItemFlag.ItemIsEditable
    assert model.setData(place, " venule ")
    assert model.data(place) == "venule" and model.groups[:2] == ("venule", "artery")
    assert dock.bench.runs._request().groups == ((2, "venule"),)
    folder = session.folder
    session.undo()
    assert session.state.vessel(2).group == ""
    session.redo()
    dock.shut()
    assert read_project(folder).state.vessel(2).group == "venule"


@pytest.mark.parametrize(
    ("dragged", "to", "order"),
    [(0, 3, (2, 3, 1)), (2, 0, (3, 1, 2)), (0, -1, (2, 3, 1)), (0, 2, (2, 1, 3)), (1, 1, (1, 2, 3))],
)
def test_a_row_is_dragged_to_where_the_line_shows(dock, dragged, to, order):
    model = dock.vessels.model
    data = model.mimeData([model.index(dragged, 1)])
    assert isinstance(data, QMimeData)
    assert model.dropMimeData(data, Qt.DropAction.MoveAction, to, 0, QModelIndex())
    assert dock.bench.session.state.vessel_ids == order
    assert not model.flags(model.index(0, 1)) & Qt.ItemFlag.ItemIsDropEnabled


def test_the_menu_merges_and_splits_and_both_are_undone(dock):
    session, more = dock.bench.session, dock.vessels.more
    session.activate(1)
    more.aboutToShow.emit()
    merge, split = more.actions()[0].menu(), more.actions()[2]
    assert [a.text() for a in merge.actions()] == ["2  Vessel 2", "3  Vessel 3"] and not split.isEnabled()
    merge.actions()[1].trigger()
    assert session.state.vessel_ids == (1, 2) and session.active == 1
    assert [c.vessel_id for c in session.state.clicks] == [1, 2, 1]
    more.aboutToShow.emit()
    assert more.actions()[2].isEnabled()
    dock.bench.scene.prompts.layer.selected_data = {0}
    more.actions()[2].trigger()
    assert [c.vessel_id for c in session.state.clicks] == [3, 2, 1] and session.active == 3
    session.undo()
    session.activate(1)
    dock.bench.tools.split()  # nothing is selected: the newest click of the active vessel
    assert [c.x for c in session.state.clicks if c.vessel_id == session.active] == [60.0]
    session.undo()
    session.undo()
    assert session.state.vessel_ids == (1, 2, 3)
