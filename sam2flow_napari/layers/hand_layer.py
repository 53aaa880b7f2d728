"""What the layers have in common in which one vessel is changed by hand: they come for the work, and go with it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from psygnal import Signal


class HandLayer:
    """One vessel in one frame, under the user's hand or not; the layer is there only while it is.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Layer

    Attributes
    ----------
    layer : Layer
    working : bool

    Signals
    -------
    working_changed(bool)
    """

    working_changed = Signal(bool)

    def __init__(self, viewer: ViewerModel, layer: Layer) -> None:
        self._viewer = viewer
        self._vessel = self._frame = 0
        self.layer = layer
        self.working = False
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Stop listening and take the layer away."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.end()

    def end(self) -> None:
        """Take the layer away; what is not in the session yet is forgotten."""
        if self.layer in self._viewer.layers:
            with suppress(ValueError):
                self._viewer.layers.remove(self.layer)
        self._set_working(False)

    def _begin(self) -> None:
        """Put the layer under the hand."""
        if self.layer not in self._viewer.layers:
            self._viewer.add_layer(self.layer)
        self._viewer.layers.selection.active = self.layer
        self._set_working(True)

    def _on_removed(self, event: Any) -> None:
        if event.value is self.layer:
            self._set_working(False)

    def _set_working(self, working: bool) -> None:
        if working != self.working:
            self.working = working
            self.working_changed.emit(working)
