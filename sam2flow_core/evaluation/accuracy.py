"""``sam2flow evaluate``: the accuracy of a model, beside the methods users have today."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.evaluation.ablations import ABLATIONS, MASK_ABLATIONS, Ablation
from sam2flow_core.evaluation.benchmark import Report, Standings, run_benchmark, run_survey
from sam2flow_core.evaluation.cache import kept_results
from sam2flow_core.evaluation.data import LazyCase, find_cases, find_vitals
from sam2flow_core.evaluation.document import write_section
from sam2flow_core.evaluation.drift import judge_drift
from sam2flow_core.evaluation.entrants import Entrant, Survey, flow_entrant, peer_entrants
from sam2flow_core.evaluation.masks import judge_masks, judge_recalled
from sam2flow_core.evaluation.ours import OurFlow
from sam2flow_core.evaluation.records import Case
from sam2flow_core.evaluation.shown import true_masks
from sam2flow_core.evaluation.tables import (
    DRIFT,
    MASKS,
    VELOCITIES,
    VITALS,
    NamedTable,
    ablation_table,
    as_markdown,
    as_text,
    flow_tables,
    mask_ablation_table,
    vessel_tables,
)
from sam2flow_core.evaluation.velocities import COLUMNS, judge_velocities
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.spreadsheets import write_csv

TRUE_MASKS = "SAM2Flow, true masks"


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation.

    Attributes
    ----------
    standings : Standings
        All figures of the flow.
    tables : tuple of NamedTable
        What people read.
    """

    standings: Standings
    tables: tuple[NamedTable, ...]

    def text(self) -> str:
        """Return the tables for a terminal."""
        return as_text(list(self.tables))

    def write_csv(self, path: Path) -> None:
        """Write every figure: one row per method, case (``all`` for all of them) and part of the pixels.

        What was judged vessel by vessel goes beside it, as ``NAME_velocities.csv`` and ``NAME_masks.csv``.
        """
        pooled = self.standings.pooled.assign(case="all")
        write_csv(path, pd.concat([pooled, self.standings.by_case], ignore_index=True))
        for name, table in self.standings.surveys.items():
            write_csv(path.with_name(f"{path.stem}_{name}.csv"), table)


def evaluate(
    model: str | None = "tiny",
    data: str = "synthetic:bench-v1",
    peers: bool = False,
    device: str = "auto",
    csv: Path | None = None,
    document: Path | None = None,
    cache: Path | None = None,
    report: Report = lambda line: None,
    settings: EvaluationSettings | None = None,
    only: Sequence[str] = (),
) -> Evaluation:
    """Measure a model against the truth.

    Parameters
    ----------
    model : str or None
        ``tiny`` or the path of a weights file; None measures the peers alone.
    data : str
        ``synthetic:bench-v1`` or a folder written by ``sam2flow synth``.
    peers : bool
        Put the classical methods into the same tables, on the same pairs.
    device : str
        auto, cpu, cuda or mps.
    csv : Path, optional
        All figures go there, those of single vessels beside it.
    document : Path, optional
        The section Accuracy of this Markdown file is written.
    cache : Path, optional
        Folder in which results are kept, so that a further run does only what is new.
    report : callable
        Told of the progress, a line at a time.
    settings : EvaluationSettings, optional
    only : sequence of str
        Names of the cases to use; all of them by default.

    Raises
    ------
    DataError
        If there are no such data, or the peers are not installed.
    ModelError
        If there is no such model or device.
    """
    settings = settings or EvaluationSettings()
    cases = find_cases(data, settings.clicks, only)
    entrants: list[Entrant] = list(peer_entrants(settings.background_frames)) if peers else []
    surveys: list[Survey] = []
    clicked = None
    if model is not None:
        predictor = SAM2FlowPredictor.from_pretrained(model, device)
        clicked = _enter(predictor, f"SAM2Flow, {settings.flow_clicks} clicks", settings.flow_clicks)
        entrants += [flow_entrant(clicked), flow_entrant(_enter(predictor, TRUE_MASKS, None))]
        surveys += _surveys(clicked, settings.boundary_tolerance_px)
    with kept_results(cache) as results:
        standings = run_benchmark(cases, entrants, surveys, settings, results, report)
        vitals = () if only else find_vitals(data, settings.clicks)
        if clicked is not None and vitals:
            standings.surveys[VITALS] = run_survey(vitals, _velocities(clicked), results, report)
    tables = flow_tables(standings)
    if clicked is not None:
        tables += vessel_tables(standings.surveys)
    result = Evaluation(standings, tuple(tables))
    if csv is not None:
        result.write_csv(csv)
    if document is not None:
        command = _command("evaluate", model, data, peers, only)
        write_section(document, "Accuracy", f"{_preface(command, cases, standings, clicked)}\n\n{as_markdown(tables)}")
    return result


