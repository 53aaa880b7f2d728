"""The recording with its vessels, arrows and scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from sam2flow_core.reports.drawing import GRADE_COLOURS, INK, as_address, new_figure, page_style
from sam2flow_core.velocity import VesselMeasurement

_WIDTH = 7.2  # inches
_MOST_PX = 1600
_BARS_UM = (5, 10, 20, 50, 100, 200, 500)
_BARS_PX = (10, 20, 50, 100, 200, 500)


def draw_overview(measurements: Sequence[VesselMeasurement], image: NDArray[Any]) -> str:
    """Return the overlay as a data address.

    Parameters
    ----------
    measurements : sequence of VesselMeasurement
    image : ndarray, shape (Y, X)
        Mean or first frame, on the tissue of the run's first frame.
    """
    height, width = image.shape
    with page_style():
        figure = new_figure(_WIDTH, min(max(_WIDTH * height / width, 1.5), 8.5))
        axes = figure.add_subplot()
        shown, step = _thinned(image)
        low, high = np.percentile(shown, (0.5, 99.5))
        axes.imshow(
            shown, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), interpolation="bilinear",
            extent=(-0.5, step * shown.shape[1] - 0.5, step * shown.shape[0] - 0.5, -0.5),
        )  # fmt: skip
        for unit in (unit for measurement in measurements for unit in measurement.units):
            _draw_vessel(axes, unit)
        _draw_scale(axes, image.shape, measurements[0].pixel_size_um if measurements else None)
        axes.set_xlim(-0.5, width - 0.5)
        axes.set_ylim(height - 0.5, -0.5)
        axes.set_axis_off()
        return as_address(figure)


def _thinned(image: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
    """What a page can show of a large picture, and px per px of it: drawing all takes many times its size in memory."""
    step = max(1, -(-max(image.shape) // _MOST_PX))
    if step == 1:
        return np.asarray(image, np.float32), 1
    rows, columns = (n // step * step for n in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean((1, 3), dtype=np.float32)), step


def _draw_vessel(axes: Axes, measurement: VesselMeasurement) -> None:
    points = measurement.centreline + np.array(measurement.origin)
    colour = GRADE_COLOURS[measurement.grade]
    outline = [withStroke(linewidth=3.2, foreground="white", alpha=0.7)]
    axes.plot(points[:, 1], points[:, 0], color=colour, linewidth=1.6, path_effects=outline)
    step = max(len(points) // 40, 2)
    for share in (0.3, 0.75) if len(points) > 60 else (0.6,):
        at = int(share * (len(points) - 1))
        tail, head = points[max(at - step, 0)], points[min(at + step, len(points) - 1)]
        axes.annotate(
            "",
            xy=(head[1], head[0]),
            xytext=(tail[1], tail[0]),
            arrowprops={
                "arrowstyle": "-|>,head_width=0.35,head_length=0.6",
                "color": colour,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
    start = points[len(points) // 8]  # where vessels that cross are apart
    box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": colour, "alpha": 0.9, "linewidth": 0.8}
    axes.text(start[1], start[0], measurement.label, color=INK, fontsize=8, ha="center", va="center", bbox=box)


def _draw_scale(axes: Axes, shape: tuple[int, ...], pixel_size_um: float | None) -> None:
    """Draw a bar about a fifth of the image wide; in px where the pixel size is unknown."""
    unit, scale, choices = ("µm", pixel_size_um, _BARS_UM) if pixel_size_um else ("px", 1.0, _BARS_PX)
    wanted = 0.2 * shape[1] * scale
    length = min(choices, key=lambda choice: abs(choice - wanted))
    right, bottom = 0.97 * shape[1], 0.94 * shape[0]
    outline = [withStroke(linewidth=4.5, foreground="black", alpha=0.6)]
    axes.plot([right - length / scale, right], [bottom, bottom], color="white", linewidth=3, path_effects=outline)
    axes.text(
        right - length / scale / 2,
        bottom - 0.02 * shape[0],
        f"{length} {unit}",
        color="white",
        ha="center",
        va="bottom",
        path_effects=[withStroke(linewidth=2, foreground="black", alpha=0.7)],
    )
