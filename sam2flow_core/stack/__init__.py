"""Recordings from disk: lazy frames, calibration with sources, and stabilisation."""

from sam2flow_core.stack.calibration import Calibration, Measured, resolve_calibration
from sam2flow_core.stack.opening import describe_stack, open_stack
from sam2flow_core.stack.plan import FramePlan
from sam2flow_core.stack.resolution import WorkingResolution, check_factor, choose_resolution, describe_factor
from sam2flow_core.stack.stabiliser import Shift, Stabiliser
from sam2flow_core.stack.stack import LazyFrames, Stack
from sam2flow_core.stack.timing import Timing

__all__ = [
    "Calibration",
    "FramePlan",
    "LazyFrames",
    "Measured",
    "Shift",
    "Stabiliser",
    "Stack",
    "Timing",
    "WorkingResolution",
    "check_factor",
    "choose_resolution",
    "describe_factor",
    "describe_stack",
    "open_stack",
    "resolve_calibration",
]
