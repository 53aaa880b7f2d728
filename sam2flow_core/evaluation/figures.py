"""From comparisons to the figures of the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.evaluation.comparison import Comparison
from sam2flow_core.evaluation.metrics import (
    auroc,
    binned_flow_metrics,
    endpoint_error,
    flow_metrics,
    relative_errors,
)

ALL = "all"
STILL_PX = 0.05  # a vessel slower than this has no velocity to be percent of


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
    rows = {ALL: _part(comparison, clear, stated) | _vessel_figures(comparison)}
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
    rows["overlap"] = _part(comparison, comparison.overlap & ~comparison.leaves, stated)
    rows["leaves"] = _part(comparison, comparison.leaves & ~comparison.overlap, stated)
    rows["past aliasing"] = _part(comparison, clear & comparison.aliased, stated) | _ambiguity(
        comparison, clear, stated
    )
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.insert(0, "method", name)
    return table.rename_axis("part").reset_index()


def gross(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which answers are wrong rather than inexact: off by over 3 px and over 20 % of the displacement."""
    error = endpoint_error(predicted, true)
    return np.asarray((error > 3) & (error > 0.2 * np.hypot(true[:, 0], true[:, 1])))


def _part(comparison: Comparison, chosen: NDArray[np.bool_], stated: bool) -> dict[str, float]:
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
    return {"auroc": auroc(comparison.scale[chosen], gross(comparison.predicted[chosen], comparison.true[chosen]))}
