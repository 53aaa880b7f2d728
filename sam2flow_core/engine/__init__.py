"""One run as a generator of events; the same engine serves the command line, the plugin, batch and Python."""

from sam2flow_core.engine.events import Finished, FrameDone, PartialDone, RunEvent, RunRequest, Stage, Started
from sam2flow_core.engine.provenance import request_again, request_to_go_on
from sam2flow_core.engine.requests import request_in_folder, request_of_project
from sam2flow_core.engine.run import run

__all__ = [
    "Finished",
    "FrameDone",
    "PartialDone",
    "RunEvent",
    "RunRequest",
    "Stage",
    "Started",
    "request_again",
    "request_in_folder",
    "request_of_project",
    "request_to_go_on",
    "run",
]
