"""The shapes layer that shows boxes about vessels and turns drawn rectangles into them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes
from napari.layers.base import ActionType
from numpy.typing import NDArray

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import BoxPrompt
from sam2flow_napari.layers.factory import LayerFactory, vessel_colour
from sam2flow_napari.session import Session

NAME = "boxes"
_SMALLEST_PX = 3.0
_SLIP = 4.0
"""Side in pixels of the screen below which a rectangle is a slip of the mouse: napari draws one for a mere click."""
_DONE = (ActionType.ADDED, ActionType.CHANGED, ActionType.REMOVED)


class BoxLayer:
    """Keeps a shapes layer and the boxes of a session alike.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    factory : LayerFactory
    warn : callable
        Shows a line to the user.
    drawn : callable
        Called when the user has drawn a box.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        factory: LayerFactory,
        warn: Callable[[str], None],
        drawn: Callable[[], None],
    ) -> None:
        assert session.recording is not None
        self._viewer = viewer
        self._session = session
        self._warn = warn
        self._drawn = drawn
        self._shape = session.recording.shape
        self._syncing = False
        self._shown: tuple[BoxPrompt, ...] = ()
        self.layer: Shapes = factory.boxes(NAME)
        self.layer.visible = False
        self.layer.events.data.connect(self._on_data)
        session.state_changed.connect(self.refresh)
        self.refresh(session.state)

    def close(self) -> None:
        """Stop listening and take the layer away."""
        self.layer.events.data.disconnect(self._on_data)
        self._session.state_changed.disconnect(self.refresh)
        with suppress(ValueError):
            self._viewer.layers.remove(self.layer)

    @property
    def drawing(self) -> bool:
        """Whether the next drag of the mouse draws a box."""
        return self._viewer.layers.selection.active is self.layer and self.layer.mode == "add_rectangle"

    def start(self) -> None:
        """Let the user drag a rectangle about the active vessel; a layer that was deleted comes back."""
        self._add()
        self.layer.visible = True
        self._viewer.layers.selection.active = self.layer
        self.layer.mode = "add_rectangle"

    def _add(self) -> None:
        """Add the layer where it is missing; the layer that was active stays so."""
        if self.layer not in self._viewer.layers:
            active = self._viewer.layers.selection.active
            self._viewer.add_layer(self.layer)
            self._viewer.layers.selection.active = active

    def refresh(self, state: SessionState) -> None:
        """Show the boxes of `state`."""
        if state.boxes != self._shown:
            self._shown = state.boxes
            self._redraw()

    def _redraw(self) -> None:
        self._syncing = True
        try:
            self.layer.selected_data = set(range(self.layer.nshapes))
            self.layer.remove_selected()
            if self._shown:
                self._add()
                self.layer.add_rectangles(
                    [_corners(box) for box in self._shown],
                    edge_color=[vessel_colour(box.vessel_id) for box in self._shown],
                    face_color="transparent",
                )
                self.layer.visible = True
        finally:
            self._syncing = False

    def _on_data(self, event: Any) -> None:
        if self._syncing or event.action not in _DONE:
            return
        # Rows the layer had keep their vessel; a further one is of the active vessel.
        if event.action == ActionType.REMOVED:
            gone = {index % max(len(self._shown), 1) for index in event.data_indices}
            self._session.set_boxes(tuple(b for i, b in enumerate(self._shown) if i not in gone))
            return
        added = len(self.layer.data) > len(self._shown)
        boxes = tuple(self._read(i, np.asarray(data)) for i, data in enumerate(self.layer.data))
        fit = tuple(box for box in boxes if box is not None)
        if len(fit) < len(boxes):
            self._warn("That box is too small or outside the image: drag a rectangle about the vessel.")
        self._take(fit, added and boxes[-1] is not None)

    def _take(self, boxes: tuple[BoxPrompt, ...], added: bool) -> None:
        before = self._shown
        if added:
            new = boxes[-1]
            self._session.add_box(new.frame, (new.top, new.left, new.bottom, new.right))
        else:
            self._session.set_boxes(boxes)
        if self._shown == before:  # nothing came of it: the layer still shows what was drawn
            self._redraw()
        if added:
            self._drawn()

    def _read(self, row: int, corners: NDArray[np.float64]) -> BoxPrompt | None:
        frames, height, width = self._shape
        frame = round(float(corners[0, 0]))
        top, left = np.maximum(corners[:, 1:].min(axis=0), -0.5)
        bottom, right = np.minimum(corners[:, 1:].max(axis=0), (height - 0.5, width - 0.5))
        smallest = max(_SMALLEST_PX, _SLIP * self.layer.scale_factor / self.layer.scale[-1])
        if not 0 <= frame < frames or min(bottom - top, right - left) < smallest:
            return None
        vessel = self._shown[row].vessel_id if row < len(self._shown) else self._session.active
        return BoxPrompt(vessel, frame, float(top), float(left), float(bottom), float(right))


def _corners(box: BoxPrompt) -> NDArray[np.float64]:
    rows = (box.top, box.top, box.bottom, box.bottom)
    columns = (box.left, box.right, box.right, box.left)
    return np.array([(box.frame, y, x) for y, x in zip(rows, columns, strict=True)], float)
