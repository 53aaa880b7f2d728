"""What a vectors layer shows of one frame, exchanged without napari taking it for another layer.

Setting `layer.data` makes napari measure the viewer anew, lay out its axes and paint the layer list with a new
thumbnail, at every move of the slider. Nothing of that changes here: all vectors lie inside the recording. So they are
written into the array that the layer has, whose end is filled with vectors of no length, which are not seen.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Vectors
from numpy.typing import NDArray

_ROOM = 128
"""Places that are added at a time: numbers of arrows and tracers change a little with every frame."""


def show_vectors(layer: Vectors, vectors: NDArray[np.floating]) -> None:
    """Show vectors in place of those before.

    Parameters
    ----------
    layer : Vectors
    vectors : ndarray, shape (n, 2, D)
        Start and projection of each, in px of the layer.
    """
    held, count = layer.data, len(vectors)
    if count > len(held):
        room = -(-count // _ROOM) * _ROOM
        layer.data = np.concatenate([vectors, np.repeat(vectors[:1] * [[[1.0], [0.0]]], room - count, axis=0)])
    elif len(held) and not np.array_equal(shown_vectors(layer), vectors):
        held[:count] = vectors
        held[count:, 1] = 0
        layer.refresh(thumbnail=False, highlight=False, extent=False)


def shown_vectors(layer: Vectors) -> NDArray[np.floating]:
    """Return start and projection of the vectors that are seen, shape (n, 2, D)."""
    seen: NDArray[np.floating] = layer.data[layer.data[:, 1].any(axis=1)]
    return seen


def keep_shaders(viewer: ViewerModel, layer: Vectors) -> None:
    """Let what draws a vectors layer keep its shaders when the vectors change.

    vispy makes the function that hands a mesh's colours on anew with each new data, equal to the one before, and takes
    it for other code: the shaders are compiled and linked again, which costs more than all else that is done for a
    layer at a move of the slider. What is reached for here is not public, so that where it is not there, it is left.

    Parameters
    ----------
    viewer : ViewerModel
        Which has the layer; without a window there is nothing to be drawn.
    layer : Vectors
    """
    with suppress(AttributeError, KeyError):
        # A plugin is given a proxy that warns of what is not public.
        window: Any = getattr(viewer, "__wrapped__", viewer).window
        mesh = window._qt_viewer.canvas.layer_to_visual[layer].node
        held = mesh._build_color_transform(np.zeros((1, 4), np.float32))  # of red, green, blue and opacity, as they are
        mesh._build_color_transform = lambda colours: held
