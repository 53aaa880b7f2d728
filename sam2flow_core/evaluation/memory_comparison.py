"""``sam2flow evaluate --memory-designs``: designs of memory beside each other, trained alike, on long recordings."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.config.evaluation import EvaluationSettings, MemorySettings
from sam2flow_core.config.model import MemoryConfig
from sam2flow_core.errors import ModelError, require_extra
from sam2flow_core.evaluation.benchmark import Report, ResultCache, kept_results
from sam2flow_core.evaluation.benchmark_tables import NamedTable, as_markdown, as_text, replace_section
from sam2flow_core.evaluation.case_sources import LazyCase, find_cases
from sam2flow_core.evaluation.cases import Case, out_of_frame, without_motion
from sam2flow_core.evaluation.metrics import endpoint_error, mask_iou
from sam2flow_core.files import write_bytes
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.inference.dense import to_recorded
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.object_track import ObjectTrack
from sam2flow_core.model.memory_designs import MEMORY_DESIGNS
from sam2flow_core.model.sam2flow import count_weights
from sam2flow_core.stack import open_stack

Masks = list[NDArray[np.bool_]]
"""Masks (V, Y, X) of each frame."""
_WHOLE = ("epe", "megabytes", "seconds")
SECTION = "Comparison"
_SAME = "the same weights"
"""Memory by matching has no weights of a design's own."""


@dataclass(frozen=True)
class TrackingScore:
    """How one memory did on one case.

    Attributes
    ----------
    ious : DataFrame
        ``case, vessel_id, frame, moving, iou``: every vessel in every frame but the first, where the tissue is in the
        picture; ``moving``: in the frames as recorded, not with the tissue's motion taken out.
    epe : float
        Of the flow in the masks found without tissue motion, px.
    megabytes : float
        Held for one vessel at the end.
    seconds : float
        Processor time of a frame, all vessels.
    """

    ious: pd.DataFrame
    epe: float
    megabytes: float
    seconds: float

    def as_table(self) -> pd.DataFrame:
        """One table, for a cache."""
        return self.ious.assign(**{name: getattr(self, name) for name in _WHOLE})

    @staticmethod
    def from_table(table: pd.DataFrame | None) -> TrackingScore | None:
        """Inverse of `as_table`."""
        if table is None:
            return None
        return TrackingScore(table.drop(columns=list(_WHOLE)), *(float(table[name].iloc[0]) for name in _WHOLE))


def score_tracking(predictor: SAM2FlowPredictor, case: Case, flow_frames: int) -> TrackingScore:
    """Track the vessels of a case, with and without the tissue's motion, and measure the flow in the masks found.

    Parameters
    ----------
    predictor : SAM2FlowPredictor
    case : Case
    flow_frames : int
        Frames, spread over the case, at which the flow is measured.
    """
    still = without_motion(case)
    masks, seconds, megabytes = _track_by_memory(predictor, still)
    moving, _, _ = _track_by_memory(predictor, case)
    ious = pd.concat([compare_masks(masks, still, False), compare_masks(moving, case, True)], ignore_index=True)
    return TrackingScore(ious, _flow_error(predictor, masks, still, flow_frames), megabytes, seconds)


def score_standing_still(predictor: SAM2FlowPredictor, case: Case, flow_frames: int) -> TrackingScore:
    """Judge what needs no memory: the mask given in the first frame, left where it is."""
    still = without_motion(case)
    masks = [np.stack([vessel.mask for vessel in case.vessels])] * len(case.video)
    ious = pd.concat([compare_masks(masks, still, False), compare_masks(masks, case, True)], ignore_index=True)
    return TrackingScore(ious, _flow_error(predictor, masks, still, flow_frames), 0.0, 0.0)


