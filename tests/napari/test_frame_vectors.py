"""Vectors of one frame after the other in one layer, without napari measuring its viewer anew."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Vectors
from vispy.visuals.shaders.program import ModularProgram

from sam2flow_napari.layers.frame_vectors import show_vectors, shown_vectors
from sam2flow_napari.layers.overlays import ARROWS, LINES, TRACERS


def made(count, seed):
    return np.random.default_rng(seed).uniform(1, 40, (count, 2, 2)).astype(np.float32)


@pytest.fixture
def layer():
    """An empty vectors layer of a viewer, in use."""
    viewer = ViewerModel()
    viewer.add_image(np.zeros((5, 64, 64), np.uint8))
    return viewer.add_layer(Vectors(np.empty((0, 2, 2)), ndim=2))


@pytest.mark.parametrize("counts", [(3, 2, 0, 4), (130, 5, 128, 129), (0, 1, 200, 3)])
def test_the_vectors_of_a_frame_are_those_that_are_seen(layer, counts):
    for seed, count in enumerate(counts):
        vectors = made(count, seed)
        show_vectors(layer, vectors)
        np.testing.assert_array_equal(shown_vectors(layer), vectors)
        drawn = layer._view_data[np.any(layer._view_data[:, 1], axis=1)]
        np.testing.assert_array_equal(drawn, vectors)


def test_another_frame_draws_the_layer_and_leaves_the_viewer_alone(layer):
    show_vectors(layer, made(9, 0))
    heard = []
    for name in ("data", "thumbnail", "extent", "set_data"):
        getattr(layer.events, name).connect(lambda _event, name=name: heard.append(name))
    show_vectors(layer, made(7, 1))
    assert heard == ["set_data"]
    show_vectors(layer, made(7, 1))
    assert heard == ["set_data"]


@pytest.mark.window
def test_shaders_are_not_compiled_again_at_another_frame(window, qtbot, recording_path, monkeypatch):
    """Compiling those of arrows, tracers and centrelines was the dearest part of a move of the slider."""
    viewer, dock = window
    dock.bench.open(recording_path)
    overlays = dock.bench.scene.overlays
    for name in (ARROWS, TRACERS, LINES):
        overlays.show(name, True)
    layers = [layer for layer in overlays.layers if isinstance(layer, Vectors)]
    compiled = []
    build = ModularProgram._build
    monkeypatch.setattr(ModularProgram, "_build", lambda program: (compiled.append(program), build(program)))
    for seed in range(2):
        compiled.clear()
        for layer in layers:
            show_vectors(layer, made(100, seed))
        viewer.window.screenshot(flash=False)
    assert len(layers) == 3 and not compiled
