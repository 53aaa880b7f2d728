"""A plot of the dock as a picture for a page."""

from __future__ import annotations

from pathlib import Path

import pyqtgraph as pg
from pyqtgraph.exporters import ImageExporter, SVGExporter

from sam2flow_core.errors import OutputError
from sam2flow_core.files import whole_file

_WIDTH_PX = 1600
_EXPORTERS = {".png": ImageExporter, ".svg": SVGExporter}


def save_plot(plot: pg.PlotWidget, path: Path) -> None:
    """Save a plot as PNG or SVG, whole or not at all; a name without an ending becomes a PNG.

    Raises
    ------
    OutputError
        If the ending is another, or the file cannot be written.
    """
    path = path if path.suffix else path.with_suffix(".png")
    make = _EXPORTERS.get(path.suffix.lower())
    if make is None:
        raise OutputError(f"{path}: figures are saved as .png or .svg; choose one of these endings")
    exporter = make(plot.getPlotItem())
    if make is ImageExporter:
        exporter.parameters()["width"] = _WIDTH_PX
    with whole_file(path) as part:
        exporter.export(str(part))
