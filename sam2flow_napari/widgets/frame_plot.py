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

_SIZE = QSize(320, 112)


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
        self.getAxis("bottom").enableAutoSIPrefix(False)  # a second is a second
        self._times: pd.DataFrame | None = None
        self._label_times()
        self.setMinimumHeight(_SIZE.height())
        self.scene().sigMouseClicked.connect(self._on_click)
        viewer.dims.events.current_step.connect(self._on_step)
        viewer.events.theme.connect(self._on_theme)
        session.calibration_changed.connect(self._label_times)
        session.recording_changed.connect(self._label_times)
        self._on_theme()

    def sizeHint(self) -> QSize:
        """Return the size that the dock has room for; a plot's own hint is that of a window."""
        return _SIZE

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        self._viewer.events.theme.disconnect(self._on_theme)
        self._session.calibration_changed.disconnect(self._label_times)
        self._session.recording_changed.disconnect(self._label_times)

    def show_times(self, per_frame: pd.DataFrame | None) -> None:
        """Write seconds along the bottom, or frames where the rate is not known or frames are missing.

        Parameters
        ----------
        per_frame : DataFrame or None
            ``per_frame.csv`` of the run on show, whose times say whether frames are missing.
        """
        self._times = per_frame if per_frame is not None and "time_s" in per_frame else None
        self._label_times()

    def _label_times(self) -> None:
        recording = self._session.recording
        seconds = recording.spacing.scale[0] if recording and recording.spacing.frame_rate_hz else None
        if seconds and self._times is not None and len(self._times):
            apart = (self._times["time_s"] - self._times["frame"] * seconds).abs().max()
            seconds = None if apart > seconds / 2 else seconds
        self.getAxis("bottom").setScale(seconds or 1.0)
        self.setLabel("bottom", "time (s)" if seconds else "frame")

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


def stretches(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first index and end of each unbroken stretch.

    Examples
    --------
    >>> stretches(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    steps = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in steps.reshape(-1, 2)]
