"""Work away from the GUI thread: one worker, one thing at a time."""

from sam2flow_napari.work.jobs import (
    Cancelled,
    Failed,
    JobEvent,
    Loaded,
    LoadJob,
    Masked,
    PreviewJob,
    Propagated,
    PropagationJob,
    PropagationProgress,
    RunJob,
    RunProgress,
    WarmJob,
)
from sam2flow_napari.work.worker import Desk

__all__ = [
    "Cancelled",
    "Desk",
    "Failed",
    "JobEvent",
    "LoadJob",
    "Loaded",
    "Masked",
    "PreviewJob",
    "Propagated",
    "PropagationJob",
    "PropagationProgress",
    "RunJob",
    "RunProgress",
    "WarmJob",
]
