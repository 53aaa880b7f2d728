"""The frame is the recording's own, beside other plugins' layers with more axes or another sampling of time."""

import numpy as np
import pytest
from conftest import FRAMES, PATIENCE
from napari.layers import Image

from sam2flow_napari.layers.frame_on_screen import frame_on_screen, show_frame

TIME, SIDE = 0.01, 0.5
UNITS = {"units": ("second", "um", "um")}


def four_axes():
    return Image(np.zeros((7, FRAMES, 8, 8), np.uint8))


def finer():
    return Image(np.zeros((90, 8, 8), np.uint8), scale=(TIME / 4, SIDE, SIDE), **UNITS)


def earlier():
    return Image(np.zeros((90, 8, 8), np.uint8), scale=(TIME, SIDE, SIDE), translate=(-30 * TIME, 0, 0), **UNITS)


@pytest.mark.parametrize("other", [four_axes, finer, earlier])
def test_keys_clicks_and_overlays_are_about_the_frame_of_the_recording(bench, qtbot, other):
    viewer = bench.viewer
    viewer.add_layer(other())
    show_frame(viewer, 5)
    assert frame_on_screen(viewer) == 5
    # What napari shows of the recording is that frame.
    image = bench.scene.image
    np.testing.assert_array_equal(np.asarray(image._data_view), np.asarray(image.data[5]))
    bench.session.add_vessel()
    bench.scene.prompts.layer.add(image.world_to_data(viewer.dims.point)[-3:] * [1, 0, 0] + [0, 20, 30])
    assert [click.frame for click in bench.session.state.clicks] == [5]
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    show_frame(viewer, 2)
    bench.tools.paint()
    assert bench.scene.brush._frame == 2
    bench.tools.give_up()
    next(key for key in bench.keys if key.shown == ".").action()  # the next frame with a prompt
    assert frame_on_screen(viewer) == 5


def test_beyond_the_end_of_the_recording_its_last_frame_counts(bench):
    bench.viewer.add_layer(Image(np.zeros((500, 8, 8), np.uint8), scale=(TIME, SIDE, SIDE), **UNITS))
    bench.viewer.dims.set_point(0, 400 * TIME)
    assert frame_on_screen(bench.viewer) == FRAMES - 1
