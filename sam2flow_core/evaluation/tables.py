"""The tables people read: the figures of `Standings` arranged, for the screen and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from sam2flow_core.evaluation.ablations import Ablation
from sam2flow_core.evaluation.benchmark import Standings
from sam2flow_core.evaluation.document import markdown_table
from sam2flow_core.evaluation.figures import ALL, STILL_PX
from sam2flow_core.evaluation.metrics import relative_errors
from sam2flow_core.evaluation.vitals import vitals_figures
from sam2flow_core.velocity import GRADES

MAIN = {
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
MASKS, VELOCITIES, DRIFT, VITALS = "masks", "velocities", "drift", "vitals"
PARTS = ("displacement", "width")
APART = ("overlap", "leaves", "past aliasing")
BINNED = {
    "epe": "EPE, px",
    "out1": "over 1 px, %",
    "out3": "over 3 px, %",
    "out5": "over 5 px, %",
    "fl_all": "Fl-all, %",
    "direction": "direction error, degrees",
}
UNCERTAINTY = {"spearman": "Spearman", "coverage90": "90 % interval holds %"}

_PARTS_NOTE = (
    "Same weights, true masks. Without prompts: the whole frame is one region, and nothing says where vessels are and "
    "how they run. Without ROI guidance: what is no vessel is looked up as well, as one more region. Motion memory of "
    "N frames: only so many of those before are read, and the first. Evidence of 5 pairs: the longest of the windows "
    "over which it is pooled is cut to the second."
)
_MASK_PARTS_NOTE = (
    "Same weights; mean over vessels, clicks in the first frame. By memory alone: the clicked vessels found again in "
    "the last frame, without any click there; a run keeps the masks of its prompts instead."
)


@dataclass(frozen=True)
class NamedTable:
    """A table with its heading and a sentence on how to read it."""

    title: str
    note: str
    table: pd.DataFrame


def flow_tables(standings: Standings) -> list[NamedTable]:
    """Arrange the figures of the flow: all pixels, then bin by bin, then case by case."""
    pooled = standings.pooled
    main = pooled[pooled.part == ALL]
    named = [
        NamedTable(
            "Flow in the vessels",
            "Pixels inside the true vessels, without overlaps and without pixels whose blood leaves the frame.",
            main[[c for c in MAIN if c in main]].rename(columns=MAIN),
        )
    ]
    named += [
        NamedTable(f"By displacement and width: {title}", "", by_part(pooled, figure))
        for figure, title in BINNED.items()
    ]
    if "spearman" in pooled:
        named.append(uncertainty_table(pooled))
    named.append(
        NamedTable(
            "EPE case by case",
            "",
            standings.by_case.pivot(index="method", columns="case", values="epe")
            .reindex(index=_order(pooled), columns=list(standings.by_case["case"].unique()))
            .dropna(how="all")
            .reset_index(),
        )
    )
    return named


def by_part(pooled: pd.DataFrame, figure: str) -> pd.DataFrame:
    """Return one figure, a row per method and a column per part of the pixels that has any."""
    parts = [p for p in pooled.part.unique() if p.split()[0] in PARTS or p in APART]
    table = pooled.pivot(index="method", columns="part", values=figure).reindex(index=_order(pooled), columns=parts)
    table = table.dropna(how="all").dropna(how="all", axis=1)
    units = {p: f"{p} px" if p.split()[0] in PARTS else p for p in parts}
    return table.rename(columns=units).reset_index()


def uncertainty_table(pooled: pd.DataFrame) -> NamedTable:
    """Arrange how far stated uncertainties can be believed."""
    stated = pooled[(pooled.part == ALL) & pooled.spearman.notna()]
    table = stated[["method", *UNCERTAINTY, "answered"]].rename(columns=UNCERTAINTY)
    past = pooled[pooled.part == "past aliasing"].set_index("method")
    table["AUROC past aliasing"] = table.method.map(past.auroc if "auroc" in past else {})
    return NamedTable(
        "Uncertainty",
        "Rank correlation of the stated scale with the true error, share of flow components in their 90 % interval, "
        "share of the vessels' pixels that are answered, and how well the scale tells gross errors "
        "(over 3 px and 20 %) past the aliasing limit.",
        table.rename(columns={"answered": "answered %"}),
    )


def vessel_tables(surveys: Mapping[str, pd.DataFrame]) -> list[NamedTable]:
    """Arrange what the surveys `MASKS`, `VELOCITIES`, `VITALS` and `DRIFT` found."""
    recordings = [surveys[name] for name in (VELOCITIES, VITALS) if name in surveys]
    tables = [
        mask_table(surveys[MASKS]),
        velocity_table(surveys[VELOCITIES]),
        vitals_table(pd.concat(recordings, ignore_index=True)),
    ]
    return [*tables, drift_table(surveys[DRIFT])] if len(surveys[DRIFT]) else tables


def vitals_table(velocities: pd.DataFrame) -> NamedTable:
    """Arrange how well heartbeat and cells are counted."""
    return NamedTable(
        "Heartbeat and cells",
        "Against the peak in the spectrum of the true velocity, and the cells that truly pass; where the cells of a "
        "vessel cannot be told apart no number is given.",
        vitals_figures(velocities),
    )


def drift_table(drift: pd.DataFrame) -> NamedTable:
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


def mask_table(masks: pd.DataFrame) -> NamedTable:
    """Arrange the mask scores of `judge_masks`: mean and median over vessels after each number of clicks."""
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


def velocity_table(velocities: pd.DataFrame) -> NamedTable:
    """Arrange the vessel velocities of `judge_velocities`: by grade."""
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
    inside = (part.low <= part.true) & (part.true <= part.high)
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


def ablation_table(standings: Standings, ablations: Sequence[Ablation]) -> NamedTable:
    """Arrange the figures by which ablations are compared."""
    pooled = standings.pooled
    table = pooled[pooled.part == ALL].set_index("method").reindex([a.name for a in ablations])
    past = pooled[pooled.part == "past aliasing"].set_index("method")
    columns = {k: v for k, v in MAIN.items() if k != "method" and k not in ("out5", "fl_all")}
    table = table[list(columns)].rename(columns=columns)
    table.insert(1, "EPE past aliasing", past.epe)
    for case in ("defocus", "dropouts"):
        of_case = standings.by_case[standings.by_case["case"] == case].set_index("method")
        if len(of_case):
            table[f"EPE {case}"] = of_case.epe
            table[f"jitter {case}"] = of_case.jitter
    return NamedTable("What each part is worth", _PARTS_NOTE, table.rename_axis("row").reset_index())


def mask_ablation_table(masks: Mapping[str, pd.DataFrame]) -> NamedTable:
    """Arrange the masks of `judge_masks` and `judge_recalled` of each ablation, by its name."""
    rows = []
    for name, table in masks.items():
        ious = table.groupby("clicks").iou.mean()
        clicked = {f"IoU after {n} click{'s' * (n > 1)}": ious[n] for n in ious.index if n}
        rows.append(
            {"row": name} | clicked | {"by memory alone": ious[0], "vessels": table.vessel_id[table.clicks == 0].size}
        )
    return NamedTable("What each part is worth to the masks", _MASK_PARTS_NOTE, pd.DataFrame(rows))


def as_markdown(tables: list[NamedTable]) -> str:
    """Return the tables below each other, each with its heading of the third level."""
    parts = []
    for named in tables:
        note = f"{named.note}\n\n" if named.note else ""
        parts.append(f"### {named.title}\n\n{note}{markdown_table(named.table, {'CPU s / pair': 3, 's / pair': 3})}")
    return "\n\n".join(parts)


def as_text(tables: list[NamedTable]) -> str:
    """Return the tables as they are printed on a terminal."""
    parts = []
    for named in tables:
        rows = named.table.to_string(index=False, na_rep="–", float_format=lambda v: f"{v:.2f}")
        parts.append(f"{named.title}\n{rows}")
    return "\n\n".join(parts)


def _order(pooled: pd.DataFrame) -> list[str]:
    return list(pooled.method.unique())
