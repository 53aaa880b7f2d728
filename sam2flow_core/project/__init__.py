"""The project beside a recording: what a user said of it, kept so that window and command line read the same."""

from sam2flow_core.project.project_records import (
    CalibrationEdit,
    KeptRun,
    Project,
    RunChoices,
    SessionState,
    Vessel,
    default_name,
    kept_runs,
    next_comparison_file,
    next_line_folder,
    next_masks_file,
    next_run_folder,
)
from sam2flow_core.project.store import PROJECT_FILE, SUFFIX, read_project, write_project

__all__ = [
    "PROJECT_FILE",
    "SUFFIX",
    "CalibrationEdit",
    "KeptRun",
    "Project",
    "RunChoices",
    "SessionState",
    "Vessel",
    "default_name",
    "kept_runs",
    "next_comparison_file",
    "next_line_folder",
    "next_masks_file",
    "next_run_folder",
    "read_project",
    "write_project",
]
