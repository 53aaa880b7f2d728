"""Velocity against time, with its interval, and a cursor that is the time slider."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyqtgraph as pg
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QPainterPath, QPolygonF
from qtpy.QtWidgets import QGraphicsPathItem

from sam2flow_core.project import SessionState
from sam2flow_napari.layers import vessel_colour
from sam2flow_napari.session import Session
from sam2flow_napari.widgets.frame_plot import FramePlot, answered_rows, broken_line, stretches
from sam2flow_napari.worker.jobs import LineDone, RunProgress

_LOW, _HIGH = "velocity_ci_low_um_s", "velocity_ci_high_um_s"
_FAR = 1e5
"""Beyond any velocity, up and down."""


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
        tip = "Velocity of each vessel. Of the selected one: band, its 95 % interval; grey, no velocity."
        super().__init__(viewer, session, tip)
        self._curves: dict[float, pg.PlotDataItem] = {}
        self._live: dict[int, _Points] = defaultdict(_Points)
        self._live_unit = ""
        self._rows: dict[float, pd.DataFrame] = {}
        self._column = ""
        self._band, self._gaps = QGraphicsPathItem(), QGraphicsPathItem()
        for item, depth in ((self._gaps, -20), (self._band, -10)):
            item.setZValue(depth)
            item.setPen(pg.mkPen(None))
            self.addItem(item, ignoreBounds=True)
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
        self._live.clear()
        for curve in self._curves.values():
            self.removeItem(curve)
        self._curves.clear()
        self._rows = {}
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
        self.setLabel("left", f"speed so far ({self._live_unit})")
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
        self.setLabel("left", "velocity (um/s)" if calibrated else "velocity (px/frame)")
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
        self._gaps.setPath(gaps)

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
            self.setLabel("left", "velocity (um/s)" if calibrated else "velocity (px/frame)")

    def _curve(self, vessel_id: float) -> pg.PlotDataItem:
        if vessel_id not in self._curves:
            self._curves[vessel_id] = self.plot([], [], pen=self._pen(vessel_id))
        return self._curves[vessel_id]

    def _pen(self, vessel_id: float) -> Any:
        whole = int(vessel_id)  # 1.2 is a segment of vessel 1
        return pg.mkPen(vessel_colour(whole), width=2.5 if whole == self._session.active else 1)

    # -- listening ---------------------------------------------------------
    def _on_state(self, state: SessionState) -> None:
        shown = {v.vessel_id for v in state.vessels if v.visible}
        for vessel_id, curve in self._curves.items():
            curve.setVisible(int(vessel_id) in shown)
        self._draw_doubt()

    def _on_active(self, _vessel_id: int) -> None:
        for vessel_id, curve in self._curves.items():
            curve.setPen(self._pen(vessel_id))
        self._draw_doubt()


def _unbroken(inside: NDArray[np.bool_], broken: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of rows that also end where a range of frames does: `broken` is true where a new one begins."""
    parts = []
    for a, b in stretches(inside):
        cuts = [a, *(np.flatnonzero(broken[a + 1 : b]) + a + 1).tolist(), b]
        parts += list(pairwise(cuts))
    return parts
