"""The plots over time: velocity, and the space-time diagram, with a cursor that is the time slider."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyqtgraph as pg
from napari.components import ViewerModel
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainterPath, QPolygonF
from qtpy.QtWidgets import QGraphicsPathItem

from sam2flow_core.project import SessionState
from sam2flow_napari.layers import vessel_colour
from sam2flow_napari.layers.factory import readable_on
from sam2flow_napari.layers.frame_on_screen import frame_on_screen, show_frame
from sam2flow_napari.session import Session, Spacing
from sam2flow_napari.translation import tr
from sam2flow_napari.worker.jobs import LineDone, RunProgress

if TYPE_CHECKING:
    from sam2flow_core.results import VesselLine
    from sam2flow_napari.worker.run_tables import RunTables

_SIZE = QSize(320, 112)
_LOW, _HIGH = "velocity_ci_low_um_s", "velocity_ci_high_um_s"
_FAR = 1e5
"""Beyond any velocity, up and down."""
_PASSAGES = 8
"""Cells that are drawn on their way through the vessel, about."""


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
        self.setToolTip(
            tr("{tooltip} Click to go to that frame; the line is the frame on screen.").format(tooltip=tooltip)
        )
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
        self.setLabel("bottom", tr("time (s)") if seconds else tr("frame"))

    def _on_step(self) -> None:
        self._cursor.setValue(frame_on_screen(self._viewer))

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
            show_frame(self._viewer, min(max(frame, 0), last))


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


@dataclass
class _Points:
    """Speeds of a run that goes on: arrays that grow, which become a curve in no time."""

    frames: array[float] = field(default_factory=lambda: array("d"))
    speeds: array[float] = field(default_factory=lambda: array("d"))


class VelocityPlot(FramePlot):
    """One curve per visible vessel; the active one is thick. A click goes to that frame.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        tip = tr("Velocity of each vessel. Of the selected one: band, its 95 % interval; grey, no velocity.")
        self._curves: dict[float, pg.PlotDataItem] = {}
        super().__init__(viewer, session, tip)
        self._live: dict[int, _Points] = defaultdict(_Points)
        self._live_unit = ""
        self._rows: dict[float, pd.DataFrame] = {}
        self._column = ""
        self._band, self._gaps = QGraphicsPathItem(), QGraphicsPathItem()
        for item, depth in ((self._gaps, -20), (self._band, -10)):
            item.setZValue(depth)
            item.setPen(pg.mkPen(None))
            self.addItem(item, ignoreBounds=item is self._gaps)  # the band is to be seen whole
        self._line = self.plot([], [], pen=pg.mkPen("c", width=1.5, style=Qt.PenStyle.DashLine))
        self._gaps.setBrush(pg.mkBrush(128, 128, 128, 70))
        session.state_changed.connect(self._on_state)
        session.active_changed.connect(self._on_active)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        super().disconnect_session()
        self._session.state_changed.disconnect(self._on_state)
        self._session.active_changed.disconnect(self._on_active)

    def clear_curves(self) -> None:
        """Show nothing."""
        self.show_times(None)
        self._live.clear()
        for curve in self._curves.values():
            self.removeItem(curve)
        self._curves.clear()
        self._rows = {}
        self.setLabel("left", "")  # the next curves may be in another unit
        self._draw_doubt()

    def add_live(self, progress: RunProgress, factor: float, unit: str) -> None:
        """Add the speeds of a frame that the run has just answered; `draw_live` shows them."""
        frame = progress.event.result.frame  # type: ignore[union-attr]
        for vessel_id, speed in progress.speeds:
            points = self._live[vessel_id]
            points.frames.append(frame)
            points.speeds.append(speed * factor)
        self._live_unit = unit

    def draw_live(self) -> None:
        """Draw the speeds gathered so far; the tables may have taken their place meanwhile."""
        if not self._live:
            return
        self.setLabel("left", tr("speed so far ({unit})").format(unit=tr(self._live_unit)))
        for vessel_id, points in self._live.items():
            self._curve(vessel_id).setData(
                *broken_line(np.array(points.frames), np.array(points.speeds)), connect="finite"
            )

    def show_tables(self, per_frame: pd.DataFrame) -> None:
        """Show ``per_frame.csv``: signed velocity, gaps left open."""
        self.clear_curves()
        self.show_times(per_frame)
        calibrated = bool(per_frame["velocity_um_s"].notna().any())
        column = "velocity_um_s" if calibrated else "velocity_px_frame"
        self.setLabel("left", tr("velocity (um/s)") if calibrated else tr("velocity (px/frame)"))
        for vessel_id, rows in per_frame.groupby("vessel_id"):
            curve = self._curve(float(str(vessel_id)))
            shown = answered_rows(rows)
            curve.setData(*broken_line(shown["frame"].to_numpy(float), shown[column].to_numpy(float)), connect="finite")
            self._rows[float(str(vessel_id))] = shown
        self._column = column
        self._draw_doubt()

    def _draw_doubt(self) -> None:
        """Draw the interval of the active vessel, and shade where it was looked at and has no velocity."""
        band, gaps = QPainterPath(), QPainterPath()
        shown = self._session.state.vessel(self._session.active)
        # A vessel that was cut into segments has no velocity of its own; its segments overlap in time.
        rows = self._rows.get(float(self._session.active)) if shown is not None and shown.visible else None
        if rows is not None and len(rows):
            frames, known = rows["frame"].to_numpy(float), rows[self._column].notna().to_numpy()
            apart = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
            broken = np.concatenate([[False], np.diff(frames) > 3 * apart])
            if known.any():
                for a, b in _unbroken(~known, broken):
                    gaps.addRect(frames[a] - apart / 2, -_FAR, frames[b - 1] - frames[a] + apart, 2 * _FAR)
            if _LOW in rows and self._column == "velocity_um_s":
                low, high = rows[_LOW].to_numpy(float), rows[_HIGH].to_numpy(float)
                for a, b in _unbroken(np.isfinite(low) & np.isfinite(high), broken):
                    there, back = zip(frames[a:b], low[a:b], strict=True), zip(frames[a:b], high[a:b], strict=True)
                    corners = [*there, *reversed([*back])]
                    band.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
        colour = pg.mkColor(vessel_colour(self._session.active) if self._session.active else "w")
        colour.setAlpha(70)
        self._band.setBrush(pg.mkBrush(colour))
        self._band.setPath(band)
        self._band.setVisible(not band.isEmpty())  # an empty one would lie at zero
        self._gaps.setPath(gaps)
        self.getPlotItem().vb.queueUpdateAutoRange()

    def show_line(self, line: LineDone | None) -> None:
        """Show what a drawn line measured, dashed beside the vessels; None takes it away."""
        if line is None:
            self._line.setData([], [])
            return
        calibrated = bool(line.per_frame["velocity_um_s"].notna().any())
        rows = answered_rows(line.per_frame)
        velocity = rows["velocity_um_s" if calibrated else "velocity_px_frame"].to_numpy(float)
        self._line.setData(*broken_line(rows["frame"].to_numpy(float), velocity), connect="finite")
        if not self._curves:
            self.setLabel("left", tr("velocity (um/s)") if calibrated else tr("velocity (px/frame)"))

    def _curve(self, vessel_id: float) -> pg.PlotDataItem:
        if vessel_id not in self._curves:
            self._curves[vessel_id] = self.plot([], [], pen=self._pen(vessel_id))
        return self._curves[vessel_id]

    def _pen(self, vessel_id: float) -> Any:
        whole = int(vessel_id)  # 1.2 is a segment of vessel 1
        colour = readable_on(vessel_colour(whole), get_theme(self._viewer.theme).background.as_hex())
        return pg.mkPen(colour, width=2.5 if whole == self._session.active else 1)

    # -- listening ---------------------------------------------------------
    def _on_theme(self) -> None:
        super()._on_theme()
        self._draw_pens()

    def _on_state(self, state: SessionState) -> None:
        shown = {v.vessel_id for v in state.vessels if v.visible}
        for vessel_id, curve in self._curves.items():
            curve.setVisible(int(vessel_id) in shown)
        self._draw_doubt()

    def _on_active(self, _vessel_id: int) -> None:
        self._draw_pens()
        self._draw_doubt()

    def _draw_pens(self) -> None:
        for vessel_id, curve in self._curves.items():
            curve.setPen(self._pen(vessel_id))


def _unbroken(inside: NDArray[np.bool_], broken: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of rows that also end where a range of frames does: `broken` is true where a new one begins."""
    parts = []
    for a, b in stretches(inside):
        cuts = [a, *(np.flatnonzero(broken[a + 1 : b]) + a + 1).tolist(), b]
        parts += list(pairwise(cuts))
    return parts


class SpaceTimePlot(FramePlot):
    """Brightness along the active vessel's centreline, frame by frame.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        tip = tr(
            "Brightness along the selected vessel in the direction of its arrow: streaks are cells. Orange: "
            "how they would run at the velocity that was measured."
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
        self.setLabel("left", tr("distance ({unit})").format(unit="um" if spacing.pixel_size_um else "px"))
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
