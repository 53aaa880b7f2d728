"""What the plots of the dock show beside the curves."""

import numpy as np
import pandas as pd
import pytest
from clicks import click
from qtpy.QtCore import QPointF

from sam2flow_napari.widgets.plots import VelocityPlot


def test_the_plot_speaks_in_seconds_and_of_the_interval_and_of_what_was_rejected(bench, qtbot):
    plot = VelocityPlot(bench.viewer, bench.session)
    qtbot.addWidget(plot)
    click(bench.session, 0, 20.0, 30.0)
    frames = np.arange(0, 40, 2)
    velocity = np.where((frames >= 10) & (frames < 16), np.nan, 100.0)
    rows = {"vessel_id": 1, "frame": frames, "time_s": frames * 0.01, "velocity_um_s": velocity, "n_px": 5.0}
    rows |= {"velocity_px_frame": 1.0, "velocity_ci_low_um_s": velocity - 9, "velocity_ci_high_um_s": velocity + 9}
    plot.show_tables(pd.DataFrame(rows))
    axis = plot.getAxis("bottom")
    assert axis.labelText == "time (s)" and axis.scale == pytest.approx(0.01)
    gaps, band = plot._gaps.path(), plot._band.path()
    assert gaps.contains(QPointF(12, 0)) and not gaps.contains(QPointF(8, 0)) and not gaps.contains(QPointF(17, 0))
    assert band.contains(QPointF(4, 95)) and not band.contains(QPointF(4, 120)) and not band.contains(QPointF(12, 100))
    bench.session.show_vessel(1, False)
    assert plot._band.path().isEmpty() and plot._gaps.path().isEmpty()
    plot.show_tables(pd.DataFrame(rows | {"time_s": frames * 0.01 + (frames > 20) * 0.05}))
    assert axis.labelText == "frame" and axis.scale == 1
    plot.disconnect_session()
