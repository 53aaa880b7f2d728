"""The tables of ``sam2flow evaluate``: figures arranged, and written for the terminal and ``docs/benchmark.md``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sam2flow_core.evaluation.benchmark import Ranking
from sam2flow_core.evaluation.flow_comparison import ALL, STILL_PX
from sam2flow_core.evaluation.metrics import relative_errors
from sam2flow_core.evaluation.vessel_scores import pulse_and_flux
from sam2flow_core.files import make_parent, write_text
from sam2flow_core.velocity import GRADES

_TITLE = "# Benchmark"
_NOTE = "Written by `sam2flow evaluate` and `sam2flow bench`; edits by hand are lost."
_ORDER = ("Accuracy", "Ablations", "Speed")
MAIN_COLUMNS = {
    "method": "method",
    "epe": "EPE",
    "epe_median": "median",
    "out1": ">1 px %",
    "out3": ">3 px %",
    "out5": ">5 px %",
    "fl_all": "Fl-all %",
    "direction": "direction deg",
    "jitter": "jitter px",
    "velocity_median": "vessel velocity error %, median",
    "velocity_p90": "90th percentile",
    "seconds_pair": "CPU s / pair",
}
"""Columns of the main table: as `figures` names them, and as people read them."""
MASKS, VELOCITIES, DRIFT, PULSE_AND_FLUX = "masks", "velocities", "drift", "pulse_and_flux"
"""Names of the scores, and of the files that ``--csv`` leaves beside the figures."""
_PARTS = ("displacement", "width")
_APART = ("overlap", "leaves", "past aliasing")
_BINNED = {
    "epe": "EPE, px",
    "out1": "over 1 px, %",
    "out3": "over 3 px, %",
    "out5": "over 5 px, %",
    "fl_all": "Fl-all, %",
    "direction": "direction error, degrees",
}
_UNCERTAINTY = {"spearman": "Spearman", "coverage90": "90 % interval holds %"}


@dataclass(frozen=True)
class NamedTable:
    """A table with its heading and a sentence on how to read it."""

    title: str
    note: str
    table: pd.DataFrame


def as_text(tables: list[NamedTable]) -> str:
    """Return the tables as they are printed on a terminal."""
    parts = []
    for named in tables:
        rows = named.table.to_string(index=False, na_rep="–", float_format=lambda v: f"{v:.2f}")
        parts.append(f"{named.title}\n{rows}")
    return "\n\n".join(parts)


def as_markdown(tables: list[NamedTable]) -> str:
    """Return the tables below each other, each with its heading of the third level."""
    parts = []
    for named in tables:
        note = f"{named.note}\n\n" if named.note else ""
        parts.append(f"### {named.title}\n\n{note}{markdown_table(named.table, {'CPU s / pair': 3, 's / pair': 3})}")
    return "\n\n".join(parts)


def markdown_table(table: pd.DataFrame, digits: Mapping[str, int] | int = 2) -> str:
    """Return a table in Markdown; numbers rounded, what is missing a dash.

    Parameters
    ----------
    table : DataFrame
        Its index is not shown.
    digits : mapping of str to int, or int
        Decimals of each column (2 where it is not named), or of all of them.
    """
    lines = [_row([str(c) for c in table.columns]), "|" + "---|" * len(table.columns)]
    for values in table.itertuples(index=False):
        cells = []
        for column, value in zip(table.columns, values, strict=True):
            places = digits if isinstance(digits, int) else digits.get(str(column), 2)
            cells.append(_cell(value, places))
        lines.append(_row(cells))
    return "\n".join(lines)


def write_section(path: Path, name: str, body: str) -> None:
    """Put a section into the document, in place of the one of that name; the others stay as they are.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    name : str
        One of `_ORDER`.
    body : str
        Markdown without headings of the second level.
    """
    sections = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    sections[name] = body.strip()
    ordered = sorted(sections, key=lambda n: _ORDER.index(n) if n in _ORDER else len(_ORDER))
    parts = [f"{_TITLE}\n\n{_NOTE}", *(f"## {n}\n\n{sections[n]}" for n in ordered)]
    make_parent(path)
    write_text(path, "\n\n".join(parts) + "\n")


def replace_section(path: Path, name: str, body: str) -> None:
    """Put a section into a document that people write, in place of the one of that name or at its end.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    name : str
        Heading of the second level.
    body : str
        Markdown without headings of the second level.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, after = f"\n{text}".partition(f"\n## {name}\n")
    rest = after[after.index("\n## ") :] if found and "\n## " in after else ""
    whole = f"{before.strip()}\n\n## {name}\n\n{body.strip()}\n{rest and chr(10)}{rest.strip()}"
    make_parent(path)
    write_text(path, whole.strip() + "\n")


