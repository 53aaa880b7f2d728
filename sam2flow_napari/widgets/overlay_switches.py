"""Switches of the overlays that are off at first, and the legend of the colours that are on show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from sam2flow_napari.layers.factory import speed_colours
from sam2flow_napari.layers.lazy_layers import wheel_picture
from sam2flow_napari.layers.overlays import TRACERS, WHEEL
from sam2flow_napari.workbench import Workbench

_LEGEND_PX = 44
_BAR_PX = (110, 14)


class OverlaySwitches(QWidget):
    """Check boxes for flow directions and tracers; they and the layers' eyes agree.

    The legend is here and not in the image, where it would cover tissue; it has its room always, so that nothing moves.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self.directions = QCheckBox("Flow directions")
        self.directions.setToolTip("Colour the vessels by the direction of their flow.")
        self.tracers = QCheckBox("Tracers")
        self.tracers.setToolTip("Dots that drift with the measured flow: press play below the image.")
        for box, name in ((self.directions, WHEEL), (self.tracers, TRACERS)):
            box.toggled.connect(lambda shown, name=name: self._switch(name, shown))
        self._picture, self._words = QLabel(), QLabel()
        self._wheel, self._bar = _pixmap(wheel_picture(_LEGEND_PX)), _pixmap(_bar_picture())
        self._lay_out()
        bench.overlays_changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self._picture.setFixedSize(_BAR_PX[0], _LEGEND_PX)
        # Never wider than the dock has room for, whatever the words are.
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        legend = QHBoxLayout()
        legend.addWidget(self._picture)
        legend.addWidget(self._words, 1, Qt.AlignmentFlag.AlignVCenter)
        boxes = QVBoxLayout()
        boxes.setSpacing(0)
        boxes.addWidget(self.directions)
        boxes.addWidget(self.tracers)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(boxes)
        row.addLayout(legend, 1)

    def refresh(self) -> None:
        """Show what the layers are."""
        scene, recording = self._bench.scene, self._bench.session.recording
        for box, name in ((self.directions, WHEEL), (self.tracers, TRACERS)):
            box.blockSignals(True)
            box.setChecked(scene is not None and scene.overlays.is_shown(name))
            box.blockSignals(False)
        if scene is None or recording is None:
            self._picture.clear()
            self._words.setText("")
            return
        unit, limit = recording.spacing.speed_unit, scene.overlays.speed_limit
        most = f"{limit:.{0 if limit > 10 else 1}f} {unit}"
        directions = self.directions.isChecked()
        self._picture.setPixmap(self._wheel if directions else self._bar)
        self._words.setText(f"Flow towards this side,\nfull colour: {most}" if directions else f"Speed, 0 to\n{most}")

    def _switch(self, name: str, shown: bool) -> None:
        if self._bench.scene is not None:
            self._bench.scene.overlays.show(name, shown)


def _bar_picture() -> NDArray[np.uint8]:
    """Return the colours of speed from the left to the right, shape (height, width, 4)."""
    width, height = _BAR_PX
    colours = np.rint(255 * speed_colours().map(np.linspace(0.01, 1, width))).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(colours, (height, width, 4)))


def _pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    height, width = picture.shape[:2]
    image = QImage(picture.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image)
