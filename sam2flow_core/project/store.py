"""``<recording>.sam2flow/``: prompts, names, calibration and run settings, as files that outlive the program.

It holds ``project.json``, ``prompts.csv`` (the clicks alone) and one folder per
run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sam2flow_core.config.run import DETAILS
from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.errors import OutputError, StackError
from sam2flow_core.files import write_json
from sam2flow_core.messages import Message
from sam2flow_core.project.project_records import (
    CalibrationEdit,
    Project,
    RunChoices,
    SessionState,
    Vessel,
    default_name,
)
from sam2flow_core.prompts import Prompt, regions_from_json, regions_to_json, write_prompts
from sam2flow_core.stack import check_factor
from sam2flow_core.untrusted import STRICT, on_network, one_line, plain_name, read_json, read_regular

SCHEMA_VERSION = 2
SUFFIX = ".sam2flow"
PROJECT_FILE = "project.json"
_INSTEAD = Message("prompts.csv beside it can be opened instead")
_LARGEST = 2**31  # frames: more than any recording has, and what the window's fields can show


@dataclass(frozen=True)
class _Version:
    __pydantic_config__ = STRICT

    schema_version: int = 0


@dataclass(frozen=True)
class _ProjectFile:
    """What ``project.json`` holds, and of which types."""

    __pydantic_config__ = STRICT

    recording: str
    fingerprint: str
    vessels: tuple[Vessel, ...]
    prompts: tuple[Prompt, ...]
    calibration: CalibrationEdit
    run: RunChoices
    recording_beside: str = ""
    regions: tuple[Mapping[str, Any], ...] = ()  # schema 1 has none
    results: str = ""


def write_project(folder: Path, project: Project) -> None:
    """Write ``project.json`` and ``prompts.csv``, each whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "{folder}: cannot create the project folder ({reason})", folder=folder, reason=error.strerror
        ) from error
    write_json(folder / PROJECT_FILE, _to_json(folder, project))
    write_prompts(folder / "prompts.csv", project.state.clicks)


def read_project(folder: Path) -> Project:
    """Read a project folder.

    Raises
    ------
    OutputError
        If ``project.json`` is missing, damaged or from a newer version.
    """
    file = folder / PROJECT_FILE
    try:
        text = read_regular(file)
    except FileNotFoundError:
        raise OutputError(
            "{folder}: not a SAM2Flow project (no {project_file} in it)", folder=folder, project_file=PROJECT_FILE
        ) from None
    except (OSError, ValueError) as error:
        raise OutputError(
            "{file}: cannot be read ({reason}); {instead}", file=file, reason=error, instead=_INSTEAD
        ) from None
    try:
        if read_json(_Version, text).schema_version > SCHEMA_VERSION:
            raise OutputError("{file}: written by a newer SAM2Flow; update the plugin to open it", file=file)
        return _from_file(folder, read_json(_ProjectFile, text))
    except ValueError as error:
        raise OutputError(
            "{file}: damaged, cannot be read ({reason}); {instead}",
            file=file,
            reason=one_line(str(error)),
            instead=_INSTEAD,
        ) from None


def _to_json(folder: Path, project: Project) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        # Both, so that a project moved together with its recording and one left behind are found again.
        "recording": str(project.recording),
        "recording_beside": _relative(project.recording, folder),
        "fingerprint": project.fingerprint,
        "vessels": [asdict(v) for v in project.state.vessels],
        "prompts": [asdict(p) for p in project.state.clicks],
        "regions": regions_to_json(project.state.regions),
        "calibration": asdict(project.edit),
        "run": asdict(project.run),
        "results": project.results,
    }


def _relative(recording: Path, folder: Path) -> str:
    try:
        return os.path.relpath(recording, folder)
    except ValueError:  # another drive on Windows
        return ""


def _from_file(folder: Path, content: _ProjectFile) -> Project:
    """Return the project that a file tells of.

    Raises
    ------
    ValueError
        If a value cannot be meant, or leads out of the project or to another computer.
    """
    vessels = tuple(
        replace(v, name=one_line(v.name) or default_name(v.vessel_id), group=one_line(v.group)) for v in content.vessels
    )
    state = SessionState(vessels, (*content.prompts, *regions_from_json(content.regions)))
    _check_state(state)
    edit, choices = content.calibration, content.run
    _check_calibration(edit)
    for start, stop in ((choices.start, choices.stop), *choices.further):
        if not 0 <= start < _LARGEST or not 0 <= stop < _LARGEST:
            raise ValueError(f"frames {start} to {stop}")
    if any(start >= stop for start, stop in choices.ranges):
        raise ValueError("a range of frames that ends before it begins")
    if choices.working_resolution is not None:
        try:
            check_factor(choices.working_resolution)
        except StackError as error:
            raise ValueError(str(error)) from None
    if choices.detail not in DETAILS and not re.fullmatch("[1-9][0-9]{0,5}", choices.detail):
        raise ValueError(f"detail {choices.detail}")
    if content.results and not plain_name(content.results):
        raise ValueError("its results lie outside the project")
    recording = _recording(folder, content)
    return Project(recording, content.fingerprint, state, edit, choices, content.results)


def _recording(folder: Path, content: _ProjectFile) -> Path:
    for name in (content.recording_beside, content.recording):
        if "\0" in name:
            raise ValueError("the recording's path is no text")
        if on_network(name, folder):
            raise ValueError("its recording lies on another computer: open that one by hand")
    beside = folder / content.recording_beside
    return beside.resolve() if content.recording_beside and beside.exists() else Path(content.recording)


def _check_state(state: SessionState) -> None:
    ids = state.vessel_ids
    marks = {prompt.vessel_id for prompt in state.prompts}
    if len(set(ids)) < len(ids) or not marks <= set(ids):
        raise ValueError("vessels that stand twice, or are missing")
    if any(not 1 <= vessel <= 65535 for vessel in ids):
        raise ValueError("ids of vessels run from 1 to 65535")
    if any(not 0 <= prompt.frame < _LARGEST for prompt in state.prompts):
        raise ValueError("a mark outside every recording")
    if any(click.label not in (0, 1) for click in state.clicks):
        raise ValueError("a click that is neither on the vessel nor beside it")


def _check_calibration(edit: CalibrationEdit) -> None:
    possible = CalibrationLimits()
    for value, (low, high) in (
        (edit.pixel_size_um, possible.possible_pixel_size_um),
        (edit.frame_rate_hz, possible.possible_frame_rate_hz),
    ):
        if value is not None and not low <= value <= high:
            raise ValueError(f"a calibration of {value:g}")
