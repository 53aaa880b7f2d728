"""Take a run home: tables, workbook, report, figures, masks, space-time images, film."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sam2flow_core.engine.flow_film import FilmChoices, write_film
from sam2flow_core.errors import OutputError
from sam2flow_core.files import output_errors, whole_file
from sam2flow_core.messages import Message
from sam2flow_core.results import PER_FRAME, PROVENANCE, REPORT, SUMMARY, Results, VesselLine, open_results
from sam2flow_core.spreadsheets import read_csv
from sam2flow_core.stack import Stack, open_stack

_UNITS = {
    "_um_s": "um/s",
    "_px_frame": "px/frame",
    "_um": "um",
    "_px": "px",
    "_pl_s": "pl/s",
    "_cells_s": "cells/s",
    "_hz": "Hz",
    "_pct": "%",
    "_s": "s",
}
"""What a column's ending means; longer endings first."""
_WIDEST = 40


def write_workbook(path: Path, tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> None:
    """Write tables, and a sheet of facts about the run, as ``.xlsx``, whole or not at all.

    Parameters
    ----------
    path : Path
    tables : dict of str to DataFrame
        By the name of the sheet; a gap becomes an empty cell.
    facts : dict
        What the sheet "about" says, a line each.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=False)
    book.remove(book.active)
    for name, table in tables.items():
        sheet = book.create_sheet(name)
        for column, title in enumerate(table.columns, start=1):
            _put(sheet, 1, column, header_with_unit(str(title)))
        for row, values in enumerate(table.itertuples(index=False), start=2):
            for column, value in enumerate(values, start=1):
                _put(sheet, row, column, value)
        _dress(sheet)
    about = book.create_sheet("about")
    for row, (name, value) in enumerate(facts.items(), start=1):
        _put(about, row, 1, name)
        _put(about, row, 2, value)
    _dress(about, heading=False)
    with whole_file(path) as part:
        book.save(part)


def header_with_unit(column: str) -> str:
    """Return a column's name with its unit in brackets.

    Examples
    --------
    >>> header_with_unit("v_mean_um_s")
    'v_mean (um/s)'
    >>> header_with_unit("grade")
    'grade'
    """
    for ending, unit in _UNITS.items():
        if column.endswith(ending):
            return f"{column[: -len(ending)]} ({unit})"
    return column


def _put(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        # As text, whatever it begins with: a name that looks like a formula is a name.
        cell.value = value
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in tuple("=+-@")
    else:
        cell.value = value.item() if hasattr(value, "item") else value


def _dress(sheet: Any, heading: bool = True) -> None:
    """Make columns as wide as their words, and keep the headings in sight."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    if heading:
        sheet.freeze_panes = "A2"
        for cell in sheet[1]:
            cell.font = Font(bold=True)
    for number, cells in enumerate(sheet.iter_cols(max_row=min(sheet.max_row, 50)), start=1):
        longest = max(len(_shown(cell.value)) for cell in cells)
        sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 2, 8), _WIDEST)


def _shown(value: Any) -> str:
    """Return a cell's content about as wide as it is shown."""
    return f"{value:.6g}" if isinstance(value, float) else str(value or "")


CSV, WORKBOOK, PAGE, FIGURES, MASKS, DIAGRAMS, FILM = (
    "tables (CSV)",
    "workbook (Excel)",
    "report",
    "figures",
    "masks",
    "space-time images",
    "film",
)
KINDS = (CSV, WORKBOOK, PAGE, FIGURES, MASKS, DIAGRAMS, FILM)
"""What can be taken home, in the words of the window."""
_CLEAR_ROWS = 6
"""Of a picture of a space-time diagram, between two ranges."""