def _track_by_memory(predictor: SAM2FlowPredictor, case: Case) -> tuple[Masks, float, float]:
    """Give the true masks of the first frame, and find those of the others by memory.

    Returns
    -------
    masks : Masks
    seconds : float
        Processor time of a frame.
    megabytes : float
        Held for one vessel at the end, mean over vessels.
    """
    config, settings = predictor.model.config.mask, predictor.settings
    # SAM 2 keeps all frames; no more are kept here than its memory can look back on.
    bounded = replace(settings.sam2, remembered_frames=max(config.memory_frames, config.max_pointers))
    tracker = SAM2MaskPredictor(predictor.model, predictor.device, {}, replace(settings, sam2=bounded))
    state = tracker.init_state(open_stack(case.video))
    for vessel in case.vessels:
        tracker.add_new_mask(state, 0, vessel.vessel_id, vessel.mask)
    began = time.process_time()
    masks = [(logits[:, 0] > 0).cpu().numpy() for _, _, logits in tracker.propagate_in_video(state)]
    seconds = (time.process_time() - began) / len(masks)
    return masks, seconds, float(np.mean([_held_bytes(track) for track in state.tracks.values()])) / 1e6


def _held_bytes(track: ObjectTrack) -> int:
    """Bytes of the memories and pointers that are kept of an object."""
    if track.bank is not None:
        tensors = [tensor for entry in track.bank.entries for tensor in (entry.tokens, entry.pointer)]
    else:
        answers = (*track.prompted.values(), *track.followed.values())
        tensors = [tensor for answer in answers for tensor in (answer.tokens, answer.pointer) if tensor is not None]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def compare_masks(masks: Masks, case: Case, moving: bool) -> pd.DataFrame:
    """Compare masks with the true ones, moved as the tissue is; columns as of `TrackingScore.ious`."""
    rows = []
    for frame in range(1, len(masks)):
        dy, dx = (round(float(d)) for d in case.shifts[frame])
        for vessel, mask in zip(case.vessels, masks[frame], strict=True):
            true = to_recorded(vessel.mask, dy, dx)
            if true.any():
                rows.append((case.name, vessel.vessel_id, frame, moving, mask_iou(mask, true)))
    return pd.DataFrame(rows, columns=["case", "vessel_id", "frame", "moving", "iou"])


def _flow_error(predictor: SAM2FlowPredictor, masks: Masks, case: Case, count: int) -> float:
    """EPE, px, of the flow in the masks found at ``count`` frames spread over a case without tissue motion.

    Pixels are those of the true vessels without overlaps and without blood that leaves the picture; what a mask leaves
    out counts as no motion.
    """
    state = predictor.init_state(open_stack(case.video), stabilise=False, pixel_size_um=case.pixel_size_um)
    errors = []
    for frame in np.unique(np.linspace(1, len(masks) - 2, count).round().astype(int)).tolist():
        predictor.reset_state(state)
        for vessel, mask in zip(case.vessels, masks[frame], strict=True):
            predictor.add_new_mask(state, frame, vessel.vessel_id, mask)
        step = next(predictor.propagate_in_video(state, frame, 0))
        assert step.flow is not None
        true, leaves = case.flow(frame)
        outside = out_of_frame(case, frame)
        for index, vessel in enumerate(case.vessels):
            clear = vessel.mask & ~(case.overlap | leaves[index] | outside)
            predicted = np.where(masks[frame][index], step.flow[index].numpy(), 0.0)
            errors.append(endpoint_error(predicted[:, clear].T, true[index][:, clear].T))
    return float(np.concatenate(errors).mean())


@dataclass(frozen=True)
class MemoryComparison:
    """The outcome.

    Attributes
    ----------
    ious : DataFrame
        ``design, case, vessel_id, frame, moving, iou``.
    table : NamedTable
        What people read.
    """

    ious: pd.DataFrame
    table: NamedTable

    def text(self) -> str:
        """Return the table for a terminal."""
        return as_text([self.table])


