"""The run that a project asks for; window and command line both ask here, so that their tables are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import PromptError, StackError
from sam2flow_core.inference.hub import require_here
from sam2flow_core.project import Project, next_run_folder, read_project
from sam2flow_core.stack import open_stack


def request_of_project(project: Project, folder: Path) -> RunRequest:
    """Return the run of a project's prompts with its settings, into the next free run folder inside `folder`.

    Raises
    ------
    PromptError
        If no vessel is marked.
    """
    state, choices, edit = project.state, project.run, project.edit
    if not state.prompts:
        raise PromptError("no vessel is marked: click on a vessel in the image first")
    return RunRequest(
        stack=project.recording,
        prompts=state.prompts,
        out=next_run_folder(folder),
        model=choices.model,
        device=choices.device,
        pixel_size_um=edit.pixel_size_um,
        frame_rate_hz=edit.frame_rate_hz,
        start=choices.start,
        stop=choices.stop or None,
        ranges=choices.ranges,
        stabilise=choices.stabilise,
        detail=choices.detail,
        names=tuple((v.vessel_id, v.name) for v in state.vessels if state.is_prompted(v.vessel_id)),
        working_resolution=choices.working_resolution,
        groups=tuple((v.vessel_id, v.group) for v in state.vessels if v.group and state.is_prompted(v.vessel_id)),
    )


def request_in_folder(folder: Path, stack: Path | None = None, download: bool = False) -> RunRequest:
    """Return the run that the project in a folder asks for.

    Parameters
    ----------
    folder : Path
        The project folder, ``<recording>.sam2flow``.
    stack : Path, optional
        Where the recording is now, if it has moved.
    download : bool
        Whether a model that the project names may be fetched from the Hugging Face hub.

    Raises
    ------
    OutputError
        If the folder holds no project that can be read.
    ModelError
        If it names a model of the hub, and `download` is off.
    StackError
        If the recording is gone, or is another than the one that was clicked on.
    PromptError
        If no vessel is marked.
    """
    project = read_project(folder)
    if not download:
        require_here(project.run.model, folder)
    recording = stack or project.recording
    if not recording.exists():
        raise StackError(f"{recording}: the recording of this project has moved; give its path as STACK")
    with open_stack(recording) as opened:
        if not opened.has_fingerprint(project.fingerprint):
            raise StackError(
                f"{recording}: is not as it was when its vessels were marked; open it in napari, check the clicks, "
                "and run again"
            )
    return request_of_project(replace(project, recording=recording), folder)