@dataclass(frozen=True)
class ExportRequest:
    """What of a run is taken where.

    Attributes
    ----------
    run : Path
        Folder of a finished run.
    recording : Path
    folder : Path
        Where the files go; none that is there is replaced.
    name : str
        What the files' names begin with.
    kinds : tuple of str
        Of `KINDS`.
    film : FilmChoices
    film_ending : {'.mp4', '.gif'}
    """

    run: Path
    recording: Path
    folder: Path
    name: str
    kinds: tuple[str, ...] = KINDS
    film: FilmChoices = field(default_factory=FilmChoices)
    film_ending: str = ".mp4"


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is.

    Attributes
    ----------
    kind : str
        Of `KINDS`: what is written now; those before it are whole.
    what : str
        The same in words.
    share : float
        Of that which is done.
    """

    kind: str
    what: str
    share: float = 0.0


def export(request: ExportRequest) -> Generator[ExportProgress, None, None]:
    """Write what is asked for; closing the generator stops, and keeps the files that are whole.

    Raises
    ------
    OutputError
        If a file is there already, the run cannot be read, or a file cannot be written.
    StackError
        If the recording, which a film needs, cannot be read.
    """
    results = open_results(request.run)
    steps = {
        CSV: _copies(request, (SUMMARY, PER_FRAME)),
        WORKBOOK: [request.folder / f"{request.name}.xlsx"],
        PAGE: _copies(request, (REPORT, PROVENANCE)),
        FIGURES: [request.folder / f"{request.name}_velocity{ending}" for ending in (".png", ".svg")],
        MASKS: [request.folder / f"{request.name}_masks.tif"],
        DIAGRAMS: [
            request.folder / f"{request.name}_vessel-{vessel}_space-time{ending}"
            for vessel in results.vessel_ids
            for ending in (".png", ".tif")
        ],
        FILM: [request.folder / f"{request.name}_film{request.film_ending}"],
    }
    there = [path for kind in request.kinds for path in steps[kind] if path.exists()]
    if there:
        raise OutputError("{path} exists already: choose another folder", path=there[0])
    for kind in request.kinds:
        yield ExportProgress(kind, Message(kind))
        yield from _write(kind, request, results, steps[kind])


def _copies(request: ExportRequest, files: tuple[str, ...]) -> list[Path]:
    return [request.folder / f"{request.name}_{file}" for file in files]


def _write(kind: str, request: ExportRequest, results: Results, paths: list[Path]) -> Iterator[ExportProgress]:
    if kind in (CSV, PAGE):
        for path in paths:
            source = request.run / path.name.removeprefix(f"{request.name}_")
            with whole_file(path) as part, output_errors(path):
                shutil.copyfile(source, part)
    elif kind == WORKBOOK:
        tables = {name: read_csv(request.run / f"{name}.csv") for name in ("summary", "per_frame")}
        write_workbook(paths[0], tables, _facts(request, results))
    elif kind == FIGURES:
        _draw_velocities(read_csv(request.run / PER_FRAME), results, paths)
    elif kind == MASKS:
        _write_masks(results, paths[0])
    elif kind == DIAGRAMS:
        for line in results.lines():
            _write_diagram(line, [p for p in paths if f"_vessel-{line.vessel_id}_" in p.name])
    else:
        with open_stack(request.recording) as stack:
            yield from _film(request, stack, results, paths[0])


def _film(request: ExportRequest, stack: Stack, results: Results, path: Path) -> Iterator[ExportProgress]:
    for done, total in write_film(path, stack, results, request.film):
        said = Message("film, frame {done} of {total}", done=done, total=total)
        yield ExportProgress(FILM, said, done / total)


def _facts(request: ExportRequest, results: Results) -> dict[str, object]:
    """Return what a reader of the workbook asks first."""
    header = results.header
    facts: dict[str, object] = {"recording": str(request.recording), "run": str(request.run)}
    for name in ("pixel_size_um", "frame_rate_hz"):
        measured = header.calibration.get(name) or {}
        facts[name] = measured.get("value")
        facts[f"{name}, from"] = measured.get("source")
    frames = results.frames
    if len(frames):
        facts |= {"first frame": int(frames[0]), "last frame": int(frames[-1])}
    if len(results.ranges) > 1:
        facts["ranges"] = ", ".join(f"{first} to {end - 1}" for first, end in results.ranges)
    try:
        facts["version"] = json.loads((request.run / PROVENANCE).read_text(encoding="utf-8")).get("version")
    except (OSError, ValueError, AttributeError):
        facts["version"] = None
    return {name: value for name, value in facts.items() if isinstance(value, str | int | float)}


def _draw_velocities(per_frame: pd.DataFrame, results: Results, paths: list[Path]) -> None:
    """Draw velocity against time of all vessels; the interval of each as a band where there are at most three."""
    from sam2flow_core.reports.figures import new_figure, page_style, without_joints

    calibrated = bool(per_frame["velocity_um_s"].notna().any())
    column = "velocity_um_s" if calibrated else "velocity_px_frame"
    timed = "time_s" in per_frame and bool(per_frame["time_s"].notna().any())
    groups = list(per_frame.groupby("vessel_id"))
    with page_style():
        figure = new_figure(7.0, 3.5)
        axes = figure.subplots()
        drawn, names = list[Any](), list[str]()
        for vessel, every in groups:
            # Left out, not lost: no line ends at a pair that was not asked for.
            rows = every[every["n_px"].notna()] if "n_px" in every else every
            ends = [end for end in ("velocity_ci_low_um_s", "velocity_ci_high_um_s") if end in rows]
            time = rows["time_s" if timed else "frame"].to_numpy(float)
            t, velocity, *interval = without_joints(time, *(rows[name].to_numpy(float) for name in (column, *ends)))
            number = float(str(vessel))  # 1.2 is the second segment of vessel 1
            named = results.header.names.get(int(number), f"Vessel {int(number)}")
            drawn += axes.plot(t, velocity, linewidth=1)
            names.append(named if number == int(number) else f"{named}, {number:g}")
            if calibrated and len(groups) <= 3 and len(interval) == 2:
                axes.fill_between(t, interval[0], interval[1], color=drawn[-1].get_color(), alpha=0.2, linewidth=0)
        axes.set_xlabel("time (s)" if timed else "frame")
        axes.set_ylabel("velocity (um/s)" if calibrated else "velocity (px/frame)")
        legend = axes.legend(drawn, ["vessel"] * len(drawn), fontsize="small")
        for text, name in zip(legend.get_texts(), names, strict=True):
            # As users typed it: one between dollars is no formula, one that begins with a line below is shown.
            text.set(text=name, parse_math=False)
        for path in paths:
            with whole_file(path) as part:
                figure.savefig(part, format=path.suffix[1:], dpi=200)


def _write_masks(results: Results, path: Path) -> None:
    """Write the vessel ids of each frame as TIFF (T, Y, X), 0 where there is none."""
    import tifffile

    shape, chunk = tuple(int(side) for side in results.labels.shape), results.labels.chunks[0]
    frames = (
        frame.astype(np.uint16)
        for start in range(0, shape[0], chunk)
        for frame in np.asarray(results.labels[start : start + chunk])
    )
    with whole_file(path) as part:
        tifffile.imwrite(part, frames, shape=shape, dtype=np.uint16, compression="zlib", metadata={"axes": "TYX"})


def _write_diagram(line: VesselLine, paths: list[Path]) -> None:
    """Write a space-time diagram: brightness as it is (TIFF) and to look at (PNG); rows are frames, columns px.

    In the picture a few clear rows stand for the frames between two ranges, and what was not seen is clear.
    """
    import tifffile
    from PIL import Image

    for path in paths:
        with whole_file(path) as part:
            if path.suffix == ".tif":
                tifffile.imwrite(part, line.diagram.astype(np.float32), metadata={"axes": "YX"})
            else:
                finite = line.diagram[np.isfinite(line.diagram)]
                low, high = np.percentile(finite, (1, 99)) if finite.size else (0.0, 1.0)
                between = np.flatnonzero(np.diff(line.frames) > 1) + 1
                rows = np.insert(line.diagram, np.repeat(between, _CLEAR_ROWS), np.nan, axis=0)
                grey = np.clip(np.nan_to_num((rows - low) / max(high - low, 1e-9)), 0, 1)
                seen = np.isfinite(rows)
                picture = np.stack([255 * grey, 255 * seen], axis=-1).astype(np.uint8)
                Image.fromarray(picture[..., 0] if seen.all() else picture).save(part, format="PNG")
