"""One method's answers against the truth of a case, pixel by pixel, and the figures made of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.evaluation.cases import Answer, Case, FlowMethod, out_of_frame
from sam2flow_core.evaluation.metrics import (
    auroc,
    binned_flow_metrics,
    endpoint_error,
    flow_metrics,
    jitter,
    mean_along,
    relative_errors,
)
from sam2flow_core.files import whole_file

ALL = "all"
"""The part of the pixels that the main table shows."""
STILL_PX = 0.05  # a vessel slower than this has no velocity to be percent of
_ALIASING_UM = 8.0  # half the usual spacing of red cells; see De Backer 2007 for the frame rates this asks for


@dataclass(frozen=True)
class Comparison:
    """Every judged pixel, every vessel. One row per pixel and pair (N), per vessel (V), per pixel seen twice (J).

    Attributes
    ----------
    predicted, true : ndarray of float32, shape (N, 2)
        Flow ``(dx, dy)``, px per frame.
    scale : ndarray of float32, shape (N,)
        NaN where the method states none.
    width : ndarray of float32, shape (N,)
        Diameter of the pixel's vessel, px.
    overlap, leaves, aliased : ndarray of bool, shape (N,)
        On two vessels; out of the frame at t + 1; past the aliasing limit.
    vessel_predicted, vessel_true : ndarray, shape (V,)
        Mean velocity along the vessel over the judged pairs, px per frame.
    jitter : ndarray of float32, shape (J,)
        Change between consecutive pairs that is not in the truth, px.
    seconds : ndarray, shape (P,)
        Processor time of each pair.
    """

    predicted: NDArray[np.float32]
    true: NDArray[np.float32]
    scale: NDArray[np.float32]
    width: NDArray[np.float32]
    overlap: NDArray[np.bool_]
    leaves: NDArray[np.bool_]
    aliased: NDArray[np.bool_]
    vessel_predicted: NDArray[np.floating]
    vessel_true: NDArray[np.floating]
    jitter: NDArray[np.float32]
    seconds: NDArray[np.floating]

    def save(self, path: Path) -> None:
        """Write all arrays to an ``.npz`` file, whole or not at all."""
        with whole_file(path) as part:
            np.savez(part, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Comparison:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})


def pool(parts: Sequence[Comparison]) -> Comparison:
    """Put the comparisons of several cases together; every pixel counts the same."""
    return Comparison(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Comparison)})


def choose_pairs(frames: int, bursts: int, burst_pairs: int) -> tuple[int, ...]:
    """Choose consecutive pairs at places spread evenly over a case.

    Parameters
    ----------
    frames : int
        Length of the case.
    bursts, burst_pairs : int
        Places, and consecutive pairs at each.

    Returns
    -------
    tuple of int
        First frames, ascending; all pairs where the case is too short for more.
    """
    last = frames - 1 - burst_pairs
    if last < bursts * burst_pairs:
        return tuple(range(frames - 1))
    # The first frame is left to methods that have nothing to remember yet; places start at the first burst's end.
    starts = np.linspace(burst_pairs, last, bursts).round().astype(int)
    return tuple(sorted({int(s) + k for s in starts for k in range(burst_pairs)}))


def compare(case: Case, method: FlowMethod, pairs: Sequence[int]) -> Comparison:
    """Ask a method for the pairs of a case and lay its answers beside the truth."""
    vessels = [_Collected(case, index) for index in range(len(case.vessels))]
    seconds = []
    for answer in method.answers(case, pairs):
        flow, leaves = case.flow(answer.pair)
        outside = out_of_frame(case, answer.pair)
        for vessel in vessels:
            vessel.add(answer, flow[vessel.index], leaves[vessel.index] | outside)
        seconds.append(answer.seconds)
    return _assemble(case, vessels, seconds)


class _Collected:
    """The judged pixels of one vessel, pair after pair."""

    def __init__(self, case: Case, index: int) -> None:
        self.index = index
        self._case = case
        self._at = np.nonzero(case.vessels[index].mask)
        self.predicted: list[NDArray[np.float32]] = []
        self.true: list[NDArray[np.float32]] = []
        self.scale: list[NDArray[np.float32]] = []
        self.leaves: list[NDArray[np.bool_]] = []
        self.pairs: list[int] = []

    def add(self, answer: Answer, true: NDArray[np.float32], leaves: NDArray[np.bool_]) -> None:
        """Take the vessel's pixels out of one answer."""
        self.pairs.append(answer.pair)
        self.predicted.append(_rows(answer.flow[self.index], self._at))
        self.true.append(_rows(true, self._at))
        self.leaves.append(leaves[self._at])
        count = len(self._at[0])
        scale = np.full(count, np.nan, np.float32) if answer.scale is None else answer.scale[self.index][self._at]
        self.scale.append(scale)

    @property
    def overlap(self) -> NDArray[np.bool_]:
        """Pixels that lie on another vessel too."""
        return self._case.overlap[self._at]

    def jitters(self) -> list[NDArray[np.float32]]:
        """Jitter of the pixels that can be judged in both of two consecutive pairs."""
        found = []
        for k, (pair, following) in enumerate(zip(self.pairs, self.pairs[1:], strict=False)):
            if following == pair + 1:
                answered = np.isfinite(self.predicted[k] + self.predicted[k + 1]).all(axis=1)
                clear = ~(self.overlap | self.leaves[k] | self.leaves[k + 1]) & answered
                errors = [(self.predicted[i] - self.true[i])[clear] for i in (k, k + 1)]
                found.append(jitter(*errors).astype(np.float32))
        return found

    def velocities(self) -> tuple[float, float]:
        """Mean velocity along the vessel, predicted and true, over the pairs that are answered and can be judged."""
        direction = _directions(self.true)
        pairs = []
        for predicted, true, leaves in zip(self.predicted, self.true, self.leaves, strict=True):
            clear = ~(self.overlap | leaves) & np.isfinite(predicted).all(axis=1)
            if clear.any():
                pairs.append(
                    (mean_along(predicted[clear], direction[clear]), mean_along(true[clear], direction[clear]))
                )
        if not pairs:
            return float("nan"), 0.0
        measured, exact = np.mean(pairs, axis=0)
        return float(measured), float(exact)


