"""The labels layer in which a vessel is painted by hand, to be used as prompt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from psygnal import Signal

from sam2flow_napari.layers.factory import LayerFactory
from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.layers.lazy_layers import shown_id
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr, tr_later

NAME = tr_later("brush")


class BrushLayer:
    """Holds one vessel in one frame while the user paints it.

    The layer comes when the user first paints; it lies on its own frame only.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    factory : LayerFactory
    frames : FlowFrames
        Where the mask to begin with comes from.
    warn : callable
        Shows a line to the user.

    Signals
    -------
    painting_changed(bool)
    """

    painting_changed = Signal(bool)

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        factory: LayerFactory,
        frames: FlowFrames,
        warn: Callable[[str], None],
    ) -> None:
        assert session.recording is not None
        self._viewer = viewer
        self._session = session
        self._factory = factory
        self._frames = frames
        self._warn = warn
        self._frame = 0
        self._vessel = 0
        self.painting = False
        self.layer: Labels = factory.brush(NAME, session.recording.shape[1:])
        self.layer.visible = False
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Stop listening and take the layer away; what was not used is forgotten."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._end()
        with suppress(ValueError):
            self._viewer.layers.remove(self.layer)

    def start(self) -> None:
        """Let the user paint the active vessel in the frame on screen, from the mask that it has there."""
        if self.layer not in self._viewer.layers:
            self._viewer.add_layer(self.layer)
        self._frame = self._viewer.dims.current_step[0]
        self._vessel = self._session.active or self._session.state.next_id()
        value = shown_id(self._vessel)
        inside = self._frames.labels(self._frame) == self._vessel
        self.layer.data = np.where(inside, value, 0).astype(np.uint8)[None]
        self.recalibrate(self._factory)
        self.layer.selected_label = value
        self.layer.brush_size = max(3, round(0.02 * min(inside.shape)))
        self.layer.visible = True
        self._viewer.layers.selection.active = self.layer
        self.layer.mode = "paint"
        self._set_painting(True)

    def use(self) -> bool:
        """Make what is painted the vessel's mask in its frame; return whether there was anything."""
        mask = np.asarray(self.layer.data)[0] > 0
        if not mask.any():
            self._warn(tr("Nothing is painted: paint the vessel with the brush, or press Escape to give up."))
            return False
        vessel = self._vessel
        self._end()
        self._session.add_mask(vessel, self._frame, mask)
        self._session.activate(vessel)
        return True

    def cancel(self) -> None:
        """Give up painting; the vessel stays as it was."""
        self._end()

    def undo(self) -> bool:
        """Take back the last stroke; return whether there was one."""
        before = self.layer.data.copy()
        self.layer.undo()
        return not np.array_equal(before, self.layer.data)

    def recalibrate(self, factory: LayerFactory) -> None:
        """Place the layer on its frame."""
        self._factory = factory
        factory.restyle(self.layer)
        self.place()

    def place(self) -> None:
        """Put the layer on its frame, from where the recording's layer begins in time."""
        there = np.array(self.layer.translate)
        there[0] = self._frame * self.layer.scale[0]
        self.layer.translate = there

    def _on_removed(self, event: Any) -> None:
        if event.value is self.layer:
            self._end()

    def _end(self) -> None:
        self.layer.visible = False
        self._set_painting(False)

    def _set_painting(self, painting: bool) -> None:
        if painting != self.painting:
            self.painting = painting
            self.painting_changed.emit(painting)