@dataclass
class _Row:
    """A line of the table: what its weights were trained here, how it is judged, and under which key that is kept."""

    name: str
    predictor: SAM2FlowPredictor
    training: str
    judge: Callable[[SAM2FlowPredictor, Case, int], TrackingScore] = score_tracking
    key: str = "judge_case"
    parts: list[TrackingScore] = field(default_factory=list)


def compare_memories(
    start: str = "tiny",
    data: str = "synthetic:bench-v1",
    device: str = "auto",
    weights: Mapping[str, str] | None = None,
    document: Path | None = None,
    cache: Path | None = None,
    report: Report = lambda line: None,
    settings: MemorySettings | None = None,
    only: Sequence[str] = (),
) -> MemoryComparison:
    """Let every design track vessels through long recordings, and say how well it kept hold of them.

    Parameters
    ----------
    start : str
        Weights that every design begins from, and that the first row shows as they are.
    data : str
        As for `evaluate`.
    device : str
        auto, cpu, cuda or mps.
    weights : mapping of str to str, optional
        Trained weights of a design; the others are trained here, all with the same steps, clips and seed.
    document : Path, optional
        The section `SECTION` of this Markdown file is written.
    cache : Path, optional
        Folder in which trained weights and results are kept.
    report : callable
        Told of the progress, a line at a time.
    settings : MemorySettings, optional
    only : sequence of str
        Names of the cases to use.

    Raises
    ------
    ModelError
        If there is no such design or model, or weights are of another design.
    """
    settings = settings or MemorySettings()
    given = _check_names(weights or {})
    cases = find_cases(data, EvaluationSettings().clicks, only)
    if not only:
        cases = tuple(case for case in cases if case.name in settings.cases) or cases
    with kept_results(cache) as results:
        shipped = SAM2FlowPredictor.from_pretrained(start, device)
        rows = [
            _Row("none: the first mask stays", shipped, "–", score_standing_still, "judge_standing_still"),
            _Row(f"{shipped.model.config.mask.memory.design}, as in {Path(start).stem}", shipped, "none"),
        ]
        own = shipped.model.config.mask.memory.design
        for design in MEMORY_DESIGNS:
            if shipped.model.matched_memory is not None and design not in given:
                if design == own:
                    continue
                chosen = {"mask.memory.design": design}
                rows.append(_Row(design, SAM2FlowPredictor.from_pretrained(start, device, overrides=chosen), _SAME))
                continue
            trained = f"{settings.steps} steps" if design not in given else "given"
            path = given.get(design) or _train(design, start, device, results.folder, settings, report)
            rows.append(_Row(design, _load(str(path), design, device), trained))
        for case in cases:
            _judge(rows, case, settings, results, report)
        table = _arrange(rows, settings)
    if document is not None:
        text = f"{_preface(start, data, cases, settings, rows, only)}\n\n{as_markdown([table])}"
        replace_section(document, SECTION, text)
    named = [p.ious.assign(design=row.name) for row in rows for p in row.parts]
    return MemoryComparison(pd.concat(named, ignore_index=True), table)


def _check_names(weights: Mapping[str, str]) -> Mapping[str, str]:
    for name in weights:
        if name not in MEMORY_DESIGNS:
            raise ModelError(f"no memory design '{name}'; there are {', '.join(MEMORY_DESIGNS)}")
    return weights


def _load(path: str, design: str, device: str) -> SAM2FlowPredictor:
    predictor = SAM2FlowPredictor.from_pretrained(path, device)
    found = predictor.model.config.mask.memory.design
    if found != design:
        raise ModelError(f"{path}: weights of the memory design '{found}', not '{design}'")
    return predictor


