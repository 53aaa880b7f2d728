"""The labels layer in which a vessel is painted by hand, to be used as prompt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels

from sam2flow_napari.layers.factory import LayerFactory
from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.layers.frame_on_screen import frame_on_screen
from sam2flow_napari.layers.hand_layer import HandLayer
from sam2flow_napari.layers.lazy_layers import shown_id
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr, tr_later

NAME = tr_later("brush")


class BrushLayer(HandLayer):
    """Holds one vessel in one frame while the user paints it.

    The layer lies on its own frame only.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    factory : LayerFactory
    frames : FlowFrames
        Where the mask to begin with comes from.
    warn : callable
        Shows a line to the user.
    """

    layer: Labels

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        factory: LayerFactory,
        frames: FlowFrames,
        warn: Callable[[str], None],
    ) -> None:
        assert session.recording is not None
        self._session = session
        self._factory = factory
        self._frames = frames
        self._warn = warn
        super().__init__(viewer, factory.brush(NAME, session.recording.shape[1:]))

    def start(self) -> None:
        """Let the user paint the active vessel in the frame on screen, from the mask that it has there."""
        self._frame = frame_on_screen(self._viewer)
        self._vessel = self._session.active or self._session.state.next_id()
        value = shown_id(self._vessel)
        inside = self._frames.labels(self._frame) == self._vessel
        self.layer.data = np.where(inside, value, 0).astype(np.uint8)[None]
        self.recalibrate(self._factory)
        self.layer.selected_label = value
        self.layer.brush_size = max(3, round(0.02 * min(inside.shape)))
        self._begin()
        self.place()  # what is added is laid on the recording, which begins with the first frame
        self.layer.mode = "paint"

    def use(self) -> bool:
        """Make what is painted the vessel's mask in its frame; return whether there was anything."""
        mask = np.asarray(self.layer.data)[0] > 0
        if not mask.any():
            self._warn(tr("Nothing is painted: paint the vessel with the brush, or press Escape to give up."))
            return False
        vessel = self._vessel
        self.end()
        self._session.add_mask(vessel, self._frame, mask)
        self._session.activate(vessel)
        return True

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
