"""Vessels that are proposed: accepted by a click or all at once, taken back by Undo, dismissed, cancelled."""

import numpy as np
import pytest
from conftest import HEIGHT, PATIENCE, WIDTH, write_recording
from napari.utils.notifications import notification_manager

from sam2flow_core.errors import ModelError
from sam2flow_core.inference.steps import FoundVessel
from sam2flow_napari.found_vessels import outline
from sam2flow_napari.widgets.dock import SAM2FlowDock


@pytest.fixture
def dock(qtbot, engine, recording_path):
    from napari.components import ViewerModel

    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(recording_path)
    notification_manager.records.clear()
    yield dock
    engine.gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def find(dock, qtbot):
    dock.vessels.find_all.click()
    qtbot.waitUntil(lambda: not dock.bench.finder.running, timeout=PATIENCE)


def said():
    return " ".join(n.message for n in notification_manager.records)


def test_a_click_on_an_outline_accepts_it_and_beside_it_is_a_click(dock, qtbot):
    find(dock, qtbot)
    session, finder = dock.bench.session, dock.bench.finder
    assert len(finder.proposals) == 3 and not session.state.prompts
    assert "3 vessels proposed, confidence 0.90 to 0.50" in dock.vessels.guide.text()
    assert "perfused vessel density" in said() and "mm/mm2" in said() and "are not given" in said()
    layer = dock.bench.scene.prompts.layer
    layer.add((7, HEIGHT * 0.25 + 2, 40.0))
    (vessel,) = session.state.vessel_ids
    assert session.state.clicks == finder._found[0].clicks(vessel) and len(layer.data) == 3
    assert len(finder.proposals) == 2 and "2 vessels proposed, confidence 0.70 to 0.50" in dock.vessels.guide.text()
    dock.vessels.surer.setValue(0.6)
    assert "One vessel proposed, confidence 0.70" in dock.vessels.guide.text()
    dock.vessels.surer.setValue(0)
    session.begin_vessel()
    layer.add((0, HEIGHT * 0.25 + 12, 40.0))
    assert len(session.state.clicks) == 4 and session.state.clicks[-1].y == HEIGHT * 0.25 + 12
    session.undo()
    session.undo()
    session.undo()
    assert len(finder.proposals) == 3 and not session.state.prompts
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)


def test_looking_again_proposes_what_is_found_then(dock, qtbot):
    find(dock, qtbot)
    dock.bench.scene.prompts.layer.add((0, HEIGHT * 0.25, 40.0))
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    find(dock, qtbot)  # the same lines in records of their own
    before = dock.bench.finder.proposals
    find(dock, qtbot)
    assert len(dock.bench.finder.proposals) == len(before) and dock.bench.finder.proposals != before


def test_all_are_accepted_by_one_edit_and_the_empty_vessel_is_used(dock, qtbot):
    dock.bench.session.begin_vessel()
    find(dock, qtbot)
    dock.vessels.surer.setValue(0.6)
    assert dock.vessels.accept.text() == "Accept all (2)"
    before = dock.bench.session.state
    dock.vessels.accept.click()
    assert dock.bench.session.state.vessel_ids == (1, 2)
    assert {c.vessel_id for c in dock.bench.session.state.clicks} == {1, 2}
    qtbot.waitUntil(lambda: not dock.bench.previews.awaited, timeout=PATIENCE)
    assert dock.bench.scene.frames.vessel_ids == {1, 2}
    dock.bench.tools.undo()
    assert dock.bench.session.state == before and len(dock.bench.finder.proposals) == 2


def test_no_empty_layer_is_left_once_all_are_accepted(dock, qtbot):
    find(dock, qtbot)
    dock.vessels.accept.click()
    names = [layer.name for layer in dock.bench.viewer.layers]
    assert "proposals" not in names and len(dock.bench.session.state.vessels) == 3
    dock.bench.session.undo()
    assert "proposals" in [layer.name for layer in dock.bench.viewer.layers] and len(dock.bench.finder.proposals) == 3


def test_outlines_lie_on_the_recording_and_nothing_moves(dock, qtbot):
    dock.show()
    dock.resize(440, 725)
    qtbot.wait(20)
    there = [w.mapTo(dock, w.rect().topLeft()) for w in (dock.vessels.sign, dock.vessels.table, dock.run.start)]
    find(dock, qtbot)
    layer = dock.bench.finder.layer
    assert tuple(layer.scale) == tuple(dock.bench.scene.image.scale[-2:])
    assert layer.edge_color[:, 3].min() < 0.5 and layer.edge_color[:, 3].max() == 1
    qtbot.wait(20)
    assert there == [w.mapTo(dock, w.rect().topLeft()) for w in (dock.vessels.sign, dock.vessels.table, dock.run.start)]
    assert dock.bench.viewer.layers.selection.active is dock.bench.scene.prompts.layer
    dock.bench.tools.switch_overlays()
    assert not layer.visible
    dock.bench.tools.switch_overlays()
    dock.vessels.dismiss.click()
    assert dock.bench.finder.layer is None and not dock.bench.finder.any_left
    assert "Click on a vessel" in dock.vessels.guide.text()


