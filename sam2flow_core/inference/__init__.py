"""Frames in, masks and flow out.

The names load on first use: readers of results and builders of requests share
the records of `steps` and must not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sam2flow_core.inference.dense import TrackingStep
    from sam2flow_core.inference.predictor import SAM2FlowPredictor
    from sam2flow_core.inference.steps import FrameFlow, VesselFlow
    from sam2flow_core.inference.weights import load_model, read_header, save_weights

__all__ = [
    "FrameFlow",
    "SAM2FlowPredictor",
    "TrackingStep",
    "VesselFlow",
    "load_model",
    "read_header",
    "save_weights",
]

_HOMES = {
    "FrameFlow": "steps",
    "SAM2FlowPredictor": "predictor",
    "TrackingStep": "dense",
    "VesselFlow": "steps",
    "load_model": "weights",
    "read_header": "weights",
    "save_weights": "weights",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
