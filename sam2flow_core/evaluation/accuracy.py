"""``sam2flow evaluate``: the accuracy of a model beside the methods users have today, and with its parts left out."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.config.inference import InferenceSettings, PairSettings
from sam2flow_core.config.model import ModelConfig
from sam2flow_core.config.tracing import StripMotionSettings, TracingSettings
from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.evaluation.benchmark import Ranking, Report, Score, kept_results, run_benchmark, run_score
from sam2flow_core.evaluation.benchmark_tables import (
    DRIFT,
    MAIN_COLUMNS,
    MASKS,
    PULSE_AND_FLUX,
    VELOCITIES,
    NamedTable,
    as_markdown,
    as_text,
    flow_tables,
    vessel_tables,
    write_section,
)
from sam2flow_core.evaluation.case_sources import LazyCase, find_cases, find_pulse_cases
from sam2flow_core.evaluation.cases import Case
from sam2flow_core.evaluation.flow_comparison import ALL
from sam2flow_core.evaluation.methods import Method, flow_method, peer_methods
from sam2flow_core.evaluation.sam2flow_method import (
    NOTHING_PROMPTED,
    TRUE_MASKS,
    PromptedRegions,
    SAM2FlowMethod,
)
from sam2flow_core.evaluation.vessel_scores import (
    VELOCITY_COLUMNS,
    score_drift,
    score_masks,
    score_memory_masks,
    score_velocities,
)
from sam2flow_core.files import make_parent
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.spreadsheets import write_csv

_PARTS_NOTE = (
    "Same weights, true masks. Without prompts: the whole frame is one region, and nothing says where vessels are and "
    "how they run. Cost volume over 5 pairs: the longest of the windows over which it is pooled is cut to the second."
)
_MASK_PARTS_NOTE = (
    "Same weights; mean over vessels, clicks in the first frame. Without motion at the click: strips say nothing of "
    "where things move as they do there. By memory alone: the clicked vessels found again in "
    "the last frame, without any click there; a run keeps the masks of its prompts instead."
)
_TRUE_MASKS = "SAM2Flow, true masks"


@dataclass(frozen=True)
class Ablation:
    """One row of the ablation table.

    Attributes
    ----------
    name : str
    model : mapping
        Fields of the model's configuration that are changed (dotted for its parts).
    inference : mapping
        Fields of `InferenceSettings` that are changed.
    regions : PromptedRegions
        What is prompted where the flow is judged.
    """

    name: str
    model: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)
    regions: PromptedRegions = TRUE_MASKS


_SHIPPED = Ablation("as shipped")


ABLATIONS = (
    _SHIPPED,
    Ablation("causal: past frames only", inference={"causal": True}),
    Ablation("without prompts", regions=NOTHING_PROMPTED),
    Ablation("without adapters", {"image.use_adapters": False}),
    Ablation("without motion memory", {"use_motion_memory": False}),
    Ablation("motion memory of 1 frame", {"update.motion_memory_reach": 1}),
    Ablation("motion memory of 3 frames", {"update.motion_memory_reach": 3}),
    Ablation("without pooling of the cost volume over frames", {"use_cost_volume_pooling": False}),
    Ablation("cost volume pooled over 5 pairs at most", {"match.windows": (1, 5, 5)}),
    Ablation("without weights by contrast", {"use_contrast": False}),
    Ablation("without the whole vessel", {"use_whole_vessel": False}),
    Ablation("without either memory of motion", {"use_motion_memory": False, "use_cost_volume_pooling": False}),
    Ablation("1 iteration", inference={"pair": PairSettings(updates=1)}),
    Ablation("2 iterations", inference={"pair": PairSettings(updates=2)}),
    Ablation("3 iterations", inference={"pair": PairSettings(updates=3)}),
    Ablation("cost volume at every cell", inference={"pair": PairSettings(wide=2.0, chessboard=False)}),
)


_STILL_STRIPS = replace(TracingSettings(), motion=StripMotionSettings(pairs=0))
# What the masks depend on; the flow is judged in true masks, where neither has a say.
MASK_ABLATIONS = (
    _SHIPPED,
    Ablation("without motion at the click", inference={"tracing": _STILL_STRIPS}),
    Ablation("without context memory", {"use_context_memory": False}),
)


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
    the masks of ``mask_ablations`` after clicks, and as memory alone finds them again. What the weights do not have is
    not left out either.
    """
    settings = settings or EvaluationSettings()
    cases = find_cases(data, settings.clicks, only)
    if not only:
        cases = tuple(case for case in cases if case.name in settings.ablation_cases) or cases
    shipped = SAM2FlowPredictor.from_pretrained(model, device).model.config
    ablations = [a for a in ablations if _has(shipped, a)]
    methods = [flow_method(_without(ablation, model, device)) for ablation in ablations]
    scores = [_mask_score(_without(ablation, model, device), settings) for ablation in mask_ablations]
    with kept_results(cache) as results:
        ranking = run_benchmark(cases, methods, scores, settings, results, report)
    tables = [_ablation_table(ranking, ablations), _mask_ablation_table(ranking.scores)]
    if document is not None:
        command = f"{evaluate_command(model, data, False, only)} --ablations"
        text = f"{preface(command, cases, ranking, None)}\n\n{as_markdown(tables)}"
        write_section(document, "Ablations", text)
    return Evaluation(ranking, tuple(tables))