def _train(design: str, start: str, device: str, folder: Path, settings: MemorySettings, report: Report) -> Path:
    # Only here: the other tables need none of the packages that training does.
    require_extra("train", f"training the design '{design}'")
    from sam2flow_core.training import TrainingRequest, train

    begun = SAM2FlowPredictor.from_pretrained(start, device).description["sha256"][:12]
    path = folder / f"memory_{design}_{begun}_{settings.steps}_{settings.seed}.safetensors"
    if path.exists():
        return path
    # Elsewhere until it is done: a run that was stopped must not count, and its curves are of no use.
    with tempfile.TemporaryDirectory(dir=folder) as passing:
        beside = Path(passing) / path.name
        request = TrainingRequest(
            beside, start=start, memory=MemoryConfig(design), steps=settings.steps, seed=settings.seed, device=device
        )
        for progress in train(request):
            if progress.step % 20 == 0:
                figures = ", ".join(f"{k} {v:.2f}" for k, v in progress.figures.items())
                report(f"training {design}: step {progress.step} of {settings.steps}; {figures}")
        write_bytes(path, beside.read_bytes())
    return path


def _judge(rows: list[_Row], lazy: LazyCase, settings: MemorySettings, results: ResultCache, report: Report) -> None:
    case = None
    for row in rows:
        design = row.predictor.model.config.mask.memory.design
        key = (row.key, row.predictor.description["sha256"], design, lazy.fingerprint, settings.flow_frames)
        found = TrackingScore.from_table(results.find_table(*key))
        if found is None:
            report(f"{lazy.name}: {row.name}")
            case = case or lazy.open()
            found = row.judge(row.predictor, case, settings.flow_frames)
            results.keep_table(found.as_table(), *key)
        row.parts.append(found)


def _arrange(rows: list[_Row], settings: MemorySettings) -> NamedTable:
    shared = count_weights(rows[0].predictor.model)
    lines = [_figures(row, shared, settings) for row in rows]
    return NamedTable(
        "Designs of memory",
        "Mask IoU by memory alone, mean over vessels and frames, with the tissue's motion taken out and (moving) in "
        "the frames as recorded; lost: share of vessels' frames under an IoU of "
        f"{settings.lost_iou:g}. EPE of the flow measured in the masks found.",
        pd.DataFrame(lines),
    )


def _figures(row: _Row, shared: int, settings: MemorySettings) -> dict[str, object]:
    ious = pd.concat([part.ious for part in row.parts])
    still, moving = ious[~ious.moving], ious[ious.moving]
    late = still[still.frame > still.groupby("case").frame.transform("max") * 5 / 6]
    return {
        "design": row.name,
        "trained here": row.training,
        "weights added": 0 if row.training == _SAME else count_weights(row.predictor.model) - shared,
        "IoU": still.iou.mean(),
        "IoU, last sixth": late.iou.mean(),
        "lost %": 100 * float((still.iou < settings.lost_iou).mean()),
        "IoU, moving": moving.iou.mean(),
        "EPE px": float(np.mean([part.epe for part in row.parts])),
        "memory MB / vessel": float(np.mean([part.megabytes for part in row.parts])),
        "CPU ms / frame": 1000 * float(np.mean([part.seconds for part in row.parts])),
    }


def _preface(
    start: str,
    data: str,
    cases: Sequence[LazyCase],
    settings: MemorySettings,
    rows: Sequence[_Row],
    only: Sequence[str],
) -> str:
    source = data if data.startswith("synthetic:") else Path(data).name
    parts = ["sam2flow evaluate --memory-designs", f"--model {Path(start).name}", f"--data {source}"]
    command = " ".join(parts + ([f"--cases {','.join(only)}"] if only else []) + [f"--steps {settings.steps}"])
    sha = rows[0].predictor.description["sha256"][:16]
    names = ", ".join(f"`{case.name}` ({case.frames} frames{case.about and ': ' + case.about})" for case in cases)
    return (
        f"Made by `{command}` on {platform.system()} {platform.machine()}, Python {platform.python_version()}. "
        f"Cases: {names}. Every design begins with the weights of `{Path(start).name}` (SHA-256 `{sha}`), and what it "
        f"has beside them at random; those trained here saw the same clips, seed {settings.seed}, never the "
        "benchmark's. The true masks are given in the first frame. The flow half is the same in all rows."
    )
