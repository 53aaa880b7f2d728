"""Velocity against time, with a cursor that is the time slider."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyqtgraph as pg
from napari.components import ViewerModel

from sam2flow_core.project import SessionState
from sam2flow_napari.layers import vessel_colour
from sam2flow_napari.session import Session
from sam2flow_napari.widgets.frame_plot import FramePlot, answered_rows, broken_line
from sam2flow_napari.worker.jobs import RunProgress


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
        super().__init__(viewer, session, "Velocity of each vessel.")
        self._curves: dict[float, pg.PlotDataItem] = {}
        self._live: dict[int, _Points] = defaultdict(_Points)
        self._live_unit = ""
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
        calibrated = bool(per_frame["velocity_um_s"].notna().any())
        column = "velocity_um_s" if calibrated else "velocity_px_frame"
        self.setLabel("left", "velocity (um/s)" if calibrated else "velocity (px/frame)")
        for vessel_id, rows in per_frame.groupby("vessel_id"):
            curve = self._curve(float(str(vessel_id)))
            shown = answered_rows(rows)
            curve.setData(*broken_line(shown["frame"].to_numpy(float), shown[column].to_numpy(float)), connect="finite")

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

    def _on_active(self, _vessel_id: int) -> None:
        for vessel_id, curve in self._curves.items():
            curve.setPen(self._pen(vessel_id))
