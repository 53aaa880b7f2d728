"""Boxes and painted masks as prompts: drawn with napari's own tools, kept, undone, previewed and run."""

from types import SimpleNamespace

import numpy as np
import pytest
from clicks import click
from conftest import HEIGHT, PATIENCE, WIDTH
from fake_engine import FakeEngine
from napari.utils.notifications import notification_manager

from sam2flow_core.project import read_project
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt


def key(bench, sequence):
    """Press a key on the active layer."""
    active = bench.viewer.layers.selection.active
    next(handler for name, handler in active.keymap.items() if str(name) == sequence)(active)


def drag(layer, start, stop, frame):
    """Drag the mouse over a shapes layer, the way napari's canvas does."""

    def event(kind, y, x):
        place = layer.data_to_world((frame, y, x))
        return SimpleNamespace(type=kind, modifiers=[], position=place, pos=np.array([x, y]), handled=False)

    press = event("mouse_press", *start)
    running = [r for r in (c(layer, press) for c in tuple(layer.mouse_drag_callbacks)) if r is not None]
    for generator in running:
        next(generator)
    press.type, press.position = "mouse_move", layer.data_to_world((frame, *stop))
    for generator in running:
        next(generator)
    press.type = "mouse_release"
    for generator in running:
        with pytest.raises(StopIteration):
            next(generator)


def draw_box(bench, start, stop, frame=0):
    bench.viewer.dims.set_current_step(0, frame)
    bench.tools.draw_box()
    drag(bench.scene.boxes.layer, start, stop, frame)


def paint(bench, rows, columns, frame=0):
    bench.viewer.dims.set_current_step(0, frame)
    bench.tools.paint()
    layer = bench.scene.brush.layer
    for y in range(*rows):
        for x in range(*columns):
            layer.paint((0, y, x), layer.selected_label)
    bench.tools.paint()


def test_a_dragged_rectangle_is_a_box_and_the_next_click_is_a_click(bench):
    draw_box(bench, (10, 20), (30, 60), frame=4)
    (box,) = bench.session.state.regions
    assert (box.vessel_id, box.frame) == (1, 4)
    np.testing.assert_allclose((box.top, box.left, box.bottom, box.right), (10, 20, 30, 60), atol=1)
    active = bench.viewer.layers.selection.active
    assert active is bench.scene.prompts.layer and active.mode == "add"


def test_a_second_box_of_a_vessel_in_a_frame_takes_the_place_of_the_first(bench):
    draw_box(bench, (10, 20), (30, 60))
    draw_box(bench, (12, 22), (40, 62))
    draw_box(bench, (12, 22), (40, 62), frame=3)
    assert [round(box.bottom) for box in bench.session.state.boxes] == [40, 40]
    assert bench.scene.boxes.layer.nshapes == 2
    bench.session.undo()
    bench.session.undo()
    assert [round(box.bottom) for box in bench.session.state.boxes] == [30]
    assert bench.scene.boxes.layer.nshapes == 1


def test_a_slip_of_the_mouse_is_no_box_and_a_box_ends_at_the_image(bench):
    draw_box(bench, (10, 20), (11, 21))
    assert bench.session.state.regions == () and bench.scene.boxes.layer.nshapes == 0
    draw_box(bench, (10, 20), (HEIGHT + 9, WIDTH + 9))
    (box,) = bench.session.state.boxes
    assert (box.bottom, box.right) == (HEIGHT - 0.5, WIDTH - 0.5)


def test_boxes_deleted_in_napari_are_deleted_and_a_deleted_layer_loses_none(bench):
    draw_box(bench, (10, 20), (30, 60))
    bench.session.activate_next()
    draw_box(bench, (35, 20), (60, 60))
    layer = bench.scene.boxes.layer
    layer.selected_data = {0}
    layer.remove_selected()
    assert [box.vessel_id for box in bench.session.state.boxes] == [2]
    bench.viewer.layers.remove(layer)
    assert len(bench.session.state.boxes) == 1
    draw_box(bench, (10, 20), (30, 60), frame=2)
    assert layer in bench.viewer.layers and len(bench.session.state.boxes) == 2


def test_what_is_painted_becomes_the_mask_and_stands_for_the_clicks_before(bench):
    click(bench.session, 5, 20.0, 30.0)
    click(bench.session, 6, 20.0, 30.0)
    paint(bench, (15, 25), (20, 50), frame=5)
    (region,) = bench.session.state.regions
    assert isinstance(region, MaskPrompt) and (region.vessel_id, region.frame) == (1, 5)
    assert region.mask[15:25, 20:50].all() and not region.mask[:10].any()
    assert bench.session.state.clicks == (Prompt(1, 6, 20.0, 30.0, 1),)
    assert bench.scene.brush.layer not in bench.viewer.layers
    bench.session.undo()
    assert len(bench.session.state.clicks) == 2 and bench.session.state.regions == ()


