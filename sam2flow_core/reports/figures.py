"""Figures of a page, as data addresses: the recording with its vessels, and the plots of one vessel."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.reports.wording import number, velocity_unit
from sam2flow_core.velocity import VesselMeasurement

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
    "axes.titley": 1.0,  # where it lies anyway: matplotlib measures every label to find that out
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",  # looks alike on every machine
    "svg.hashsalt": "sam2flow",  # the same figure gives the same bytes
    "image.interpolation": "nearest",
}
_WIDTH = 7.2  # inches
_MOST_PX = 1600
_BARS_UM = (5, 10, 20, 50, 100, 200, 500)
_BARS_PX = (10, 20, 50, 100, 200, 500)
_SLOPES = 12
_MARGINS = {"left": 0.085, "right": 0.97, "top": 0.95, "bottom": 0.09, "hspace": 0.38, "wspace": 0.5}
_PANELS = ((0, slice(None)), (1, slice(2)), (1, 2), (1, 3))
_DIAGRAM_FRAMES = 200
_SPARSE = 8
"""Frames from one answered pair to the next beyond which each is drawn as a dot."""


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


def draw_each(measurements: Sequence[VesselMeasurement]) -> Iterator[str]:
    """Yield the figure of each vessel as a data address.

    One figure serves them all: matplotlib takes longer to make axes and ticks than to draw them.
    """
    with page_style():
        figure = new_figure(7.2, 4.8, arranged=False)
        grid = figure.add_gridspec(2, 4, height_ratios=(1, 1.15), **_MARGINS)
        velocity, *below = (figure.add_subplot(grid[place]) for place in _PANELS)
    for measurement in measurements:
        with page_style():
            _draw_velocity(_emptied(velocity), measurement)
            for draw, axes in zip((_draw_diagram, _draw_profile, _draw_spectrum), below, strict=True):
                draw(_emptied(axes), measurement)
            yield as_address(figure)


def _emptied(axes: Axes) -> Axes:
    """Take all that was drawn off some axes; their ticks stay, to be used again."""
    for container in list(axes.containers):
        container.remove()
    legend = axes.get_legend()
    for artist in (
        *axes.lines,
        *axes.collections,
        *axes.patches,
        *axes.images,
        *axes.texts,
        *([legend] if legend else []),
    ):
        artist.remove()
    axes.relim()
    axes.set_xlim(0, 1, auto=True)  # as new ones have them: where nothing is known, they stay
    axes.set_ylim(0, 1, auto=True)
    axes.set_title("")
    axes.set_axis_on()
    return axes


def _time(measurement: VesselMeasurement) -> tuple[NDArray[np.float64], str]:
    if measurement.frame_rate_hz is None:
        return np.asarray(measurement.frames, float), "frame"
    return measurement.time_s, "time (s)"


def _draw_velocity(axes: Axes, m: VesselMeasurement) -> None:
    factor, unit = velocity_unit(m)
    time, label = _time(m)
    series = m.per_frame
    velocity, half = series.velocity * factor, 1.96 * series.standard_error * factor
    step = time[1] - time[0] if len(time) > 1 else 1.0
    asked, refused = series.asked, series.rejected & series.asked
    for start, stop in _spans(refused[:-1]):
        axes.axvspan(time[start] - step / 2, time[stop] + step / 2, color=SHADE, linewidth=0)
    when, low, middle, high = without_joints(
        time[asked], (velocity - half)[asked], velocity[asked], (velocity + half)[asked]
    )
    axes.fill_between(when, low, high, color=BLUE, alpha=0.25, linewidth=0)
    dot = "." if series.spacing > _SPARSE else None
    axes.plot(when, middle, color=BLUE, linewidth=1, marker=dot, label="flow, mean over the lumen (95 % interval)")
    if np.isfinite(m.statistics.kymograph_mean):
        diagram = m.kymograph_velocity * factor
        axes.plot(
            time, diagram, color=ORANGE, linewidth=1, linestyle="--", label="space-time diagram, middle of the vessel"
        )
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set_xlim(time[0] - step, time[-1] + step)
    axes.set_xlabel(label)
    axes.set_ylabel(f"velocity ({unit})")
    rejected = float(refused[:-1].sum() / max(asked[:-1].sum(), 1))
    axes.set_title("Velocity over time" + (f"; shaded: rejected, {rejected:.0%} of the frames" if rejected else ""))
    axes.legend(loc="best", fontsize=7)


def _draw_diagram(axes: Axes, m: VesselMeasurement) -> None:
    """Show the first part of the diagram, with lines along which cells should move by its own velocity."""
    breaks = np.flatnonzero(np.diff(m.frames) > 1) + 1
    shown = min([len(m.frames), _DIAGRAM_FRAMES, *breaks[:1]])
    image = ndimage.gaussian_filter(m.kymograph[:shown], (0.6, 1.0))
    low, high = np.percentile(image, (1, 99))
    scale, unit = (m.pixel_size_um, "µm") if m.pixel_size_um else (1.0, "px")
    time, label = _time(m)
    extent = (time[0], time[shown - 1], 0.0, m.line.length * scale)
    axes.imshow(
        image.T, cmap="gray", aspect="auto", origin="lower", extent=extent, vmin=low, vmax=max(high, low + 1e-6)
    )
    if np.isfinite(m.statistics.kymograph_mean):
        read = m.kymograph_velocity[: shown - 1]
        travelled = np.r_[0.0, np.cumsum(np.nan_to_num(read))]
        # No line where the diagram could not be read: standing blood would look the same.
        unread = np.r_[~np.isfinite(read), False] | np.r_[False, ~np.isfinite(read)]
        # Spread over all cells that come into view, those included that are there from the start.
        first, last = -travelled.max(), m.line.length - travelled.min()
        for offset in np.linspace(first, last, _SLOPES + 2)[1:-1]:
            path = offset + travelled
            path[(path < 0) | (path > m.line.length) | unread] = np.nan
            axes.plot(time[:shown], path * scale, color=ORANGE, linewidth=0.9)
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    axes.set_xlabel(label)
    axes.set_ylabel(f"along the vessel ({unit})")
    axes.set_title(f"Space-time diagram, quality {m.space_time.quality:.0%}")


def _draw_profile(axes: Axes, m: VesselMeasurement) -> None:
    factor, unit = velocity_unit(m)
    profile = m.profile
    axes.errorbar(
        profile.position,
        profile.velocity * factor,
        profile.spread * factor,
        fmt="o",
        markersize=3,
        color=BLUE,
        elinewidth=0.6,
    )
    if np.isfinite(profile.ratio):
        r = np.linspace(-1, 1, 101)
        fit = profile.centre * (1 - profile.blunting * np.abs(r) ** profile.exponent)
        axes.plot(r, fit * factor, color=INK, linewidth=1)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set_xlabel("across (radii)")
    axes.set_ylabel(f"velocity ({unit})")
    axes.set_title(f"Profile, k = {number(profile.ratio, 2)}")


def _draw_spectrum(axes: Axes, m: VesselMeasurement) -> None:
    spectrum = m.spectrum
    if not len(spectrum.frequency):
        axes.set_axis_off()
        words = "frame rate unknown:\nno spectrum" if m.frame_rate_hz is None else "too short for\na heartbeat"
        axes.text(0.5, 0.5, words, color=GREY, fontsize=8, ha="center", va="center", transform=axes.transAxes)
        return
    axes.plot(spectrum.frequency, spectrum.power, color=BLUE, linewidth=1)
    if np.isfinite(spectrum.pulse_hz):
        axes.axvline(spectrum.pulse_hz, color=ORANGE, linewidth=1, linestyle="--")
        axes.set_title(f"Pulse {spectrum.pulse_hz:.2f} Hz")
    else:
        axes.set_title("No pulse found")
    axes.set_xlabel("frequency (Hz)")
    axes.set_ylabel("power (of 1)")
    axes.set_ylim(bottom=0)


def _spans(condition: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last index of each run of True."""
    runs, _ = ndimage.label(condition)
    return [(int(found[0].start), int(found[0].stop) - 1) for found in ndimage.find_objects(runs)]
