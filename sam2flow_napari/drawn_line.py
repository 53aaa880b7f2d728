"""A line that the user draws along a vessel: measured classically, by its space-time diagram, beside the flow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes
from napari.layers.base import ActionType
from qtpy.QtCore import QObject, QTimer, Signal

from sam2flow_core.project import next_line_folder
from sam2flow_napari.layers.factory import LayerFactory, lay_on
from sam2flow_napari.recording_layers import Scene
from sam2flow_napari.session import Session
from sam2flow_napari.translation import told, tr, tr_later
from sam2flow_napari.worker.jobs import Failed, LineDone, LineJob
from sam2flow_napari.worker.loop import Worker

NAME = tr_later("drawn line")
_BY_CLICKS = "add_polyline"
"""Of napari's ways to draw: `add_path` follows the pointer freehand, and the second click ends it."""


class DrawnLine(QObject):
    """At most one line at a time: drawn, measured in all frames, shown until the next is drawn.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    worker : Worker
    scene : callable
        Gives the layers of the open recording, or None.
    parent : QObject, optional

    Attributes
    ----------
    words : str
        What the last line has measured, until something else is done.

    Signals
    -------
    measured(object)
        A `LineDone`, or None where there is no line any more.
    changed()
        A line is begun, given up, being measured, or done.
    """

    measured = Signal(object)
    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        worker: Worker,
        scene: Callable[[], Scene | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._worker, self._scene = viewer, session, worker, scene
        self._layer: Shapes | None = None
        self._job_id = 0
        self.words = ""
        session.calibration_changed.connect(self._on_calibration)
        session.state_changed.connect(self._on_state)

    @property
    def layer(self) -> Shapes | None:
        """The layer of the line, where there is one."""
        return self._layer if self._layer in self._viewer.layers else None

    @property
    def drawing(self) -> bool:
        """Whether the next clicks are corners of the line."""
        layer = self.layer
        return layer is not None and self._viewer.layers.selection.active is layer and layer.mode == _BY_CLICKS

    @property
    def measuring(self) -> bool:
        """Whether a line is drawn whose velocity is not there yet."""
        return self._job_id != 0

    def start(self) -> None:
        """Let the user draw a line in place of the one before, or go back to clicks where one is being drawn."""
        scene = self._scene()
        if scene is None or self._session.recording is None:
            return
        if self.drawing:
            self.give_up()
            return
        self.forget()
        self._layer = LayerFactory(self._session.recording.spacing).line(NAME)
        self._viewer.add_layer(self._layer)
        lay_on(self._layer, scene.image)
        scene.bind_keys(self._layer)
        self._layer.events.data.connect(self._on_data)
        self._viewer.layers.selection.active = self._layer
        self._layer.mode = _BY_CLICKS
        # The user may turn to another layer in the middle of it.
        self._viewer.layers.selection.events.active.connect(self._on_active)
        self.changed.emit()

    def give_up(self) -> None:
        """Take a line away that is being drawn, and go back to clicks."""
        scene = self._scene()
        if scene is not None and self.drawing:
            self.forget()
            scene.make_clickable()

    def forget(self) -> None:
        """Take the line away (another is drawn, or the recording is closed)."""
        layer, self._layer, self._job_id, self.words = self.layer, None, 0, ""
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        if layer is not None:
            layer.events.data.disconnect(self._on_data)
            with suppress(ValueError):
                self._viewer.layers.remove(layer)
            self.measured.emit(None)
            self.changed.emit()

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present line's are dropped."""
        if isinstance(answer, LineDone) and answer.job_id == self._job_id:
            self.words = tr("Drawn line: {words}. Tables and report are in {out}").format(
                words=told(answer.words), out=answer.out.name
            )
            self._end()
            self.measured.emit(answer)

    def fail(self, failure: Failed) -> bool:
        """Take a failure; return whether it was the present line's."""
        if failure.job_id != self._job_id:
            return False
        self._end()
        return True

    def _end(self) -> None:
        self._job_id = 0
        self.changed.emit()

    def _on_state(self, _state: object) -> None:
        self.words = ""

    def _on_calibration(self) -> None:
        if self.layer is not None and self._session.recording is not None:
            LayerFactory(self._session.recording.spacing).restyle(self.layer)

    def _on_active(self, _event: Any) -> None:
        self.changed.emit()

    def _on_data(self, event: Any) -> None:
        if event.action == ActionType.ADDED and self.layer is not None and len(self.layer.data):
            # Deferred, because napari has not quite finished with the line.
            QTimer.singleShot(0, self._measure)

    def _measure(self) -> None:
        recording, folder, scene, layer = self._session.recording, self._session.folder, self._scene(), self.layer
        if recording is None or folder is None or scene is None or layer is None:
            return
        corners = np.asarray(layer.data[-1])[:, -2:].clip(0, np.array(recording.shape[1:]) - 1)
        vertices = tuple((float(y), float(x)) for y, x in corners)
        edit, stabilise = recording.edit, self._session.run_choices.stabilise
        out = next_line_folder(folder)
        self._job_id = self._worker.submit(
            lambda n: LineJob(n, recording.path, out, vertices, edit.pixel_size_um, edit.frame_rate_hz, stabilise)
        )
        scene.make_clickable()
        self.changed.emit()
