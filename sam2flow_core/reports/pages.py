"""Pages that are read without the program: ``report.html`` of one recording, and a comparison of recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sam2flow_core.config.flags import FLAG_MEANINGS
from sam2flow_core.errors import OutputError
from sam2flow_core.files import write_text
from sam2flow_core.reports.figures import (
    BLUE,
    GRADE_COLOURS,
    GREY,
    INK,
    as_address,
    draw_each,
    draw_overview,
    new_figure,
    page_style,
)
from sam2flow_core.reports.wording import (
    calibration_lines,
    fill,
    interval_in_words,
    number,
    own_name,
    provenance_lines,
    quantity,
    recording_verdict,
    velocity_unit,
    vessel_title,
    vessel_verdict,
)
from sam2flow_core.velocity import VesselMeasurement, summary_table


def write_report(
    path: str | Path, measurements: Sequence[VesselMeasurement], overview: NDArray[Any], provenance: Mapping[str, Any]
) -> None:
    """Write the report of one recording: self-contained, loads nothing, reads without the program.

    Parameters
    ----------
    path : str or Path
    measurements : sequence of VesselMeasurement
        Of one recording.
    overview : ndarray, shape (Y, X)
        Mean or first frame to draw the vessels on.
    provenance : mapping
        As in ``provenance.json``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    table = summary_table(measurements)
    shown = [row for m in measurements for row in (m, *m.segments)]
    rows = [
        _vessel(m, table.iloc[k], figure) for k, (m, figure) in enumerate(zip(shown, draw_each(shown), strict=True))
    ]
    page = fill(
        "report.html",
        title=str(provenance.get("video_id") or (measurements[0].video_id if measurements else "")) or "recording",
        verdict=recording_verdict(measurements),
        overview=draw_overview(measurements, np.asarray(overview, float)),
        vessels=rows,
        calibration=calibration_lines(measurements, provenance),
        recording=provenance.get("recording", {}),
        partial=provenance.get("partial"),
        created=str(provenance.get("created", "")),
        provenance=provenance_lines(provenance),
        flags=FLAG_MEANINGS,
    )
    write_text(path, page)


def _vessel(m: VesselMeasurement, row: pd.Series, figure: str) -> dict[str, Any]:
    factor, unit = velocity_unit(m)
    s = m.statistics
    known = m.diameter_px[np.isfinite(m.diameter_px)]
    pixel, length_unit = (m.pixel_size_um, "µm") if m.pixel_size_um else (1.0, "px")
    diameter = float(known.mean()) if len(known) else float("nan")
    shear = 8 * s.mean / diameter * (m.frame_rate_hz or float("nan"))
    return {
        "title": vessel_title(m),
        "grade": m.grade,
        "verdict": vessel_verdict(m),
        "figure": figure,
        "flags": m.flags,
        "facts": [
            ("mean velocity", quantity(s.mean * factor, unit)),
            ("95 % interval", interval_in_words(s.low * factor, s.high * factor, unit)),
            ("space-time diagram", quantity(s.kymograph_mean * factor, unit)),
            ("difference of the two", quantity(100 * s.method_difference, "%", 2)),
            ("diameter", quantity(diameter * pixel, length_unit)),
            ("length", quantity(m.line.length * pixel, length_unit)),
            ("lowest to highest", interval_in_words(s.minimum * factor, s.maximum * factor, unit)),
            ("pulsatility, resistivity index", f"{number(s.pulsatility, 2)}, {number(s.resistivity, 2)}"),
            ("pulsatility, 95 % interval", interval_in_words(s.pulsatility_low, s.pulsatility_high, digits=2)),
            ("pulse", quantity(m.spectrum.pulse_hz, "Hz")),
            ("volumetric flow", quantity(row["flow_pl_s"], "pL/s")),
            ("wall shear rate (8 v / d)", quantity(shear, "1/s")),
            ("cells", quantity(row["flux_cells_s"], "per s")),
            ("standing still", quantity(row["stasis_s"], "s")),
            ("balance at the fork", quantity(row["balance_pct"], "%", 2)),
            ("frames with a velocity", f"{s.valid_share:.0%} of {int(m.per_frame.asked.sum())}"),
        ],
    }


_LABEL = 24  # characters of a name that fit under an axis
BELIEVED = ("good", "fair")


