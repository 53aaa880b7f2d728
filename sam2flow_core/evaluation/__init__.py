"""Accuracy and speed against the truth, beside the methods users have today."""

from sam2flow_core.evaluation.accuracy import Evaluation, evaluate, evaluate_ablations
from sam2flow_core.evaluation.memory_comparison import MemoryComparison, compare_memories
from sam2flow_core.evaluation.metrics import binned_flow_metrics, flow_metrics
from sam2flow_core.evaluation.speed import BenchResult, bench

__all__ = [
    "BenchResult",
    "Evaluation",
    "MemoryComparison",
    "bench",
    "binned_flow_metrics",
    "compare_memories",
    "evaluate",
    "evaluate_ablations",
    "flow_metrics",
]
