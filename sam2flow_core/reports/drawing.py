"""Figures as data addresses, so that a page needs no other file."""

from __future__ import annotations

import base64
import io
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK = "#1b2a38"
BLUE = "#1f6fb2"
ORANGE = "#c8641b"
GREY = "#8a97a3"
SHADE = "#d9dee3"
GRADE_COLOURS = {"good": "#1b7f4b", "fair": "#b07a00", "poor": "#c8501b", "unusable": "#7a7f85"}

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",  # looks alike on every machine
    "svg.hashsalt": "sam2flow",  # the same figure gives the same bytes
    "image.interpolation": "nearest",
}


def new_figure(width: float, height: float, arranged: bool = True) -> Figure:
    """Return an empty figure in the pages' style, inches; it belongs to no window system.

    With `arranged` matplotlib finds the margins, which takes as long as the drawing.
    """
    with page_style():
        figure = Figure(figsize=(width, height), layout="constrained" if arranged else None)
    FigureCanvasSVG(figure)
    return figure


def page_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in the pages' style."""
    return mpl.rc_context(_STYLE)


def as_address(figure: Figure) -> str:
    """Return a figure as a ``data:`` address of an SVG image."""
    buffer = io.BytesIO()
    with page_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def without_joints(time: NDArray[np.float64], *values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return times and values with a NaN wherever more than thrice the usual time has passed, so that no line is drawn.

    Parameters
    ----------
    time : ndarray, shape (T,)
        Ascending.
    *values : ndarray, shape (T,)
    """
    apart = np.diff(time)
    usual = float(np.median(apart)) if len(apart) else 0.0
    places = np.flatnonzero(apart > 3 * usual) + 1
    return [np.insert(np.asarray(each, float), places, np.nan) for each in (time, *values)]
