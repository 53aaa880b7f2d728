"""Clicks become prompts, and prompts stay what the session says, whatever napari does to the layer."""

import numpy as np
import pytest
from conftest import PATIENCE
from napari.utils.colormaps.standardize_color import transform_color

from sam2flow_core.prompts import Prompt
from sam2flow_napari.layers.factory import vessel_colour


def click(bench, y, x, modifiers=(), drag=False):
    """Press, maybe move, and release the mouse over the prompts layer, the way napari's canvas does."""
    from types import SimpleNamespace

    layer = bench.scene.prompts.layer
    world = layer.data_to_world((bench.viewer.dims.current_step[0], y, x))
    at = np.array([x, y], float)
    event = SimpleNamespace(
        type="mouse_press", modifiers=list(modifiers), position=world, pos=at, handled=False, is_dragging=False
    )
    running = [r for r in (callback(layer, event) for callback in tuple(layer.mouse_drag_callbacks)) if r is not None]
    for generator in running:
        next(generator)
    if drag:
        event.type, event.pos = "mouse_move", at + 30
        for generator in running:
            next(generator)
    event.type = "mouse_release"
    for generator in running:
        with pytest.raises(StopIteration):
            next(generator)


def prompts(bench):
    return bench.session.state.prompts


def test_click_is_this_vessel(bench):
    bench.viewer.dims.set_current_step(0, 7)
    click(bench, 10, 20)
    assert prompts(bench) == (Prompt(1, 7, 10.0, 20.0, 1),)


@pytest.mark.parametrize("modifier", ["Shift", "Alt"])
def test_modifier_click_is_not_this_vessel_once(bench, modifier):
    click(bench, 10, 20)
    click(bench, 30, 20, [modifier])
    click(bench, 12, 20)
    assert [p.label for p in prompts(bench)] == [1, 0, 1]


def test_flipped_sign_holds_and_shift_stays_negative(bench):
    bench.session.set_sign(0)
    click(bench, 10, 20)
    click(bench, 11, 20, ["Shift"])
    bench.session.set_sign(1)
    click(bench, 12, 20)
    assert [p.label for p in prompts(bench)] == [0, 0, 1]


def test_dragging_the_image_is_no_click(bench):
    click(bench, 10, 20, drag=True)
    assert prompts(bench) == ()


def test_click_outside_the_image_is_left_out(bench):
    click(bench, -5, 20)
    click(bench, 10, 20)
    assert len(prompts(bench)) == len(bench.scene.prompts.layer.data) == 1


def test_moving_and_deleting_points_in_napari_changes_the_prompts(bench):
    for y in (10, 20, 30):
        click(bench, y, 20)
    layer = bench.scene.prompts.layer
    layer.selected_data = {1}
    layer._set_drag_start({1}, np.array([0, 20, 20]))
    layer._move({1}, np.array([0, 25, 22]))
    assert prompts(bench)[1] == Prompt(1, 0, 25.0, 22.0, 1)
    layer.selected_data = {0}
    layer.remove_selected()
    assert [p.y for p in prompts(bench)] == [25.0, 30.0]
    bench.session.undo()
    assert [p.y for p in prompts(bench)] == [10.0, 25.0, 30.0]
    assert len(layer.data) == 3


def test_layer_shows_vessel_colours_and_signs(bench):
    click(bench, 10, 20)
    bench.session.activate_next()
    click(bench, 20, 20, ["Alt"])
    layer = bench.scene.prompts.layer
    from napari.utils.colormaps.standardize_color import transform_color

    expected = transform_color([vessel_colour(1), vessel_colour(2)])
    np.testing.assert_allclose(layer.face_color, expected, atol=1e-6)
    assert [str(s.value) for s in layer.symbol] == ["disc", "x"]
    assert list(layer.features["vessel_id"]) == [1, 2]


def test_every_key_does_what_the_help_says(bench):
    layer = bench.scene.prompts.layer
    click(bench, 10, 20)
    bench.viewer.dims.set_current_step(0, 9)
    click(bench, 12, 20)

    def press(sequence):
        key = next(k for k in bench.keys if k.sequence == sequence)
        bound = {str(k): v for k, v in layer.keymap.items()}
        names = [name for name in bound if name.lower() == normal(sequence)]
        assert names, f"{sequence} is not bound on the layer: {sorted(bound)}"
        assert key.does
        bound[names[0]](layer)

    def normal(sequence):
        from app_model.types import KeyBinding

        return str(KeyBinding.from_str(sequence.replace("Control", "Ctrl").replace("-", "+"))).lower()

    press(".")
    assert bench.viewer.dims.current_step[0] == 0
    press(",")
    assert bench.viewer.dims.current_step[0] == 9
    press("T")
    assert bench.session.sign == 0
    press("N")
    assert bench.session.active == 2
    press("Control-Z")
    press("Control-Z")
    assert len(prompts(bench)) == 1
    press("Control-Shift-Z")
    assert len(prompts(bench)) == 2
    asked = []
    bench.help_wanted.connect(lambda: asked.append(1))
    press("H")
    assert asked


def test_deleting_the_layer_loses_no_prompt(bench, qtbot):
    click(bench, 10, 20)
    before = prompts(bench)
    old = bench.scene.prompts.layer
    bench.viewer.layers.remove(old)
    qtbot.waitUntil(
        lambda: bench.scene.prompts.layer is not old and bench.scene.prompts.layer in bench.viewer.layers,
        timeout=PATIENCE,
    )
    assert prompts(bench) == before
    assert len(bench.scene.prompts.layer.data) == 1
    click(bench, 30, 30)
    assert len(prompts(bench)) == 2


def test_a_click_looks_like_its_vessel_at_once(bench):
    """The row that napari adds is right already, so that nothing is drawn a second time."""
    layer = bench.scene.prompts.layer
    click(bench, 10, 20)
    drawn = []
    for event in (layer.events.face_color, layer.events.border_color, layer.events.symbol):
        event.connect(lambda event: drawn.append(event.type))
    bench.session.activate_next()
    click(bench, 40, 20)
    click(bench, 44, 20, ["Alt"])
    assert drawn == []
    assert layer.face_color == pytest.approx(transform_color([vessel_colour(v) for v in (1, 2, 2)]))
    assert [str(symbol) for symbol in layer.symbol] == ["disc", "disc", "x"]


def test_clicks_that_are_selected_keep_their_looks(bench):
    layer = bench.scene.prompts.layer
    click(bench, 10, 20)
    layer.mode = "select"
    layer.selected_data = {0}
    bench.session.set_sign(0)
    assert layer.selected_data == {0}
    assert layer.border_color == pytest.approx(transform_color(["white"]))
    assert str(layer.symbol[0]) == "disc"
