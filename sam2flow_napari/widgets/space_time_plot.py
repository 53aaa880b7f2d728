"""The space-time diagram of the selected vessel: streaks are cells, their slope is the velocity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from napari.components import ViewerModel
from qtpy.QtCore import QRectF

from sam2flow_napari.session import Session, Spacing
from sam2flow_napari.widgets.frame_plot import FramePlot

if TYPE_CHECKING:
    from sam2flow_core.results import VesselLine


class SpaceTimePlot(FramePlot):
    """Brightness along the active vessel's centreline, frame by frame.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        tip = "Brightness along the selected vessel in the direction of its arrow: streaks are cells."
        super().__init__(viewer, session, tip)
        self._lines: dict[int, VesselLine] = {}
        self._image = pg.ImageItem(autoDownsample=True)
        self.addItem(self._image)
        session.active_changed.connect(self._show)
        session.calibration_changed.connect(self._show)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        super().disconnect_session()
        self._session.active_changed.disconnect(self._show)
        self._session.calibration_changed.disconnect(self._show)

    def show_lines(self, lines: Sequence[VesselLine]) -> None:
        """Take the lines of a run; an empty sequence shows nothing."""
        self._lines = {line.vessel_id: line for line in lines}
        self._show()

    def _show(self, _changed: object = None) -> None:
        line = self._lines.get(self._session.active)
        if line is None or not np.isfinite(line.diagram).any():
            self._image.clear()
            return
        spacing = self._session.recording.spacing if self._session.recording else Spacing()
        levels = np.nanpercentile(line.diagram, (1, 99))
        self._image.setImage(np.nan_to_num(line.diagram), levels=levels)
        frames, points = line.diagram.shape
        self._image.setRect(QRectF(line.start - 0.5, 0, frames, points * spacing.scale[1]))
        self.setLabel("left", f"distance ({'um' if spacing.pixel_size_um else 'px'})")