def test_painting_begins_with_the_mask_on_screen_and_on_its_own_frame(bench, qtbot):
    click(bench.session, 5, 20.0, 40.0)
    qtbot.waitUntil(lambda: bench.scene.frames.labels(5).any(), timeout=PATIENCE)
    bench.viewer.dims.set_current_step(0, 5)
    bench.tools.paint()
    layer = bench.scene.brush.layer
    np.testing.assert_array_equal(layer.data[0] > 0, bench.scene.frames.labels(5) == 1)
    assert layer.translate[0] == pytest.approx(5 * layer.scale[0])
    bench.viewer.layers.remove(layer)
    assert not bench.scene.brush.working and bench.session.state.regions == ()


def test_an_empty_mask_is_refused_in_words(bench):
    notification_manager.records.clear()
    bench.tools.paint()
    bench.tools.paint()
    assert any("Nothing is painted" in n.message for n in notification_manager.records)
    assert bench.session.state.regions == () and bench.scene.brush.working


def test_painting_can_be_given_up_and_strokes_be_taken_back(bench):
    state = bench.session.state
    bench.scene.make_clickable()
    key(bench, "M")
    layer = bench.scene.brush.layer
    layer.paint((0, 20, 20), layer.selected_label)
    layer.paint((0, 50, 70), layer.selected_label)
    key(bench, "Ctrl+Z")
    assert layer.data[0, 20, 20] and not layer.data[0, 50, 70]
    key(bench, "Ctrl+Shift+Z")
    assert layer.data[0, 50, 70]
    key(bench, "Escape")
    assert not bench.scene.brush.working and layer not in bench.viewer.layers
    key(bench, "M")
    key(bench, "Ctrl+Z")
    assert not bench.scene.brush.working, "nothing painted, so undo gives up"
    assert bench.viewer.layers.selection.active is bench.scene.prompts.layer
    assert bench.session.state == state


def test_keys_change_between_clicks_box_and_brush(bench):
    layers = bench.viewer.layers
    bench.scene.make_clickable()
    key(bench, "B")
    assert layers.selection.active is bench.scene.boxes.layer
    key(bench, "B")
    assert layers.selection.active is bench.scene.prompts.layer
    key(bench, "M")
    assert layers.selection.active is bench.scene.brush.layer
    bench.scene.brush.layer.paint((0, 20, 20), bench.scene.brush.layer.selected_label)
    key(bench, "M")
    assert layers.selection.active is bench.scene.prompts.layer
    assert len(bench.session.state.regions) == 1


def test_a_box_alone_is_previewed_and_run(bench, engine, qtbot):
    draw_box(bench, (10, 20), (30, 60), frame=3)
    qtbot.waitUntil(lambda: bench.scene.frames.labels(3).any(), timeout=PATIENCE)
    assert engine.asked[-1] == (3, bench.session.state.prompts) and len(bench.session.state.regions) == 1
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=PATIENCE)
    assert engine.requests[0].prompts == bench.session.state.prompts
    assert engine.requests[0].names == ((1, "Vessel 1"),)


def test_a_mask_painted_after_a_click_is_previewed_in_its_frame(bench, engine, qtbot):
    click(bench.session, 9, 20.0, 30.0)
    paint(bench, (15, 25), (20, 50), frame=2)
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert engine.asked[-1][0] == 2


def test_clear_takes_box_and_mask_of_the_vessel_in_the_frame(bench):
    paint(bench, (15, 25), (20, 50), frame=2)
    draw_box(bench, (10, 20), (30, 60), frame=2)
    draw_box(bench, (10, 20), (30, 60), frame=3)
    bench.viewer.dims.set_current_step(0, 2)
    bench.tools.clear()
    assert [region.frame for region in bench.session.state.regions] == [3]


def test_regions_come_back_with_the_project(bench, make_bench, recording_path):
    paint(bench, (15, 25), (20, 50), frame=2)
    draw_box(bench, (10, 20), (30, 60), frame=3)
    state, folder = bench.session.state, bench.session.folder
    bench.close()
    assert read_project(folder).state == state
    again = make_bench(engine=FakeEngine())
    again.open(recording_path)
    assert again.session.state == state
    assert again.scene.boxes.layer.nshapes == 1 and again.scene.boxes.layer.visible
    assert isinstance(state.regions[1], BoxPrompt)