def _rows(field: NDArray[np.float32], at: tuple[NDArray[np.int64], ...]) -> NDArray[np.float32]:
    """Pixels of a field (2, Y, X) as rows (N, 2)."""
    return np.stack([field[0][at], field[1][at]], axis=1)


def _directions(true: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Unit vectors along the vessel at each pixel, from the pair in which it moves most: one sign for all of it."""
    strongest = max(true, key=lambda flow: float(np.abs(flow).sum()))
    length = np.hypot(strongest[:, 0], strongest[:, 1])
    return np.asarray(strongest / np.maximum(length, 1e-12)[:, None], np.float32)


def _assemble(case: Case, vessels: Sequence[_Collected], seconds: list[float]) -> Comparison:
    rows = [(v, k) for v in vessels for k in range(len(v.pairs))]
    true = np.concatenate([v.true[k] for v, k in rows])
    widths = [np.full(len(v.overlap), case.vessels[v.index].width_px, np.float32) for v, _ in rows]
    velocities = np.array([v.velocities() for v in vessels])
    jitters = [values for v in vessels for values in v.jitters()]
    return Comparison(
        # A pair that is not answered, as its frames were lost or repeated, counts as no motion.
        predicted=np.nan_to_num(np.concatenate([v.predicted[k] for v, k in rows])),
        true=true,
        scale=np.concatenate([v.scale[k] for v, k in rows]),
        width=np.concatenate(widths),
        overlap=np.concatenate([v.overlap for v, _ in rows]),
        leaves=np.concatenate([v.leaves[k] for v, k in rows]),
        aliased=np.hypot(true[:, 0], true[:, 1]) > _ALIASING_UM / case.pixel_size_um,
        vessel_predicted=velocities[:, 0],
        vessel_true=velocities[:, 1],
        jitter=np.concatenate(jitters) if jitters else np.zeros(0, np.float32),
        seconds=np.array(seconds),
    )


def figures(name: str, comparison: Comparison, settings: EvaluationSettings) -> pd.DataFrame:
    """Every figure of one method.

    Parameters
    ----------
    name : str
        The method's name.
    comparison : Comparison
    settings : EvaluationSettings

    Returns
    -------
    DataFrame
        One row per part of the pixels: ``all``, the bins of displacement and width (overlaps and leaving pixels left
        out of these), then ``overlap``, ``leaves`` and ``past aliasing``. Columns as `flow_metrics` names them; on the
        row ``all`` also ``jitter`` (px, mean), ``velocity_median`` and ``velocity_p90`` (percent), ``seconds_pair``
        (median) and, with a scale, ``answered`` (percent of the pixels that have one); on ``past aliasing`` also
        ``auroc`` of the stated scale as a flag of gross errors.
    """
    clear = ~(comparison.overlap | comparison.leaves)
    stated = comparison.scale.size > 0 and not np.isnan(comparison.scale).all()
    rows = {ALL: _part_figures(comparison, clear, stated) | _vessel_figures(comparison)}
    if stated:
        rows[ALL]["answered"] = 100 * float(np.mean(np.isfinite(comparison.scale[clear])))
    predicted, true = comparison.predicted[clear], comparison.true[clear]
    scale = comparison.scale[clear] if stated else None
    speed = np.hypot(true[:, 0], true[:, 1])
    for kind, by, edges in (
        ("displacement", speed, settings.displacement_edges),
        ("width", comparison.width[clear], settings.width_edges),
    ):
        for bin_, values in binned_flow_metrics(predicted, true, by, edges, scale).items():
            rows[f"{kind} {bin_}"] = values
    rows["overlap"] = _part_figures(comparison, comparison.overlap & ~comparison.leaves, stated)
    rows["leaves"] = _part_figures(comparison, comparison.leaves & ~comparison.overlap, stated)
    rows["past aliasing"] = _part_figures(comparison, clear & comparison.aliased, stated) | _ambiguity(
        comparison, clear, stated
    )
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.insert(0, "method", name)
    return table.rename_axis("part").reset_index()


def _gross(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which answers are wrong rather than inexact: off by over 3 px and over 20 % of the displacement."""
    error = endpoint_error(predicted, true)
    return np.asarray((error > 3) & (error > 0.2 * np.hypot(true[:, 0], true[:, 1])))


def _part_figures(comparison: Comparison, chosen: NDArray[np.bool_], stated: bool) -> dict[str, float]:
    scale = comparison.scale[chosen] if stated else None
    return flow_metrics(comparison.predicted[chosen], comparison.true[chosen], scale)


def _vessel_figures(comparison: Comparison) -> dict[str, float]:
    moving = np.abs(comparison.vessel_true) >= STILL_PX
    errors = relative_errors(comparison.vessel_predicted[moving], comparison.vessel_true[moving])
    return {
        "jitter": float(comparison.jitter.mean()) if comparison.jitter.size else float("nan"),
        "velocity_median": float(np.median(errors)) if errors.size else float("nan"),
        "velocity_p90": float(np.percentile(errors, 90)) if errors.size else float("nan"),
        "seconds_pair": float(np.median(comparison.seconds)) if comparison.seconds.size else float("nan"),
    }


def _ambiguity(comparison: Comparison, clear: NDArray[np.bool_], stated: bool) -> dict[str, float]:
    if not stated:
        return {}
    chosen = clear & comparison.aliased & np.isfinite(comparison.scale)
    return {"auroc": auroc(comparison.scale[chosen], _gross(comparison.predicted[chosen], comparison.true[chosen]))}
