"""Figures of merit: pure functions on arrays."""

from sam2flow_core.evaluation.metrics.flow import (
    bin_name,
    binned_flow_metrics,
    direction_error,
    endpoint_error,
    flow_metrics,
)
from sam2flow_core.evaluation.metrics.masks import boundary_f, mask_iou
from sam2flow_core.evaluation.metrics.uncertainty import auroc, interval_coverage, spearman
from sam2flow_core.evaluation.metrics.velocity import jitter, mean_along, relative_errors

__all__ = [
    "auroc",
    "bin_name",
    "binned_flow_metrics",
    "boundary_f",
    "direction_error",
    "endpoint_error",
    "flow_metrics",
    "interval_coverage",
    "jitter",
    "mask_iou",
    "mean_along",
    "relative_errors",
    "spearman",
]
