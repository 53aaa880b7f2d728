"""The space-time diagram of the selected vessel: streaks are cells, their slope is the velocity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyqtgraph as pg
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QRectF

from sam2flow_napari.session import Session, Spacing
from sam2flow_napari.widgets.frame_plot import FramePlot, answered_rows

if TYPE_CHECKING:
    from sam2flow_core.results import VesselLine
    from sam2flow_napari.worker.run_tables import RunTables

_PASSAGES = 8
"""Cells that are drawn on their way through the vessel, about."""


class SpaceTimePlot(FramePlot):
    """Brightness along the active vessel's centreline, frame by frame.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        tip = (
            "Brightness along the selected vessel in the direction of its arrow: streaks are cells. "
            "Orange: how they would run at the velocity that was measured."
        )
        super().__init__(viewer, session, tip)
        self._lines: dict[int, VesselLine] = {}
        self._image = pg.ImageItem(autoDownsample=True)
        self.addItem(self._image)
        self._slopes = self.plot([], [], pen=pg.mkPen("#E69F00", width=1.5), connect="finite")
        self._velocities: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        session.active_changed.connect(self._show)
        session.calibration_changed.connect(self._show)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        super().disconnect_session()
        self._session.active_changed.disconnect(self._show)
        self._session.calibration_changed.disconnect(self._show)

    def show_run(self, tables: RunTables | None) -> None:
        """Take the lines and velocities of a run; None shows nothing."""
        self._lines = {} if tables is None else {line.vessel_id: line for line in tables.lines}
        self.show_times(None if tables is None else tables.per_frame)
        rows = () if tables is None else tables.per_frame.groupby("vessel_id")
        self._velocities = {
            int(float(str(vessel))): at_every_frame(each)
            for vessel, each in rows
            if float(str(vessel)).is_integer()  # a segment's velocity is not that of the whole line
        }
        self._show()

    def _show(self, _changed: object = None) -> None:
        line = self._lines.get(self._session.active)
        if line is None or not np.isfinite(line.diagram).any():
            self._image.clear()
            self._slopes.setData([], [])
            return
        spacing = self._session.recording.spacing if self._session.recording else Spacing()
        levels = np.nanpercentile(line.diagram, (1, 99))
        first, points = int(line.frames[0]), line.diagram.shape[1]
        # Clear where nothing was seen, between ranges say.
        image = np.full((int(line.frames[-1]) - first + 1, points), np.nan, np.float32)
        image[line.frames - first] = line.diagram
        self._image.setImage(image, levels=levels)
        self._image.setRect(QRectF(first - 0.5, 0, len(image), points * spacing.scale[1]))
        self.setLabel("left", f"distance ({'um' if spacing.pixel_size_um else 'px'})")
        times, velocities = self._velocities.get(line.vessel_id, (np.zeros(0), np.zeros(0)))
        t, place = passages(times, velocities, points)
        self._slopes.setData(t, place * spacing.scale[1])


def at_every_frame(rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frames and velocities to draw ways by: between answered pairs of a range a straight line, elsewhere nothing."""
    stretch = (rows["frame"].diff() != 1).cumsum()
    frames, velocities = [], []
    for _, each in rows.groupby(stretch):
        t, answered = each["frame"].to_numpy(float), answered_rows(each)
        known = answered["frame"].to_numpy(float), answered["velocity_px_frame"].to_numpy(float)
        velocity = np.interp(t, *known, left=np.nan, right=np.nan) if len(answered) > 1 else np.full(len(t), np.nan)
        # A way ends with its range.
        frames.append(np.append(t, t[-1] + 0.5))
        velocities.append(np.append(velocity, np.nan))
    return (np.concatenate(frames), np.concatenate(velocities)) if frames else (np.zeros(0), np.zeros(0))


def passages(
    frames: NDArray[np.float64], velocities: NDArray[np.float64], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ways of some cells along a vessel, as they follow from its velocity.

    Parameters
    ----------
    frames : ndarray, shape (T,)
    velocities : ndarray, shape (T,)
        Along the arrow in px per frame; NaN where there is none, and no way is drawn there.
    length : int
        Of the vessel in px.

    Returns
    -------
    frames, places : ndarray, shape (N,)
        Places in px along the vessel, one way after the other with NaN between them.
    """
    if not len(frames) or not np.isfinite(velocities).any():
        return np.zeros(0), np.zeros(0)
    way = np.concatenate([[0.0], np.cumsum(np.nan_to_num(velocities))[:-1]])
    apart = max((np.ptp(way) + length) / _PASSAGES, length / 4)
    starts = np.arange(way.min() - length + apart / 2, way.max(), apart)
    places = way[None, :] - starts[:, None]
    seen = (places >= 0) & (places <= length) & np.isfinite(velocities)[None, :]
    places = np.where(seen, places, np.nan)
    gap = np.full((len(starts), 1), np.nan)
    return np.tile(np.append(frames, np.nan), len(starts)), np.hstack([places, gap]).ravel()
