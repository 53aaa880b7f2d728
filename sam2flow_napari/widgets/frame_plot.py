"""What the plots over time share: a cursor that is the time slider, a click that moves it, the viewer's theme."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyqtgraph as pg
from napari.components import ViewerModel
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtCore import QSize

from sam2flow_napari.session import Session

_SIZE = QSize(320, 150)


class FramePlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph is not typed
    """A plot with frames along the bottom.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    tooltip : str
    """

    def __init__(self, viewer: ViewerModel, session: Session, tooltip: str) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._cursor = pg.InfiniteLine(0, angle=90, movable=False)
        self._cursor.setZValue(1)
        self.addItem(self._cursor, ignoreBounds=True)
        self.setToolTip(f"{tooltip} Click to go to that frame; the line is the frame on screen.")
        self.setMouseEnabled(x=True, y=False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setLabel("bottom", "frame")
        self.setMinimumHeight(_SIZE.height())
        self.scene().sigMouseClicked.connect(self._on_click)
        viewer.dims.events.current_step.connect(self._on_step)
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()

    def sizeHint(self) -> QSize:
        """Return the size that the dock has room for; a plot's own hint is that of a window."""
        return _SIZE

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        self._viewer.events.theme.disconnect(self._on_theme)

    def _on_step(self) -> None:
        self._cursor.setValue(self._viewer.dims.current_step[0])

    def _on_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.setBackground(theme.background.as_hex())
        text = theme.text.as_hex()
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(text)
            self.getAxis(side).setTextPen(text)
        self._cursor.setPen(pg.mkPen(text, style=pg.QtCore.Qt.PenStyle.DashLine))

    def _on_click(self, event: Any) -> None:
        frame = round(self.getPlotItem().vb.mapSceneToView(event.scenePos()).x())
        if self._session.recording is not None:
            last = self._session.recording.shape[0] - 1
            self._viewer.dims.set_current_step(0, min(max(frame, 0), last))


def answered_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``per_frame.csv`` whose flow was asked for; the others have no number of pixels."""
    return rows[rows["n_px"].notna()] if "n_px" in rows else rows


def broken_line(
    frames: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve with a NaN wherever more than thrice the usual frames lie between two points.

    No line is to lead from one range, or place of a quick look, to the next.
    """
    apart = np.diff(frames)
    ends = np.flatnonzero(apart > 3 * np.median(apart) if len(apart) else apart) + 1
    return np.insert(frames, ends, np.nan), np.insert(values, ends, np.nan)