def evaluate_ablations(
    model: str = "tiny",
    data: str = "synthetic:bench-v1",
    device: str = "auto",
    document: Path | None = None,
    cache: Path | None = None,
    report: Report = lambda line: None,
    ablations: Sequence[Ablation] = ABLATIONS,
    settings: EvaluationSettings | None = None,
    only: Sequence[str] = (),
    mask_ablations: Sequence[Ablation] = MASK_ABLATIONS,
) -> Evaluation:
    """Measure what each part of the model is worth: the same weights with one part left out at a time.

    Parameters and errors as those of `evaluate`. The flow is judged in the true masks, so that it alone is compared;
    the masks of ``mask_ablations`` after clicks, and as memory alone finds them again.
    """
    settings = settings or EvaluationSettings()
    cases = find_cases(data, settings.clicks, only)
    if not only:
        cases = tuple(case for case in cases if case.name in settings.ablation_cases) or cases
    entrants = [flow_entrant(_without(ablation, model, device)) for ablation in ablations]
    surveys = [_mask_survey(_without(ablation, model, device), settings) for ablation in mask_ablations]
    with kept_results(cache) as results:
        standings = run_benchmark(cases, entrants, surveys, settings, results, report)
    tables = [ablation_table(standings, ablations), mask_ablation_table(standings.surveys)]
    if document is not None:
        preface = _preface(_command("evaluate", model, data, False, only) + " --ablations", cases, standings, None)
        write_section(document, "Ablations", f"{preface}\n\n{as_markdown(tables)}")
    return Evaluation(standings, tuple(tables))


def _enter(
    predictor: SAM2FlowPredictor, name: str, clicks: int | None, changed: Sequence[Mapping[str, Any]] = ()
) -> OurFlow:
    fingerprint = f"{predictor.description['sha256']} {predictor.settings} {clicks} {[dict(c) for c in changed if c]}"
    return OurFlow(name, fingerprint, predictor, clicks)


def _without(ablation: Ablation, model: str, device: str) -> OurFlow:
    """Enter the model with a part left out, shown what the ablation shows."""
    inference = replace(InferenceSettings(), **ablation.inference)
    predictor = SAM2FlowPredictor.from_pretrained(model, device, inference, dict(ablation.model))
    entered = _enter(predictor, ablation.name, None, (ablation.model, ablation.inference))
    if ablation.regions is true_masks:
        return entered
    return replace(entered, fingerprint=f"{entered.fingerprint} {ablation.regions.__name__}", regions=ablation.regions)


def _mask_survey(flow: OurFlow, settings: EvaluationSettings) -> Survey:
    def judge(case: Case) -> pd.DataFrame:
        clicked = judge_masks(flow.predictor, case, settings.boundary_tolerance_px)
        return pd.concat([clicked, judge_recalled(flow.predictor, case, settings.flow_clicks)])

    return Survey(flow.name, f"masks {flow.fingerprint}", judge)


def _surveys(clicked: OurFlow, tolerance_px: float) -> list[Survey]:
    """What is judged vessel by vessel, or over a whole recording, while its flow is at hand."""
    return [
        _velocities(clicked),
        Survey(MASKS, clicked.fingerprint, lambda case: judge_masks(clicked.predictor, case, tolerance_px)),
        Survey(DRIFT, clicked.fingerprint, lambda case: judge_drift(clicked, case)),
    ]


def _velocities(clicked: OurFlow) -> Survey:
    # With the columns, so that tables kept by an earlier version are not taken for these.
    return Survey(
        VELOCITIES, f"{clicked.fingerprint} {' '.join(COLUMNS)}", lambda case: judge_velocities(clicked, case)
    )


def _command(name: str, model: str | None, data: str, peers: bool, only: Sequence[str]) -> str:
    source = data if data.startswith("synthetic:") else Path(data).name
    parts = ["sam2flow", name, *(["--model", Path(model).name] if model else []), "--data", source]
    return " ".join(parts + (["--peers"] if peers else []) + (["--cases", ",".join(only)] if only else []))


def _preface(command: str, cases: Sequence[LazyCase], standings: Standings, ours: OurFlow | None) -> str:
    lines = [
        f"Made by `{command}` on {platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        f"{len(cases)} cases, {standings.pairs} pairs of frames, the same for every method, spread over each case.",
        "Two-frame methods are given the frames with the true tissue motion and the static background taken out;",
        "SAM2Flow gets the recorded frames and finds both itself.",
        "Pixels that SAM2Flow's masks leave out count as no motion.",
    ]
    if ours is not None:
        lines.append(f"Weights: SHA-256 `{ours.predictor.description['sha256'][:16]}`.")
    about = "\n".join(f"* `{case.name}`: {case.about}" for case in cases if case.about)
    return f"{' '.join(lines)}\n\n{about}".strip()