def _has(shipped: ModelConfig, ablation: Ablation) -> bool:
    """Whether there is what the ablation leaves out, and leaving it out changes something."""
    there = {
        "use_whole_vessel": shipped.match.whole_vessel,
        "use_motion_memory": shipped.update.motion_memory_frames > 0,
        "update.motion_memory_reach": shipped.update.motion_memory_frames > 0,
    }
    as_asked = PairSettings(updates=shipped.update.asked_iterations or shipped.update.iterations)
    return ablation.inference.get("pair") != as_asked and all(there.get(name, True) for name in ablation.model)


def _ablation_table(ranking: Ranking, ablations: Sequence[Ablation]) -> NamedTable:
    """Arrange the figures by which ablations are compared."""
    pooled = ranking.pooled
    table = pooled[pooled.part == ALL].set_index("method").reindex([a.name for a in ablations])
    past = pooled[pooled.part == "past aliasing"].set_index("method")
    columns = {k: v for k, v in MAIN_COLUMNS.items() if k != "method" and k not in ("out5", "fl_all")}
    table = table[list(columns)].rename(columns=columns)
    table.insert(1, "EPE past aliasing", past.epe)
    for case in ("defocus", "dropouts"):
        of_case = ranking.by_case[ranking.by_case["case"] == case].set_index("method")
        if len(of_case):
            table[f"EPE {case}"] = of_case.epe
            table[f"jitter {case}"] = of_case.jitter
    return NamedTable("What each part is worth", _PARTS_NOTE, table.rename_axis("row").reset_index())


def _mask_ablation_table(masks: Mapping[str, pd.DataFrame]) -> NamedTable:
    """Arrange the masks of `score_masks` and `score_memory_masks` of each ablation, by its name."""
    rows = []
    for name, table in masks.items():
        ious = table.groupby("clicks").iou.mean()
        clicked = {f"IoU after {n} click{'s' * (n > 1)}": ious[n] for n in ious.index if n}
        rows.append(
            {"row": name} | clicked | {"by memory alone": ious[0], "vessels": table.vessel_id[table.clicks == 0].size}
        )
    return NamedTable("What each part is worth to the masks", _MASK_PARTS_NOTE, pd.DataFrame(rows))


def _without(ablation: Ablation, model: str, device: str) -> SAM2FlowMethod:
    """Let the model take part with a part of it left out, prompted as the ablation says."""
    inference = replace(InferenceSettings(), **ablation.inference)
    predictor = SAM2FlowPredictor.from_pretrained(model, device, inference, dict(ablation.model))
    changed = (ablation.model, ablation.inference)
    return SAM2FlowMethod.enter(predictor, ablation.name, regions=ablation.regions, changed=changed)


def _mask_score(flow: SAM2FlowMethod, settings: EvaluationSettings) -> Score:
    def measure(case: Case) -> pd.DataFrame:
        clicked = score_masks(flow.predictor, case, settings.boundary_tolerance_px)
        return pd.concat([clicked, score_memory_masks(flow.predictor, case, settings.flow_clicks)])

    return Score(flow.name, f"masks {flow.fingerprint}", measure)


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
        make_parent(path)
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
    # With columns and settings, so that what was kept by an earlier version or with other grades is not taken for this.
    how = f"{clicked.fingerprint} {VelocitySettings()} {' '.join(VELOCITY_COLUMNS)}"
    return Score(VELOCITIES, how, lambda case: score_velocities(clicked, case))


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
