"""Figures of the comparison page."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sam2flow_core.reports.drawing import BLUE, GRADE_COLOURS, GREY, INK, as_address, new_figure, page_style

_LABEL = 24  # characters of a name that fit under an axis


def draw_vessels(table: pd.DataFrame) -> str:
    """Return velocity and interval of every vessel in each recording, one panel per vessel, as a data address.

    Parameters
    ----------
    table : DataFrame
        Summaries of all recordings, one below the other.
    """
    vessels = sorted(table["vessel_id"].unique())
    videos = list(dict.fromkeys(table["video_id"]))
    columns = min(len(vessels), 4)
    rows = -(-len(vessels) // columns)
    with page_style():
        figure = new_figure(7.2, 1.9 * rows + 0.5)
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for panel in axes.ravel()[len(vessels) :]:
            panel.set_axis_off()
        for panel, vessel in zip(axes.ravel(), vessels, strict=False):
            _draw_panel(panel, table[table["vessel_id"] == vessel], videos)
            panel.set_title(f"Vessel {vessel:g}")
        for panel in axes[:, 0]:
            panel.set_ylabel("velocity (µm/s)")
        return as_address(figure)


def _draw_panel(axes: Axes, part: pd.DataFrame, videos: list[str]) -> None:
    place = [videos.index(video) for video in part["video_id"]]
    mean = part["v_mean_um_s"].to_numpy(float)
    half = ((part["v_ci_high_um_s"] - part["v_ci_low_um_s"]) / 2).to_numpy(float)
    axes.plot(place, mean, color=GREY, linewidth=0.8)
    for x, y, error, grade in zip(place, mean, half, part["grade"], strict=True):
        axes.errorbar([x], [y], [error], fmt="o", markersize=4, color=GRADE_COLOURS[grade], elinewidth=1)
    axes.set_xticks(range(len(videos)), [_short(video) for video in videos], rotation=30, ha="right", parse_math=False)
    axes.set_xlim(-0.5, len(videos) - 0.5)
    axes.set_ylim(bottom=min(0.0, float(np.nanmin(mean - half))) if np.isfinite(mean - half).any() else 0.0)


def draw_groups(table: pd.DataFrame) -> str:
    """Return the recordings' means by group, as a data address; `table` as in `draw_vessels` with a column group."""
    kept = table[table["grade"].isin(("good", "fair")) & (table["group"] != "")]
    groups = list(dict.fromkeys(kept["group"]))
    with page_style():
        figure = new_figure(7.2, 2.6)
        axes = figure.add_subplot()
        for place, group in enumerate(groups):
            means = kept[kept["group"] == group].groupby("video_id")["v_mean_um_s"].mean().to_numpy(float)
            beside = np.linspace(-0.12, 0.12, len(means)) if len(means) > 1 else np.zeros(len(means))
            axes.plot(place + beside, means, "o", color=BLUE, markersize=4, alpha=0.8)
            axes.plot([place - 0.2, place + 0.2], [means.mean()] * 2, color=INK, linewidth=1.5)
        axes.set_xticks(range(len(groups)), [_short(group) for group in groups], parse_math=False)
        axes.set_xlim(-0.6, max(len(groups), 1) - 0.4)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("mean velocity (µm/s)")
        axes.set_title("One point per recording, line: mean of the group")
        return as_address(figure)


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else name[: _LABEL - 1] + "…"
