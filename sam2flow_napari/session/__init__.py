"""What one viewer knows: recording, vessels, prompts, history and the project folder. No Qt here."""

from sam2flow_napari.session.calibration import CalibrationEdit, Spacing
from sam2flow_napari.session.project import Project, RunChoices, project_folder, read_project
from sam2flow_napari.session.recording import Recording, open_recording
from sam2flow_napari.session.session import Session
from sam2flow_napari.session.state import SessionState, Vessel

__all__ = [
    "CalibrationEdit",
    "Project",
    "Recording",
    "RunChoices",
    "Session",
    "SessionState",
    "Spacing",
    "Vessel",
    "open_recording",
    "project_folder",
    "read_project",
]