def draw_vessels(table: pd.DataFrame) -> str:
    """Return velocity and interval of every vessel in each recording, one panel per vessel, as a data address.

    Parameters
    ----------
    table : DataFrame
        Summaries of all recordings, one below the other, with a column ``vessel`` as `same_vessels` gives it.
    """
    vessels = list(dict.fromkeys(table.sort_values("vessel_id", kind="stable")["vessel"]))
    videos = list(dict.fromkeys(table["video_id"]))
    columns = min(len(vessels), 4)
    rows = -(-len(vessels) // columns)
    with page_style():
        figure = new_figure(7.2, 1.9 * rows + 0.5)
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for panel in axes.ravel()[len(vessels) :]:
            panel.set_axis_off()
        for panel, vessel in zip(axes.ravel(), vessels, strict=False):
            _draw_panel(panel, table[table["vessel"] == vessel], videos)
            panel.set_title(_short(vessel), parse_math=False)
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
    kept = _counted(table)
    groups = list(dict.fromkeys(kept["group"]))
    with page_style():
        figure = new_figure(7.2, 2.6)
        axes = figure.add_subplot()
        for place, group in enumerate(groups):
            means = kept[kept["group"] == group].groupby("video_id")["speed"].mean().to_numpy(float)
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


def write_comparison(
    path: str | Path, summaries: Sequence[pd.DataFrame], groups: Mapping[str, str] | None = None
) -> None:
    """Write one page that compares the recordings of a batch.

    Which vessels are the same in two recordings, `same_vessels` says; the first recording is what the others are
    compared with; so are ranges of frames of one recording, a baseline and a response say. Poor and unusable vessels
    are shown and left out of every mean. Summaries whose ``video_id`` is the same are recordings of their own:
    files in several folders are often called alike.

    Parameters
    ----------
    path : str or Path
    summaries : sequence of DataFrame
        ``summary.csv`` of each recording, in the order of the page.
    groups : mapping of str to str, optional
        Group of each ``video_id``, such as ``{"p1": "before", "p2": "after"}``.

    Raises
    ------
    OutputError
        If there is nothing to compare or the file cannot be written.
    """
    filled = [summary for summary in summaries if len(summary)]
    if not filled:
        raise OutputError("there are no measured vessels to compare; run the recordings first")
    named = {str(video): str(group) for video, group in (groups or {}).items()}
    table = pd.concat(_apart([_units(summary) for summary in filled], named), ignore_index=True)
    ranged = same_vessels(by_range(table))
    page = fill(
        "comparison.html",
        recordings=[_recording(str(video), part) for video, part in ranged.groupby("video_id", sort=False)],
        changes=vessel_changes(ranged).to_dict("records"),
        groups=group_means(table).to_dict("records") if named else [],
        vessel_figure=draw_vessels(ranged),
        group_figure=draw_groups(table) if named else "",
        quantity=quantity,
        interval=interval_in_words,
    )
    write_text(path, page)


def by_range(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with ranges of frames in the place of recordings, where a recording was measured in several."""
    if not {"first_frame", "last_frame"} <= set(table.columns):
        return table
    parts = []
    for _, part in table.groupby("video_id", sort=False):
        if part["first_frame"].nunique() > 1:
            ranges = part["first_frame"].map("{:.0f}".format) + " to " + part["last_frame"].map("{:.0f}".format)
            part = part.assign(video_id=part["video_id"] + ", frames " + ranges)
            part = part.sort_values("first_frame", kind="stable")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def same_vessels(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a column ``vessel``, equal for what is taken as the same vessel in several recordings.

    A name that somebody gave says which vessel it is; the number does where no name was given, or where a recording
    has several vessels of that name.
    """
    numbers = [f"{vessel:.10g}".partition(".") for vessel in table["vessel_id"]]
    whole = [int(digits) for digits, _, _ in numbers]
    names = table["name"] if "name" in table else [""] * len(table)
    own = [own_name(_text(name), number) for name, number in zip(names, whole, strict=True)]
    known = pd.DataFrame({"video": table["video_id"].to_numpy(), "whole": whole, "own": own}).drop_duplicates()
    shared = set(known[known["own"] != ""].groupby(["video", "own"]).filter(lambda part: len(part) > 1)["own"])
    called = known[(known["own"] != "") & ~known["own"].isin(shared)]
    names_of = called.groupby("whole")["own"].unique()
    taken = set(zip(called["video"], called["own"], strict=True))
    vessels = []
    for video, name, (digits, _, segment) in zip(table["video_id"], own, numbers, strict=True):
        others = names_of.get(int(digits), ())
        if not name and len(others) == 1 and (video, others[0]) not in taken:
            name = others[0]  # named in another recording only
        plain = not name or name in shared
        part = f".{segment}" if segment and plain else f", segment {segment}" if segment else ""
        vessels.append(f"Vessel {digits}{part}" if plain else f"{name}{part}")
    return table.assign(vessel=vessels)


def _text(value: Any) -> str:
    """Return what was a text before a reader of tables took it for a number or a gap."""
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else f"{value:.10g}"


def vessel_changes(table: pd.DataFrame) -> pd.DataFrame:
    """Return how each vessel's mean velocity differs from that in the first recording.

    Parameters
    ----------
    table : DataFrame
        As `same_vessels` returns it.

    Returns
    -------
    DataFrame
        ``vessel, video_id, before, after`` (um/s), ``change, low, high`` (%, with the 95 % interval of the ratio of
        both velocities, taken as independent: Fieller's, blank where the first may be zero), ``believed`` (both
        graded good or fair), ``distinct`` (believed, and the difference is larger than its interval), ``verdict``.
    """
    first = table["video_id"].iloc[0]
    rows = []
    reference = table[table["video_id"] == first].set_index("vessel")
    for row in table[table["video_id"] != first].to_dict("records"):
        if row["vessel"] not in reference.index:
            continue
        before = reference.loc[row["vessel"]]
        old, new = (float(before["v_mean_um_s"]), _half(before)), (float(row["v_mean_um_s"]), _half(row))
        believed = row["grade"] in BELIEVED and before["grade"] in BELIEVED
        distinct = bool(believed and abs(new[0] - old[0]) > np.hypot(old[1], new[1]))
        low, high = ratio_interval(*new, *old)
        rows.append(
            {
                "vessel": row["vessel"],
                "video_id": row["video_id"],
                "before": old[0],
                "after": new[0],
                "change": 100 * (new[0] / old[0] - 1) if old[0] else float("nan"),
                "low": 100 * (low - 1),
                "high": 100 * (high - 1),
                "believed": believed,
                "distinct": distinct,
                "verdict": _verdict(old, new, believed, distinct),
            }
        )
    columns = ["vessel", "video_id", "before", "after", "change", "low", "high", "believed", "distinct", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def ratio_interval(value: float, half: float, base: float, base_half: float) -> tuple[float, float]:
    """Return the ends of the interval of ``value / base`` of two independent figures with intervals of their own.

    It holds 1 if and only if the interval of the difference holds 0. NaN where the interval of the base holds 0.

    References
    ----------
    .. [1] E. C. Fieller, "Some Problems in Interval Estimation", Journal of the Royal Statistical Society B 16(2),
       1954, :doi:`10.1111/j.2517-6161.1954.tb00159.x`.

    Examples
    --------
    >>> ratio_interval(200.0, 0.0, 100.0, 0.0)
    (2.0, 2.0)
    """
    below = base**2 - base_half**2
    if not below > 0:
        return float("nan"), float("nan")
    root = float(np.sqrt(base**2 * half**2 + base_half**2 * (value**2 - half**2)))
    return (value * base - root) / below, (value * base + root) / below


def _verdict(old: tuple[float, float], new: tuple[float, float], believed: bool, distinct: bool) -> str:
    """Return what may be said of a change between two means with half their intervals, both in um/s."""
    if not believed:
        return "not to be judged: a velocity is poor"
    if not np.isfinite(new[0] - old[0]):
        return "not to be judged: no velocity in µm/s"
    if not np.isfinite(new[1] + old[1]):
        return "not to be judged: a velocity has no interval"
    if not distinct:
        return "no clear change"
    if old[0] * new[0] < 0 and abs(old[0]) > old[1] and abs(new[0]) > new[1]:
        return "turned round"
    return "faster" if abs(new[0]) > abs(old[0]) else "slower"


def group_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread over recordings of each group: a recording counts once, however many vessels it has.

    Returns
    -------
    DataFrame
        ``group, recordings, vessels, mean, sd`` (um/s, of the recordings' mean speeds over their good and fair
        vessels; blood that has turned round in a later range counts like any other).
    """
    rows = []
    for group, part in _counted(table).groupby("group", sort=False):
        means = part.groupby("video_id")["speed"].mean()
        spread = float(means.std()) if len(means) > 1 else float("nan")
        rows.append((group, len(means), len(part), float(means.mean()), spread))
    return pd.DataFrame(rows, columns=["group", "recordings", "vessels", "mean", "sd"])


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose ``speed`` (um/s, in either direction) is believed and belongs to a group."""
    kept = table[table["grade"].isin(BELIEVED) & table["v_mean_um_s"].notna() & (table["group"] != "")]
    return kept.assign(speed=kept["v_mean_um_s"].abs())


def _apart(summaries: Sequence[pd.DataFrame], groups: Mapping[str, str]) -> list[pd.DataFrame]:
    """Return summaries of which no two have recordings of one name, each row with the group of its recording."""
    tables: list[pd.DataFrame] = []
    seen: Counter[str] = Counter()
    for summary in summaries:
        videos = summary["video_id"].astype(object).fillna("").astype(str)
        seen.update(videos.unique())
        own = [video if seen[video] == 1 else f"{video} ({seen[video]})" for video in videos]
        tables.append(summary.assign(video_id=own, group=[groups.get(video, "") for video in videos]))
    return tables


def _units(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a velocity of their own: segments instead of the vessel that was cut into them."""
    if "parent_id" not in summary:
        return summary
    return summary[~summary["vessel_id"].isin(summary["parent_id"].dropna())]


def _half(row: Mapping[str, Any] | pd.Series) -> float:
    """Return half the 95 % interval of a row of the summary."""
    return float(row["v_ci_high_um_s"] - row["v_ci_low_um_s"]) / 2


def _recording(video: str, part: pd.DataFrame) -> dict[str, Any]:
    believed = part[part["grade"].isin(BELIEVED)]
    mean = float(believed["v_mean_um_s"].abs().mean()) if len(believed) else float("nan")
    group = str(part["group"].iloc[0])
    return {"video": video, "group": group, "vessels": len(part), "believed": len(believed), "mean": mean}
