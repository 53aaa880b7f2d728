"""Switches of the overlays that are off at first, with the legend of the flow colours."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sam2flow_napari.layers.flow_wheel import wheel_picture
from sam2flow_napari.layers.overlays import TRACERS, WHEEL
from sam2flow_napari.widgets.parts import show_or_hide
from sam2flow_napari.workbench import Workbench

_LEGEND_PX = 56


class OverlaySwitches(QWidget):
    """Check boxes for flow directions and tracers; they and the layers' eyes agree."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self.directions = QCheckBox("Flow directions")
        self.directions.setToolTip("Colour the vessels by the direction of their flow.")
        self.tracers = QCheckBox("Tracers")
        self.tracers.setToolTip("Dots that drift with the measured flow: press play below the image.")
        for box, name in ((self.directions, WHEEL), (self.tracers, TRACERS)):
            box.toggled.connect(lambda shown, name=name: self._switch(name, shown))
        self._legend, self._words = QWidget(), QLabel()
        self._lay_out()
        bench.overlays_changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        wheel = QLabel()
        picture = wheel_picture(_LEGEND_PX)
        image = QImage(picture.tobytes(), _LEGEND_PX, _LEGEND_PX, 4 * _LEGEND_PX, QImage.Format.Format_RGBA8888)
        wheel.setPixmap(QPixmap.fromImage(image))
        legend = QHBoxLayout(self._legend)
        legend.setContentsMargins(0, 0, 0, 0)
        legend.addWidget(wheel)
        legend.addWidget(self._words, 1, Qt.AlignmentFlag.AlignVCenter)
        boxes = QHBoxLayout()
        boxes.addWidget(self.directions)
        boxes.addWidget(self.tracers, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(boxes)
        column.addWidget(self._legend)

    def refresh(self) -> None:
        """Show what the layers are."""
        scene = self._bench.scene
        for box, name in ((self.directions, WHEEL), (self.tracers, TRACERS)):
            box.blockSignals(True)
            box.setChecked(scene is not None and scene.overlays.is_shown(name))
            box.blockSignals(False)
        show_or_hide(self._legend, self.directions.isChecked())
        if scene is not None and self._bench.session.recording is not None:
            unit = self._bench.session.recording.spacing.speed_unit
            limit = scene.overlays.speed_limit
            self._words.setText(
                f"Colour: where the blood flows to\nwhite: at rest, full: {limit:.{0 if limit > 10 else 1}f} {unit}"
            )

    def _switch(self, name: str, shown: bool) -> None:
        if self._bench.scene is not None:
            self._bench.scene.overlays.show(name, shown)
