"""``sam2flow evaluate``: the accuracy of a model, beside the methods users have today."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.evaluation.benchmark import Ranking, Report, Score, kept_results, run_benchmark, run_score
from sam2flow_core.evaluation.benchmark_tables import (
    DRIFT,
    MASKS,
    PULSE_AND_FLUX,
    VELOCITIES,
    flow_tables,
    vessel_tables,
)
from sam2flow_core.evaluation.case_sources import LazyCase, find_cases, find_pulse_cases
from sam2flow_core.evaluation.document import NamedTable, as_markdown, as_text, write_section
from sam2flow_core.evaluation.methods import Method, flow_method, peer_methods
from sam2flow_core.evaluation.sam2flow_method import SAM2FlowMethod
from sam2flow_core.evaluation.vessel_scores import VELOCITY_COLUMNS, score_drift, score_masks, score_velocities
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.spreadsheets import write_csv

_TRUE_MASKS = "SAM2Flow, true masks"


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation.

    Attributes
    ----------
    ranking : Ranking
        All figures of the flow.
    tables : tuple of NamedTable
        What people read.
    """

    ranking: Ranking
    tables: tuple[NamedTable, ...]

    def text(self) -> str:
        """Return the tables for a terminal."""
        return as_text(list(self.tables))

    def write_csv(self, path: Path) -> None:
        """Write every figure: one row per method, case (``all`` for all of them) and part of the pixels.

        What was measured vessel by vessel or recording by recording goes beside it: ``NAME_velocities.csv``,
        ``NAME_masks.csv``, ``NAME_drift.csv``, ``NAME_pulse_and_flux.csv``.
        """
        pooled = self.ranking.pooled.assign(case="all")
        write_csv(path, pd.concat([pooled, self.ranking.by_case], ignore_index=True))
        for name, table in self.ranking.scores.items():
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
        ``synthetic:bench-v1``, ``synthetic:bench-obm`` or a folder written by ``sam2flow synth``.
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
    methods: list[Method] = list(peer_methods(settings.background_frames)) if peers else []
    scores: list[Score] = []
    clicked = None
    if model is not None:
        predictor = SAM2FlowPredictor.from_pretrained(model, device)
        clicked = SAM2FlowMethod.enter(predictor, f"SAM2Flow, {settings.flow_clicks} clicks", settings.flow_clicks)
        methods += [flow_method(clicked), flow_method(SAM2FlowMethod.enter(predictor, _TRUE_MASKS))]
        scores += _scores(clicked, settings.boundary_tolerance_px)
    with kept_results(cache) as results:
        ranking = run_benchmark(cases, methods, scores, settings, results, report)
        long_cases = () if only else find_pulse_cases(data, settings.clicks)
        if clicked is not None and long_cases:
            measured = run_score(long_cases, _velocity_score(clicked), results, report)
            ranking = replace(ranking, scores={**ranking.scores, PULSE_AND_FLUX: measured})
    tables = flow_tables(ranking)
    if clicked is not None:
        tables += vessel_tables(ranking.scores)
    result = Evaluation(ranking, tuple(tables))
    if csv is not None:
        result.write_csv(csv)
    if document is not None:
        command = evaluate_command(model, data, peers, only)
        write_section(document, "Accuracy", f"{preface(command, cases, ranking, clicked)}\n\n{as_markdown(tables)}")
    return result


def _scores(clicked: SAM2FlowMethod, tolerance_px: float) -> list[Score]:
    """What is measured vessel by vessel, or over a whole recording, while its flow is at hand."""
    return [
        _velocity_score(clicked),
        Score(MASKS, clicked.fingerprint, lambda case: score_masks(clicked.predictor, case, tolerance_px)),
        Score(DRIFT, clicked.fingerprint, lambda case: score_drift(clicked, case)),
    ]


def _velocity_score(clicked: SAM2FlowMethod) -> Score:
    # With the columns, so that tables kept by an earlier version are not taken for these.
    return Score(
        VELOCITIES, f"{clicked.fingerprint} {' '.join(VELOCITY_COLUMNS)}", lambda case: score_velocities(clicked, case)
    )


def evaluate_command(model: str | None, data: str, peers: bool, only: Sequence[str]) -> str:
    """Return the command that made a table, without the folders of this machine."""
    source = data if data.startswith("synthetic:") else Path(data).name
    parts = ["sam2flow evaluate", *(["--model", Path(model).name] if model else []), "--data", source]
    return " ".join(parts + (["--peers"] if peers else []) + (["--cases", ",".join(only)] if only else []))


def preface(command: str, cases: Sequence[LazyCase], ranking: Ranking, clicked: SAM2FlowMethod | None) -> str:
    """Return what a section begins with: how and on what its tables were made."""
    lines = [
        f"Made by `{command}` on {platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        f"{len(cases)} cases, {ranking.pairs} pairs of frames, the same for every method, spread over each case.",
        "Two-frame methods are given the frames with the true tissue motion and the static background taken out;",
        "SAM2Flow gets the recorded frames and finds both itself.",
        "Pixels that SAM2Flow's masks leave out count as no motion, and so do pairs that it does not answer because a",
        "frame was lost or repeated.",
    ]
    if clicked is not None:
        lines.append(f"Weights: SHA-256 `{clicked.predictor.description['sha256'][:16]}`.")
    about = "\n".join(f"* `{case.name}`: {case.about}" for case in cases if case.about)
    return f"{' '.join(lines)}\n\n{about}".strip()