def test_what_is_marked_already_is_not_proposed(dock, engine, qtbot):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[round(HEIGHT * 0.5) - 4 : round(HEIGHT * 0.5) + 4] = True
    dock.bench.session.begin_vessel()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)
    dock.bench.scene.frames.preview(full(mask))
    find(dock, qtbot)
    assert len(dock.bench.finder.proposals) == 2


def full(mask):
    from sam2flow_core.inference.steps import VesselFlow

    return VesselFlow.of(1, (0, 0), mask, None, None)


def test_a_search_is_cancelled_and_leaves_nothing(dock, engine, qtbot):
    engine.gate.clear()
    dock.vessels.find_all.click()
    assert dock.run.cancel.isEnabled() and not dock.run.start.isEnabled() and not dock.vessels.find_all.isEnabled()
    qtbot.waitUntil(lambda: bool(engine.searches), timeout=PATIENCE)
    dock.run.cancel.click()
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.finder.running, timeout=PATIENCE)
    assert engine.closed == 1 and not dock.bench.finder.any_left
    assert dock.vessels.find_all.isEnabled()


def test_while_the_model_is_loaded_the_window_says_so(dock, engine, qtbot, tmp_path):
    qtbot.waitUntil(lambda: not dock.bench.loading, timeout=PATIENCE)
    engine.gate.clear()
    engine.warm_gate.clear()
    dock.bench.open(write_recording(tmp_path / "others.tif"))
    dock.vessels.find_all.click()
    assert dock.run._hint.text() == "Loading the model…"
    engine.warm_gate.set()
    qtbot.waitUntil(lambda: dock.run._hint.text() == "Reading the recording…", timeout=PATIENCE)
    engine.gate.set()
    qtbot.waitUntil(lambda: not dock.bench.finder.running, timeout=PATIENCE)


def test_a_model_that_cannot_be_loaded_is_not_loaded_for_ever(dock, engine, qtbot, tmp_path, monkeypatch):
    def warm(_job):
        raise ModelError("no such weights")

    monkeypatch.setattr(engine, "warm", warm)
    dock.bench.open(write_recording(tmp_path / "others.tif"))
    qtbot.waitUntil(lambda: not dock.bench.loading, timeout=PATIENCE)
    assert "no such weights" in said()


def test_what_goes_wrong_is_said_and_an_empty_field_too(dock, engine, qtbot):
    engine.error = ModelError("these weights have no vessel field")
    find(dock, qtbot)
    assert "no vessel field" in said()
    engine.error, engine.findings = None, 0
    find(dock, qtbot)
    assert "no vessel was found" in said()


def test_another_recording_ends_it(dock, engine, qtbot):
    find(dock, qtbot)
    dock.bench.viewer.layers.remove(dock.bench.scene.image)
    assert not dock.bench.finder.any_left and "proposals" not in dock.bench.viewer.layers


def test_a_vessel_is_outlined_by_its_walls():
    line = np.stack([np.full(30, 20.0), np.arange(30.0)], axis=1)
    drawn = outline(FoundVessel(0.9, line, 6.0, 29.0), (64, 64))
    corners = np.concatenate([drawn[:, 0], drawn[:, 0] + drawn[:, 1]])
    assert set(np.round(corners[:, 0], 6)) == {17.0, 23.0}
    np.testing.assert_allclose(drawn[-1, 0] + drawn[-1, 1], drawn[0, 0])


def test_an_outline_stays_in_the_picture_and_its_ends_are_straight():
    down = np.stack([np.arange(40.0), np.full(40, 30.0)], axis=1)
    slid = np.stack([np.zeros(9), np.arange(21.0, 30.0)], axis=1)  # what lay above the picture
    drawn = outline(FoundVessel(0.9, np.concatenate([slid, down]), 8.0, 48.0), (64, 64))
    corners = np.concatenate([drawn[:, 0], drawn[:, 0] + drawn[:, 1]])
    assert corners.min() >= -0.5 and set(np.round(corners[:, 1], 6)) == {26.0, 34.0}
