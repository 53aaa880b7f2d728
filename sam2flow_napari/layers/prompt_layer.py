"""What says where vessels are, as layers: points for clicks, rectangles for boxes; and the keys that count on them.

Keys are bound on the layers because a viewer's keys lose to those of the active layer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Points, Shapes
from napari.layers.base import ActionType
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import BoxPrompt, Prompt
from sam2flow_napari.layers.factory import LayerFactory, vessel_colour
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr, tr_later

CLICKS = tr_later("prompts")
_SYMBOLS, _BORDERS = {1: "disc", 0: "x"}, {1: "white", 0: "red"}
"""Looks of a click by its label."""
_DONE = (ActionType.ADDED, ActionType.CHANGED, ActionType.REMOVED)


@dataclass(frozen=True)
class Key:
    """One key with what it does, in words for the help pop-up."""

    sequence: str
    does: str
    action: Callable[[], None]

    @property
    def shown(self) -> str:
        """The key as Qt and people write it: ``Ctrl+Shift+Z``; napari writes ``Control-Shift-Z``."""
        return self.sequence.replace("Control", "Ctrl").replace("-", "+")


def bind(layer: Layer, keys: tuple[Key, ...]) -> None:
    """Bind the keys on a layer."""
    for key in keys:
        layer.bind_key(key.sequence, _handler(key.action), overwrite=True)


def _handler(action: Callable[[], None]) -> Callable[[Layer], None]:
    return lambda layer: action()


class PromptLayer:
    """Keeps a points layer and a session alike.

    The rows of the layer are the session's prompts in their order; whatever
    napari does to the rows (click, drag, delete, paste) is read back as a new
    tuple of prompts.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    factory : LayerFactory
    warn : callable
        Shows a line to the user.
    accept : callable
        Asked with each click ``(y, x)`` on a vessel whether it was for a vessel that is proposed.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        factory: LayerFactory,
        warn: Callable[[str], None],
        accept: Callable[[float, float], bool],
    ) -> None:
        self._accept = accept
        self._viewer = viewer
        self._session = session
        self._warn = warn
        self._syncing = False
        recording = session.recording
        assert recording is not None
        self._shape = recording.shape
        self.layer: Points = factory.points(CLICKS, size=max(5.0, 0.02 * min(self._shape[1:])))
        self.layer.mouse_drag_callbacks.insert(0, self._on_press)
        self.layer.events.data.connect(self._on_data)
        session.state_changed.connect(self.refresh)
        session.active_changed.connect(self._prepare)
        session.sign_changed.connect(self._prepare)
        viewer.add_layer(self.layer)
        self.refresh(session.state)
        self.layer.mode = "add"

    def close(self) -> None:
        """Stop listening and take the layer away."""
        self.layer.events.data.disconnect(self._on_data)
        self._session.state_changed.disconnect(self.refresh)
        self._session.active_changed.disconnect(self._prepare)
        self._session.sign_changed.disconnect(self._prepare)
        with suppress(ValueError):
            self._viewer.layers.remove(self.layer)

    @property
    def selected(self) -> tuple[Prompt, ...]:
        """The clicks that are selected in the image."""
        clicks = self._session.state.clicks
        return tuple(clicks[row] for row in sorted(self.layer.selected_data) if row < len(clicks))

    def refresh(self, state: SessionState) -> None:
        """Show the prompts of `state`."""
        prompts = state.clicks
        rows = np.array([(p.frame, p.y, p.x) for p in prompts], float).reshape(-1, 3)
        self._syncing = True
        try:
            if self.layer.selected_data:
                self.layer.selected_data = set()
            if not np.array_equal(rows, self.layer.data):  # after a click the row is there already
                self.layer.data = rows
            self._mark([p.vessel_id for p in prompts], [p.label for p in prompts])
        finally:
            self._syncing = False
        self._prepare()

    def _mark(self, vessels: list[int], labels: list[int]) -> None:
        """Give each row its vessel and looks; only what has changed is set, for it is drawn anew."""
        layer, features = self.layer, self.layer.features
        if list(features["vessel_id"]) != vessels or list(features["label"]) != labels:
            layer.features = {"vessel_id": np.array(vessels, int), "label": np.array(labels, int)}
        if not vessels:
            return
        faces, borders = [vessel_colour(v) for v in vessels], [_BORDERS[label] for label in labels]
        if not np.array_equal(layer.face_color, transform_color(faces)):
            layer.face_color = faces
        if not np.array_equal(layer.border_color, transform_color(borders)):
            layer.border_color = borders
        symbols = [_SYMBOLS[label] for label in labels]
        if [str(symbol) for symbol in layer.symbol] != symbols:
            layer.symbol = symbols

    def _prepare(self, *_: object) -> None:
        """Make the next point look and count as the next prompt."""
        self._prepare_label(self._session.sign)

    def _prepare_label(self, label: int) -> None:
        vessel = self._session.active or self._session.state.next_id()
        self.layer.feature_defaults = {"vessel_id": vessel, "label": label}
        with self.layer.block_update_properties():  # points that are selected keep their looks
            self.layer.current_face_color = vessel_colour(vessel)
            self.layer.current_border_color = _BORDERS[label]
            self.layer.current_symbol = _SYMBOLS[label]

    def _on_press(self, layer: Points, event: Any) -> None:
        # Runs before napari's own callback, which copies the feature defaults into the new point.
        negative = "Shift" in event.modifiers or "Alt" in event.modifiers
        self._prepare_label(0 if negative else self._session.sign)

    def _on_data(self, event: Any) -> None:
        if self._syncing or event.action not in _DONE:
            return
        prompts, outside = self._read()
        added = prompts[len(self._session.state.clicks) :]
        one = event.action == ActionType.ADDED and len(added) == 1 and added[0].label == 1
        if one and self._accept(added[0].y, added[0].x):
            return
        if outside:
            self._warn(tr("That click is outside the image and was left out: click on a vessel."))
        if prompts == self._session.state.clicks:
            self.refresh(self._session.state)
        else:
            self._session.set_clicks(prompts)

    def _read(self) -> tuple[tuple[Prompt, ...], bool]:
        features = self.layer.features
        frames, height, width = self._shape
        prompts = []
        rows = zip(self.layer.data, features["vessel_id"], features["label"], strict=True)
        for (t, y, x), vessel, label in rows:
            frame = round(float(t))
            inside = 0 <= frame < frames and -0.5 <= y <= height - 0.5 and -0.5 <= x <= width - 0.5
            if inside:
                prompts.append(Prompt(int(vessel), frame, float(y), float(x), int(label)))
        return tuple(prompts), len(prompts) < len(self.layer.data)


BOXES = tr_later("boxes")
_SMALLEST_PX = 3.0
_SLIP = 4.0
"""Side in pixels of the screen below which a rectangle is a slip of the mouse: napari draws one for a mere click."""


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
        self.layer: Shapes = factory.boxes(BOXES)
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
            self._warn(tr("That box is too small or outside the image: drag a rectangle about the vessel."))
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
