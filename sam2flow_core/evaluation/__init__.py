"""Accuracy and speed against the truth, beside the methods users have today."""

from sam2flow_core.evaluation.metrics import binned_flow_metrics, flow_metrics

__all__ = ["binned_flow_metrics", "flow_metrics"]