def _cell(value: object, places: int) -> str:
    if isinstance(value, float):
        return f"{value:.{places}f}" if math.isfinite(value) else "–"
    return "–" if value is None else str(value).replace("|", "\\|")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _sections(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            current = found.setdefault(line[3:].strip(), [])
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def flow_tables(ranking: Ranking) -> list[NamedTable]:
    """Arrange the figures of the flow: all pixels, then bin by bin, then case by case."""
    pooled = ranking.pooled
    main = pooled[pooled.part == ALL]
    named = [
        NamedTable(
            "Flow in the vessels",
            "Pixels inside the true vessels, without overlaps and without pixels whose blood leaves the frame.",
            main[[c for c in MAIN_COLUMNS if c in main]].rename(columns=MAIN_COLUMNS),
        )
    ]
    named += [
        NamedTable(f"By displacement and width: {title}", "", _by_part(pooled, figure))
        for figure, title in _BINNED.items()
    ]
    if "spearman" in pooled:
        named.append(_uncertainty_table(pooled))
    named.append(
        NamedTable(
            "EPE case by case",
            "",
            ranking.by_case.pivot(index="method", columns="case", values="epe")
            .reindex(index=_order(pooled), columns=list(ranking.by_case["case"].unique()))
            .dropna(how="all")
            .reset_index(),
        )
    )
    return named


def _by_part(pooled: pd.DataFrame, figure: str) -> pd.DataFrame:
    """Return one figure, a row per method and a column per part of the pixels that has any."""
    parts = [p for p in pooled.part.unique() if p.split()[0] in _PARTS or p in _APART]
    table = pooled.pivot(index="method", columns="part", values=figure).reindex(index=_order(pooled), columns=parts)
    table = table.dropna(how="all").dropna(how="all", axis=1)
    units = {p: f"{p} px" if p.split()[0] in _PARTS else p for p in parts}
    return table.rename(columns=units).reset_index()


def _uncertainty_table(pooled: pd.DataFrame) -> NamedTable:
    """Arrange how far stated uncertainties can be believed."""
    stated = pooled[(pooled.part == ALL) & pooled.spearman.notna()]
    table = stated[["method", *_UNCERTAINTY, "answered"]].rename(columns=_UNCERTAINTY)
    past = pooled[pooled.part == "past aliasing"].set_index("method")
    table["AUROC past aliasing"] = table.method.map(past.auroc if "auroc" in past else {})
    return NamedTable(
        "Uncertainty",
        "Rank correlation of the stated scale with the true error, share of flow components in their 90 % interval, "
        "share of the vessels' pixels that are answered, and how well the scale tells gross errors "
        "(over 3 px and 20 %) past the aliasing limit.",
        table.rename(columns={"answered": "answered %"}),
    )


def vessel_tables(scores: Mapping[str, pd.DataFrame]) -> list[NamedTable]:
    """Arrange what the scores `MASKS`, `VELOCITIES`, `PULSE_AND_FLUX` and `DRIFT` found."""
    recordings = [scores[name] for name in (VELOCITIES, PULSE_AND_FLUX) if name in scores]
    tables = [
        _mask_table(scores[MASKS]),
        _velocity_table(scores[VELOCITIES]),
        _pulse_and_flux_table(pd.concat(recordings, ignore_index=True)),
    ]
    return [*tables, _drift_table(scores[DRIFT])] if len(scores[DRIFT]) else tables


def _mask_table(masks: pd.DataFrame) -> NamedTable:
    """Arrange the mask scores of `score_masks`: mean and median over vessels after each number of clicks."""
    groups = masks.groupby("clicks")
    table = pd.DataFrame(
        {
            "IoU": groups.iou.mean(),
            "IoU median": groups.iou.median(),
            "boundary F": groups.boundary_f.mean(),
            "IoU of crossing vessels": masks[masks.crossing].groupby("clicks").iou.mean(),
            "vessels": groups.size(),
        }
    )
    return NamedTable("Masks", "After so many clicks per vessel in the first frame.", table.reset_index())


def _velocity_table(velocities: pd.DataFrame) -> NamedTable:
    """Arrange the vessel velocities of `score_velocities`: by grade."""
    moving = velocities[velocities.true.abs() >= STILL_PX].copy()
    moving["error"] = relative_errors(moving.measured.to_numpy(), moving.true.to_numpy())
    moving["kymograph_error"] = relative_errors(moving.kymograph.to_numpy(), moving.true.to_numpy())
    groups = {"all": moving} | {grade: moving[moving.grade == grade] for grade in GRADES}
    rows = [{"grade": name} | _velocity_figures(part) for name, part in groups.items() if len(part)]
    return NamedTable(
        "Velocity per vessel, the whole program",
        "From clicks to the mean velocity of the recording, as `sam2flow run` measures it; vessels by the grade "
        "they are given. Correlation with the true velocity over time where the true pulse is over 15 %.",
        pd.DataFrame(rows),
    )


def _velocity_figures(part: pd.DataFrame) -> dict[str, float]:
    given = part[part.low.notna()]
    inside = (given.low <= given.true) & (given.true <= given.high)
    width = (part.width_px - part.true_width_px).abs()
    return {
        "vessels": len(part),
        "error %, median": part.error.median(),
        "90th percentile": part.error.quantile(0.9),
        "largest": part.error.max(),
        "95 % interval holds %": 100 * inside.mean(),
        "kymograph error %, median": part.kymograph_error.median(),
        "correlation over time": part.correlation[part.pulsatility > 0.15].median(),
        "diameter error px, median": width.median(),
    }


def _pulse_and_flux_table(velocities: pd.DataFrame) -> NamedTable:
    """Arrange how well the pulse and the flux of cells are measured."""
    return NamedTable(
        "Heartbeat and cells",
        "Against the peak in the spectrum of the true velocity, and the cells that truly pass; where the cells of a "
        "vessel cannot be told apart no number is given.",
        pulse_and_flux(velocities),
    )


def _drift_table(drift: pd.DataFrame) -> NamedTable:
    """Arrange the errors at the beginning and at the end of long cases."""
    table = drift.assign(ratio=drift.epe_last / drift.epe_first)
    names = {
        "epe_first": "EPE, first sixth",
        "epe_last": "EPE, last sixth",
        "ratio": "last / first",
        "iou_first": "mask IoU, first frame",
        "iou_last": "last frame",
    }
    return NamedTable("Drift over long recordings", "Pixels inside the masks.", table.rename(columns=names))


def _order(pooled: pd.DataFrame) -> list[str]:
    return list(pooled.method.unique())
