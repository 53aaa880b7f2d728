"""Masks of one frame carried to all others, as a layer and a file of the project."""

import numpy as np
import pytest
import tifffile
from conftest import FRAMES, HEIGHT, PATIENCE, WIDTH
from napari.layers import Labels
from napari.utils.notifications import notification_manager

from sam2flow_core.errors import ModelError
from sam2flow_napari.widgets.dock import SAM2FlowDock


@pytest.fixture
def dock(make_bench, qtbot, engine, recording_path):
    from napari.components import ViewerModel

    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(recording_path)
    yield dock
    engine.gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def paint(bench, frame):
    bench.viewer.dims.set_current_step(0, frame)
    bench.tools.paint()
    layer = bench.scene.brush.layer
    layer.data[0, 10:20, 30:60] = layer.selected_label
    bench.tools.paint()


def finish(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.bench.propagation.running, timeout=PATIENCE)


def test_a_painted_mask_is_carried_as_it_was_painted(dock, engine, qtbot):
    bench = dock.bench
    paint(bench, 7)
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    active = bench.viewer.layers.selection.active
    dock.run.propagate.click()
    assert not dock.run.start.isEnabled() and dock.run.cancel.isEnabled()
    finish(dock, qtbot)
    (request,) = engine.propagations
    assert request.frame == 7 and (request.labels[10:20, 30:60] == 1).all()
    layer = bench.viewer.layers["masks-001"]
    assert isinstance(layer, Labels) and layer.data.shape == (FRAMES, HEIGHT, WIDTH)
    assert [str(u) for u in layer.units] == [str(u) for u in bench.scene.image.units]
    np.testing.assert_array_equal(layer.scale, bench.scene.image.scale)
    np.testing.assert_array_equal(layer.data[FRAMES - 1], request.labels)
    assert bench.viewer.layers.selection.active is active
    assert request.out == bench.session.folder / "masks-001.tif" and request.out.is_file()
    dock.run.propagate.click()
    finish(dock, qtbot)
    assert engine.propagations[1].out.name == "masks-002.tif"
    assert dock.run.start.isEnabled() and not dock.run.cancel.isEnabled()


def test_a_selected_labels_layer_is_carried_in_place_of_the_vessels(dock, engine, qtbot):
    bench = dock.bench
    paint(bench, 3)
    mine = np.zeros((FRAMES, HEIGHT, WIDTH), np.int32)
    mine[3, 40:50, 5:15] = 9
    for layer, carried in ((mine, mine[3]), (mine[3], mine[3]), (mine[3:4], None)):
        bench.viewer.layers.selection.active = bench.viewer.add_labels(layer, name="mine")
        bench.viewer.dims.set_current_step(0, 3)
        bench.propagate()
        finish(dock, qtbot)
        labels = engine.propagations[-1].labels
        if carried is None:
            assert 9 not in labels and (labels[10:20, 30:60] == 1).all(), "does not fit, so the vessels are carried"
        else:
            np.testing.assert_array_equal(labels, carried)


def test_without_a_mask_or_with_labels_that_do_not_fit_it_is_refused_in_words(dock, engine):
    notification_manager.records.clear()
    dock.run.propagate.click()
    layer = dock.bench.viewer.add_labels(np.full((HEIGHT, WIDTH), 70000))
    dock.bench.viewer.layers.selection.active = layer
    dock.run.propagate.click()
    said = [n.message for n in notification_manager.records]
    assert any("no mask in frame 0" in s for s in said) and any("between 0 and 65535" in s for s in said)
    assert engine.propagations == [] and not dock.bench.propagation.running


def test_cancel_and_failure_leave_no_layer_and_can_be_repeated(dock, engine, qtbot):
    paint(dock.bench, 0)
    engine.gate.clear()
    dock.run.propagate.click()
    qtbot.waitUntil(lambda: engine.propagations != [], timeout=PATIENCE)
    dock.run.cancel.click()
    engine.gate.set()
    finish(dock, qtbot)
    assert engine.closed == 1
    engine.error = ModelError("no such weights")
    notification_manager.records.clear()
    dock.run.propagate.click()
    finish(dock, qtbot)
    assert any("no such weights" in n.message for n in notification_manager.records)
    assert not list(dock.bench.session.folder.glob("masks-*"))
    engine.error = None
    dock.run.propagate.click()
    finish(dock, qtbot)
    masks = tifffile.imread(dock.bench.session.folder / "masks-001.tif")
    assert masks.shape == (FRAMES, HEIGHT, WIDTH) and masks[-1].any()
