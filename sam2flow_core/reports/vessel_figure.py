"""The figure of one vessel: velocity over time, space-time diagram, profile, spectrum."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.reports.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SHADE,
    as_address,
    new_figure,
    page_style,
    without_joints,
)
from sam2flow_core.reports.words import number, velocity_unit
from sam2flow_core.velocity import VesselMeasurement

_SLOPES = 12
_MARGINS = {"left": 0.085, "right": 0.97, "top": 0.95, "bottom": 0.09, "hspace": 0.38, "wspace": 0.5}
_DIAGRAM_FRAMES = 200
_SPARSE = 8
"""Frames from one answered pair to the next beyond which each is drawn as a dot."""


def draw_vessel(measurement: VesselMeasurement) -> str:
    """Return the figure of one vessel as a data address."""
    with page_style():
        figure = new_figure(7.2, 4.8, arranged=False)
        grid = figure.add_gridspec(2, 4, height_ratios=(1, 1.15), **_MARGINS)
        _draw_velocity(figure.add_subplot(grid[0, :]), measurement)
        _draw_diagram(figure.add_subplot(grid[1, :2]), measurement)
        _draw_profile(figure.add_subplot(grid[1, 2]), measurement)
        _draw_spectrum(figure.add_subplot(grid[1, 3]), measurement)
        return as_address(figure)


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
