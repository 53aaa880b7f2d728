"""What one viewer knows: recording, vessels, prompts, history and the project folder. No Qt here."""

from sam2flow_napari.session.recording import Recording, Spacing, open_recording, project_folder
from sam2flow_napari.session.session import Session

__all__ = [
    "Recording",
    "Session",
    "Spacing",
    "open_recording",
    "project_folder",
]
